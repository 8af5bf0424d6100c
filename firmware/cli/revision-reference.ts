/** Revisions as people name them. */
import type { RevisionReference } from '../api/configuration-control.ts';
import { MAX_REVISION } from '../api/limits.ts';
import { UsageError } from './command.ts';
import { didYouMean } from './did-you-mean.ts';

const NAMES = ['running', 'candidate'] as const;

/** @throws UsageError */
export function revisionNumber(word: string): number {
  const number = numberOf(word);
  if (number === undefined)
    throw new UsageError(`"${word}" is no number of a revision: choose one of "culvert show history"`);
  return number;
}

/** @throws UsageError */
export function revisionReference(word: string): RevisionReference {
  const reference = NAMES.find((name) => name === word) ?? numberOf(word);
  if (reference === undefined)
    throw new UsageError(
      `"${word}" is no revision: give its number, see "culvert show history", or ${NAMES.join(' or ')}` +
        didYouMean(word, NAMES),
    );
  return reference;
}

function numberOf(word: string): number | undefined {
  const number = /^[1-9][0-9]*$/.test(word) ? Number(word) : Number.NaN;
  return number <= MAX_REVISION ? number : undefined;
}
