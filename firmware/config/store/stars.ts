/** Stars in a draft: where a configuration is shown they stand for a secret, and where it comes back they mean that secret. */
import { memberNode } from '../leaves.ts';
import { REDACTED } from '../redact.ts';
import { CONFIGURATION_SCHEMA } from '../schema.ts';
import { isObject, type SchemaNode, schemaNode } from '../schema-node.ts';

/** A copy of `draft` in which the secrets of `known` stand where there are stars. What `known` does not have stays stars. */
export function fillStars(draft: unknown, known: unknown): unknown {
  return walk(schemaNode(CONFIGURATION_SCHEMA), draft, known, (secret, before) =>
    secret === REDACTED && typeof before === 'string' ? before : secret,
  );
}

/** A copy of `draft`, which need not be complete, with stars for every secret. */
export function withStars(draft: unknown): unknown {
  return walk(schemaNode(CONFIGURATION_SCHEMA), draft, undefined, () => REDACTED);
}

function walk(
  node: SchemaNode,
  value: unknown,
  other: unknown,
  change: (secret: unknown, other: unknown) => unknown,
): unknown {
  if (node['x-secret'] === true) return change(value, other);
  if (Array.isArray(value)) {
    const others: readonly unknown[] = Array.isArray(other) ? other : [];
    const items: readonly unknown[] = value;
    return items.map((item, index) => walk(node.items ?? {}, item, counterpart(node, items, index, others), change));
  }
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, member] of Object.entries(value)) {
    const before = isObject(other) && Object.hasOwn(other, key) ? other[key] : undefined;
    copy[key] = walk(memberNode(node, key) ?? {}, member, before, change);
  }
  return copy;
}

/**
 * The item of `others` that this one was: one that goes by the same name, wherever it stands, so that no item gets the secret of
 * another one when one before it was taken away. One under a new name is where it was, if the list is as long as it was.
 */
function counterpart(node: SchemaNode, items: readonly unknown[], index: number, others: readonly unknown[]): unknown {
  const [naming] = node.items?.required ?? [];
  const nameOf = (item: unknown): unknown => (naming !== undefined && isObject(item) ? item[naming] : undefined);
  const name = nameOf(items[index]);
  const same = name === undefined ? [] : others.filter((item) => nameOf(item) === name);
  // Of several with one name it is the first, second ... of them.
  const earlier = items.slice(0, index).filter((item) => nameOf(item) === name).length;
  if (same.length > 0) return same[earlier];
  return items.length === others.length ? others[index] : undefined;
}
