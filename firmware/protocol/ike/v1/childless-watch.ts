/** For how long an ISAKMP SA is without child SA, though one is wanted. */
import type { Instant } from '../../machine.ts';

/** How long an SA that this side opened may be so, ms: some peers delete before they make anew. */
const CHILDLESS_MS = 10_000;

/** The same for one that the peer opened, which may have something to say to its user before it asks again. */
const CALLER_CHILDLESS_MS = 60_000;

export class ChildlessWatch {
  #since: Instant | undefined;

  /** @param opened by this side. */
  deadline(opened: boolean): Instant | undefined {
    return this.#since === undefined ? undefined : this.#since + (opened ? CHILDLESS_MS : CALLER_CHILDLESS_MS);
  }

  /** From now on. */
  begin(now: Instant): void {
    this.#since = now;
  }

  /** There is one, or there will be. */
  end(): void {
    this.#since = undefined;
  }

  /** @param barren neither with a child SA nor about to have one. @returns whether it has been so for too long. */
  look(now: Instant, barren: boolean, opened: boolean): boolean {
    if (!barren) this.#since = undefined;
    else this.#since ??= now;
    const deadline = this.deadline(opened);
    return deadline !== undefined && now >= deadline;
  }
}
