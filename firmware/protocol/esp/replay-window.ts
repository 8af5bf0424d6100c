/**
 * Anti-replay (RFC 4303 section 3.4.3), with extended sequence numbers as in its appendix A.
 *
 * The window is a ring of 32-bit words, of which the one that holds a sequence number follows from the number alone
 * (as in RFC 6479): nothing is ever shifted, and moving the window on clears whole words. A ring has one word more than
 * the window, because the window's two ends share a word but seldom.
 *
 * Sequence numbers are whole numbers up to 2^53, of which the wire carries the low 32 bits.
 */
import { EncodeError } from '../bytes.ts';

/** Least and greatest size, packets. RFC 4303 demands 32; with 4096 a reordering of 40 ms at 100,000 packets/s passes. */
export const MIN_REPLAY_WINDOW = 32;
export const MAX_REPLAY_WINDOW = 4096;
/** 128 octets per SA. Batches on multiple queues reorder by hundreds, seldom by more. */
export const DEFAULT_REPLAY_WINDOW = 1024;

const WORD_BITS = 32;
const TWO_32 = 0x1_0000_0000;

export type ReplayVerdict = 'new' | 'replayed' | 'tooOld';

export class ReplayWindow {
  readonly #size: number;
  readonly #extended: boolean;
  readonly #ring: Uint32Array;
  /** The ring's length is a power of two, so that word numbers wrap with it. */
  readonly #mask: number;
  #top = 0;

  /**
   * @param size packets, a multiple of 32 within {@link MIN_REPLAY_WINDOW}..{@link MAX_REPLAY_WINDOW}.
   * @param extended whether the SA has 64-bit sequence numbers.
   * @throws EncodeError for another size.
   */
  constructor(size: number, extended: boolean) {
    if (!Number.isInteger(size / WORD_BITS) || size < MIN_REPLAY_WINDOW || size > MAX_REPLAY_WINDOW) {
      throw new EncodeError(`a replay window of ${size} packets is no multiple of 32 within 32..4096`);
    }
    this.#size = size;
    this.#extended = extended;
    let words = 2;
    while (words < size / WORD_BITS + 1) words *= 2;
    this.#ring = new Uint32Array(words);
    this.#mask = words - 1;
  }

  /** The highest sequence number that was authentic; 0 before the first. */
  get top(): number {
    return this.#top;
  }

  /**
   * The sequence number that these low 32 bits stand for: the one within the window, or ahead of it by less than 2^32
   * (RFC 4303 appendix A2.2).
   * @returns -1 when there is none.
   */
  expand(low: number): number {
    if (!this.#extended) return low;
    const topLow = this.#top % TWO_32;
    const topHigh = (this.#top - topLow) / TWO_32;
    const bottomLow = topLow - this.#size + 1;
    let high = topHigh;
    if (bottomLow >= 0) {
      // Case A: the window lies in one subspace; what is below it has wrapped.
      if (low < bottomLow) high += 1;
    } else if (low >= bottomLow + TWO_32) {
      // Case B: the window reaches back into the subspace before.
      high -= 1;
    }
    const sequence = high * TWO_32 + low;
    return sequence < 0 || !Number.isSafeInteger(sequence) ? -1 : sequence;
  }

  /** Whether a packet of this number may be looked at. Changes nothing: the packet is not known to be authentic yet. */
  check(sequence: number): ReplayVerdict {
    if (sequence > this.#top) return 'new';
    // The first packet has the number 1 (section 3.3.3).
    if (sequence <= 0 || this.#top - sequence >= this.#size) return 'tooOld';
    return (this.#word(sequence) & bit(sequence)) === 0 ? 'new' : 'replayed';
  }

  /** Notes an authentic packet whose {@link check} was `new`. */
  update(sequence: number): void {
    if (sequence > this.#top) {
      this.#clearBetween(Math.floor(this.#top / WORD_BITS), Math.floor(sequence / WORD_BITS));
      this.#top = sequence;
    }
    this.#ring[this.#index(Math.floor(sequence / WORD_BITS))] = this.#word(sequence) | bit(sequence);
  }

  /** Clears the words after `from`, up to and with `to`: they hold numbers of one turn of the ring ago. */
  #clearBetween(from: number, to: number): void {
    const count = Math.min(to - from, this.#ring.length);
    for (let i = 0; i < count; i++) this.#ring[this.#index(to - i)] = 0;
  }

  #word(sequence: number): number {
    return this.#ring[this.#index(Math.floor(sequence / WORD_BITS))] ?? 0;
  }

  /** Bit operations take a number modulo 2^32, which is a multiple of the ring's length. */
  #index(word: number): number {
    return word & this.#mask;
  }
}

function bit(sequence: number): number {
  return 1 << (sequence & (WORD_BITS - 1));
}
