/** Waiting for several handles at once, in a thread that may block. */
export interface PollerFactory {
  open(): Poller;
}

export interface Poller {
  /** Starts to watch a handle for input (and errors). */
  add(handle: number): void;
  /** Whether a watched handle counts as ready when it has room for output, too. Not from the start; harmless for any other handle. */
  awaitRoom(handle: number, wanted: boolean): void;
  remove(handle: number): void;
  /**
   * Blocks until a watched handle has input, an error or the room that is awaited, {@link Waker.wake} was called, or the time is over.
   * @param timeoutMs -1: for ever.
   * @returns the handles that are ready, valid until the next call.
   */
  wait(timeoutMs: number): readonly number[];
  /** What another thread needs to end a {@link wait}: a number that may be posted to it and given to `wakePoller`. */
  readonly wakeHandle: number;
  close(): void;
}

/** Ends a wait of the poller whose `wakeHandle` was given, from any thread. */
export type WakePoller = (wakeHandle: number) => void;
