import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, EncodeError, hex } from '../../../../../firmware/protocol/bytes.ts';
import { prf, prfPlus } from '../../../../../firmware/protocol/ike/crypto/prf.ts';
import { octets } from '../octets.ts';
import { HMAC_MD5_SHA1, HMAC_SHA2 } from './hmac-vectors.ts';

describe('prf', () => {
  it.each(HMAC_SHA2)('gives the HMAC-SHA2 of RFC 4231 case $case', ({ key, data, ...digests }) => {
    for (const name of ['sha256', 'sha384', 'sha512'] as const) {
      const digest = hex(prf(name, octets(key), octets(data)));
      expect(digest.slice(0, digests[name].length)).toBe(digests[name]);
    }
  });

  it.each(HMAC_MD5_SHA1)('gives HMAC-MD5 and HMAC-SHA1 of RFC 2202 case $case', (vector) => {
    expect(hex(prf('md5', octets(vector.md5Key), octets(vector.data)))).toBe(vector.md5);
    expect(hex(prf('sha1', octets(vector.sha1Key), octets(vector.data)))).toBe(vector.sha1);
  });

  it('takes its data in pieces as if it were one', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.uint8Array(), (parts, key) => {
        expect(prf('sha256', key, ...parts)).toEqual(prf('sha256', key, concatBytes(...parts)));
      }),
    );
  });

  it('knows no algorithm outside the table', () => {
    expect(() => prf('sha224', new Uint8Array(1))).toThrow(EncodeError);
  });
});

describe('prf+ (RFC 7296 section 2.13)', () => {
  const key = octets('0102030405060708');
  const seed = octets('a0a1a2a3');

  it('chains blocks, each made of the one before, the seed and a counter from 1', () => {
    const first = prf('sha1', key, seed, Uint8Array.of(1));
    const second = prf('sha1', key, first, seed, Uint8Array.of(2));
    const third = prf('sha1', key, second, seed, Uint8Array.of(3));
    expect(prfPlus('sha1', key, seed, 60)).toEqual(concatBytes(first, second, third));
  });

  it('gives a beginning of the same stream whatever length is asked for', () => {
    const all = prfPlus('sha256', key, seed, 200);
    for (const length of [0, 1, 31, 32, 33, 64, 199]) {
      expect(prfPlus('sha256', key, seed, length)).toEqual(all.subarray(0, length));
    }
  });

  it('ends with the 255th block, for its counter is one octet', () => {
    expect(prfPlus('sha1', key, seed, 255 * 20)).toHaveLength(5100);
    expect(() => prfPlus('sha1', key, seed, 255 * 20 + 1)).toThrow(EncodeError);
    expect(() => prfPlus('sha1', key, seed, -1)).toThrow(EncodeError);
  });
});
