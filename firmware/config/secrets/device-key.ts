/**
 * The key that seals this router's secrets at rest, in a file of its own. It defends a database, a copy of it or a support
 * bundle that got into the wrong hands; not against somebody who has the key file, too, nor against root on the device.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { RandomSource } from '../../protocol/machine.ts';
import { reasonOf } from '../state-file.ts';
import { createKeyFile, eraseKeyFile, KEY_OCTETS, KeyFileError, keyFilePath, readKeyFile } from './key-file.ts';

/** NIST SP 800-38D section 8.2.2: random, for at most 2^32 messages under one key. */
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
/** Octets of {@link DeviceKey.id}. */
const ID_OCTETS = 8;
/** Octets of it that stand in front of what it sealed, to tell another key from damage. */
const MARK_OCTETS = 4;
const HEAD_OCTETS = MARK_OCTETS + NONCE_OCTETS;

/** A later format has another number. */
const SEALED = /^1\.([A-Za-z0-9_-]+)$/;

/** What was sealed cannot be opened. The message is a sentence, and holds nothing of what was sealed. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

export interface DeviceKey {
  /** 16 hexadecimal digits that name the key and tell nothing of it. */
  readonly id: string;
  /**
   * AES-256-GCM (NIST SP 800-38D). The text says which key it was and how long `plain` is, and nothing else.
   * @param plain well-formed Unicode. @param context is authenticated: the same has to be given when it is opened.
   */
  seal(plain: string, context: string): string;
  /** @throws SealError when it was sealed by another key or for another context, was changed, or is no sealed text. */
  open(sealed: string, context: string): string;
}

export type LoadedDeviceKey =
  | { readonly kind: 'loaded' | 'created'; readonly key: DeviceKey }
  /** Sentences without a full stop. */
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string };

/** @param raw 32 octets. @throws RangeError for another number of them. */
export function deviceKeyFrom(raw: Uint8Array, random: RandomSource): DeviceKey {
  if (raw.length !== KEY_OCTETS) {
    throw new RangeError(`A device key has ${KEY_OCTETS} octets, and this one ${raw.length}.`);
  }
  // What seals and what is shown are derived apart (RFC 5869): neither tells anything of the other.
  const derived = (what: string, octets: number) =>
    Buffer.from(hkdfSync('sha256', raw, new Uint8Array(), `culvert ${what}`, octets));
  const key = derived('seal', KEY_OCTETS);
  const id = derived('name', ID_OCTETS);
  const mark = id.subarray(0, MARK_OCTETS);
  return {
    id: id.toString('hex'),
    seal: (plain, context) => {
      if (!plain.isWellFormed()) throw new SealError('What is to be sealed is no well-formed text.');
      const nonce = random.bytes(NONCE_OCTETS);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(context, 'utf8'));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return `1.${Buffer.concat([mark, nonce, body, cipher.getAuthTag()]).toString('base64url')}`;
    },
    open: (sealed, context) => {
      const octets = octetsOf(sealed);
      if (!octets.subarray(0, MARK_OCTETS).equals(mark)) throw new SealError('It was sealed by another device key.');
      const decipher = createDecipheriv('aes-256-gcm', key, octets.subarray(MARK_OCTETS, HEAD_OCTETS), {
        authTagLength: TAG_OCTETS,
      });
      decipher.setAAD(Buffer.from(context, 'utf8'));
      decipher.setAuthTag(octets.subarray(-TAG_OCTETS));
      try {
        const body = octets.subarray(HEAD_OCTETS, -TAG_OCTETS);
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
      } catch {
        throw new SealError('It was changed since it was sealed, or was put here from another place.');
      }
    },
  };
}

/**
 * The key in `directory`, 0700. Two processes that make one at the same time end with the same.
 * @param options.create makes one where there is none; otherwise a missing one is refused.
 */
export async function loadDeviceKey(options: {
  readonly directory: string;
  readonly random: RandomSource;
  readonly create: boolean;
}): Promise<LoadedDeviceKey> {
  const { directory, random, create } = options;
  const path = keyFilePath(directory);
  try {
    const raw = await readKeyFile(directory);
    if (raw !== undefined) return { kind: 'loaded', key: deviceKeyFrom(raw, random) };
    if (create) return { kind: 'created', key: deviceKeyFrom(await createKeyFile(directory, random), random) };
    const remedy = `put ${path} back, or begin anew with "culvert factory-reset" and restore a backup`;
    return { kind: 'refused', reason: `the device key ${path} is missing`, remedy };
  } catch (error) {
    const reason = `the device key cannot be used: ${reasonOf(error).replace(/\.$/, '')}`;
    const remedy =
      error instanceof KeyFileError ? error.remedy : `see to it that ${path} can be read and its folder written`;
    return { kind: 'refused', reason, remedy };
  }
}

/** Overwritten, removed, and gone for good when this is fulfilled. Harmless when there is none. @throws the system's error. */
export async function destroyDeviceKey(directory: string): Promise<void> {
  await eraseKeyFile(directory);
}

/** Only the one spelling that {@link DeviceKey.seal} writes: base64url has several for the same octets. */
function octetsOf(sealed: string): Buffer {
  const text = SEALED.exec(sealed)?.[1] ?? '';
  const octets = Buffer.from(text, 'base64url');
  if (octets.length < HEAD_OCTETS + TAG_OCTETS || octets.toString('base64url') !== text) {
    throw new SealError('This is no text that this version of Culvert has sealed.');
  }
  return octets;
}
