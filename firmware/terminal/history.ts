/** The lines that were typed before. */

/** Lines that are kept; the oldest go. */
const MAX_LINES = 500;

export class History {
  readonly #lines: string[] = [];
  /** Where the reader is; the number of lines: at the line that is being typed. */
  #at = 0;

  /** A line twice in a row is kept once. */
  add(line: string): void {
    if (line.trim() !== '' && this.#lines.at(-1) !== line) this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    this.reset();
  }

  reset(): void {
    this.#at = this.#lines.length;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The next older line that begins with `beginning`; `undefined` when there is none. */
  older(beginning: string): string | undefined {
    return this.#seek(-1, beginning);
  }

  /** The next newer one. */
  newer(beginning: string): string | undefined {
    return this.#seek(1, beginning);
  }

  #seek(step: 1 | -1, beginning: string): string | undefined {
    for (let at = this.#at + step; at >= 0 && at < this.#lines.length; at += step) {
      const line = this.#lines[at];
      if (line?.startsWith(beginning) !== true) continue;
      this.#at = at;
      return line;
    }
    return undefined;
  }
}
