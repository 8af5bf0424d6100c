/** What Tab and a question mark show. */
import type { Completion } from '../../config/derived/completion.ts';
import { wrapped } from '../../terminal/cells.ts';
import { FILTERS } from './filters.ts';
import { type Expected, expected, type ShellCommand, ShellError } from './grammar.ts';
import { quoteWord } from './lexer.ts';
import type { Hint } from './screen.ts';

/** Of the column of words; longer ones push their help a line down. */
const MAX_WORD = 24;

/** Tab: as much as is certain is written, and where there are several they are shown. */
export async function completion(before: string, commands: readonly ShellCommand[], columns: number): Promise<Hint> {
  const place = await lookUp(before, commands);
  if (place instanceof ShellError) return { lines: [place.message] };
  const { offers, typed, start } = place;
  const words = offers.filter(({ kind }) => kind !== 'placeholder').map(({ text }) => text);
  if (words.length === 0) return { lines: offers.length === 0 ? [] : helpLines(place, columns) };
  const count = [...before].length - start;
  const [only] = words;
  if (words.length === 1 && only !== undefined && offers.length === 1) {
    return { replace: { count, text: only.endsWith('=') ? only : `${quoteWord(only)} ` } };
  }
  const common = commonBeginning(words);
  if (common.length > typed.length) return { replace: { count, text: common } };
  return {
    lines: inColumns(
      offers.map(({ text }) => text),
      columns,
    ),
  };
}

/** A question mark: every word that can come, with a line on each. */
export async function help(before: string, commands: readonly ShellCommand[], columns: number): Promise<Hint> {
  const place = await lookUp(before, commands);
  return { lines: place instanceof ShellError ? [place.message] : helpLines(place, columns) };
}

async function lookUp(before: string, commands: readonly ShellCommand[]): Promise<Expected | ShellError> {
  try {
    return await expected(before, commands, FILTERS);
  } catch (error) {
    if (error instanceof ShellError) return error;
    throw error;
  }
}

function helpLines({ offers, enough, typed }: Expected, columns: number): readonly string[] {
  const rows: Pick<Completion, 'text' | 'help'>[] = [...offers];
  if (enough) rows.push({ text: '<Enter>', help: 'Do it.' }, { text: '|', help: 'Filter what it says.' });
  if (rows.length === 0)
    return [typed === '' ? 'nothing can follow here' : `nothing here begins with ${JSON.stringify(typed)}`];
  const widest = Math.max(...rows.map(({ text }) => (text.length > MAX_WORD ? 0 : text.length)));
  const indent = ' '.repeat(widest + 4);
  return rows.flatMap(({ text, help: words }) => {
    const [first = '', ...further] = wrapped(words, Math.max(20, columns - 1 - indent.length));
    const head = text.length > widest ? [`  ${text}`, `${indent}${first}`] : [`  ${text.padEnd(widest + 2)}${first}`];
    return [...head, ...further.map((line) => indent + line)].map((line) => line.trimEnd());
  });
}

function commonBeginning(words: readonly string[]): string {
  const [first = '', ...others] = words;
  let length = first.length;
  for (const word of others) while (length > 0 && word.slice(0, length) !== first.slice(0, length)) length -= 1;
  return first.slice(0, length);
}

function inColumns(words: readonly string[], columns: number): readonly string[] {
  const width = Math.max(...words.map((word) => word.length)) + 2;
  const across = Math.max(1, Math.floor((columns - 1) / width));
  const down = Math.ceil(words.length / across);
  return Array.from({ length: down }, (_, row) =>
    Array.from({ length: across }, (_unused, column) => (words[column * down + row] ?? '').padEnd(width))
      .join('')
      .trimEnd(),
  );
}
