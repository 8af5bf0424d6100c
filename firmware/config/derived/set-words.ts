/** A configuration as the words that write it: one row for each value. */
import { isLeaf, memberNode } from '../leaves.ts';
import { CONFIGURATION_SCHEMA } from '../schema.ts';
import { isObject, recordOf, type SchemaNode, schemaNode } from '../schema-node.ts';
import type { EditPath } from './edits.ts';

/**
 * What `set` takes, row by row, for all that is at `path` of a configuration, which need not be complete. What is the default is
 * left out, and so are secrets.
 */
export function setWords(configuration: unknown, path: EditPath): readonly (readonly string[])[] {
  let node = schemaNode(CONFIGURATION_SCHEMA);
  let value = configuration;
  for (const part of path) {
    node = (typeof part === 'number' ? node.items : memberNode(node, part)) ?? {};
    value = isObject(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[part] : undefined;
  }
  const rows: string[][] = [];
  collect(node, value, path.map(String), rows);
  return rows;
}

function collect(node: SchemaNode, value: unknown, path: readonly string[], rows: string[][]): void {
  if (value === undefined || node['x-secret'] === true || JSON.stringify(value) === JSON.stringify(node.default))
    return;
  if (isLeaf(node, value)) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (items.length > 0) rows.push([...path, ...items.map(String)]);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) entry(node.items ?? {}, item, [...path, String(index)], rows);
  } else if (isObject(value)) {
    const collectMember = recordOf(node) === undefined ? collect : entry;
    const keys = node.properties === undefined ? Object.keys(value) : Object.keys(node.properties);
    for (const key of keys) collectMember(memberNode(node, key) ?? {}, value[key], [...path, key], rows);
  }
}

/** One that somebody has made: it is there even when it has nothing of its own. */
function entry(node: SchemaNode, value: unknown, path: readonly string[], rows: string[][]): void {
  const before = rows.length;
  collect(node, value, path, rows);
  if (rows.length === before && isObject(value)) rows.push([...path]);
}
