/**
 * Sums of counters whose owners come and go (SAs, sessions), so that a sum never falls when one of them goes. What an owner
 * counted after it was last looked at goes with it.
 */

/** What one owner has counted, by what it is. */
export interface Counted {
  /** Of the owner, unique among all that are there, and over their lives. */
  readonly key: string;
  /** Under which sum it goes. */
  readonly name: string;
  readonly counts: ReadonlyMap<string, number>;
}

export class CounterSums {
  /** By name, then by what. */
  readonly #sums = new Map<string, Map<string, number>>();
  /** What each owner had counted when it was last looked at. */
  #last = new Map<string, ReadonlyMap<string, number>>();

  /** @param names under which there may be sums: others are forgotten. */
  observe(owners: readonly Counted[], names: ReadonlySet<string>): void {
    const seen = new Map<string, ReadonlyMap<string, number>>();
    for (const { key, name, counts } of owners) {
      const before = this.#last.get(key);
      const sums = this.#sums.get(name) ?? new Map<string, number>();
      this.#sums.set(name, sums);
      for (const [what, count] of counts) {
        const grown = count - (before?.get(what) ?? 0);
        // Less than before: another owner has the key, and counts from nothing.
        sums.set(what, (sums.get(what) ?? 0) + (grown >= 0 ? grown : count));
      }
      seen.set(key, counts);
    }
    this.#last = seen;
    for (const name of this.#sums.keys()) if (!names.has(name)) this.#sums.delete(name);
  }

  /** By name. */
  get sums(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#sums;
  }
}
