/**
 * A backup: one JSON file, readable but for its secrets, which are sealed under a key from a passphrase (scrypt, RFC 7914).
 * The whole file is authenticated by the same passphrase. It can be restored on another device.
 */
import { createHmac, hkdfSync, scrypt, timingSafeEqual } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { RandomSource } from '../../protocol/machine.ts';
import type { Configuration } from '../schema.ts';
import { reasonOf } from '../state-file.ts';
import { type DeviceKey, deviceKeyFrom } from './device-key.ts';
import { openDocument, sealDocument } from './sealed-document.ts';

/** Shorter ones are guessed offline by whoever finds the file. */
export const MIN_PASSPHRASE_CHARACTERS = 8;

/** Cost of one guess (RFC 7914 section 2): 32 MiB, which a board of 128 MiB has, and some tenths of a second. */
const COST = { N: 2 ** 15, r: 8, p: 3 } as const;
/** What a file may ask for, since a hostile one must not take all memory; the latter in octets. */
const MAX_COST = 2 ** 16;
const MAX_MEMORY = 130 * 1024 * 1024;

/** Octets of the largest file that is read: a configuration of the largest size with its defaults, secrets sealed. */
const MAX_OCTETS = 16 * 1024 * 1024;

const SALT_OCTETS = 16;
const KEY_OCTETS = 32;
const CHECK = { text: 'culvert backup', context: 'check' } as const;

const SCHEMA = Type.Object(
  {
    kind: Type.Literal('culvert-backup'),
    format: Type.Literal(1),
    version: Type.String({ maxLength: 64 }),
    hostname: Type.String({ maxLength: 255 }),
    at: Type.Integer({ minimum: 0 }),
    versions: Type.Record(Type.String(), Type.Integer()),
    scrypt: Type.Object({
      N: Type.Integer({ minimum: 2 ** 14, maximum: MAX_COST }),
      r: Type.Integer({ minimum: 8, maximum: 8 }),
      p: Type.Integer({ minimum: 1, maximum: 4 }),
      salt: Type.String({ pattern: '^[A-Za-z0-9_-]{22,64}$' }),
    }),
    check: Type.String(),
    document: Type.Unknown(),
    mac: Type.String(),
  },
  { additionalProperties: false },
);

type BackupFile = Static<typeof SCHEMA>;

export interface BackupContent {
  readonly configuration: Configuration;
  readonly hostname: string;
  /** Of Culvert. */
  readonly version: string;
  /** Wall clock, ms since 1970. */
  readonly at: number;
  /** Of each module of the document. */
  readonly versions: Readonly<Record<string, number>>;
}

export type ReadBackup =
  | ({ readonly ok: true; readonly document: unknown } & Omit<BackupContent, 'configuration'>)
  /** Sentences without a full stop. */
  | { readonly ok: false; readonly reason: string; readonly remedy: string };

/** @returns the text of the file. @throws Error in words when the passphrase is too short. */
export async function writeBackup(content: BackupContent, passphrase: string, random: RandomSource): Promise<string> {
  if ([...passphrase].length < MIN_PASSPHRASE_CHARACTERS) {
    throw new Error(`The passphrase is too short: it needs ${MIN_PASSPHRASE_CHARACTERS} characters or more.`);
  }
  const salt = Buffer.from(random.bytes(SALT_OCTETS)).toString('base64url');
  const cost = { ...COST, salt };
  const keys = await keysOf(passphrase, cost, random);
  const { configuration, hostname, version, at, versions } = content;
  const file: Omit<BackupFile, 'mac'> = {
    kind: 'culvert-backup',
    format: 1,
    version,
    hostname,
    at,
    versions,
    scrypt: cost,
    check: keys.sealer.seal(CHECK.text, CHECK.context),
    document: JSON.parse(JSON.stringify(sealDocument(configuration, keys.sealer))),
  };
  return `${JSON.stringify({ ...file, mac: macOf(file, keys.mac).toString('base64url') }, undefined, 2)}\n`;
}

/** Tells a wrong passphrase from a damaged file. */
export async function readBackup(text: string, passphrase: string, random: RandomSource): Promise<ReadBackup> {
  const file = parse(text);
  if (file === undefined) {
    return refused(
      'this is no backup of Culvert, or it is damaged',
      'check that it is the right file, whole and unchanged',
    );
  }
  const keys = await keysOf(passphrase, file.scrypt, random);
  try {
    keys.sealer.open(file.check, CHECK.context);
  } catch {
    return refused('the passphrase is wrong', `take the one with which the backup of ${file.hostname} was made`);
  }
  const { mac, ...rest } = file;
  const [given, right] = [Buffer.from(mac, 'base64url'), macOf(rest, keys.mac)];
  if (given.length !== right.length || !timingSafeEqual(given, right)) {
    return refused('the backup was changed after it was made', 'take an unchanged copy of it');
  }
  try {
    const { hostname, version, at, versions } = file;
    return { ok: true, document: openDocument(file.document, keys.sealer), hostname, version, at, versions };
  } catch (error) {
    return refused(`the backup cannot be read: ${reasonOf(error).replace(/\.$/, '')}`, 'take an unchanged copy of it');
  }
}

function parse(text: string): BackupFile | undefined {
  if (Buffer.byteLength(text, 'utf8') > MAX_OCTETS) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(SCHEMA, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function keysOf(
  passphrase: string,
  { N, r, p, salt }: BackupFile['scrypt'],
  random: RandomSource,
): Promise<{ readonly sealer: DeviceKey; readonly mac: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  // The same passphrase typed on another keyboard may come in other code points.
  const normal = passphrase.normalize('NFC');
  scrypt(normal, Buffer.from(salt, 'base64url'), KEY_OCTETS, { N, r, p, maxmem: MAX_MEMORY }, (error, key) =>
    error ? reject(error) : resolve(key),
  );
  const key = await promise;
  return {
    sealer: deviceKeyFrom(key, random),
    mac: Buffer.from(hkdfSync('sha256', key, new Uint8Array(), 'culvert backup', KEY_OCTETS)),
  };
}

/** Over the file without its MAC, as JSON without white space. */
function macOf(file: Omit<BackupFile, 'mac'>, key: Buffer): Buffer {
  const { kind, format, version, hostname, at, versions, scrypt: cost, check, document } = file;
  const text = JSON.stringify([kind, format, version, hostname, at, versions, cost, check, document]);
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

function refused(reason: string, remedy: string): ReadBackup {
  return { ok: false, reason, remedy };
}
