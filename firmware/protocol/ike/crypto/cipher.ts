/**
 * Encryption of IKE payloads: CBC (RFC 3602, RFC 2451), AES-CTR (RFC 3686, RFC 5930), and the combined modes AES-GCM and
 * AES-CCM (RFC 5282, RFC 4106, RFC 4309) and ChaCha20-Poly1305 (RFC 7634).
 *
 * Names are those of the transform table; a key carries its salt at its end, as the key derivation yields it.
 */
import {
  type CipherCCMTypes,
  type CipherChaCha20Poly1305Types,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
} from 'node:crypto';
import { concatBytes, DecodeError, EncodeError } from '../../bytes.ts';
import { type CipherMode, type EncryptionTransform, transform } from '../transforms.ts';
import { octetsOf } from './hash.ts';

/** RFC 3686 section 4: the block counter begins at one. */
const FIRST_COUNTER = Uint8Array.of(0, 0, 0, 1);

/**
 * CBC without padding: that is the payload's business.
 *
 * @param iv 16 octets, 8 with 3DES. In IKEv1 the last ciphertext block before this one (RFC 2409 appendix B).
 * @throws EncodeError when the plaintext does not fill blocks, or key or IV have the wrong length.
 */
export function cbcEncrypt(name: string, key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const row = cipherOf(name, ['cbc'], key, iv);
  if (plaintext.length % row.blockOctets !== 0) {
    throw new EncodeError(`${plaintext.length} octets do not fill blocks of ${row.blockOctets}`);
  }
  const cipher = createCipheriv(row.cipher, key, iv).setAutoPadding(false);
  return octetsOf(Buffer.concat([cipher.update(plaintext), cipher.final()]));
}

/**
 * The plaintext, padding and all. Nothing is verified: what the padding or the payloads look like must not show before
 * the ICV or HASH has been checked.
 *
 * @throws DecodeError when the ciphertext is empty or does not fill blocks.
 * @throws EncodeError when key or IV have the wrong length.
 */
export function cbcDecrypt(name: string, key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const row = cipherOf(name, ['cbc'], key, iv);
  if (ciphertext.length === 0 || ciphertext.length % row.blockOctets !== 0) {
    throw new DecodeError(`encrypted payload: ${ciphertext.length} octets do not fill blocks of ${row.blockOctets}`);
  }
  const decipher = createDecipheriv(row.cipher, key, iv).setAutoPadding(false);
  return octetsOf(Buffer.concat([decipher.update(ciphertext), decipher.final()]));
}

/**
 * AES-CTR, either way.
 *
 * @param key with its 4-octet nonce at the end.
 * @param iv 8 octets, never twice under one key.
 * @throws EncodeError when key or IV have the wrong length.
 */
export function ctrCrypt(name: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const row = cipherOf(name, ['ctr'], key, iv);
  const counterBlock = concatBytes(key.subarray(row.keyOctets), iv, FIRST_COUNTER);
  const cipher = createCipheriv(row.cipher, key.subarray(0, row.keyOctets), counterBlock);
  return octetsOf(Buffer.concat([cipher.update(data), cipher.final()]));
}

/**
 * Encrypts `plaintext` and covers it and `associated` with an ICV: ciphertext, then ICV.
 *
 * @param key with its salt at the end; the nonce is salt, then IV (RFC 5282 section 4, RFC 7634 section 2).
 * @param iv 8 octets, never twice under one key.
 * @param associated in IKE from the header up to and with the generic header of the SK payload (RFC 5282 section 5.1).
 * @throws EncodeError when key or IV have the wrong length.
 */
export function sealAead(
  name: string,
  key: Uint8Array,
  iv: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const row = cipherOf(name, COMBINED, key, iv);
  const { secret, nonce } = splitKey(row, key, iv);
  const cipher = aeadCipher(row, secret, nonce, associated, plaintext);
  return octetsOf(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/**
 * The plaintext of what {@link sealAead} made; `undefined` when it does not verify or is shorter than an ICV.
 * @throws EncodeError when key or IV have the wrong length.
 */
export function openAead(
  name: string,
  key: Uint8Array,
  iv: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const row = cipherOf(name, COMBINED, key, iv);
  if (sealed.length < row.icvOctets) return undefined;
  const { secret, nonce } = splitKey(row, key, iv);
  const ciphertext = sealed.subarray(0, sealed.length - row.icvOctets);
  const decipher = aeadDecipher(row, secret, nonce, associated, ciphertext);
  decipher.setAuthTag(sealed.subarray(ciphertext.length));
  try {
    return octetsOf(Buffer.concat([decipher.update(ciphertext), decipher.final()]));
  } catch {
    return undefined;
  }
}

const COMBINED: readonly CipherMode[] = ['gcm', 'ccm', 'chacha20-poly1305'];

function cipherOf(name: string, modes: readonly CipherMode[], key: Uint8Array, iv: Uint8Array): EncryptionTransform {
  const row = transform('encryption', name);
  if (!modes.includes(row.mode)) throw new EncodeError(`${name} is not run in ${modes.join(' or ')} mode`);
  const keyOctets = row.keyOctets + row.saltOctets;
  if (key.length !== keyOctets) throw new EncodeError(`a key of ${name} has ${keyOctets} octets, not ${key.length}`);
  if (iv.length !== row.ivOctets)
    throw new EncodeError(`an IV of ${name} has ${row.ivOctets} octets, not ${iv.length}`);
  return row;
}

function splitKey(
  row: EncryptionTransform,
  key: Uint8Array,
  iv: Uint8Array,
): { readonly secret: Uint8Array; readonly nonce: Uint8Array } {
  return { secret: key.subarray(0, row.keyOctets), nonce: concatBytes(key.subarray(row.keyOctets), iv) };
}

/** The types of `node:crypto` tell the modes apart by literal names, which the table holds as text. */
function aeadCipher(
  row: EncryptionTransform,
  secret: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
) {
  const options = { authTagLength: row.icvOctets };
  switch (row.mode) {
    case 'ccm':
      // CCM writes the length into its first block: it has to know it before.
      return createCipheriv(row.cipher as CipherCCMTypes, secret, nonce, options).setAAD(associated, {
        plaintextLength: plaintext.length,
      });
    case 'gcm':
      return createCipheriv(row.cipher as CipherGCMTypes, secret, nonce, options).setAAD(associated);
    default:
      return createCipheriv(row.cipher as CipherChaCha20Poly1305Types, secret, nonce, options).setAAD(associated, {
        plaintextLength: plaintext.length,
      });
  }
}

function aeadDecipher(
  row: EncryptionTransform,
  secret: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  ciphertext: Uint8Array,
) {
  const options = { authTagLength: row.icvOctets };
  switch (row.mode) {
    case 'ccm':
      return createDecipheriv(row.cipher as CipherCCMTypes, secret, nonce, options).setAAD(associated, {
        plaintextLength: ciphertext.length,
      });
    case 'gcm':
      return createDecipheriv(row.cipher as CipherGCMTypes, secret, nonce, options).setAAD(associated);
    default:
      return createDecipheriv(row.cipher as CipherChaCha20Poly1305Types, secret, nonce, options).setAAD(associated, {
        plaintextLength: ciphertext.length,
      });
  }
}
