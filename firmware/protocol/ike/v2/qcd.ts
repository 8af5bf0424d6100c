/**
 * Quick Crash Detection (RFC 6290): each side hands the other a token under the IKE SA. After a reboot it can make the
 * token anew from its secret and the SPIs, and so prove that it has lost the SA.
 */
import { createHmac } from 'node:crypto';
import { octetsOf } from '../crypto/hash.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import { findNotifies } from './notify.ts';
import type { Payload } from './payload.ts';

/** Bounds of a token in octets (section 5). */
const MIN_TOKEN = 16;
const MAX_TOKEN = 128;

/** Tokens in one message that are looked at (section 4.5 asks for at least 4). */
const MAX_TOKENS = 4;

/**
 * `HMAC(QCD_SECRET, SPI-I | SPI-R)` (section 5.1 with an HMAC for its hash). @param secret 32 octets that outlive a
 * reboot.
 */
export function qcdToken(secret: Uint8Array, spiI: Uint8Array, spiR: Uint8Array): Uint8Array {
  return octetsOf(createHmac('sha256', secret).update(spiI).update(spiR).digest());
}

/** The token that a peer handed over in a protected message; `undefined` when there is none that is any good. */
export function receivedToken(payloads: readonly Payload[]): Uint8Array | undefined {
  const token = findNotifies(payloads, 'QCD_TOKEN')[0]?.data;
  return token !== undefined && token.length >= MIN_TOKEN && token.length <= MAX_TOKEN ? token.slice() : undefined;
}

/** Whether an unprotected message carries `token`. */
export function carriesToken(payloads: readonly Payload[], token: Uint8Array | undefined): boolean {
  if (token === undefined) return false;
  const shown = findNotifies(payloads, 'QCD_TOKEN').slice(0, MAX_TOKENS);
  return shown.some(({ data }) => equalSecrets(data, token));
}
