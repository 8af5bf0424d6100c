/** Where a row of words leads in a configuration: `l2tp clients hq server`. */
import { isScalarList, memberNode } from '../leaves.ts';
import { CONFIGURATION_SCHEMA } from '../schema.ts';
import { type EntryKind, entryKind } from '../schema-entries.ts';
import { isObject, recordOf, type SchemaNode, schemaNode } from '../schema-node.ts';

/** A place in a configuration, and what stands there. */
export interface Place {
  readonly node: SchemaNode;
  readonly kind: EntryKind;
  /** Keys, and numbers of items from 0. */
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** The configuration itself. */
export function rootPlace(configuration: unknown): Place {
  const node = schemaNode(CONFIGURATION_SCHEMA);
  return { node, kind: entryKind(node), path: [], value: configuration };
}

/**
 * One word further. A name of a record may be a new one, an item of a list of objects one behind the last.
 * @returns nothing where the word leads nowhere, or the place is a value already.
 */
export function stepInto({ node, kind, path, value }: Place, word: string): Place | undefined {
  if (kind === 'value') return undefined;
  if (kind === 'objects') {
    const index = /^\d{1,6}$/.test(word) ? Number(word) : undefined;
    const known: readonly unknown[] = Array.isArray(value) ? value : [];
    if (index === undefined || index > known.length) return undefined;
    const item = node.items ?? {};
    return { node: item, kind: entryKind(item), path: [...path, index], value: known[index] };
  }
  const record = recordOf(node);
  if (record !== undefined && !new RegExp(record.pattern, 'u').test(word)) return undefined;
  const properties = node.properties ?? {};
  const member = record !== undefined || Object.hasOwn(properties, word) ? memberNode(node, word) : undefined;
  if (member === undefined) return undefined;
  const there = isObject(value) && Object.hasOwn(value, word) ? value[word] : undefined;
  return { node: member, kind: entryKind(member), path: [...path, word], value: there };
}

/** A list whose items are scalars: what follows its key are items. */
export function isListPlace({ node }: Place): boolean {
  return isScalarList(node);
}
