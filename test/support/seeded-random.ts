import type { RandomSource } from '../../firmware/protocol/machine.ts';

/** Random numbers that a seed determines: the generator sfc32, seeded by splitmix32. For tests alone. */
export class SeededRandom implements RandomSource {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any integer; only its low 32 bits count. */
  constructor(seed: number) {
    let state = seed | 0;
    const mix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return z ^ (z >>> 16);
    };
    this.#a = mix();
    this.#b = mix();
    this.#c = mix();
    for (let i = 0; i < 12; i++) this.#u32();
  }

  /** `n` octets. */
  bytes(n: number): Uint8Array {
    const out = new Uint8Array(n);
    for (let i = 0; i < n; i++) out[i] = this.#u32() >>> 24;
    return out;
  }

  /** 0 or more, under 1. */
  next(): number {
    return this.#u32() / 0x100000000;
  }

  /** An integer of 0 or more, under `n`. */
  int(n: number): number {
    return Math.floor(this.next() * n);
  }

  #u32(): number {
    const out = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + out;
    return out >>> 0;
  }
}
