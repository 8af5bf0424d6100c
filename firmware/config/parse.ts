/** From the text of a file to a configuration that may be used, or to the list of everything that is wrong with it. */
import { Compile, type Validator } from 'typebox/compile';
import { readJson } from './json-reader.ts';
import type { Problem } from './problem.ts';
import { checkRules } from './rules.ts';
import { CONFIGURATION_SCHEMA, type Configuration } from './schema.ts';
import { checkShape } from './shape.ts';
import { readYaml } from './yaml-reader.ts';

/** Largest configuration file: forty times that of a branch with a thousand users. */
export const MAX_CONFIGURATION_OCTETS = 1024 * 1024;

export type ParsedConfiguration =
  /** Every default is filled in; `warnings` do not stand in the way. */
  | { readonly ok: true; readonly configuration: Configuration; readonly warnings: readonly Problem[] }
  /** Refused whole; at least one of the problems is an error, the errors first. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads a configuration.
 * @param fileName decides between JSON (`.json`) and YAML (`.yaml`, `.yml`); otherwise text that begins with `{` is
 * JSON.
 * @param maxOctets longer text is refused unread.
 * @param check what is done with the value: {@link checkConfiguration}, or {@link checkStoredConfiguration}.
 */
export function parseConfiguration(
  text: string,
  fileName: string,
  maxOctets = MAX_CONFIGURATION_OCTETS,
  check: (value: unknown) => ParsedConfiguration = checkConfiguration,
): ParsedConfiguration {
  const document = readDocument(text, fileName, maxOctets);
  if (document.problems.length > 0) return { ok: false, problems: document.problems };
  return check(document.value);
}

/** Reads JSON or YAML, as {@link parseConfiguration} does, without holding it against anything. */
export function readDocument(
  text: string,
  fileName: string,
  maxOctets: number,
): { readonly value: unknown; readonly problems: readonly Problem[] } {
  const octets = Buffer.byteLength(text, 'utf8');
  if (octets > maxOctets) {
    const allowed = `at most ${maxOctets} octets`;
    const problem: Problem = { severity: 'error', rule: 'size', path: '', found: `${octets} octets`, allowed };
    return { value: undefined, problems: [problem] };
  }
  // Editors on Windows put a byte order mark in front.
  const plain = text.replace(/^\ufeff/, '');
  return isJson(plain, fileName) ? readJson(plain) : readYaml(plain);
}

let validator: Validator<Record<never, never>, typeof CONFIGURATION_SCHEMA> | undefined;

/** Compiled when it is first needed, 20 ms once: interpreting the schema costs more than that at every large configuration. */
function fitsSchema(value: unknown): value is Configuration {
  validator ??= Compile(CONFIGURATION_SCHEMA);
  return validator.Check(value);
}

/** Holds a value that was read elsewhere (a request body) against schema and rules. */
export function checkConfiguration(value: unknown): ParsedConfiguration {
  return judged(value, true);
}

/**
 * The same for what has been in force once. It passed the rules of its day, and a branch must not lose its uplink because an
 * update brought a new one: what breaks a rule is among the warnings, with its severity `error`. What breaks the schema is
 * refused; migrations are there for that.
 */
export function checkStoredConfiguration(value: unknown): ParsedConfiguration {
  return judged(value, false);
}

/** @param refuse whether a broken rule of the severity `error` refuses the configuration. */
function judged(value: unknown, refuse: boolean): ParsedConfiguration {
  const shape = checkShape(value);
  if (shape.problems.length > 0) return { ok: false, problems: shape.problems };
  // The schema's own validator has the last word: it agrees, or the walker above has a hole.
  const { value: filled } = shape;
  if (!fitsSchema(filled)) {
    const [found, allowed] = ['a value that breaks the schema', 'what the schema describes'];
    return { ok: false, problems: [{ severity: 'error', rule: 'value', path: '', found, allowed }] };
  }
  const findings = checkRules(filled);
  const errors = findings.filter((finding) => finding.severity === 'error');
  const warnings = findings.filter((finding) => finding.severity === 'warning');
  const problems = [...errors, ...warnings];
  return errors.length > 0 && refuse
    ? { ok: false, problems }
    : { ok: true, configuration: filled, warnings: problems };
}

function isJson(text: string, fileName: string): boolean {
  if (/\.json$/i.test(fileName)) return true;
  return !/\.ya?ml$/i.test(fileName) && text.trimStart().startsWith('{');
}
