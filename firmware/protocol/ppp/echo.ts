/** The keepalive of LCP: Echo-Requests into silence (RFC 1661 section 5.8). Any input of the peer counts as life. */
import type { Instant } from '../machine.ts';

export interface EchoPolicy {
  /** Silence before an Echo-Request, and between two, ms. */
  readonly intervalMs: number;
  /** Unanswered Echo-Requests after which the peer is dead. */
  readonly failures: number;
}

export class EchoKeepalive {
  readonly #policy: EchoPolicy;
  #running = false;
  /** Whether the peer understands Echo-Requests (it may Code-Reject them). */
  #supported = true;
  #lastHeard: Instant = 0;
  #lastSent: Instant = 0;
  #unanswered = 0;

  constructor(policy: EchoPolicy) {
    this.#policy = policy;
  }

  /** LCP is opened. */
  start(now: Instant): void {
    this.#running = true;
    this.#supported = true;
    this.heard(now);
  }

  stop(): void {
    this.#running = false;
  }

  /** The peer Code-Rejected an Echo-Request: no more of them until LCP is opened anew. */
  unsupported(): void {
    this.#supported = false;
  }

  /** Something came from the peer. */
  heard(now: Instant): void {
    this.#lastHeard = now;
    this.#unanswered = 0;
  }

  nextDeadline(): Instant | undefined {
    if (!this.#running || !this.#supported) return undefined;
    return (this.#unanswered === 0 ? this.#lastHeard : this.#lastSent) + this.#policy.intervalMs;
  }

  /** What is due: an Echo-Request, the verdict that the peer is dead, or nothing. */
  tick(now: Instant): 'send' | 'dead' | undefined {
    const deadline = this.nextDeadline();
    if (deadline === undefined || now < deadline) return undefined;
    if (this.#unanswered >= this.#policy.failures) return 'dead';
    this.#unanswered += 1;
    this.#lastSent = now;
    return 'send';
  }

  /** Milliseconds since the last sign of life. */
  silence(now: Instant): number {
    return now - this.#lastHeard;
  }
}
