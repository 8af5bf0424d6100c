/**
 * What is wrong with a configuration, in words. One shape serves syntax, schema and cross-field rules, so that `apply`,
 * the API and the web forms can show all of them in the same way.
 */

/** Longest text from a configuration that is quoted in a problem, in characters. */
const MAX_QUOTED = 64;

export interface Problem {
  /** Only an `error` refuses the configuration; a `warning` is shown and the configuration taken. */
  readonly severity: 'error' | 'warning';
  /** What was broken: `unknown-key`, `type`, `networks-overlap` ... Stable, for programs. */
  readonly rule: string;
  /** JSON path from the root, as `l2tp.clients.hq.server`, `routes[0].prefix`; empty for the document itself. */
  readonly path: string;
  /** What stands there, never the value of a secret. */
  readonly found: string;
  /** What may stand there. */
  readonly allowed: string;
  /** The nearest right thing, where one is near. */
  readonly suggestion?: string;
}

/** One line: `l2tp.clients.hq.sever: found ...; allowed: ...; did you mean "server"?`; a warning is said to be one. */
export function formatProblem(problem: Problem): string {
  return `${problem.severity === 'warning' ? 'warning: ' : ''}${problemText(problem)}`;
}

/** The same, where its severity is said already. */
export function problemText(problem: Problem): string {
  const where = problem.path === '' ? 'the configuration' : problem.path;
  const hint = problem.suggestion === undefined ? '' : `; did you mean "${problem.suggestion}"?`;
  return `${where}: found ${problem.found}; allowed: ${problem.allowed}${hint}`;
}

/** A configuration was refused. The message holds one line per problem. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

/** `value` in quotes, made safe to print and cut after 64 characters. Not for secrets. */
export function quoted(value: string): string {
  const text = JSON.stringify(value).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    escapeCode,
  );
  return text.length <= MAX_QUOTED ? text : `${text.slice(0, MAX_QUOTED)}..."`;
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function escapeCode(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
