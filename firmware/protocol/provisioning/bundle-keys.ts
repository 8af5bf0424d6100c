/** Keys of bundles. X25519 (RFC 7748) for whom one is, Ed25519 (RFC 8032) or a one-time code for who may send one. */
import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';

export const KEY_OCTETS = 32;
/** What stands before the octets of a key of X25519 in PKCS #8 and in SubjectPublicKeyInfo (RFC 8410 section 7). */
const PRIVATE_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_HEAD = Buffer.from('302a300506032b656e032100', 'hex');

/** A code has 40 bits, which three tries do not guess. Letters and digits that nobody mistakes for others (Crockford). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_CHARACTERS = 8;
/** Random octets that make a code. */
export const CODE_OCTETS = CODE_CHARACTERS;

/** Of AES-256-GCM, and its nonce: a pair is used once, since every bundle has an ephemeral key of its own. */
const NONCE_OCTETS = 12;

/** @param seed 32 random octets. */
export function privateKeyFrom(seed: Uint8Array): KeyObject {
  if (seed.length !== KEY_OCTETS) throw new RangeError(`A key of X25519 has ${KEY_OCTETS} octets, not ${seed.length}.`);
  return createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

/** As it is shown: 43 characters of base64url. */
export function publicTextOf(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return der.subarray(-KEY_OCTETS).toString('base64url');
}

/** @returns `undefined` for what is no key of X25519. */
export function publicKeyFrom(text: string): KeyObject | undefined {
  const octets = Buffer.from(text, 'base64url');
  if (octets.length !== KEY_OCTETS || octets.toString('base64url') !== text) return undefined;
  return createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, octets]), format: 'der', type: 'spki' });
}

/**
 * @param salt both public keys. @param code mixed into the key where the bundle is authorised by one, as {@link normalCode} has it.
 * @throws Error of OpenSSL for a public key of small order.
 */
export function bundleKey(
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  salt: Uint8Array,
  code: string | undefined,
): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const shared = diffieHellman(keys);
  const info = code === undefined ? 'culvert bundle 1 enrolment' : `culvert bundle 1 code ${code}`;
  const derived = new Uint8Array(hkdfSync('sha256', shared, salt, info, KEY_OCTETS + NONCE_OCTETS));
  return { key: derived.subarray(0, KEY_OCTETS), nonce: derived.subarray(KEY_OCTETS) };
}

/** @param random {@link CODE_OCTETS} of them. @returns `7Q3K-9X2M`. */
export function codeFrom(random: Uint8Array): string {
  const characters = Array.from(random.subarray(0, CODE_CHARACTERS), (octet) => ALPHABET[octet % ALPHABET.length]);
  return `${characters.slice(0, 4).join('')}-${characters.slice(4).join('')}`;
}

/** As it is meant, however it was typed. @returns `undefined` for what is no code. */
export function normalCode(typed: string): string | undefined {
  const plain = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return plain.length === CODE_CHARACTERS && [...plain].every((one) => ALPHABET.includes(one)) ? plain : undefined;
}
