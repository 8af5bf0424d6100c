/** Holds a value against the schema: finds everything that does not fit, and fills in the defaults. */
import { TEXT_FORMATS } from './formats.ts';
import { itemPath, memberPath } from './json-path.ts';
import { type Problem, quoted } from './problem.ts';
import { CONFIGURATION_SCHEMA, NOT_AVAILABLE_KEYS } from './schema.ts';
import { isObject, recordOf, type SchemaNode, schemaNode } from './schema-node.ts';
import { nearest } from './spelling.ts';
import { allowedWords } from './value-words.ts';

/** `value` is complete only when there are no problems. */
export interface ShapeResult {
  readonly value: unknown;
  readonly problems: readonly Problem[];
}

/** Holds a whole configuration, as read from a file, against {@link CONFIGURATION_SCHEMA}. */
export function checkShape(value: unknown): ShapeResult {
  const problems: Problem[] = [];
  return { value: check(schemaNode(CONFIGURATION_SCHEMA), value, '', problems), problems };
}

/** Holds a part of a configuration, which is at `path`, against its part of the schema. */
export function checkPart(node: SchemaNode, value: unknown, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  check(node, value, path, problems);
  return problems;
}

function check(node: SchemaNode, value: unknown, path: string, problems: Problem[]): unknown {
  if (node.type === 'object') return checkObject(node, value, path, problems);
  if (node.type === 'array') return checkArray(node, value, path, problems);
  if (!fitsScalar(node, value)) {
    const near = typeof value === 'string' ? nearest(value, node.enum ?? []) : undefined;
    problems.push({
      severity: 'error',
      rule: 'value',
      path,
      found: describe(node, value),
      allowed: allowedWords(node, value),
      ...(near === undefined ? {} : { suggestion: near }),
    });
  }
  return value;
}

function checkObject(node: SchemaNode, value: unknown, path: string, problems: Problem[]): unknown {
  if (!isObject(value)) {
    problems.push(wrongValue(path, node, value));
    return value;
  }
  const record = recordOf(node);
  return record === undefined
    ? checkMembers(node, value, path, problems)
    : checkRecord(node, record, value, path, problems);
}

/** An object whose keys are given by the schema. */
function checkMembers(
  node: SchemaNode,
  value: Readonly<Record<string, unknown>>,
  path: string,
  problems: Problem[],
): unknown {
  const properties = node.properties ?? {};
  const meant = checkKeys(properties, Object.keys(value), path, problems);
  const filled: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(properties)) {
    const memberAt = memberPath(path, key);
    if (Object.hasOwn(value, key)) filled[key] = check(member, value[key], memberAt, problems);
    else if (member.default !== undefined) {
      // The check gives objects and lists back as copies.
      filled[key] = check(member, member.default, memberAt, problems);
    } else if (node.required?.includes(key) && !meant.has(key)) {
      problems.push({
        severity: 'error',
        rule: 'missing',
        path: memberAt,
        found: 'nothing',
        allowed: allowedWords(member),
      });
    }
  }
  return filled;
}

/** Refuses keys that are not in the schema. @returns the keys which were probably meant by misspelt ones. */
function checkKeys(
  properties: Readonly<Record<string, SchemaNode>>,
  keys: readonly string[],
  path: string,
  problems: Problem[],
): ReadonlySet<string> {
  const known = Object.keys(properties);
  const later = NOT_AVAILABLE_KEYS.get(path) ?? [];
  const given = new Set(keys);
  const candidates = [...known.filter((name) => !given.has(name)), ...later];
  const meant = new Set<string>();
  for (const key of keys) {
    if (Object.hasOwn(properties, key)) continue;
    const base = { severity: 'error', path: memberPath(path, key) } as const;
    if (later.includes(key)) {
      problems.push({
        ...base,
        rule: 'not-available',
        found: `the key "${key}", which is not available in this version`,
        allowed: `the keys ${known.join(', ')}`,
      });
      continue;
    }
    const near = nearest(key, candidates);
    if (near !== undefined) meant.add(near);
    problems.push({
      ...base,
      rule: 'unknown-key',
      found: `the unknown key ${quoted(key)}`,
      allowed: `the keys ${known.join(', ')}`,
      ...(near === undefined ? {} : { suggestion: near }),
    });
  }
  return meant;
}

