/** What can stand behind a `|`. */
import { key, ShellError } from './grammar.ts';

export const FILTERS = [
  key('match', 'Only lines with this text in them.'),
  key('except', 'Only lines without it.'),
  key('last', 'The last lines alone, so many.'),
  key('count', 'How many lines there are.'),
  key('no-more', 'Not in pages.'),
];

/** @throws ShellError */
export function filtered(lines: readonly string[], filter: readonly string[]): readonly string[] {
  const [typed = '', text, superfluous] = filter;
  const meant = FILTERS.filter((known) => typed !== '' && known.text.startsWith(typed));
  const name = meant.length === 1 ? meant[0]?.text : undefined;
  const takesText = name === 'match' || name === 'except' || name === 'last';
  if (name === undefined || (text !== undefined) !== takesText || superfluous !== undefined)
    throw new ShellError(usage(filter));
  const lower = (text ?? '').toLowerCase();
  switch (name) {
    case 'match':
      return lines.filter((line) => line.toLowerCase().includes(lower));
    case 'except':
      return lines.filter((line) => !line.toLowerCase().includes(lower));
    case 'last':
      if (!/^\d{1,6}$/.test(lower))
        throw new ShellError(`"last" wants a number of lines, and not ${JSON.stringify(text)}`);
      return Number(lower) === 0 ? [] : lines.slice(-Number(lower));
    case 'count':
      return [`${lines.length} lines`];
    default:
      return lines;
  }
}

/** Whether each line can be judged by itself, as it comes. */
export function byLine(filters: readonly (readonly string[])[]): boolean {
  return filters.every(([typed = '']) => {
    const meant = FILTERS.filter(({ text }) => typed !== '' && text.startsWith(typed));
    return meant.length === 1 && (meant[0]?.text === 'match' || meant[0]?.text === 'except');
  });
}

/** Whether pages are not wanted. */
export function unpaged(filters: readonly (readonly string[])[]): boolean {
  return filters.some(([name = '']) => name.startsWith('n') && 'no-more'.startsWith(name));
}

function usage(filter: readonly string[]): string {
  return `"| ${filter.join(' ')}" is no filter: write | match TEXT, | except TEXT, | last N, | count or | no-more`;
}
