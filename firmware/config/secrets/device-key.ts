/**
 * The key that seals this router's secrets at rest, in a file of its own. It defends a database, a backup of it or a support
 * bundle that got into the wrong hands; not against somebody who has the key file, too, nor against root on the device.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RandomSource } from '../../protocol/machine.ts';
import { reasonOf } from '../state-file.ts';

const FILE_NAME = 'device.key';
const KEY_OCTETS = 32;
/** NIST SP 800-38D section 8.2.2: random, for at most 2^32 messages under one key. */
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
/** Of sealed text; a later format has another one. */
const FORMAT = '1';
/** Bits of a file's mode by which others than its owner can use it. */
const OTHERS = 0o077;

/** What was sealed cannot be opened. The message is a sentence. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

export interface DeviceKey {
  /** 16 hexadecimal digits that name the key and tell nothing of it. */
  readonly id: string;
  /** AES-256-GCM. @param context is authenticated, and has to be the same when it is opened. */
  seal(plain: string, context: string): string;
  /** @throws SealError when it was sealed by another key or for another context, or was changed. */
  open(sealed: string, context: string): string;
}

export type LoadedDeviceKey =
  | { readonly kind: 'loaded' | 'created'; readonly key: DeviceKey }
  /** Sentences without a full stop. */
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string };

/** @param raw 32 octets. */
export function deviceKeyFrom(raw: Uint8Array, random: RandomSource): DeviceKey {
  if (raw.length !== KEY_OCTETS) throw new Error(`A device key has ${KEY_OCTETS} octets, and this one ${raw.length}.`);
  const derived = (what: string, octets: number) =>
    Buffer.from(hkdfSync('sha256', raw, new Uint8Array(), `culvert ${what}`, octets));
  const key = derived('seal', KEY_OCTETS);
  return {
    id: derived('name', 8).toString('hex'),
    seal: (plain, context) => {
      const nonce = random.bytes(NONCE_OCTETS);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(context, 'utf8'));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return `${FORMAT}.${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')}`;
    },
    open: (sealed, context) => {
      const [format, text = ''] = sealed.split('.');
      const octets = Buffer.from(text, 'base64url');
      if (format !== FORMAT || octets.length < NONCE_OCTETS + TAG_OCTETS) {
        throw new SealError('This is no sealed text of this version of Culvert.');
      }
      const decipher = createDecipheriv('aes-256-gcm', key, octets.subarray(0, NONCE_OCTETS));
      decipher.setAAD(Buffer.from(context, 'utf8'));
      decipher.setAuthTag(octets.subarray(-TAG_OCTETS));
      try {
        const body = octets.subarray(NONCE_OCTETS, -TAG_OCTETS);
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
      } catch {
        throw new SealError('It was sealed by another device key, or was changed since.');
      }
    },
  };
}

/** @param create makes one where there is none. */
export async function loadDeviceKey(options: {
  readonly directory: string;
  readonly random: RandomSource;
  readonly create: boolean;
}): Promise<LoadedDeviceKey> {
  const { directory, random, create } = options;
  const path = join(directory, FILE_NAME);
  const remedy = `put the right ${path} back, or begin anew with "culvert factory-reset"`;
  try {
    const raw = await read(path);
    if (raw === undefined && !create) return { kind: 'refused', reason: `the device key ${path} is missing`, remedy };
    if (raw === undefined) {
      const made = await make(directory, path, random);
      return { kind: 'created', key: deviceKeyFrom(made, random) };
    }
    return { kind: 'loaded', key: deviceKeyFrom(raw, random) };
  } catch (error) {
    return { kind: 'refused', reason: `the device key cannot be used: ${reasonOf(error).replace(/\.$/, '')}`, remedy };
  }
}

/** Overwritten, removed, and gone when this is fulfilled. Harmless when there is none. */
export async function destroyDeviceKey(directory: string): Promise<void> {
  const path = join(directory, FILE_NAME);
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      await file.write(new Uint8Array(KEY_OCTETS), 0, KEY_OCTETS, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  await rm(path, { force: true });
  await syncDirectory(directory);
}

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { mode, size } = await file.stat();
      if ((mode & OTHERS) !== 0) throw new Error(`${path} can be read by others: set its mode to 0600`);
      if (size !== KEY_OCTETS) throw new Error(`${path} is damaged: it has ${size} octets and not ${KEY_OCTETS}`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function make(directory: string, path: string, random: RandomSource): Promise<Uint8Array> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const raw = random.bytes(KEY_OCTETS);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.write(raw);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncDirectory(directory);
    return raw;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // Another process was faster: its key is the key.
    const other = await read(path);
    if (other === undefined) throw error;
    return other;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
