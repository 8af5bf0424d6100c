/** What a diagnosis says. `culvert diagnose --json` prints it. */
import type { LadderStep } from './ladder.ts';

/** `not reached`: an earlier step keeps it from happening; `unknown`: nothing that was looked at tells. */
export type StepState = 'ok' | 'failed' | 'not reached' | 'unknown';

export interface DiagnosedStep {
  readonly step: LadderStep;
  readonly state: StepState;
  /** What was seen at this step, one sentence each without a full stop. */
  readonly evidence: readonly string[];
}

/** One thing that is wrong. */
export interface Finding {
  /** Of the known failure; `unknown` when it is none. */
  readonly id: string;
  readonly step: LadderStep;
  /** What was seen, one sentence without a full stop. */
  readonly seen: string;
  /** Why that probably is so. */
  readonly cause: string;
  /** What to do about it. */
  readonly remedy: string;
}

export interface Diagnosis {
  /** Name of the connection, or of the capture file. */
  readonly name: string;
  /** Of the connection; of a capture, how its last conversation stood at the end. */
  readonly state: 'down' | 'connecting' | 'up' | 'failed';
  readonly steps: readonly DiagnosedStep[];
  /** In the order of the steps. */
  readonly findings: readonly Finding[];
}

/** Something that was seen and is wrong: a known failure by its id, with the words for what was seen. */
export interface Sign {
  readonly id: string;
  readonly seen: string;
}
