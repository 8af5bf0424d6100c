import type { Entropy } from '../entropy.ts';

/** Most octets of one call, as the port says. */
const MAX_LENGTH = 65_536;

/** Octets that look random and are the same for the same seed. Never fit for keys. */
export class SimulatedEntropy implements Entropy {
  #state: number;

  /** @param seed any whole number; 32 bits of it count. */
  constructor(seed = 1) {
    this.#state = seed | 0;
  }

  /** @throws RangeError for a length outside 0..65536. */
  bytes(length: number): Uint8Array {
    if (!Number.isInteger(length) || length < 0 || length > MAX_LENGTH) {
      throw new RangeError(`${length} random octets cannot be given, only 0 to ${MAX_LENGTH}`);
    }
    const octets = new Uint8Array(length);
    for (let index = 0; index < length; index++) octets[index] = this.#word() >>> 24;
    return octets;
  }

  /** A number 0 <= x < 1, for chances such as loss. */
  fraction(): number {
    return this.#word() / 0x1_0000_0000;
  }

  /** A Weyl sequence, its words mixed by the finalizer of MurmurHash3 (public domain). @returns 32 bits, unsigned. */
  #word(): number {
    this.#state = (this.#state + 0x9e37_79b9) | 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2_ae35);
    return (word ^ (word >>> 16)) >>> 0;
  }
}
