/** A diagnosis for people, in lines of at most 80 characters. */
import { titleOf } from '../diagnosis/catalogue/catalogue.ts';
import type { Diagnosis, Finding, StepState } from '../diagnosis/diagnosis.ts';
import { STEP_TITLES } from '../diagnosis/ladder.ts';

const WIDTH = 80;

const MARKS: Readonly<Record<StepState, string>> = {
  ok: 'ok',
  failed: 'FAILED',
  'not reached': 'not reached',
  unknown: '?',
};

const TITLE_WIDTH = 24;
const MARK_WIDTH = 13;

export function diagnosisText({ name, state, steps, findings }: Diagnosis): readonly string[] {
  const lines = [`${name}: ${state}`, ''];
  for (const { step, state: mark, evidence } of steps) {
    lines.push(`${STEP_TITLES[step].padEnd(TITLE_WIDTH)}  ${MARKS[mark].padEnd(MARK_WIDTH)}`.trimEnd());
    for (const seen of evidence) lines.push(...wrapped(seen, '    '));
  }
  if (steps.length === 0) lines.push('nothing of L2TP, PPP, IKE or ESP was found');
  if (findings.length === 0) lines.push('', 'Nothing was found that is wrong.');
  for (const finding of findings) lines.push('', ...findingText(finding));
  return lines;
}

function findingText({ id, step, seen, cause, remedy }: Finding): readonly string[] {
  return [
    ...wrapped(`${STEP_TITLES[step]}: ${titleOf(id)} (${id})`, '', '  '),
    ...wrapped(`Seen: ${seen}.`, '  ', '        '),
    ...wrapped(`Likely cause: ${cause}.`, '  ', '        '),
    ...wrapped(`Remedy: ${remedy}.`, '  ', '        '),
  ];
}

/** Broken between words; a word that is too long has a line of its own. */
function wrapped(text: string, indent: string, further = `${indent}  `): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  let empty = true;
  for (const word of text.split(/\s+/)) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = further;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
