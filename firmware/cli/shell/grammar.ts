/** What commands of the console are made of, and how words that were typed become theirs. */
import type { Completion } from '../../config/derived/completion.ts';
import { nearest } from '../../config/spelling.ts';
import { type Lexed, lexLine, type Word } from './lexer.ts';

export interface Offers {
  /** What can come next. */
  readonly offers: readonly Completion[];
  /** Nothing has to come next. */
  readonly enough: boolean;
}

export interface ShellCommand {
  readonly name: string;
  /** One line without a full stop. */
  readonly help: string;
  /** What can follow these words, which are whole; abbreviations are written out. */
  readonly follow: (words: readonly string[]) => Offers | Promise<Offers>;
  /** @returns the exit code where it is not 0. @throws ShellError, and what the commands of `culvert` throw. */
  readonly run: (words: readonly string[], running: Running) => Promise<number | undefined>;
  /** Whether the line is not to be shown again: it says a secret. */
  readonly secret?: (words: readonly string[]) => boolean;
  /** It goes on until it is broken off, or tells steps as they happen: what it says is shown at once, and not in pages. */
  readonly streams?: boolean;
  /** Whether ^C asks it for its end, which it has something to say on, instead of leaving it at once; a second ^C leaves it. */
  readonly concludes?: (words: readonly string[]) => boolean;
}

/** A command at work. */
export interface Running {
  /** Says one or more lines. */
  readonly out: (text: string) => void;
  /** Aborted by ^C. */
  readonly signal: AbortSignal;
}

/** The line is wrong; the message says why and what to do, one sentence without a full stop. */
export class ShellError extends Error {
  override readonly name = 'ShellError';
}

export const nothingMore: Offers = { offers: [], enough: true };

export function key(text: string, help: string): Completion {
  return { text, help, kind: 'key' };
}

export function placeholder(name: string, help: string): Completion {
  return { text: `<${name}>`, help, kind: 'placeholder' };
}

/** Words of one command and of the filters behind it. */
export interface CommandLine {
  readonly command: ShellCommand;
  /** Written out, without the command. */
  readonly words: readonly string[];
  /** Each without its sign. */
  readonly filters: readonly (readonly string[])[];
}

/**
 * What a line means. @returns `undefined` for one that is empty or a comment.
 * @throws ShellError
 */
export async function understand(line: string, commands: readonly ShellCommand[]): Promise<CommandLine | undefined> {
  const lexed = lexLine(line);
  if (lexed.open !== undefined)
    throw new ShellError(`a quote ${lexed.open} is never closed: close it, or put \\ in front of it`);
  const given = withoutProgram(lexed.words);
  const [first] = given;
  if (first === undefined || isComment(first)) return undefined;
  const [own, ...filters] = atPipes(given);
  const { command, words } = await expand(own ?? [], commands);
  return { command, words, filters: filters.map((part) => part.map(({ text }) => text)) };
}

export interface Expected extends Offers {
  /** What has been typed of the next word. */
  readonly typed: string;
  /** Where that begins, in characters of the line. */
  readonly start: number;
}

/** What can stand at the end of a line that is being typed. @throws ShellError where the words before lead nowhere. */
export async function expected(
  line: string,
  commands: readonly ShellCommand[],
  filters: readonly Completion[],
): Promise<Expected> {
  const lexed: Lexed = lexLine(line);
  const last = lexed.within ? lexed.words.at(-1) : undefined;
  const before = withoutProgram(lexed.within ? lexed.words.slice(0, -1) : lexed.words);
  const typed = last?.text ?? '';
  const start = last?.start ?? [...line].length;
  const matching = (offers: readonly Completion[]) =>
    offers.filter(({ text, kind }) => kind === 'placeholder' || text.toLowerCase().startsWith(typed.toLowerCase()));
  const parts = atPipes(before);
  if (parts.length > 1) {
    const given = parts.at(-1) ?? [];
    return { offers: given.length === 0 ? matching(filters) : [], enough: given.length > 0, typed, start };
  }
  if (before.length === 0) {
    const offers = commands.map(({ name, help }) => key(name, help));
    return { offers: matching(offers), enough: false, typed, start };
  }
  const { command, words } = await expand(before, commands);
  const { offers, enough } = await command.follow(words);
  return { offers: matching(offers), enough: enough && typed === '', typed, start };
}

/** Remedies are written for a shell, `culvert show log`, and may be typed here as they stand. */
function withoutProgram(words: readonly Word[]): readonly Word[] {
  const [first, ...others] = words;
  return first?.text === 'culvert' && !first.quoted ? others : words;
}

/** A comment begins with a sign that no command begins with. */
function isComment({ text, quoted }: Word): boolean {
  return !quoted && (text.startsWith('#') || text.startsWith('!'));
}

function atPipes(words: readonly Word[]): readonly (readonly Word[])[] {
  const parts: Word[][] = [[]];
  for (const word of words) {
    if (word.text === '|' && !word.quoted) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts;
}

async function expand(
  given: readonly Word[],
  commands: readonly ShellCommand[],
): Promise<{ readonly command: ShellCommand; readonly words: readonly string[] }> {
  const [first, ...rest] = given;
  const typed = first?.text ?? '';
  const names = commands.map(({ name }) => name);
  const name = fullWord(typed, names);
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    const near = nearest(typed, names);
    const hint = near === undefined ? 'press ? for what there is' : `did you mean "${near}"?`;
    throw new ShellError(`there is no command ${JSON.stringify(typed)} here: ${hint}`);
  }
  const words: string[] = [];
  for (const { text, quoted } of rest) words.push(quoted ? text : await fullKey(text, words, command));
  return { command, words };
}

/** A keyword written out; whatever may be anything else stays as it is, and the command judges it. */
async function fullKey(typed: string, before: readonly string[], command: ShellCommand): Promise<string> {
  const { offers } = await command.follow(before);
  if (offers.some(({ text, kind }) => text === typed && kind !== 'placeholder')) return typed;
  const open = offers.some(({ kind }) => kind === 'placeholder');
  const keys = offers.filter(({ kind }) => kind === 'key').map(({ text }) => text);
  return open ? typed : (fullWord(typed, keys) ?? typed);
}

/** The one word that begins so. @throws ShellError when there are several. */
function fullWord(typed: string, words: readonly string[]): string | undefined {
  if (words.includes(typed)) return typed;
  const lower = typed.toLowerCase();
  const meant = words.filter((word) => word.toLowerCase().startsWith(lower));
  if (typed === '' || meant.length < 2) return typed === '' ? undefined : meant[0];
  // The same word in other capitals is that word.
  const same = meant.find((word) => word.toLowerCase() === lower);
  if (same !== undefined) return same;
  throw new ShellError(`${JSON.stringify(typed)} can mean ${meant.join(', ')}: type more of it`);
}
