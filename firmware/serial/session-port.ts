/** What the console asks of a session that began on it, beside logging in and out. */
export interface SessionPort {
  /** Calls `listener` once, when the session ends for whatever reason, by its logout too, or is good for something else. */
  onEnd(token: string, listener: () => void): void;
  /** Somebody has typed. */
  used(token: string): void;
}
