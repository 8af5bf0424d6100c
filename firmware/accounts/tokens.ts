/** Secrets that are made here: tokens of sessions and API tokens, and the initial password. */
import { createHash } from 'node:crypto';
import type { RandomSource } from '../protocol/machine.ts';

/** Octets of a token: nobody guesses one of 2^256, so that a plain hash is enough to keep it by. */
const TOKEN_OCTETS = 32;

/** By this one is recognised in a script or a repository where it should not be; `_` before 43 characters of base64url. */
const API_TOKEN_PREFIX = 'culvert_';

const ID_OCTETS = 8;

/** Letters and digits that nobody takes for another one on paper, in small letters for an unknown keyboard. */
const READABLE = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUPS = 4;
const GROUP_LETTERS = 4;

/** Base64url. */
export function sessionToken(random: RandomSource): string {
  return Buffer.from(random.bytes(TOKEN_OCTETS)).toString('base64url');
}

export function apiToken(random: RandomSource): string {
  return `${API_TOKEN_PREFIX}${sessionToken(random)}`;
}

export function isApiToken(token: string): boolean {
  return token.startsWith(API_TOKEN_PREFIX);
}

/** What a token is kept by: SHA-256, 64 hexadecimal digits. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** For lists: 16 hexadecimal digits. */
export function newId(random: RandomSource): string {
  return Buffer.from(random.bytes(ID_OCTETS)).toString('hex');
}

/** `k7mq-2fxh-9abc-wz4e`: 80 bits. */
export function initialPassword(random: RandomSource): string {
  const octets = random.bytes(GROUPS * GROUP_LETTERS);
  // The alphabet has 32 letters: no one is likelier than another.
  const letters = Array.from(octets, (octet) => READABLE.charAt(octet % READABLE.length)).join('');
  return Array.from({ length: GROUPS }, (_, group) =>
    letters.slice(group * GROUP_LETTERS, (group + 1) * GROUP_LETTERS),
  ).join('-');
}

/** By which a session knows whether its user is still proved by the same thing. */
export function fingerprint(proof: string): string {
  return createHash('sha256').update(proof).digest('base64url').slice(0, 22);
}
