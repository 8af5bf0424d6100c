/** Configurations as they are stored: each secret is an object `{ "sealed": "..." }` in the place of its text. */
import { itemPath, memberPath } from '../json-path.ts';
import { memberNode } from '../leaves.ts';
import { CONFIGURATION_SCHEMA, type Configuration } from '../schema.ts';
import { isObject, type SchemaNode, schemaNode } from '../schema-node.ts';
import { type DeviceKey, SealError } from './device-key.ts';

/** What seals: the device key, or one that was made from a passphrase. */
export type Sealer = Pick<DeviceKey, 'seal' | 'open'>;

/** A copy for JSON; the path of a secret is sealed with it, so that none can be put in the place of another. */
export function sealDocument(configuration: Configuration, sealer: Sealer): unknown {
  return seal(schemaNode(CONFIGURATION_SCHEMA), configuration, '', sealer);
}

/**
 * The document with its secrets in clear, whatever version of the schema it follows.
 * @throws SealError that names the path of what cannot be opened.
 */
export function openDocument(document: unknown, sealer: Sealer): unknown {
  return unseal(document, '', sealer);
}

function seal(node: SchemaNode, value: unknown, path: string, sealer: Sealer): unknown {
  if (node['x-secret'] === true && typeof value === 'string') return { sealed: sealer.seal(value, path) };
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => seal(node.items ?? {}, item, itemPath(path, index), sealer));
  }
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, member] of Object.entries(value)) {
    copy[key] = seal(memberNode(node, key) ?? {}, member, memberPath(path, key), sealer);
  }
  return copy;
}

function unseal(value: unknown, path: string, sealer: Sealer): unknown {
  if (Array.isArray(value)) return value.map((item: unknown, index) => unseal(item, itemPath(path, index), sealer));
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const sealed = value['sealed'];
  if (keys.length === 1 && typeof sealed === 'string') return openAt(sealed, path, sealer);
  const copy: Record<string, unknown> = Object.create(null);
  for (const key of keys) copy[key] = unseal(value[key], memberPath(path, key), sealer);
  return copy;
}

function openAt(sealed: string, path: string, sealer: Sealer): string {
  try {
    return sealer.open(sealed, path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SealError(`The secret at ${path} cannot be opened: ${why}`);
  }
}
