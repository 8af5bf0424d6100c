/** What is found out step by step, by looking at a router or at a capture, until a diagnosis is made of it. */
import type { Failure } from '../protocol/machine.ts';
import { findingOf, findingOfSign, inOrder } from './catalogue/catalogue.ts';
import type { DiagnosedStep, Diagnosis, Finding, StepState } from './diagnosis.ts';
import { LADDER, type LadderStep } from './ladder.ts';

/** Sentences kept of one step: a capture may hold a thousand attempts. */
const MAX_EVIDENCE = 6;
/** Findings kept. */
const MAX_FINDINGS = 200;

interface Note {
  state: StepState;
  readonly evidence: string[];
}

export class Notes {
  readonly #steps = new Map<LadderStep, Note>();
  readonly #findings: Finding[] = [];

  /** The step was done. */
  ok(step: LadderStep, evidence: string): void {
    this.#note(step, 'ok', evidence);
  }

  /** Something about a step that decides nothing. */
  seen(step: LadderStep, evidence: string): void {
    this.#note(step, this.#steps.get(step)?.state ?? 'unknown', evidence);
  }

  /** Something that failed, in its own words. */
  failure(failure: Failure): void {
    this.#found(findingOf(failure));
  }

  /** A known failure, with the words for what was seen. */
  sign(id: string, seen: string): void {
    this.#found(findingOfSign({ id, seen }));
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  /** @param taken the steps that this connection has at all */
  diagnosis(name: string, state: Diagnosis['state'], taken: ReadonlySet<LadderStep>): Diagnosis {
    const noted = LADDER.filter((step) => taken.has(step) || this.#steps.has(step));
    const failed = noted.findIndex((step) => this.#steps.get(step)?.state === 'failed');
    const lastOk = noted.findLastIndex((step) => this.#steps.get(step)?.state === 'ok');
    const steps = noted.map((step, index): DiagnosedStep => {
      const note = this.#steps.get(step);
      if (note !== undefined && note.state !== 'unknown') return { step, ...note };
      const evidence = note?.evidence ?? [];
      const reached = failed < 0 || index < failed || index < lastOk;
      return { step, state: reached ? 'unknown' : 'not reached', evidence };
    });
    return { name, state, steps, findings: inOrder(this.#findings) };
  }

  #found(finding: Finding): void {
    if (this.#findings.length < MAX_FINDINGS) this.#findings.push(finding);
    this.#note(finding.step, 'failed', finding.seen);
  }

  #note(step: LadderStep, state: StepState, evidence: string): void {
    const note = this.#steps.get(step) ?? { state, evidence: [] };
    this.#steps.set(step, note);
    note.state = state;
    if (evidence !== '' && !note.evidence.includes(evidence) && note.evidence.length < MAX_EVIDENCE) {
      note.evidence.push(evidence);
    }
  }
}
