/** Numbers given to users one at a time; a user who comes back gets the same one when it is free. */
export class NumberPool {
  readonly #first: number;
  readonly #last: number;
  readonly #reserved: ReadonlySet<number>;
  /** How often each is taken: one of the pool's own choice once. */
  readonly #taken = new Map<number, number>();
  /** At most one entry per user name of the configuration. */
  readonly #lastOf = new Map<string, number>();
  #next: number;

  /**
   * @param first and `last`, both included.
   * @param reserved never given out.
   */
  constructor(first: number, last: number, reserved: readonly number[]) {
    this.#first = first;
    this.#last = last;
    this.#next = first;
    this.#reserved = new Set(reserved);
  }

  /** A number for `user`; `undefined` when the pool is used up. */
  take(user: string | undefined): number | undefined {
    const before = user === undefined ? undefined : this.#lastOf.get(user);
    const number = before !== undefined && !this.#taken.has(before) ? before : this.#search();
    if (number === undefined) return undefined;
    this.#taken.set(number, 1);
    if (user !== undefined) this.#lastOf.set(user, number);
    return number;
  }

  /** Takes one that somebody else chose, of the range or not; it is free again after as many releases. */
  claim(number: number): void {
    this.#taken.set(number, (this.#taken.get(number) ?? 0) + 1);
  }

  /** Gives a number back; harmless for one that was never taken. */
  release(number: number): void {
    const times = this.#taken.get(number) ?? 0;
    if (times > 1) this.#taken.set(number, times - 1);
    else this.#taken.delete(number);
  }

  /** The least recently tried free one, so that one just given back rests for a while. */
  #search(): number | undefined {
    const size = this.#last - this.#first + 1;
    for (let tried = 0; tried < size; tried += 1) {
      const candidate = this.#next;
      this.#next = candidate === this.#last ? this.#first : candidate + 1;
      if (!this.#taken.has(candidate) && !this.#reserved.has(candidate)) return candidate;
    }
    return undefined;
  }
}
