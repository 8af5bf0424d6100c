/**
 * A backup: one JSON file, readable but for its secrets, which are sealed under a key from a passphrase. The whole file is
 * authenticated by the same passphrase. It needs no device key, and can be restored on another router.
 */
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { RandomSource } from '../../protocol/machine.ts';
import type { Configuration } from '../schema.ts';
import { reasonOf } from '../state-file.ts';
import { type DeviceKey, deviceKeyFrom } from './device-key.ts';
import {
  costRefused,
  keyFromPassphrase,
  newPassphraseCost,
  PASSPHRASE_COST_SCHEMA,
  type PassphraseCost,
  passphraseProblem,
} from './passphrase-key.ts';
import { openDocument, sealDocument } from './sealed-document.ts';

/** Octets of the largest file that is read: a configuration of the largest size with its defaults, secrets sealed. */
const MAX_OCTETS = 16 * 1024 * 1024;

/**
 * Values in it, far more than the largest configuration has: three octets of text can become an object of sixty, and a
 * hostile file of the size above would take all memory of a small board.
 */
const MAX_VALUES = 500_000;

const FORMAT = 1;
const MAC_KEY_OCTETS = 32;
/** SHA-256 and HMAC-SHA-256, base64url. */
const DIGEST = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });

/** What tells a backup of a later version from another file. */
const ANY_FORMAT = Type.Object({ kind: Type.Literal('culvert-backup'), format: Type.Integer({ minimum: 1 }) });

const SCHEMA = Type.Object(
  {
    kind: Type.Literal('culvert-backup'),
    format: Type.Literal(FORMAT),
    hostname: Type.String({ maxLength: 255 }),
    /** As in `2026-07-01T12:00:00.000Z`. */
    at: Type.String({ pattern: '^[+-]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z$' }),
    version: Type.String({ maxLength: 64 }),
    versions: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), { maxProperties: 256 }),
    document: Type.Unknown(),
    scrypt: PASSPHRASE_COST_SCHEMA,
    /** Names the key and tells nothing of it: whether the passphrase is the right one. */
    key: Type.String({ pattern: '^[0-9a-f]{16}$' }),
    /** Against accidents, which would else look like a wrong passphrase. Anybody can make it fit again. */
    sha256: DIGEST,
    /** Against everything else: only who knows the passphrase can make it. */
    mac: DIGEST,
  },
  { additionalProperties: false },
);

type BackupFile = Static<typeof SCHEMA>;
type Content = Omit<BackupFile, 'sha256' | 'mac'>;

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

const ANOTHER_COPY = 'take an unchanged copy of it';

/** @returns the text of the file. @throws Error in words when the passphrase is too short. */
export async function writeBackup(content: BackupContent, passphrase: string, random: RandomSource): Promise<string> {
  const problem = passphraseProblem(passphrase);
  if (problem !== undefined) throw new Error(`${problem}.`);
  const { configuration, hostname, version, at, versions } = content;
  const cost = newPassphraseCost(random);
  const { sealer, macKey } = await keysOf(passphrase, cost, random);
  const file: Content = {
    kind: 'culvert-backup',
    format: FORMAT,
    hostname,
    at: new Date(at).toISOString(),
    version,
    versions,
    document: sealDocument(configuration, sealer),
    scrypt: cost,
    key: sealer.id,
  };
  const text = authenticated(file);
  return `${JSON.stringify({ ...file, sha256: sha256Of(text), mac: macOf(text, macKey) }, undefined, 2)}\n`;
}

/**
 * Tells a file that is none, one of a later version, a damaged one, a wrong passphrase and one that was changed on purpose
 * from each other. White space may differ. @param random is not drawn from.
 */
export async function readBackup(text: string, passphrase: string, random: RandomSource): Promise<ReadBackup> {
  const parsed = parse(text);
  if (!parsed.ok) return parsed;
  const { file, content } = parsed;
  if (costRefused(file.scrypt)) {
    return refused('the file asks for more memory or time to make its key than a backup needs', ANOTHER_COPY);
  }
  const { sealer, macKey } = await keysOf(passphrase, file.scrypt, random);
  if (sealer.id !== file.key) {
    return refused(
      'the passphrase is wrong',
      `take the one with which this backup was made on ${file.at.slice(0, 10)}`,
    );
  }
  if (!timingSafeEqual(Buffer.from(file.mac), Buffer.from(macOf(content, macKey)))) {
    return refused('the backup was changed by somebody who does not know its passphrase', ANOTHER_COPY);
  }
  try {
    const { hostname, version, versions } = file;
    return {
      ok: true,
      document: openDocument(file.document, sealer),
      hostname,
      version,
      at: Date.parse(file.at),
      versions,
    };
  } catch (error) {
    return refused(`the backup cannot be read: ${reasonOf(error).replace(/\.$/, '')}`, ANOTHER_COPY);
  }
}

type Parsed =
  | { readonly ok: true; readonly file: BackupFile; readonly content: string }
  | (ReadBackup & { readonly ok: false });

function parse(text: string): Parsed {
  const octets = Buffer.byteLength(text, 'utf8');
  if (octets > MAX_OCTETS) {
    return refused(
      `the file has ${octets} octets, and a backup at most ${MAX_OCTETS}`,
      'check that it is the right file',
    );
  }
  if (!hasAtMostValues(text, MAX_VALUES)) {
    return refused(`the file has more values than any backup, ${MAX_VALUES}`, 'check that it is the right file');
  }
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    if (!Value.Check(ANY_FORMAT, value))
      return refused('this is no backup of Culvert', 'check that it is the right file');
    if (value.format > FORMAT) {
      return refused('the backup was made by a later version of Culvert', 'update this router, then restore it');
    }
    if (Value.Check(SCHEMA, value) && !Number.isNaN(Date.parse(value.at))) {
      const content = authenticated(value);
      if (sha256Of(content) === value.sha256) return { ok: true, file: value, content };
    }
    return refused('the backup is damaged, or was changed after it was made', ANOTHER_COPY);
  } catch {
    // No JSON, or nested more deeply than the stack bears.
    return refused('this is no backup of Culvert, or only a part of one', 'check that it is the right file, and whole');
  }
}

/** By what begins a value or parts two; that strings have such characters as well only makes the bound narrower. */
function hasAtMostValues(text: string, most: number): boolean {
  const sign = /[,[{]/g;
  for (let count = 0; sign.test(text); count += 1) if (count === most) return false;
  return true;
}

async function keysOf(
  passphrase: string,
  cost: PassphraseCost,
  random: RandomSource,
): Promise<{ readonly sealer: DeviceKey; readonly macKey: Uint8Array }> {
  const key = await keyFromPassphrase(passphrase, cost);
  const macKey = new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), 'culvert backup', MAC_KEY_OCTETS));
  return { sealer: deviceKeyFrom(key, random), macKey };
}

/** Everything but the two digests, as JSON without white space: the same for all spellings of one file. */
function authenticated({ kind, format, hostname, at, version, versions, document, scrypt, key }: Content): string {
  return JSON.stringify([kind, format, hostname, at, version, versions, document, scrypt, key]);
}

function sha256Of(content: string): string {
  return createHash('sha256').update(content, 'utf8').digest('base64url');
}

function macOf(content: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(content, 'utf8').digest('base64url');
}

function refused(reason: string, remedy: string): ReadBackup & { readonly ok: false } {
  return { ok: false, reason, remedy };
}
