/** A configuration as text, as people keep it: the inverse of reading it. */
import { stringify } from 'yaml';

export type TextFormat = 'json' | 'yaml';

/** By the ending of a file's name; `undefined` for any other ending. */
export function formatOfName(fileName: string): TextFormat | undefined {
  if (/\.json$/i.test(fileName)) return 'json';
  return /\.ya?ml$/i.test(fileName) ? 'yaml' : undefined;
}

/** Ends with a line feed. */
export function documentText(document: unknown, format: TextFormat): string {
  if (format === 'json') return `${JSON.stringify(document, undefined, 2)}\n`;
  // By way of JSON: only what that has can stand in a configuration. Nothing is folded, for keys and certificates are long.
  return stringify(JSON.parse(JSON.stringify(document)), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    schema: 'core',
  });
}
