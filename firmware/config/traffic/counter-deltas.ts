/** What was added to absolute counters since the last look at them. A counter may begin again at 0, or go. */

export class CounterDeltas {
  readonly #last = new Map<string, number>();
  #seen = new Set<string>();

  /**
   * @param source of the counter, unique; one that ends and begins again under the same name is taken for a reset.
   * @param fresh a counter that was never seen began at 0 just now (a session). Else it counted long before we looked (an
   * interface of the kernel), and the first value is where counting starts.
   * @returns what was added, >= 0.
   */
  take(source: string, value: number, fresh: boolean): number {
    this.#seen.add(source);
    const before = this.#last.get(source);
    this.#last.set(source, value);
    if (before === undefined) return fresh ? value : 0;
    // It began again in between: all that it has came since.
    return value < before ? value : value - before;
  }

  /** Every counter that there is was taken: the others are gone. Not to be called when some could not be read. */
  endRound(): void {
    for (const source of this.#last.keys()) if (!this.#seen.has(source)) this.#last.delete(source);
    this.#seen = new Set();
  }
}
