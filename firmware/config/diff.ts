/** What changes from one configuration to another, one line per value. */

import { itemPath, memberPath } from './json-path.ts';
import { isLeaf, type Leaf, leavesBelow, memberNode } from './leaves.ts';
import { CONFIGURATION_SCHEMA, type Configuration } from './schema.ts';
import { isObject, type SchemaNode, schemaNode } from './schema-node.ts';

/**
 * Lines in path order of the schema: `+ path = value`, `- path = value`, `~ path: old -> new`; values as JSON. Secrets
 * show only that they were set, removed or changed. What is added or removed with its default value is left out.
 * @param before `undefined`: there was none.
 */
export function diffConfigurations(before: Configuration | undefined, after: Configuration): string[] {
  const root = schemaNode(CONFIGURATION_SCHEMA);
  const lines: string[] = [];
  // What only one side has comes out of a walk over that side, so that each keeps its order.
  walk(root, before, after, '', (leaf) => lines.push(...only('-', leaf)), undefined);
  walk(
    root,
    after,
    before,
    '',
    (leaf) => lines.push(...only('+', leaf)),
    (leaf, old) => lines.push(`~ ${leaf.path}${leaf.secret ? ' (changed)' : `: ${show(old)} -> ${show(leaf.value)}`}`),
  );
  return lines;
}

/** Calls `alone` with every leaf that only `value` has, and `changed` with those that both have and that differ. */
function walk(
  node: SchemaNode,
  value: unknown,
  other: unknown,
  path: string,
  alone: (leaf: Leaf) => void,
  changed: ((leaf: Leaf, other: unknown) => void) | undefined,
): void {
  if (value === other) return;
  if (other === undefined) {
    for (const leaf of leavesBelow(node, value, path)) alone(leaf);
  } else if (isObject(value)) {
    const before = isObject(other) ? other : {};
    const keys = node.properties === undefined ? Object.keys(value) : Object.keys(node.properties);
    for (const key of keys) {
      const [mine, theirs] = [value[key], Object.hasOwn(before, key) ? before[key] : undefined];
      const member = memberNode(node, key);
      if (mine === theirs || mine === undefined || member === undefined) continue;
      walk(member, mine, theirs, memberPath(path, key), alone, changed);
    }
  } else if (Array.isArray(value) && !isLeaf(node, value)) {
    const before: readonly unknown[] = Array.isArray(other) ? other : [];
    for (const [index, item] of value.entries()) {
      walk(node.items ?? {}, item, before[index], itemPath(path, index), alone, changed);
    }
  } else if (changed !== undefined && !sameValue(value, other)) {
    for (const leaf of leavesBelow(node, value, path)) changed(leaf, other);
  }
}

function only(sign: '+' | '-', leaf: Leaf): string[] {
  if (leaf.default !== undefined && sameValue(leaf.default, leaf.value)) return [];
  const value = leaf.secret ? (sign === '+' ? ' (set)' : '') : ` = ${show(leaf.value)}`;
  return [`${sign} ${leaf.path}${value}`];
}

function show(value: unknown): string {
  const text = JSON.stringify(value);
  // PEM: what is in it says nothing to a person.
  if (typeof value !== 'string' || !value.includes('\n')) return text;
  return `${JSON.stringify(value.slice(0, value.indexOf('\n')))} and so on, ${value.length} characters`;
}

function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}
