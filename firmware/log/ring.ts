/** The last log lines in memory: what `culvert show log` prints, the lines of the early boot included. */

/** Lines kept. At some 200 octets each they cost 200 KB, and cover several failed attempts of every connection. */
export const LOG_RING_LINES = 1000;

/** Longest line kept, UTF-16 units: bounds the ring to a few megabytes whatever is logged. */
const MAX_LINE = 4096;

export class LogRing {
  readonly #capacity: number;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  #next = 0;

  /** @param capacity lines, 1 or more. */
  constructor(capacity = LOG_RING_LINES) {
    this.#capacity = capacity;
  }

  /** Keeps a line, with or without its line feed; the oldest one goes when the ring is full. */
  push(line: string): void {
    const text = line.endsWith('\n') ? line.slice(0, -1) : line;
    const kept = text.length <= MAX_LINE ? text : shortened(text);
    this.#lines[this.#next] = kept;
    this.#next = (this.#next + 1) % this.#capacity;
    for (const listener of this.#listeners) listener(kept);
  }

  /**
   * Calls `listener` with each line from now on, without its line feed. It may not throw; what it logs itself comes back to
   * it. @returns what ends that.
   */
  listen(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The lines kept, oldest first. */
  lines(): readonly string[] {
    if (this.#lines.length < this.#capacity) return [...this.#lines];
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
  }
}

/** A line that is too long stays one JSON object: its beginning becomes the message. */
function shortened(text: string): string {
  return JSON.stringify({
    level: 'warn',
    msg: `a log line of ${text.length} characters was cut`,
    begin: text.slice(0, 256),
  });
}
