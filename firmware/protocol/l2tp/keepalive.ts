/** When to send a Hello and when to believe that the peer is gone (RFC 2661 sections 5.5 and 6.5). */

import type { Instant } from '../machine.ts';
import type { HelloPolicy } from './endpoint-types.ts';

/**
 * Counts silence. It sends nothing: a probe is whatever makes the peer answer, be it a new Hello or another
 * transmission of a message that waits for its acknowledgement.
 */
export class Keepalive {
  readonly #policy: HelloPolicy;
  #lastInput: Instant;
  #lastProbe: Instant;
  #unanswered = 0;

  constructor(policy: HelloPolicy, now: Instant) {
    this.#policy = policy;
    this.#lastInput = now;
    this.#lastProbe = now - policy.probeMs;
  }

  /** A probe is out and nothing has come since. */
  get probing(): boolean {
    return this.#unanswered > 0;
  }

  /** When the peer was last heard, user data included. */
  get lastInput(): Instant {
    return this.#lastInput;
  }

  /** Whether the last probe, answered or not, is so fresh that another one would tell nothing. */
  probedLately(now: Instant): boolean {
    return now - this.#lastProbe < this.#policy.probeMs;
  }

  get deadline(): Instant {
    return this.probing ? this.#lastProbe + this.#policy.probeMs : this.#lastInput + this.#policy.idleMs;
  }

  /** Something came from the peer. */
  heard(now: Instant): void {
    this.#lastInput = now;
    this.#unanswered = 0;
  }

  /** What is to be done now. */
  due(now: Instant): 'nothing' | 'probe' | 'dead' {
    if (now < this.deadline) return 'nothing';
    return this.#unanswered >= this.#policy.probes ? 'dead' : 'probe';
  }

  /** A probe was sent. */
  probed(now: Instant): void {
    this.#unanswered += 1;
    this.#lastProbe = now;
  }
}
