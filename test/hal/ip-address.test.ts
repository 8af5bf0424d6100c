import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatIpAddress,
  isUnspecified,
  maskAddress,
  parseAddressWithLength,
  parseIpAddress,
} from '../../hal/ip-address.ts';

const octetsOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

/** IPv6 addresses with many zeros, where compression matters. */
const sparse = fc
  .array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 })
  .map((octets) => Uint8Array.from(octets));

describe('IP addresses', () => {
  it('come back from their text as they were', () => {
    fc.assert(
      fc.property(fc.oneof(octetsOf(4), octetsOf(16), sparse), (octets) => {
        expect(parseIpAddress(formatIpAddress(octets))).toEqual(octets);
      }),
    );
  });

  it('are written as the URL standard writes them, which follows RFC 5952', () => {
    fc.assert(
      fc.property(fc.oneof(octetsOf(16), sparse), (octets) => {
        const written = formatIpAddress(octets);
        fc.pre(!written.startsWith('::ffff:'));
        expect(new URL(`http://[${written}]/`).hostname).toBe(`[${written}]`);
      }),
    );
  });

  it.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['fe80:0:0:0:0:0:0:0', 'fe80::'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['192.0.2.1', '192.0.2.1'],
  ])('%s is written %s', (text, canonical) => {
    const octets = parseIpAddress(text);
    expect(octets && formatIpAddress(octets)).toBe(canonical);
  });

  it.each(['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.4/24', 'fe80::1%eth0', ':::', '1::2::3', 'host', ' 1.2.3.4'])(
    '%j is none',
    (text) => {
      expect(parseIpAddress(text)).toBeUndefined();
    },
  );

  it('have 4 or 16 octets', () => {
    expect(() => formatIpAddress(new Uint8Array(5))).toThrow(RangeError);
  });

  it('are unspecified in any spelling of all zeros', () => {
    for (const text of ['0.0.0.0', '::', '0:0::0']) expect(isUnspecified(text)).toBe(true);
    for (const text of ['0.0.0.1', '::1', 'nothing']) expect(isUnspecified(text)).toBe(false);
  });
});

describe('addresses with their prefix length', () => {
  it.each(['10.0.0.1', '10.0.0.1/', '10.0.0.1/33', '10.0.0.1/08', '10.0.0.1/-1', '::1/129', '10.0.0.1/8/8', 'x/8'])(
    '%j is none',
    (text) => {
      expect(parseAddressWithLength(text)).toBeUndefined();
    },
  );

  it('are masked to their network', () => {
    const network = (text: string): string => {
      const { octets, length } = parseAddressWithLength(text) ?? { octets: new Uint8Array(), length: 0 };
      return formatIpAddress(maskAddress(octets, length));
    };
    expect(network('10.1.255.255/17')).toBe('10.1.128.0');
    expect(network('10.1.2.3/32')).toBe('10.1.2.3');
    expect(network('10.1.2.3/0')).toBe('0.0.0.0');
    expect(network('2001:db8:ffff:ffff::1/47')).toBe('2001:db8:fffe::');
  });
});
