/**
 * A bundle: a configuration that one router alone can read, and takes only from somebody who may give it one. JSON; the format is in
 * docs/provisioning.md.
 */
import { createCipheriv, createDecipheriv, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { RandomSource } from '../machine.ts';
import { bundleKey, KEY_OCTETS, normalCode, privateKeyFrom, publicKeyFrom, publicTextOf } from './bundle-keys.ts';

const TAG_OCTETS = 16;

export interface BundleContent {
  /** JSON or YAML. */
  readonly configuration: string;
  /** What it was called; its ending says which of the two it is. */
  readonly fileName: string;
  /** Of the account `admin`, in place of the initial one. */
  readonly adminPassword?: string;
}

export type Authority = { readonly enrolmentKey: KeyObject } | { readonly code: string };

interface Bundle {
  readonly culvertBundle: 1;
  /** Public keys, 32 octets in base64url: for which router it is, and the one that was made for it. */
  readonly device: string;
  readonly ephemeral: string;
  readonly authority: 'enrolment' | 'code';
  /** AES-256-GCM, its tag at the end; base64. */
  readonly sealed: string;
  /** Ed25519 over {@link signedOctets}, base64. */
  readonly signature?: string;
}

export type OpenedBundle =
  | { readonly ok: true; readonly content: BundleContent; readonly authority: Bundle['authority'] }
  /** Words without a full stop. `guess`: it may have been a try of a code. */
  | { readonly ok: false; readonly reason: string; readonly guess: boolean };

/**
 * @param device provisioning key of the router, as it shows it.
 * @throws RangeError in words when the key or the code is none.
 */
export function sealBundle(content: BundleContent, device: string, authority: Authority, random: RandomSource): string {
  const publicKey = publicKeyFrom(device);
  if (publicKey === undefined) throw new RangeError('the device key is none: it has 43 letters, digits, - and _');
  const code = 'code' in authority ? normalCode(authority.code) : undefined;
  if ('code' in authority && code === undefined)
    throw new RangeError('the code is none: it has eight letters and digits, as in 7Q3K-9X2M');
  const privateKey = privateKeyFrom(random.bytes(KEY_OCTETS));
  const ephemeral = publicTextOf(privateKey);
  const { key, nonce } = bundleKey({ privateKey, publicKey }, saltOf(ephemeral, device), code);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_OCTETS });
  const sealed = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final(), cipher.getAuthTag()]);
  const bundle: Bundle = {
    culvertBundle: 1,
    device,
    ephemeral,
    authority: code === undefined ? 'enrolment' : 'code',
    sealed: sealed.toString('base64'),
    ...('enrolmentKey' in authority && {
      signature: sign(null, signedOctets(device, ephemeral, sealed), authority.enrolmentKey).toString('base64'),
    }),
  };
  return `${JSON.stringify(bundle, undefined, 1)}\n`;
}

export interface BundleOpener {
  /** Provisioning key of this router. */
  readonly privateKey: KeyObject;
  /** Whose bundles it takes; Ed25519. */
  readonly enrolmentKey?: KeyObject;
  /** As {@link normalCode} has it; absent when there is none any more. */
  readonly code?: string;
}

/** For which router it is. @returns `undefined` for what is no bundle. */
export function bundleDevice(text: string): string | undefined {
  return parse(text)?.device;
}

/** Nothing of it is believed before it has been authorised. Throws nothing. */
export function openBundle(text: string, { privateKey, enrolmentKey, code }: BundleOpener): OpenedBundle {
  const bundle = parse(text);
  if (bundle === undefined) return refused('this is no bundle of this version of Culvert: make it anew');
  const { device, ephemeral, authority } = bundle;
  const own = publicTextOf(privateKey);
  if (device !== own) return refused(`it is for another router, with the device key ${device}: this one has ${own}`);
  const publicKey = publicKeyFrom(ephemeral);
  const sealed = Buffer.from(bundle.sealed, 'base64');
  if (publicKey === undefined || sealed.length <= TAG_OCTETS) return refused('the bundle is damaged: make it anew');
  if (authority === 'enrolment') {
    if (enrolmentKey === undefined)
      return refused('this router has no enrolment key: make the bundle with the code that the console shows');
    const signature = Buffer.from(bundle.signature ?? '', 'base64');
    if (!verify(null, signedOctets(device, ephemeral, sealed), enrolmentKey, signature))
      return refused('its enrolment key is not the one of this router: sign it with the right one');
  } else if (code === undefined) {
    return refused(
      'there is no code any more: start the router anew, and make the bundle with the code that it shows then',
    );
  }
  const plain = decrypt(
    sealed,
    { privateKey, publicKey },
    saltOf(ephemeral, device),
    authority === 'code' ? code : undefined,
  );
  if (plain === undefined) {
    if (authority === 'enrolment') return refused('the bundle is damaged: make it anew');
    return { ok: false, reason: 'the code is wrong, or the bundle is damaged', guess: true };
  }
  const content = contentOf(plain);
  return content === undefined
    ? refused('there is no configuration in it: make it anew')
    : { ok: true, content, authority };
}

/** An Ed25519 key out of PEM. @returns `undefined` for anything else. */
export function enrolmentPublicKey(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

function refused(reason: string): OpenedBundle {
  return { ok: false, reason, guess: false };
}

function saltOf(ephemeral: string, device: string): Uint8Array {
  return Buffer.concat([Buffer.from(ephemeral, 'base64url'), Buffer.from(device, 'base64url')]);
}

function signedOctets(device: string, ephemeral: string, sealed: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`culvert bundle 1\n${device}\n${ephemeral}\n`, 'latin1'), sealed]);
}

function decrypt(
  sealed: Buffer,
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  salt: Uint8Array,
  code: string | undefined,
): string | undefined {
  try {
    const { key, nonce } = bundleKey(keys, salt, code);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_OCTETS });
    decipher.setAuthTag(sealed.subarray(-TAG_OCTETS));
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_OCTETS)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string): Bundle | undefined {
  const { culvertBundle, device, ephemeral, authority, sealed, signature } = objectOf(text);
  if (culvertBundle !== 1 || (authority !== 'enrolment' && authority !== 'code')) return undefined;
  if (typeof device !== 'string' || typeof ephemeral !== 'string' || typeof sealed !== 'string') return undefined;
  const signed = typeof signature === 'string' ? { signature } : {};
  return { culvertBundle, device, ephemeral, authority, sealed, ...signed };
}

function contentOf(text: string): BundleContent | undefined {
  const { configuration, fileName, adminPassword } = objectOf(text);
  if (typeof configuration !== 'string' || typeof fileName !== 'string') return undefined;
  return { configuration, fileName, ...(typeof adminPassword === 'string' && { adminPassword }) };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
