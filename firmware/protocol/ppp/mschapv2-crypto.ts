/** The computations of MS-CHAPv2 (RFC 2759 section 8), under the names that the RFC gives them. */
import { createCipheriv, createHash } from 'node:crypto';
import { concatBytes, hex } from '../bytes.ts';
import { md4 } from './md4.ts';

/** Octets of both challenges. */
export const CHALLENGE_LENGTH = 16;
/** Octets of the NT-Response. */
export const NT_RESPONSE_LENGTH = 24;

/** Section 8.7: Magic1 and Magic2. */
const MAGIC_SIGNING = Buffer.from('Magic server to client signing constant', 'ascii');
const MAGIC_PAD = Buffer.from('Pad to make it do more than one iteration', 'ascii');

const BACKSLASH = 0x5c;

/**
 * Section 8.2: 8 octets.
 * @param userName as the Name field has it; a domain before a backslash is left out here.
 */
export function challengeHash(
  peerChallenge: Uint8Array,
  authenticatorChallenge: Uint8Array,
  userName: Uint8Array,
): Uint8Array {
  const bare = userName.subarray(userName.lastIndexOf(BACKSLASH) + 1);
  return sha1(peerChallenge, authenticatorChallenge, bare).subarray(0, 8);
}

/** Section 8.3: the MD4 digest of the password in UTF-16, the low octet first. 16 octets. */
export function ntPasswordHash(password: string): Uint8Array {
  return md4(Buffer.from(password, 'utf16le'));
}

/** Section 8.1: 24 octets. */
export function generateNtResponse(
  authenticatorChallenge: Uint8Array,
  peerChallenge: Uint8Array,
  userName: Uint8Array,
  passwordHash: Uint8Array,
): Uint8Array {
  return challengeResponse(challengeHash(peerChallenge, authenticatorChallenge, userName), passwordHash);
}

/** Section 8.5: the challenge encrypted with each third of the zero-padded hash. */
export function challengeResponse(challenge: Uint8Array, passwordHash: Uint8Array): Uint8Array {
  const keys = new Uint8Array(21);
  keys.set(passwordHash);
  return concatBytes(
    desEncrypt(challenge, keys.subarray(0, 7)),
    desEncrypt(challenge, keys.subarray(7, 14)),
    desEncrypt(challenge, keys.subarray(14, 21)),
  );
}

/** Section 8.7: the text `S=` and 40 upper-case hexadecimal digits. */
export function generateAuthenticatorResponse(
  passwordHash: Uint8Array,
  ntResponse: Uint8Array,
  peerChallenge: Uint8Array,
  authenticatorChallenge: Uint8Array,
  userName: Uint8Array,
): string {
  const digest = sha1(md4(passwordHash), ntResponse, MAGIC_SIGNING);
  const challenge = challengeHash(peerChallenge, authenticatorChallenge, userName);
  return `S=${hex(sha1(digest, challenge, MAGIC_PAD)).toUpperCase()}`;
}

/** RFC 3079 section 3.4: what the keys of both directions are made of. */
const MAGIC_MASTER = Buffer.from('This is the MPPE Master Key', 'ascii');
const MAGIC_CLIENT_SEND = Buffer.from(
  'On the client side, this is the send key; on the server side, it is the receive key.',
  'ascii',
);
const MAGIC_SERVER_SEND = Buffer.from(
  'On the client side, this is the receive key; on the server side, it is the send key.',
  'ascii',
);
const SHS_PAD_1 = new Uint8Array(40);
const SHS_PAD_2 = new Uint8Array(40).fill(0xf2);

/** Octets of each of the two master keys, and of the Master Session Key that EAP makes of them (RFC 3748 section 7.10). */
const MASTER_KEY_LENGTH = 16;
const MSK_LENGTH = 64;

/**
 * Master Session Key of EAP-MSCHAPv2: the server's MasterReceiveKey and MasterSendKey (RFC 3079 section 3.4) and zeros, 64
 * octets in all.
 */
export function masterSessionKey(passwordHash: Uint8Array, ntResponse: Uint8Array): Uint8Array {
  const master = sha1(md4(passwordHash), ntResponse, MAGIC_MASTER).subarray(0, MASTER_KEY_LENGTH);
  const msk = new Uint8Array(MSK_LENGTH);
  for (const [index, magic] of [MAGIC_CLIENT_SEND, MAGIC_SERVER_SEND].entries()) {
    const key = sha1(master, SHS_PAD_1, magic, SHS_PAD_2).subarray(0, MASTER_KEY_LENGTH);
    msk.set(key, index * MASTER_KEY_LENGTH);
  }
  return msk;
}

/** Section 8.6: one block of single DES. Two- and three-key DES with equal keys is DES. */
export function desEncrypt(clear: Uint8Array, key: Uint8Array): Uint8Array {
  const parity = desKey(key);
  const cipher = createCipheriv('des-ede3-ecb', concatBytes(parity, parity, parity), null);
  cipher.setAutoPadding(false);
  return concatBytes(cipher.update(clear), cipher.final());
}

/** Section 9.3: 7 octets spread over 8, each with odd parity in its lowest bit. */
export function desKey(key: Uint8Array): Uint8Array {
  const bits = key.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
  return Uint8Array.from({ length: 8 }, (_, index) => {
    const seven = Number((bits >> BigInt(49 - 7 * index)) & 0x7fn);
    return (seven << 1) | (isEven(seven) ? 1 : 0);
  });
}

function isEven(value: number): boolean {
  let parity = 0;
  for (let rest = value; rest > 0; rest >>>= 1) parity ^= rest & 1;
  return parity === 0;
}

function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
