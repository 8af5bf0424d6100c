/** A map that forgets what was not used for longest: whatever a capture holds, the decoder's memory stays flat. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #most: number;
  readonly #forgotten: ((value: Value, key: Key) => void) | undefined;

  /** @param forgotten is told of each entry that had to make room. */
  constructor(most: number, forgotten?: (value: Value, key: Key) => void) {
    this.#most = most;
    this.#forgotten = forgotten;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** The value, which then counts as just used. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#most) return;
    for (const [oldest, old] of this.#entries) {
      this.#entries.delete(oldest);
      this.#forgotten?.(old, oldest);
      return;
    }
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  /** From the one not used for longest to the last one used. */
  values(): IterableIterator<Value> {
    return this.#entries.values();
  }

  /** From the one not used for longest to the last one used. */
  entries(): IterableIterator<[Key, Value]> {
    return this.#entries.entries();
  }
}
