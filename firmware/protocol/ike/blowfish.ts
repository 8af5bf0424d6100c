/**
 * Blowfish (RFC 2451), which OpenSSL has moved to its legacy provider: it is there only where Node was started with
 * `--openssl-legacy-provider`, and else refused with the reason.
 */
import { getCiphers } from 'node:crypto';
import type { EncryptionTransform } from './transforms.ts';

const CIPHER = 'bf-cbc';

/** The rows of the table: one, or none. */
export const BLOWFISH: readonly EncryptionTransform[] = getCiphers().includes(CIPHER)
  ? [
      {
        kind: 'encryption',
        name: 'blowfish128',
        title: 'Blowfish-CBC with 128-bit key',
        v2: 7,
        phase1: 3,
        phase2: 7,
        mode: 'cbc',
        cipher: CIPHER,
        keyOctets: 16,
        saltOctets: 0,
        ivOctets: 8,
        blockOctets: 8,
        icvOctets: 0,
        keyLengthAttribute: true,
        strength: 64,
        legacy: true,
      },
    ]
  : [];

/** Why a name of Blowfish is none, to follow the name; `undefined` for any other name. */
export function blowfishRefusal(word: string): string | undefined {
  if (!/^blowfish\d*$/.test(word)) return undefined;
  if (BLOWFISH.length > 0) return 'is Blowfish, of which only keys of 128 bits are known here: blowfish128';
  return (
    'cannot be used: OpenSSL has Blowfish only in its legacy provider, which Culvert does not load, because blocks of 64 bits ' +
    'give plaintext away after some gigabytes (CVE-2016-2183)'
  );
}
