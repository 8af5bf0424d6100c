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

/** Those of a part of the configuration, which is at `path`. */
export function leavesBelow(node: SchemaNode, value: unknown, path: string): Leaf[] {
  const found: Leaf[] = [];
  collect(node, value, path, found);
  return found;
}

/** Whether the value is a leaf of its own. */
export function isLeaf(node: SchemaNode, value: unknown): boolean {
  return !isObject(value) && (!Array.isArray(value) || isScalarList(node));
}

/** Those leaves alone that are secrets. */
export function secretLeaves(configuration: Configuration): Leaf[] {
  const found: Leaf[] = [];
  collect(schemaNode(CONFIGURATION_SCHEMA), configuration, '', found, holdsSecret);
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

function collect(
  node: SchemaNode,
  value: unknown,
  path: string,
  found: Leaf[],
  wanted: (node: SchemaNode) => boolean = () => true,
): void {
  if (!wanted(node)) return;
  if (isObject(value)) {
    const keys = node.properties === undefined ? Object.keys(value) : Object.keys(node.properties);
    for (const key of keys) {
      const member = memberNode(node, key);
      if (member !== undefined && value[key] !== undefined) {
        collect(member, value[key], memberPath(path, key), found, wanted);
      }
    }
  } else if (Array.isArray(value) && !isScalarList(node)) {
    for (const [index, item] of value.entries()) {
      collect(node.items ?? {}, item, itemPath(path, index), found, wanted);
    }
  } else found.push({ path, value, secret: node['x-secret'] === true, default: node.default });
}

const holding = new WeakMap<SchemaNode, boolean>();

/** Whether the node is a secret, or one is somewhere below it. */
function holdsSecret(node: SchemaNode): boolean {
  const known = holding.get(node);
  if (known !== undefined) return known;
  const below = [...Object.values(node.properties ?? {}), recordOf(node)?.value, node.items];
  const holds = node['x-secret'] === true || below.some((member) => member !== undefined && holdsSecret(member));
  holding.set(node, holds);
  return holds;
}
