/** Every key of the configuration by its path: what the reference, forms, completion and API descriptions walk. */
import { itemPath, memberPath } from './json-path.ts';
import { recordOf, type SchemaNode } from './schema-node.ts';

/** Stands in paths where somebody gives a name. */
export const NAME_IN_PATH = 'NAME';

/**
 * `object`: keys given by the schema. `record`: keys that people choose. `objects`: a list of objects. `value`: a scalar
 * or a list of scalars.
 */
export type EntryKind = 'object' | 'record' | 'objects' | 'value';

export interface SchemaEntry {
  /** As in `l2tp.clients.NAME.server` and `routes[].prefix`; empty for the configuration itself. */
  readonly path: string;
  /** The last part of the path as it is written: `server`, `NAME`; empty for the root and for items of a list. */
  readonly key: string;
  readonly kind: EntryKind;
  readonly node: SchemaNode;
  /** Whether it has to be written where the object around it is. */
  readonly required: boolean;
  /** What a change interrupts, said here or above. */
  readonly restarts?: string;
  /** What is directly below: keys, the entry of a record, the item of a list of objects. */
  readonly members: readonly SchemaEntry[];
}

/** The node and everything below it. */
export function schemaEntries(node: SchemaNode): SchemaEntry {
  return entryOf({ path: '', key: '', required: true }, node);
}

/** The entry and everything below it, in the schema's order, each before what is below it. */
export function* withMembers(entry: SchemaEntry): Iterable<SchemaEntry> {
  yield entry;
  for (const member of entry.members) yield* withMembers(member);
}

export function entryKind(node: SchemaNode): EntryKind {
  if (recordOf(node) !== undefined) return 'record';
  if (node.type === 'object') return 'object';
  return node.type === 'array' && node.items?.type === 'object' ? 'objects' : 'value';
}

/** Whether `key` must be written in an object of this schema: not what has a default. */
export function isRequired(node: SchemaNode, key: string): boolean {
  return node.required?.includes(key) === true && node.properties?.[key]?.default === undefined;
}

function entryOf(place: Pick<SchemaEntry, 'path' | 'key' | 'required' | 'restarts'>, node: SchemaNode): SchemaEntry {
  const restarts = node['x-restarts'] ?? place.restarts;
  const entry = { ...place, node, kind: entryKind(node), ...(restarts === undefined ? {} : { restarts }) };
  return { ...entry, members: membersOf(entry) };
}

function membersOf({ path, kind, node, restarts }: Omit<SchemaEntry, 'members'>): SchemaEntry[] {
  const inherited = restarts === undefined ? {} : { restarts };
  if (kind === 'record') {
    const place = { path: memberPath(path, NAME_IN_PATH), key: NAME_IN_PATH, required: false, ...inherited };
    return [entryOf(place, recordOf(node)?.value ?? {})];
  }
  if (kind === 'objects') {
    return [entryOf({ path: itemPath(path, ''), key: '', required: false, ...inherited }, node.items ?? {})];
  }
  return Object.entries(node.properties ?? {}).map(([key, member]) =>
    entryOf({ path: memberPath(path, key), key, required: isRequired(node, key), ...inherited }, member),
  );
}
