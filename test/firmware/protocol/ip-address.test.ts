import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalIp,
  contains,
  formatCidr,
  formatIpv4,
  type Ipv4Prefix,
  isIpv6,
  lastAddress,
  netmask,
  networkOf,
  overlaps,
  parseCidr,
  parseIpv4,
  parseNetwork,
  parseRange,
  rangeToCidrs,
  sameNetwork,
} from '../../../firmware/protocol/ip-address.ts';

const address = fc.integer({ min: 0, max: 0xffffffff });
const prefix: fc.Arbitrary<Ipv4Prefix> = fc.record({ address, length: fc.integer({ min: 0, max: 32 }) });

describe('IPv4 text', () => {
  it('is read and written without loss', () => {
    fc.assert(fc.property(address, (value) => parseIpv4(formatIpv4(value)) === value));
    fc.assert(
      fc.property(
        prefix,
        (value) => formatCidr(parseCidr(formatCidr(value)) ?? { address: 0, length: 0 }) === formatCidr(value),
      ),
    );
  });

  it('agrees with the platform about what is an address', () => {
    const octet = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.constantFrom('00', '01', '', ' 1', '1e1'));
    const text = fc.array(octet, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
    fc.assert(fc.property(text, (value) => (parseIpv4(value) !== undefined) === isIPv4(value)));
  });

  it.each(['1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.256', '1.2.3.4 ', '0x1.2.3.4', '', '1.2.3.-4'])(
    'refuses %j as an address',
    (text) => {
      expect(parseIpv4(text)).toBeUndefined();
    },
  );

  it.each(['1.2.3.4', '1.2.3.4/', '1.2.3.4/33', '1.2.3.4/08', '1.2.3/8', '/8', '1.2.3.4/8/8'])(
    'refuses %j as a prefix',
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  it('takes a network only with its host bits clear', () => {
    expect(parseNetwork('10.1.0.0/16')).toEqual({ address: 0x0a010000, length: 16 });
    expect(parseNetwork('10.1.0.1/16')).toBeUndefined();
  });

  it('reads a range', () => {
    expect(parseRange('10.0.0.1-10.0.0.9')).toEqual({ first: 0x0a000001, last: 0x0a000009 });
    expect(parseRange('10.0.0.1')).toBeUndefined();
    expect(parseRange('10.0.0.1-10.0.0')).toBeUndefined();
  });
});

describe('prefix arithmetic', () => {
  it('knows the masks at both ends', () => {
    expect([netmask(0), netmask(1), netmask(24), netmask(32)]).toEqual([0, 0x80000000, 0xffffff00, 0xffffffff]);
  });

  it('says contains exactly when the first and the last address lie inside', () => {
    fc.assert(
      fc.property(prefix, prefix, (a, b) => {
        const inside = (value: number) => value >= networkOf(a).address && value <= lastAddress(a);
        expect(contains(a, b)).toBe(inside(networkOf(b).address) && inside(lastAddress(b)));
      }),
    );
  });

  it('says overlaps exactly when the ranges meet', () => {
    const near = fc.record({
      address: fc.integer({ min: 0x0a000000, max: 0x0a0000ff }),
      length: fc.integer({ min: 22, max: 32 }),
    });
    fc.assert(
      fc.property(near, near, (a, b) => {
        const meet = networkOf(a).address <= lastAddress(b) && networkOf(b).address <= lastAddress(a);
        expect(overlaps(a, b)).toBe(meet);
        expect(overlaps(b, a)).toBe(meet);
      }),
    );
  });

  it('compares networks without their host bits', () => {
    expect(sameNetwork({ address: 0x0a000001, length: 24 }, { address: 0x0a000002, length: 24 })).toBe(true);
    expect(sameNetwork({ address: 0x0a000001, length: 24 }, { address: 0x0a000001, length: 25 })).toBe(false);
  });
});

describe('rangeToCidrs', () => {
  it('covers the range exactly, in order, with prefixes that cannot be joined', () => {
    fc.assert(
      fc.property(address, fc.integer({ min: 0, max: 100_000 }), (first, size) => {
        const last = Math.min(first + size, 0xffffffff);
        const parts = rangeToCidrs(first, last);
        let at = first;
        for (const part of parts) {
          expect(part.address).toBe(at);
          expect(networkOf(part).address).toBe(at);
          at = lastAddress(part) + 1;
        }
        expect(at).toBe(last + 1);
        for (const [index, part] of parts.entries()) {
          const next = parts[index + 1];
          const joined = networkOf({ address: part.address, length: Math.max(part.length - 1, 0) });
          if (next?.length === part.length) expect(joined.address).not.toBe(part.address);
        }
      }),
    );
  });

  it('gives the whole space as one prefix, and nothing for an empty range', () => {
    expect(rangeToCidrs(0, 0xffffffff)).toEqual([{ address: 0, length: 0 }]);
    expect(rangeToCidrs(5, 4)).toEqual([]);
  });

  it('splits the pool of the example', () => {
    const text = rangeToCidrs(parseIpv4('10.98.0.10') ?? 0, parseIpv4('10.98.0.250') ?? 0).map(formatCidr);
    expect(text[0]).toBe('10.98.0.10/31');
    expect(text.at(-1)).toBe('10.98.0.250/32');
    expect(text).toHaveLength(11);
  });
});

describe('IPv6 text', () => {
  it('agrees with the platform about what is an address', () => {
    const group = fc.oneof(
      fc.nat(0xffff).map((value) => value.toString(16)),
      fc.constantFrom('', '12345', 'g', '1.2.3.4'),
    );
    const text = fc.array(group, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(':'));
    fc.assert(fc.property(text, (value) => isIpv6(value) === isIPv6(value)));
    fc.assert(fc.property(fc.ipV6(), (value) => isIpv6(value)));
  });

  it.each([
    ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['192.0.2.1', '192.0.2.1'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  it.each(['fe80::1%eth0', '[::1]', ':1', '1:', '1:::2', 'vpn.example'])('refuses %j', (text) => {
    expect(canonicalIp(text)).toBeUndefined();
  });
});
