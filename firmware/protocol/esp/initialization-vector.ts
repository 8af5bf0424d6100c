/**
 * Where IVs come from. Counter modes must never use one twice: theirs is the packet's 64-bit sequence number, which is
 * never reset and never wraps (RFC 4106 section 3.1, RFC 3686 section 3.1, RFC 7634 section 2). In CBC an IV must be
 * unpredictable (RFC 3602 section 3): those are random.
 */
import { EncodeError } from '../bytes.ts';
import type { RandomSource } from '../machine.ts';
import type { EspCipher } from './cipher.ts';
import { putU32 } from './octets.ts';

export interface IvSource {
  /** Writes the IV of the packet with this sequence number to `bytes` at `at`. */
  write(bytes: Uint8Array, at: number, sequence: number): void;
}

/** IV of every counter mode, octets. */
const COUNTER_IV = 8;

/** Random octets are drawn for this many IVs at once: a system call for each packet would cost more than its cipher. */
const IVS_PER_DRAW = 256;

/** @throws EncodeError when a counter does not fit the cipher's IV. */
export function ivSource(cipher: EspCipher, random: RandomSource): IvSource {
  if (cipher.iv === 'random') return new RandomIv(random, cipher.ivOctets);
  if (cipher.ivOctets === COUNTER_IV) return COUNTER;
  throw new EncodeError(`a counter does not fit an IV of ${cipher.ivOctets} octets`);
}

const COUNTER: IvSource = {
  write(bytes, at, sequence) {
    putU32(bytes, at, Math.floor(sequence / 0x1_0000_0000));
    putU32(bytes, at + 4, sequence);
  },
};

class RandomIv implements IvSource {
  readonly #random: RandomSource;
  readonly #octets: number;
  #drawn: Uint8Array = new Uint8Array();
  #used = 0;

  constructor(random: RandomSource, octets: number) {
    this.#random = random;
    this.#octets = octets;
  }

  write(bytes: Uint8Array, at: number): void {
    if (this.#used === this.#drawn.length) {
      this.#drawn = this.#random.bytes(this.#octets * IVS_PER_DRAW);
      this.#used = 0;
    }
    for (let i = 0; i < this.#octets; i++) bytes[at + i] = this.#drawn[this.#used + i] ?? 0;
    this.#used += this.#octets;
  }
}
