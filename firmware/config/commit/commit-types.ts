/** What is asked of the commit desk, and what it answers. */
import type { Problem } from '../problem.ts';
import type { Configuration } from '../schema.ts';
import type { Author } from '../store/revision.ts';
import type { Refused } from '../store/store-types.ts';

/** Bounds of a confirmation window, s: less nobody can answer in, and after a day nobody remembers. */
export const CONFIRM_WITHIN_S = { minimum: 5, maximum: 86_400 } as const;

export interface CommitOptions extends Author {
  /** For the history. */
  readonly comment: string;
  /** Seconds within {@link CONFIRM_WITHIN_S}; absent: confirmed at once. */
  readonly confirmWithin?: number;
  /** With `confirmWithin`: confirmed by itself once every connection that was up before is up again. */
  readonly check?: boolean;
  /** The revision that the author saw. */
  readonly base?: number;
}

/** What putting a configuration in force came to; what could not be set is tried again by itself. */
export interface EnforceReport {
  /** What was changed on the machine's network, one line each. */
  readonly changes: readonly string[];
  /** One sentence each. */
  readonly failures: readonly string[];
}

export type CommitOutcome =
  | {
      readonly ok: true;
      readonly revision: number;
      /** Wall clock, ms since 1970; absent when it is confirmed. */
      readonly confirmBy?: number;
      readonly diff: readonly string[];
      readonly warnings: readonly Problem[];
      readonly changes: readonly string[];
      readonly failures: readonly string[];
      /** What it replaced. */
      readonly before: Configuration;
      readonly after: Configuration;
    }
  | Refused;

/** The named steps of a commit, in order, as an observer sees them: each is over when it is told. */
export type CommitStep = 'prepared' | 'pending' | 'enforced' | 'confirmed' | 'reverting' | 'reverted';

export interface DeskState {
  /** 0: none was ever committed. */
  readonly revision: number;
  readonly state: 'factory' | 'confirmed' | 'pending' | 'recovered' | 'failsafe';
  readonly reason?: string;
  readonly remedy?: string;
  readonly secondsLeft?: number;
  readonly parent?: number;
  readonly who?: string;
}
