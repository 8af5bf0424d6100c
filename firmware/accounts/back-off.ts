/** How long somebody has to wait who failed before: twice as long each time. A table without a clock: the time is handed in. */

export interface BackOffOptions {
  /** Attempts that cost nothing. */
  readonly free: number;
  /** Wait after the first one beyond, ms. */
  readonly base: number;
  /** Longest wait, ms. */
  readonly most: number;
  /** Entries at most. When there are more, those that failed least, and among them the oldest, give way. */
  readonly entries: number;
  /** Time without an attempt after which nothing is remembered, ms. */
  readonly forget: number;
}

interface Entry {
  failures: number;
  /** Monotonic, ms: no attempt before. */
  until: number;
  last: number;
}

export class BackOff {
  readonly #options: BackOffOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How long `key` has to wait yet, ms; 0: not at all. */
  remaining(key: string, now: number): number {
    return Math.max(0, (this.#entry(key, now)?.until ?? 0) - now);
  }

  /** An attempt begins. It counts as failed until it is taken back, so that many at once are not judged as the first. */
  count(key: string, now: number): void {
    const entry = this.#entry(key, now) ?? this.#add(key, now);
    entry.failures += 1;
    entry.last = now;
    entry.until = now + this.#wait(entry.failures);
  }

  /** One attempt was none. */
  takeBack(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.failures -= 1;
    entry.until = entry.last + this.#wait(entry.failures);
    if (entry.failures <= 0) this.#entries.delete(key);
  }

  forgive(key: string): void {
    this.#entries.delete(key);
  }

  #wait(failures: number): number {
    const { free, base, most } = this.#options;
    const beyond = failures - free;
    return beyond < 0 ? 0 : Math.min(most, base * 2 ** Math.min(beyond, 30));
  }

  #entry(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || now - entry.last < this.#options.forget) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  #add(key: string, now: number): Entry {
    if (this.#entries.size >= this.#options.entries) this.#makeRoom(now);
    const entry = { failures: 0, until: 0, last: now };
    this.#entries.set(key, entry);
    return entry;
  }

  #makeRoom(now: number): void {
    let least: [string, Entry] | undefined;
    for (const [key, entry] of this.#entries) {
      if (now - entry.last >= this.#options.forget) this.#entries.delete(key);
      else if (least === undefined || entry.failures < least[1].failures) least = [key, entry];
    }
    if (this.#entries.size >= this.#options.entries && least !== undefined) this.#entries.delete(least[0]);
  }
}
