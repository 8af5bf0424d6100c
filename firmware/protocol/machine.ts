/**
 * What every protocol machine of this house has in common: no socket, no timer, no clock, no random source of its own.
 * Bytes and the time go in; the machine is then asked, until it has nothing more, for what it wants done.
 */

/** Monotonic time in milliseconds. Only differences mean anything; it never goes back and never follows the wall clock. */
export type Instant = number;

/** Random octets, handed in. In production the kernel's; in tests a seeded generator. */
export interface RandomSource {
  /** `length` octets nobody can foretell; `length` in 0..65536. */
  bytes(length: number): Uint8Array;
}

/** The calls by which any machine is driven. `Output` is the machine's own union of sends and events. */
export interface Machine<Output> {
  /** Lets time-outs that are due by `now` take effect. Early and repeated calls are harmless. */
  tick(now: Instant): void;
  /** When {@link tick} is wanted next; `undefined` while nothing is pending. A past instant means: at once. */
  nextDeadline(): Instant | undefined;
  /** The next thing that the machine wants done, in order; `undefined` when there is nothing more for now. */
  poll(): Output | undefined;
}

/** Why something ended or never came up. Carries what a person needs: the step, what was seen, what to do. */
export interface Failure {
  /** The step that failed, in the field's words: `resolve`, `SCCRQ`, `SCCCN`, `ICRQ`, `LCP`, `authentication`, `IPCP`, `hello` ... */
  readonly step: string;
  /** What happened and why, one sentence without a full stop. Strings from the peer stand in it escaped. */
  readonly reason: string;
  /** What to do about it, one sentence without a full stop. */
  readonly remedy: string;
  /**
   * For programs that choose the next attempt by it; absent where it makes no difference. `silence`: nobody answered;
   * `no-proposal`: there are no algorithms that both sides accept; `refused`: the other side answered and said no, and will
   * say no again if asked again soon; `moved`: this side has another address, from which to ask again at once.
   */
  readonly cause?: 'silence' | 'no-proposal' | 'refused' | 'moved';
}
