/**
 * Sequence numbers of one session's data messages (RFC 2661 sections 3.1 and 5.4).
 *
 * Nothing is held back to be put in order: IP tolerates loss and bears late packets badly, so an old message is
 * dropped and a newer one accepted. Numbers are serial numbers modulo 2^16.
 */
import { advance, isDuplicate } from '../../protocol/l2tp/sequence-number.ts';

/**
 * Old messages in a row, each one above the one before, after which they count as a new numbering. A peer that
 * restarted its count at zero would otherwise be deaf for up to 32,768 messages; a burst of duplicates is rarely that
 * long, and taking one for a restart only lets duplicates through.
 */
const RESTART_RUN = 8;

export class DataSequence {
  #nextToSend = 0;
  #expected: number | undefined;
  /** The old message that would continue the present run of old messages, and the run's length so far. */
  #oldNext = -1;
  #oldRun = 0;

  /** The Ns for the next message sent. */
  take(): number {
    const ns = this.#nextToSend;
    this.#nextToSend = advance(ns);
    return ns;
  }

  /** Judges a received Ns. @returns false for a duplicate or a message that was overtaken: drop it. */
  accept(ns: number): boolean {
    if (this.#expected !== undefined && isDuplicate(ns, this.#expected) && !this.#restarted(ns)) return false;
    this.#expected = advance(ns);
    this.#oldRun = 0;
    return true;
  }

  #restarted(ns: number): boolean {
    this.#oldRun = ns === this.#oldNext ? this.#oldRun + 1 : 1;
    this.#oldNext = advance(ns);
    return this.#oldRun >= RESTART_RUN;
  }
}
