import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodeError, hex } from '../../../../../firmware/protocol/bytes.ts';
import { icv, verifyIcv } from '../../../../../firmware/protocol/ike/crypto/integrity.ts';
import { prf } from '../../../../../firmware/protocol/ike/crypto/prf.ts';
import { TRANSFORMS } from '../../../../../firmware/protocol/ike/transforms.ts';
import { octets } from '../octets.ts';
import { AUTH_HMAC_SHA2, HMAC_MD5_SHA1 } from './hmac-vectors.ts';

const ALGORITHMS = TRANSFORMS.flatMap((row) => (row.kind === 'integrity' ? [row] : []));

describe('the integrity check value', () => {
  it.each(AUTH_HMAC_SHA2)('is that of RFC 4868 case $case', (vector) => {
    expect(hex(icv(vector.name, octets(vector.key), octets(vector.data)))).toBe(vector.icv);
    expect(hex(prf(vector.name, octets(vector.key), octets(vector.data)))).toBe(vector.prf);
  });

  it('is cut to 96 bits with MD5 and SHA1, as in RFC 2202 case 5', () => {
    const vector = HMAC_MD5_SHA1[4];
    expect(hex(icv('md5', octets(vector.md5Key), octets(vector.data)))).toBe('56461ef2342edc00f9bab995');
    expect(hex(icv('sha1', octets(vector.sha1Key), octets(vector.data)))).toBe('4c1a03424b55e07fe7f27be1');
  });

  it('of sha256-96 is the beginning of that of sha256', () => {
    const key = new Uint8Array(32).fill(7);
    const data = octets('00112233');
    expect(icv('sha256-96', key, data)).toEqual(icv('sha256', key, data).subarray(0, 12));
  });

  it.each(ALGORITHMS)('of $name has the octets that the table says', ({ name, keyOctets, icvOctets }) => {
    expect(icv(name, new Uint8Array(keyOctets))).toHaveLength(icvOctets);
    expect(() => icv(name, new Uint8Array(keyOctets + 1))).toThrow(EncodeError);
  });

  it('verifies as it was, and in no other bit or length', () => {
    const anything = fc.record({
      row: fc.constantFrom(...ALGORITHMS),
      data: fc.uint8Array({ maxLength: 100 }),
      bit: fc.nat(),
    });
    fc.assert(
      fc.property(anything, ({ row, data, bit }) => {
        const key = new Uint8Array(row.keyOctets).fill(bit % 251);
        const right = icv(row.name, key, data);
        expect(verifyIcv(row.name, key, right, data)).toBe(true);
        const wrong = Uint8Array.from(right);
        const at = bit % (right.length * 8);
        wrong[at >> 3] = (wrong[at >> 3] ?? 0) ^ (1 << (at & 7));
        expect(verifyIcv(row.name, key, wrong, data)).toBe(false);
        expect(verifyIcv(row.name, key, right.subarray(1), data)).toBe(false);
        expect(verifyIcv(row.name, key, new Uint8Array(0), data)).toBe(false);
      }),
    );
  });
});
