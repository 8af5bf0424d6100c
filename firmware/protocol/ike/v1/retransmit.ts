/** When a message that is not answered goes out again. */
import type { Instant } from '../../machine.ts';

/** Waits after the first, second ... sending, ms: five sendings, and 23 s until silence counts as an answer. */
const WAITS_MS = [1000, 2000, 4000, 8000, 8000] as const;

/** The same where a person at the other end may have to type first, and the answer may be lost on its way: 91 s. */
export const PATIENT_WAITS_MS: readonly number[] = [1000, 2000, ...Array<number>(11).fill(8000)];

/** Seconds after which an unanswered message is given up. */
export const ANSWER_SECONDS = 23;

/** One message that waits for its answer. */
export class Retransmission {
  readonly #waits: readonly number[];
  #sendings = 1;
  #limit: number;
  #deadline: Instant;

  /** @param waits after the first, second ... sending, ms; at least one. */
  constructor(now: Instant, waits: readonly number[] = WAITS_MS) {
    this.#waits = waits;
    this.#limit = waits.length;
    this.#deadline = now + (waits[0] ?? 0);
  }

  get deadline(): Instant {
    return this.#deadline;
  }

  /** A hint says that no answer will come: one more sending, in case that the hint was a lie. */
  hurry(): void {
    this.#limit = Math.min(this.#limit, this.#sendings + 1);
  }

  /** What is to be done now. On `resend` the caller sends. */
  due(now: Instant): 'nothing' | 'resend' | 'exhausted' {
    if (now < this.#deadline) return 'nothing';
    const wait = this.#waits[this.#sendings];
    if (wait === undefined || this.#sendings >= this.#limit) return 'exhausted';
    this.#sendings += 1;
    this.#deadline = now + wait;
    return 'resend';
  }
}
