/** The octets of a file that were read and not used yet. */
export class ByteQueue {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Octets still to be stepped over that have not come yet. */
  #toSkip = 0;

  /** Octets at hand. */
  get available(): number {
    return this.#bytes.length - this.#at;
  }

  /** Whether {@link skip} still waits for octets. */
  get skipping(): boolean {
    return this.#toSkip > 0;
  }

  push(chunk: Uint8Array): void {
    const skipped = Math.min(this.#toSkip, chunk.length);
    this.#toSkip -= skipped;
    const fresh = chunk.subarray(skipped);
    if (this.available === 0) this.#bytes = fresh;
    else {
      const joined = new Uint8Array(this.available + fresh.length);
      joined.set(this.#bytes.subarray(this.#at));
      joined.set(fresh, this.available);
      this.#bytes = joined;
    }
    this.#at = 0;
  }

  /** The next `length` octets, which stay; `undefined` while there are fewer. */
  peek(length: number): DataView | undefined {
    if (length > this.available) return undefined;
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, length);
  }

  /** The next `length` octets, a view; there must be as many. */
  take(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Steps over octets, those to come included. */
  skip(length: number): void {
    const here = Math.min(length, this.available);
    this.#at += here;
    this.#toSkip += length - here;
  }
}
