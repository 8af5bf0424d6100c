/**
 * A map that forgets what was not used for long: whatever a capture holds, the decoder's memory stays flat.
 *
 * It has two generations. What is set or got belongs to the younger one; when that is full, it becomes the older one, and
 * what was in the older one is forgotten. So an entry stays for at least half as many others as there is room for, and no
 * call searches for the oldest entry: in a Map from which much was deleted that takes long.
 */
export class BoundedMap<Key, Value> {
  readonly #half: number;
  readonly #forgotten: ((value: Value, key: Key) => void) | undefined;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  /**
   * @param most entries at a time, 2 or more
   * @param forgotten is told of each entry that had to make room
   */
  constructor(most: number, forgotten?: (value: Value, key: Key) => void) {
    this.#half = Math.max(1, Math.floor(most / 2));
    this.#forgotten = forgotten;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  has(key: Key): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }

  /** The value, which then counts as just used. */
  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: Key, value: Value): void {
    this.#old.delete(key);
    if (this.#young.size >= this.#half && !this.#young.has(key)) this.#age();
    this.#young.set(key, value);
  }

  delete(key: Key): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  *values(): Generator<Value, void, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  /** Those not used for long first. Entries that are deleted meanwhile do not come. */
  *entries(): Generator<[Key, Value], void, undefined> {
    yield* this.#old.entries();
    yield* this.#young.entries();
  }

  #age(): void {
    const gone = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    if (this.#forgotten !== undefined) for (const [key, value] of gone) this.#forgotten(value, key);
  }
}
