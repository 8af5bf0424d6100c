/** `last-good.json`: the last confirmed revision once more, beside the database, for the day on which that is damaged. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { MAX_CONFIGURATION_OCTETS } from '../parse.ts';
import { readStateFile, writeStateFile } from '../state-file.ts';
import { VIAS } from './revision.ts';
import type { StoredRevision } from './store-database.ts';

const FILE_NAME = 'last-good.json';

/** Defaults, sealing and indentation make the stored text longer than the one that was applied. */
const MAX_OCTETS = 16 * MAX_CONFIGURATION_OCTETS;

const SCHEMA = Type.Object({
  revision: Type.Integer({ minimum: 1 }),
  hash: Type.String(),
  who: Type.String(),
  via: Type.Enum([...VIAS]),
  comment: Type.String(),
  at: Type.Integer(),
  versions: Type.Unknown(),
  document: Type.Unknown(),
});

/** SHA-256 of a stored document, 64 hexadecimal digits. */
export function hashOf(document: string): string {
  return createHash('sha256').update(document, 'utf8').digest('hex');
}

/** Durable when fulfilled. @throws Error in words. */
export async function writeLastGood(stateDirectory: string, revision: StoredRevision): Promise<void> {
  const { id, hash, who, via, comment, at, versions, document } = revision;
  const file: Static<typeof SCHEMA> = {
    revision: id,
    hash,
    who,
    via,
    comment,
    at,
    versions: JSON.parse(versions),
    document: JSON.parse(document),
  };
  await writeStateFile(join(stateDirectory, FILE_NAME), `${JSON.stringify(file, undefined, 1)}\n`);
}

/** What was written last; `undefined` when there is none or it is damaged, too. */
export async function readLastGood(stateDirectory: string): Promise<StoredRevision | undefined> {
  try {
    const value: unknown = JSON.parse((await readStateFile(join(stateDirectory, FILE_NAME), MAX_OCTETS)) ?? '');
    if (!Value.Check(SCHEMA, value)) return undefined;
    const { revision: id, hash, who, via, comment, at } = value;
    const document = JSON.stringify(value.document);
    if (hashOf(document) !== hash) return undefined;
    return { id, hash, who, via, comment, at, state: 'confirmed', versions: JSON.stringify(value.versions), document };
  } catch {
    return undefined;
  }
}
