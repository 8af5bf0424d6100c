/** Configurations without their secrets. What is secret, the schema says; nothing is kept in a second list. */
import { isScalarList, memberNode, secretLeaves } from './leaves.ts';
import { CONFIGURATION_SCHEMA, type Configuration } from './schema.ts';
import { isObject, type SchemaNode, schemaNode } from './schema-node.ts';

/** Stands in the place of every secret, whatever its length. */
export const REDACTED = '********';

/** A copy in which {@link REDACTED} stands for every secret. */
export function redactConfiguration(configuration: Configuration): Configuration {
  return redact(schemaNode(CONFIGURATION_SCHEMA), configuration);
}

/** Every secret of a configuration, each once, the longest first: so that the log can strike them out. */
export function collectSecrets(configuration: Configuration): string[] {
  const secrets = secretLeaves(configuration).flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
  return [...new Set(secrets)].sort((a, b) => b.length - a.length);
}

function redact<T>(node: SchemaNode, value: T): T;
function redact(node: SchemaNode, value: unknown): unknown {
  if (node['x-secret'] === true) return REDACTED;
  if (Array.isArray(value)) {
    return isScalarList(node) ? [...value] : value.map((item: unknown) => redact(node.items ?? {}, item));
  }
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = Object.create(Object.getPrototypeOf(value));
  for (const [key, member] of Object.entries(value)) copy[key] = redact(memberNode(node, key) ?? {}, member);
  return copy;
}
