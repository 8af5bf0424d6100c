/** CHAP with MD5 (RFC 1994 section 4.1): the digest of the identifier, the secret and the challenge. */
import { createHash } from 'node:crypto';
import { utf8Bytes } from '../bytes.ts';
import { refusedFailure, secretsEqual } from './authentication.ts';
import type { ChapAlgorithm, ChapInput } from './chap.ts';
import { quoted } from './failure-text.ts';

/** The Response Value, 16 octets. */
export function chapMd5(identifier: number, secret: Uint8Array, challenge: Uint8Array): Uint8Array {
  return createHash('md5').update(Uint8Array.of(identifier)).update(secret).update(challenge).digest();
}

function valueFor({ identifier, password, challenge }: ChapInput): Uint8Array {
  return chapMd5(identifier, utf8Bytes(password), challenge);
}

export const CHAP_MD5: ChapAlgorithm = {
  method: 'chap',
  challengeLength: undefined,
  respond: (input) => ({ value: valueFor(input), confirm: () => undefined }),
  verify: (input, response) => ({ ok: secretsEqual(valueFor(input), response), successMessage: 'Welcome' }),
  failureMessage: () => 'Authentication failed',
  explain: (user, message) => refusedFailure('chap', user, quoted(message)),
};
