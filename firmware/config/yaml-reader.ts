/**
 * YAML 1.2 as far as a configuration needs it: plain mappings, lists and scalars. Aliases and custom tags are refused.
 * Mistakes are told by line and column only; the library's messages would quote the text, which may be a password.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { itemPath, memberPath } from './json-path.ts';
import type { Problem } from './problem.ts';

/** Deeper nesting than any configuration has. */
const MAX_DEPTH = 64;

/** Words for the mistakes that people make; the rest is "well-formed YAML". */
const SYNTAX_WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'spaces, not tabs, in front of a line',
  BAD_INDENT: 'lines of one block with the same indentation',
  MISSING_CHAR: 'a closing quote or bracket, or a space after the colon',
  BLOCK_AS_IMPLICIT_KEY: 'one key and value on a line',
  MULTILINE_IMPLICIT_KEY: 'a key on one line, followed by a colon',
  KEY_OVER_1024_CHARS: 'a short key followed by a colon',
};

/** Reads one YAML document. With problems, `value` is not to be used. */
export function readYaml(text: string): { readonly value: unknown; readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
      schema: 'core',
      merge: false,
    });
    const first = Array.isArray(documents) ? documents[0] : undefined;
    const second = Array.isArray(documents) ? documents[1] : undefined;
    if (second !== undefined) problems.push(syntax('a second document', 'one document'));
    for (const error of [...(first?.errors ?? []), ...(first?.warnings ?? [])]) {
      const found = `something else at ${position(lines, error.pos[0])}`;
      problems.push(syntax(found, SYNTAX_WORDS[error.code] ?? 'well-formed YAML without tags'));
    }
    if (problems.length > 0) return { value: undefined, problems };
    const reader: Reader = { lines, problems };
    // An empty file is an empty configuration, as `{}` is.
    const contents = first?.contents;
    return { value: isNode(contents) ? read(reader, contents, '', 0) : {}, problems };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return {
      value: undefined,
      problems: [syntax('nesting that is too deep', `at most ${MAX_DEPTH} levels of nesting`)],
    };
  }
}

interface Reader {
  readonly lines: LineCounter;
  readonly problems: Problem[];
}

function read(reader: Reader, node: Node, path: string, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new RangeError('too deep');
  if (isAlias(node)) {
    reader.problems.push({ ...syntax('an alias', 'the value itself'), path });
    return undefined;
  }
  if (isScalar(node)) return node.value;
  if (isSeq(node)) {
    return node.items.map((item, index) =>
      isNode(item) ? read(reader, item, itemPath(path, index), depth + 1) : null,
    );
  }
  if (!isMap(node)) return undefined;
  const entries = new Map<string, unknown>();
  for (const pair of node.items) {
    if (!isPair(pair) || !isScalar(pair.key)) {
      reader.problems.push({ ...syntax('a key that is a list or an object', 'plain keys'), path });
      continue;
    }
    const key = String(pair.key.source ?? pair.key.value);
    const at = memberPath(path, key);
    if (entries.has(key)) {
      const found = `the key for the second time at ${position(reader.lines, pair.key.range?.[0] ?? 0)}`;
      const duplicate = {
        severity: 'error',
        rule: 'duplicate-key',
        path: at,
        found,
        allowed: 'each key once',
      } as const;
      reader.problems.push(duplicate);
    }
    entries.set(key, isNode(pair.value) ? read(reader, pair.value, at, depth + 1) : null);
  }
  return Object.fromEntries(entries);
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

function syntax(found: string, allowed: string): Problem {
  return { severity: 'error', rule: 'syntax', path: '', found, allowed };
}

function position(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}`;
}
