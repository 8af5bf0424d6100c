/** Tunnel authentication (RFC 2661 section 5.1.1): a CHAP-like proof that both ends know the tunnel secret. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { MESSAGES } from './message-table.ts';

/** Octets of the challenges that this side sends. */
export const CHALLENGE_LENGTH = 16;

/** The message that carries a Challenge Response: its Message Type is the CHAP identifier (section 4.4.3). */
export type ResponseBearer = 'SCCRP' | 'SCCCN';

/** The Challenge Response, 16 octets: MD5 over Message Type octet, secret, challenge. */
export function challengeResponse(bearer: ResponseBearer, secret: Uint8Array, challenge: Uint8Array): Uint8Array {
  const identifier = new Uint8Array([MESSAGES[bearer].type]);
  return createHash('md5').update(identifier).update(secret).update(challenge).digest();
}

/** Whether a Challenge Response is the right one, in constant time. @param response 16 octets. */
export function isRightResponse(
  response: Uint8Array,
  bearer: ResponseBearer,
  secret: Uint8Array,
  challenge: Uint8Array,
): boolean {
  const expected = challengeResponse(bearer, secret, challenge);
  return response.length === expected.length && timingSafeEqual(response, expected);
}
