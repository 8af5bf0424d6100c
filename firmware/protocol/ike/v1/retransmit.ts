/** When a message that is not answered goes out again. */
import type { Instant } from '../../machine.ts';

/** Waits after the first, second ... sending, ms: five sendings, and 23 s until silence counts as an answer. */
const WAITS_MS = [1000, 2000, 4000, 8000, 8000] as const;

/** Seconds after which an unanswered message is given up. */
export const ANSWER_SECONDS = 23;

/** One message that waits for its answer. */
export class Retransmission {
  #sendings = 1;
  #limit: number = WAITS_MS.length;
  #deadline: Instant;

  constructor(now: Instant) {
    this.#deadline = now + WAITS_MS[0];
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
    const wait = WAITS_MS[this.#sendings];
    if (wait === undefined || this.#sendings >= this.#limit) return 'exhausted';
    this.#sendings += 1;
    this.#deadline = now + wait;
    return 'resend';
  }
}
