/** Time. Protocols run on the monotonic reading; the wall clock is for log lines and certificates only. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin; may have a fraction. */
  now(): number;
  /** Wall-clock milliseconds since 1970. */
  wall(): number;
  /** Calls `callback` once, not before the monotonic instant `at`. */
  setTimer(at: number, callback: () => void): Timer;
}

export interface Timer {
  /** The callback will not be called any more. Harmless when it was. */
  cancel(): void;
}
