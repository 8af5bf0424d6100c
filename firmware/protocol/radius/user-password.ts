/** The hiding of User-Password (RFC 2865 section 5.2). */
import { createHash } from 'node:crypto';
import { DecodeError, EncodeError } from '../bytes.ts';

/** Octets hidden by one digest. */
const BLOCK = 16;
/** Octets of a password, at most. */
const MAX_PASSWORD = 128;

/**
 * Pads the password with zeros to whole blocks and hides each behind MD5 of the secret and what went before.
 * @param authenticator of the request, 16 octets.
 * @throws EncodeError when the password has more than 128 octets.
 */
export function hidePassword(password: Uint8Array, secret: Uint8Array, authenticator: Uint8Array): Uint8Array {
  if (password.length > MAX_PASSWORD) throw new EncodeError(`User-Password: ${password.length} octets, at most 128`);
  const hidden = new Uint8Array(Math.max(BLOCK, Math.ceil(password.length / BLOCK) * BLOCK));
  hidden.set(password);
  let before = authenticator;
  for (let at = 0; at < hidden.length; at += BLOCK) {
    const block = hidden.subarray(at, at + BLOCK);
    mask(block, secret, before);
    before = block;
  }
  return hidden;
}

/**
 * The password that was hidden, without the zeros behind it.
 * @throws DecodeError when these are no whole blocks, or too many.
 */
export function revealPassword(hidden: Uint8Array, secret: Uint8Array, authenticator: Uint8Array): Uint8Array {
  if (hidden.length === 0 || hidden.length > MAX_PASSWORD || hidden.length % BLOCK !== 0) {
    throw new DecodeError(`User-Password: ${hidden.length} octets`);
  }
  // Of a Buffer, slice would be no copy.
  const clear = new Uint8Array(hidden);
  let before = authenticator;
  for (let at = 0; at < clear.length; at += BLOCK) {
    mask(clear.subarray(at, at + BLOCK), secret, before);
    before = hidden.subarray(at, at + BLOCK);
  }
  let length = clear.length;
  while (length > 0 && clear[length - 1] === 0) length -= 1;
  return clear.slice(0, length);
}

function mask(block: Uint8Array, secret: Uint8Array, before: Uint8Array): void {
  const pad = createHash('md5').update(secret).update(before).digest();
  for (const [index, octet] of pad.entries()) block[index] = (block[index] ?? 0) ^ octet;
}
