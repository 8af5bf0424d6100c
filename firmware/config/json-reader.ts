/**
 * JSON (RFC 8259), read strictly. The platform's reader keeps the last of two equal keys and quotes the text around a
 * mistake, which may be a password; this one refuses the first and names only line and column.
 */
import { itemPath, memberPath } from './json-path.ts';
import type { Problem } from './problem.ts';

/** Deeper nesting than any configuration has, and far from the end of the stack. */
const MAX_DEPTH = 64;

/** The text is not JSON. The message says where and what was expected. */
class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  readonly offset: number;

  constructor(offset: number, expected: string) {
    super(expected);
    this.offset = offset;
  }
}

/** Reads one JSON document. With problems, `value` is not to be used. */
export function readJson(text: string): { readonly value: unknown; readonly problems: readonly Problem[] } {
  const reader = new JsonReader(text);
  try {
    return { value: reader.document(), problems: reader.problems };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const found = `something else at ${lineAndColumn(text, error.offset)}`;
    const problem: Problem = { severity: 'error', rule: 'syntax', path: '', found, allowed: error.message };
    return { value: undefined, problems: [...reader.problems, problem] };
  }
}

/** `line 3, column 7`, both from 1. */
function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `line ${line}, column ${offset - before.lastIndexOf('\n')}`;
}

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class JsonReader {
  readonly problems: Problem[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value('', 0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw new JsonSyntaxError(this.#at, 'the end of the file');
    return value;
  }

  #value(path: string, depth: number): unknown {
    this.#skipSpace();
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(this.#at, `at most ${MAX_DEPTH} levels of nesting`);
    const char = this.#text[this.#at];
    if (char === '{') return this.#object(path, depth);
    if (char === '[') return this.#array(path, depth);
    if (char === '"') return this.#string('text in double quotes, with control characters escaped');
    const number = this.#match(NUMBER);
    if (number !== undefined) return Number(number);
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    throw new JsonSyntaxError(this.#at, 'a value: an object, a list, text in double quotes, a number, true or false');
  }

  #object(path: string, depth: number): unknown {
    const entries = new Map<string, unknown>();
    this.#at += 1;
    if (this.#next('}')) return {};
    do {
      this.#skipSpace();
      const keyAt = this.#at;
      const key = this.#string('a key in double quotes');
      if (!this.#next(':')) throw new JsonSyntaxError(this.#at, 'a colon after the key');
      const value = this.#value(memberPath(path, key), depth + 1);
      if (entries.has(key)) {
        this.problems.push({
          severity: 'error',
          rule: 'duplicate-key',
          path: memberPath(path, key),
          found: `the key for the second time at ${lineAndColumn(this.#text, keyAt)}`,
          allowed: 'each key once',
        });
      }
      entries.set(key, value);
    } while (this.#next(','));
    if (!this.#next('}')) throw new JsonSyntaxError(this.#at, 'a comma or a closing brace');
    return Object.fromEntries(entries);
  }

  #array(path: string, depth: number): unknown {
    const items: unknown[] = [];
    this.#at += 1;
    if (this.#next(']')) return items;
    do items.push(this.#value(itemPath(path, items.length), depth + 1));
    while (this.#next(','));
    if (!this.#next(']')) throw new JsonSyntaxError(this.#at, 'a comma or a closing bracket');
    return items;
  }

  #string(expected: string): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw new JsonSyntaxError(start, expected);
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    try {
      // Resolves the escapes, and refuses wrong ones, control characters and a missing end.
      const value = String(JSON.parse(this.#text.slice(start, end + 1)));
      this.#at = end + 1;
      return value;
    } catch {
      throw new JsonSyntaxError(start, expected);
    }
  }

  #next(char: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
