/** One change of the machine's network, with what the journal has to know of it. */
import type { LinkChange } from '../../hal/links.ts';
import { reasonOf } from '../config/state-file.ts';
import type { Failure } from '../protocol/machine.ts';
import type { JournalEntry } from './journal.ts';

export interface Step {
  /** For the log: `address 192.168.12.1/24 added to lan0`. */
  readonly done: string;
  /** What makes it, in order. */
  readonly changes: readonly LinkChange[];
  /** For the log where it was right after the last run: what somebody else did to it, and what becomes of that. */
  readonly repaired?: string;
  /** Written down before the step runs, and taken out again when it fails. */
  readonly records?: JournalEntry;
  /** Taken out when the step has run. */
  readonly forgets?: readonly JournalEntry[];
}

/** A step failed: its `HalError` says what, why and what to do in up to two sentences. */
export function stepFailure(step: string, error: unknown): Failure {
  const text = reasonOf(error).trim().replace(/\.$/, '');
  const cut = text.indexOf('. ');
  const remedy = 'nothing by hand at first: the next change of the network tries it again';
  if (cut < 0) return { step, reason: text, remedy };
  const advice = text.slice(cut + 2);
  return { step, reason: text.slice(0, cut), remedy: `${advice.slice(0, 1).toLowerCase()}${advice.slice(1)}` };
}
