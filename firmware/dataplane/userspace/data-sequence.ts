/**
 * Sequence numbers of one session's data messages (RFC 2661 sections 3.1 and 5.4).
 *
 * What comes in order passes at once. What comes early waits, in a bounded number of messages and for a bounded time, for
 * those it has overtaken; then the gap counts as lost. With room for none, newer messages pass and overtaken ones are
 * dropped. Numbers are serial numbers modulo 2^16.
 */

import { advance, distance, isDuplicate } from '../../protocol/l2tp/sequence-number.ts';
import type { Instant } from '../../protocol/machine.ts';

/**
 * Old messages in a row, each one above the one before, after which they count as a new numbering. A peer that
 * restarted its count at zero would otherwise be deaf for up to 32,768 messages; a burst of duplicates is rarely that
 * long, and taking one for a restart only lets duplicates through.
 */
const RESTART_RUN = 8;

/** How many of the numbers before the expected one are remembered, to tell duplicates from late ones: bits of an integer. */
const HISTORY = 32;

/** How many messages may wait for those that they have overtaken, and how long, ms. */
export interface ReorderLimits {
  readonly packets: number;
  readonly milliseconds: number;
}

/** Nothing waits: overtaken messages are dropped. */
export const NO_REORDERING: ReorderLimits = { packets: 0, milliseconds: 0 };

/**
 * What is to be done with a received message: `pass` it now, `hold` it, or drop it, because its place has been passed
 * without it (`late`) or because it has been here (`duplicate`).
 */
export type SequenceVerdict = 'pass' | 'hold' | 'late' | 'duplicate';

interface Held {
  readonly ns: number;
  readonly until: Instant;
  readonly message: Uint8Array;
}

export class DataSequence {
  /** Messages whose place was passed without them. One that comes later all the same is dropped as `late`. */
  lost = 0;
  /** Messages that were overtaken and then put in their place. */
  reordered = 0;
  limits: ReorderLimits = NO_REORDERING;
  #nextToSend = 0;
  #expected: number | undefined;
  /** Bit i: the message `expected - 1 - i` has been here. */
  #seen = 0;
  /** What came early, in order of numbers. */
  readonly #held: Held[] = [];
  /** The old message that would continue the present run of old messages, and the run's length so far. */
  #oldNext = -1;
  #oldRun = 0;

  /** The Ns for the next message sent. */
  take(): number {
    const ns = this.#nextToSend;
    this.#nextToSend = advance(ns);
    return ns;
  }

  /** Judges a received Ns. After `pass`, {@link released} has what waited for it; after `hold`, {@link hold} is to follow. */
  receive(ns: number): SequenceVerdict {
    const expected = this.#expected ?? ns;
    if (isDuplicate(ns, expected)) {
      if (!this.#restarted(ns)) return this.#hasSeen(ns, expected) ? 'duplicate' : 'late';
      // What waited belongs to the numbering that is over.
      this.lost += this.#held.length;
      this.#held.length = 0;
      this.#seen = 0;
    } else {
      const ahead = distance(expected, ns);
      if (ahead > 0 && this.limits.packets > 0) return this.#isHeld(ns) ? 'duplicate' : 'hold';
      if (ahead > 0) this.#skip(ahead);
      if (this.#held.length > 0) this.reordered += 1;
    }
    this.#pass(ns);
    return 'pass';
  }

  /** Keeps a message that came early. {@link released} may have something afterwards: there is room for so many. */
  hold(ns: number, message: Uint8Array, now: Instant): void {
    const held = this.#held;
    const expected = this.#expected ?? ns;
    const behind = held.findIndex((other) => distance(expected, other.ns) > distance(expected, ns));
    if (behind >= 0) this.reordered += 1;
    held.splice(behind < 0 ? held.length : behind, 0, { ns, until: now + this.limits.milliseconds, message });
    if (held.length > this.limits.packets) this.#giveUpGap();
    this.#oldRun = 0;
  }

  /** The next message that waited and whose turn has come. */
  released(): Uint8Array | undefined {
    const first = this.#held[0];
    if (first === undefined || first.ns !== this.#expected) return undefined;
    this.#held.shift();
    this.#pass(first.ns);
    return first.message;
  }

  /** Gives up the first gap if a message has waited long enough behind it. Then {@link released} has something. */
  expire(now: Instant): void {
    const due = this.nextDeadline();
    if (due !== undefined && now >= due) this.#giveUpGap();
  }

  get holding(): boolean {
    return this.#held.length > 0;
  }

  /** When the message that has waited longest has waited long enough. */
  nextDeadline(): Instant | undefined {
    let due: Instant | undefined;
    for (const { until } of this.#held) if (due === undefined || until < due) due = until;
    return due;
  }

  #giveUpGap(): void {
    const first = this.#held[0];
    if (first !== undefined && this.#expected !== undefined) this.#skip(distance(this.#expected, first.ns));
  }

  #pass(ns: number): void {
    this.#expected = advance(ns);
    this.#seen = (this.#seen << 1) | 1;
    this.#oldRun = 0;
  }

  #skip(count: number): void {
    this.lost += count;
    this.#expected = advance(this.#expected ?? 0, count);
    this.#seen = count >= HISTORY ? 0 : this.#seen << count;
  }

  #hasSeen(ns: number, expected: number): boolean {
    const age = distance(ns, expected) - 1;
    return age < HISTORY && ((this.#seen >>> age) & 1) === 1;
  }

  #isHeld(ns: number): boolean {
    return this.#held.some((held) => held.ns === ns);
  }

  #restarted(ns: number): boolean {
    this.#oldRun = ns === this.#oldNext ? this.#oldRun + 1 : 1;
    this.#oldNext = advance(ns);
    return this.#oldRun >= RESTART_RUN;
  }
}
