import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hex, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { CHAP_MD5, chapMd5 } from '../../../../firmware/protocol/ppp/chap-md5.ts';

describe('CHAP with MD5 (RFC 1994 section 4.1)', () => {
  it('is the digest of identifier, secret and challenge, in that order', () => {
    const challenge = Uint8Array.of(1, 2, 3, 4);
    const byHand = createHash('md5').update(Buffer.from('2a73656372657401020304', 'hex')).digest('hex');
    expect(hex(chapMd5(0x2a, utf8Bytes('secret'), challenge))).toBe(byHand);
  });

  it('accepts the right response and no other', () => {
    const input = { identifier: 7, challenge: new Uint8Array(16), name: utf8Bytes('bob'), password: 'bob-pw' };
    const random = { bytes: (length: number) => new Uint8Array(length) };
    const { value } = CHAP_MD5.respond(input, random);
    expect(CHAP_MD5.verify(input, value).ok).toBe(true);
    expect(CHAP_MD5.verify({ ...input, identifier: 8 }, value).ok).toBe(false);
    expect(CHAP_MD5.verify({ ...input, password: 'bob-pW' }, value).ok).toBe(false);
    expect(CHAP_MD5.verify(input, value.subarray(0, 15)).ok).toBe(false);
    expect(CHAP_MD5.verify(input, new Uint8Array(0)).ok).toBe(false);
  });
});
