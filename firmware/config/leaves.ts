/** The single values of a configuration, with what the schema says of each: what redaction and diffs are built on. */
import { itemPath, memberPath } from './json-path.ts';
import { CONFIGURATION_SCHEMA, type Configuration } from './schema.ts';
import { isObject, recordOf, type SchemaNode, schemaNode } from './schema-node.ts';

export interface Leaf {
  /** As in `l2tp.clients.hq.user`. */
  readonly path: string;
  /** A scalar, or a list of scalars as one. */
  readonly value: unknown;
  readonly secret: boolean;
  /** The schema's default, `undefined` where there is none. */
  readonly default: unknown;
}

/** Every leaf in the schema's order, keys of free objects in theirs. */
export function leaves(configuration: Configuration): Leaf[] {
  const found: Leaf[] = [];
  collect(schemaNode(CONFIGURATION_SCHEMA), configuration, '', found);
  return found;
}

/** Whether a list is one leaf: its items are scalars. */
export function isScalarList(node: SchemaNode): boolean {
  return node.type === 'array' && node.items?.type !== 'object';
}

/** The schema of member `key`; `undefined` where the schema knows none. */
export function memberNode(node: SchemaNode, key: string): SchemaNode | undefined {
  return node.properties?.[key] ?? recordOf(node)?.value;
}

function collect(node: SchemaNode, value: unknown, path: string, found: Leaf[]): void {
  if (isObject(value)) {
    const keys = node.properties === undefined ? Object.keys(value) : Object.keys(node.properties);
    for (const key of keys) {
      const member = memberNode(node, key);
      if (member !== undefined && value[key] !== undefined) collect(member, value[key], memberPath(path, key), found);
    }
  } else if (Array.isArray(value) && !isScalarList(node)) {
    for (const [index, item] of value.entries()) collect(node.items ?? {}, item, itemPath(path, index), found);
  } else found.push({ path, value, secret: node['x-secret'] === true, default: node.default });
}
