import { nearest } from '../config/spelling.ts';

/** `; did you mean "show"?` where a known word is near to the misspelt one, else nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}
