import type { LadderStep } from '../ladder.ts';

/** A failure that is known: its place on the ladder and its words. */
export interface KnownFailure {
  /** Stable: programs and tests know it by this. */
  readonly id: string;
  readonly step: LadderStep;
  /** A few words, as a heading. */
  readonly title: string;
  /** Why it probably happens, one sentence without a full stop. */
  readonly cause: string;
  /**
   * What to do, one sentence without a full stop. Absent where it is always seen as a `Failure`, whose own remedy knows the
   * names and numbers of the case.
   */
  readonly remedy?: string;
  /** A `Failure` is this one when its words (`step: reason`) match. */
  readonly words?: RegExp;
}
