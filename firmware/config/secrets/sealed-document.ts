/** Configurations as they are stored: each secret is an object `{ "sealed": "..." }` in the place of its value. */
import { itemPath, memberPath } from '../json-path.ts';
import { memberNode } from '../leaves.ts';
import { CONFIGURATION_SCHEMA, type Configuration } from '../schema.ts';
import { isObject, type SchemaNode, schemaNode } from '../schema-node.ts';
import { type DeviceKey, SealError } from './device-key.ts';

/** What seals: the device key, or one that was made from a passphrase. */
export type Sealer = Pick<DeviceKey, 'seal' | 'open'>;

/** Where a value stands: as messages print it, and as a JSON pointer (RFC 6901), which no two places share. */
interface Place {
  readonly path: string;
  readonly pointer: string;
}

const ROOT: Place = { path: '', pointer: '' };

/**
 * A copy for JSON. Each secret is sealed with its place as the context, so that none can be put where another stands, and
 * those that are the same do not look the same.
 */
export function sealDocument(configuration: Configuration, sealer: Sealer): unknown {
  return seal(schemaNode(CONFIGURATION_SCHEMA), configuration, ROOT, sealer);
}

/**
 * The document with its secrets in clear, whatever version of the schema it follows. Its objects have no prototype.
 * @throws SealError that names the path of what cannot be opened.
 */
export function openDocument(document: unknown, sealer: Sealer): unknown {
  return unseal(document, ROOT, sealer);
}

function seal(node: SchemaNode, value: unknown, at: Place, sealer: Sealer): unknown {
  // What is no secret and looks like a sealed one has to come back as it was, too: somebody may be called "sealed".
  if ((node['x-secret'] === true && value !== undefined) || sealedText(value) !== undefined) {
    return { sealed: sealer.seal(JSON.stringify(value), at.pointer) };
  }
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => seal(node.items ?? {}, item, itemOf(at, index), sealer));
  }
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, member] of Object.entries(value)) {
    copy[key] = seal(memberNode(node, key) ?? {}, member, memberOf(at, key), sealer);
  }
  return copy;
}

function unseal(value: unknown, at: Place, sealer: Sealer): unknown {
  const sealed = sealedText(value);
  if (sealed !== undefined) return openAt(sealed, at, sealer);
  if (Array.isArray(value)) return value.map((item: unknown, index) => unseal(item, itemOf(at, index), sealer));
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, member] of Object.entries(value)) copy[key] = unseal(member, memberOf(at, key), sealer);
  return copy;
}

function openAt(sealed: string, at: Place, sealer: Sealer): unknown {
  let text: string;
  try {
    text = sealer.open(sealed, at.pointer);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SealError(`The secret at ${at.path} cannot be opened: ${why}`);
  }
  // Written by seal() above, as the open text is authentic.
  return JSON.parse(text);
}

function sealedText(value: unknown): string | undefined {
  if (!isObject(value) || !Object.hasOwn(value, 'sealed') || Object.keys(value).length !== 1) return undefined;
  const text = value['sealed'];
  return typeof text === 'string' ? text : undefined;
}

function memberOf({ path, pointer }: Place, key: string): Place {
  return { path: memberPath(path, key), pointer: `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` };
}

function itemOf({ path, pointer }: Place, index: number): Place {
  return { path: itemPath(path, index), pointer: `${pointer}/${index}` };
}