/** An object with free keys. The copy has no prototype, so that no key can be found that was not written. */
function checkRecord(
  node: SchemaNode,
  record: { readonly pattern: string; readonly value: SchemaNode },
  value: Readonly<Record<string, unknown>>,
  path: string,
  problems: Problem[],
): unknown {
  const keys = Object.keys(value);
  const most = node.maxProperties ?? Number.POSITIVE_INFINITY;
  if (keys.length > most) {
    const found = `${keys.length} entries`;
    problems.push({ severity: 'error', rule: 'too-many', path, found, allowed: `at most ${most}` });
    return value;
  }
  const filled: Record<string, unknown> = Object.create(null);
  const pattern = compiled(record.pattern);
  for (const key of keys) {
    const at = memberPath(path, key);
    if (!pattern.test(key)) {
      const allowed = node['x-allowed'] ?? 'another name';
      problems.push({ severity: 'error', rule: 'name', path: at, found: `the name ${quoted(key)}`, allowed });
    }
    const member = check(record.value, value[key], at, problems);
    if (key !== '__proto__') filled[key] = member;
  }
  return filled;
}

function checkArray(node: SchemaNode, value: unknown, path: string, problems: Problem[]): unknown {
  if (!Array.isArray(value)) {
    problems.push(wrongValue(path, node, value));
    return value;
  }
  const [least, most] = [node.minItems ?? 0, node.maxItems ?? Number.POSITIVE_INFINITY];
  if (value.length < least || value.length > most) {
    const allowed = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`;
    problems.push({ severity: 'error', rule: 'length', path, found: `${value.length} entries`, allowed });
    if (value.length > most) return value;
  }
  const item = node.items ?? {};
  const seen = new Map<unknown, number>();
  return value.map((entry: unknown, index) => {
    const at = itemPath(path, index);
    const before = seen.get(entry);
    if (node.uniqueItems && before !== undefined) {
      const found = `${describe(item, entry)} for the second time`;
      problems.push({
        severity: 'error',
        rule: 'twice',
        path: at,
        found,
        allowed: `it once, as ${itemPath(path, before)}`,
      });
    }
    seen.set(entry, index);
    return check(item, entry, at, problems);
  });
}

function fitsScalar(node: SchemaNode, value: unknown): boolean {
  if (node.anyOf !== undefined) return node.anyOf.some((branch) => fitsScalar(branch, value));
  if (node.enum !== undefined) return typeof value === 'string' && node.enum.includes(value);
  if (node.const !== undefined) return value === node.const;
  if (node.type === 'boolean') return typeof value === 'boolean';
  if (node.type === 'integer') {
    const [least, most] = [node.minimum ?? Number.MIN_SAFE_INTEGER, node.maximum ?? Number.MAX_SAFE_INTEGER];
    return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
  }
  if (typeof value !== 'string') return false;
  if (node.pattern !== undefined && !compiled(node.pattern).test(value)) return false;
  return node.format === undefined || TEXT_FORMATS[node.format]?.check(value) === true;
}

/** The schema's patterns, each compiled once. */
const patterns = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  const known = patterns.get(pattern) ?? new RegExp(pattern, 'u');
  patterns.set(pattern, known);
  return known;
}

function wrongValue(path: string, node: SchemaNode, value: unknown): Problem {
  return { severity: 'error', rule: 'value', path, found: describe(node, value), allowed: allowedWords(node, value) };
}

/**
 * What stands there. Only where a plain, public value belongs is it quoted: elsewhere it could be a misplaced secret.
 */
function describe(node: SchemaNode, value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (node['x-secret'] === true || node.type === 'object' || node.type === 'array') {
    return typeof value === 'string' ? 'text (not shown)' : `a ${typeof value} (not shown)`;
  }
  return typeof value === 'string' ? quoted(value) : String(value);
}
