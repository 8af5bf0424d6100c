/** A token bucket: how often something is done that a stranger can provoke. */
import type { Instant } from '../machine.ts';

export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #since: Instant | undefined;

  /** @param perSecond times a second in the long run. @param burst times at once. */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Whether it may be done now; if so it counts as done. */
  allows(now: Instant): boolean {
    const elapsed = Math.max(0, now - (this.#since ?? now));
    this.#since = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsed * this.#perSecond) / 1000);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
