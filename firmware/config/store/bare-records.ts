/** What a clone between threads loses of a configuration. */
import { memberNode } from '../leaves.ts';
import { CONFIGURATION_SCHEMA, type Configuration } from '../schema.ts';
import { isObject, recordOf, type SchemaNode, schemaNode } from '../schema-node.ts';

/** A copy whose objects with free keys have no prototype, as those that were read from a file: no name finds a member of it. */
export function bareRecords(configuration: Configuration): Configuration {
  return bare(schemaNode(CONFIGURATION_SCHEMA), configuration);
}

function bare<T>(node: SchemaNode, value: T): T;
function bare(node: SchemaNode, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => bare(node.items ?? {}, item));
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = recordOf(node) === undefined ? {} : Object.create(null);
  for (const [key, member] of Object.entries(value)) copy[key] = bare(memberNode(node, key) ?? {}, member);
  return copy;
}
