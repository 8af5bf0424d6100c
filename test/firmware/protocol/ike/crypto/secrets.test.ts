import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hash } from '../../../../../firmware/protocol/ike/crypto/hash.ts';
import { equalSecrets, wipe } from '../../../../../firmware/protocol/ike/crypto/secrets.ts';
import { octets } from '../octets.ts';

describe('secrets', () => {
  it('are equal when length and all octets are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(equalSecrets(a, Uint8Array.from(a))).toBe(true);
        expect(equalSecrets(a, b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
    expect(equalSecrets(octets('0102'), octets('010203'))).toBe(false);
    expect(equalSecrets(new Uint8Array(0), octets('00'))).toBe(false);
  });

  it('are zeros when wiped', () => {
    const keys = [octets('0102'), octets('ff')];
    wipe(...keys);
    expect(keys).toEqual([octets('0000'), octets('00')]);
  });
});

describe('hash', () => {
  it('gives the digests of "abc" that FIPS 180 and RFC 1321 print, whole or in pieces', () => {
    const abc = [octets('61'), octets('6263')];
    expect(hash('md5', ...abc)).toEqual(octets('900150983cd24fb0d6963f7d28e17f72'));
    expect(hash('sha1', ...abc)).toEqual(octets('a9993e364706816aba3e25717850c26c9cd0d89d'));
    expect(hash('sha256', ...abc)).toEqual(octets('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'));
  });
});
