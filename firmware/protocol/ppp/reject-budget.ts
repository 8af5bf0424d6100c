import type { Instant } from '../machine.ts';

/** Protocol-Rejects in one interval. A peer that starts up sends one request each for a handful of protocols. */
const MAX_REJECTS = 8;

/** Keeps a flood of foreign packets from being answered with another flood. */
export class RejectBudget {
  readonly #intervalMs: number;
  #since: Instant = 0;
  #count = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Whether one more may go out; counts it. */
  take(now: Instant): boolean {
    if (now - this.#since >= this.#intervalMs) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= MAX_REJECTS;
  }
}
