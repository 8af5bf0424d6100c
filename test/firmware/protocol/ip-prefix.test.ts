import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, formatCidr, lastAddress, networkOf, overlaps } from '../../../firmware/protocol/ip-address.ts';
import {
  canonicalPrefix,
  formatIpAddress,
  formatIpPrefix,
  type IpPrefix,
  ipContains,
  ipHostPrefix,
  ipNetworkOf,
  ipOverlaps,
  lastIpAddress,
  parseIpNetwork,
  parseIpPrefix,
  sameIpNetwork,
} from '../../../firmware/protocol/ip-prefix.ts';

function prefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
}

const anIpv4Prefix = fc.record({ address: fc.nat(0xffffffff), length: fc.nat(32) });
const ofBoth = ({ address, length }: { readonly address: number; readonly length: number }): IpPrefix => ({
  family: 4,
  address: BigInt(address),
  length,
});

describe('prefixes of both families', () => {
  it.each(['10.0.0.1/8', '0.0.0.0/0', '2001:db8::1/32', '::/0', 'fe80::1/128'])('read and write %s', (text) => {
    expect(formatIpPrefix(prefix(text))).toBe(text);
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '::/129', '::/064', '::/', 'x/8', '1.2.3/8', '::/8/8', 'fe80::1%a/64', ''])(
    'refuse %j',
    (text) => {
      expect(parseIpPrefix(text)).toBeUndefined();
    },
  );

  it('tell a network from an address in it', () => {
    expect(parseIpNetwork('fd00:1::/32')).toBeDefined();
    expect(parseIpNetwork('fd00:1:0:1::/32')).toBeUndefined();
  });

  it('have one way of writing', () => {
    expect(canonicalPrefix('FD00:0:0::7/64')).toBe('fd00::/64');
    expect(canonicalPrefix('10.1.2.3/8')).toBe('10.0.0.0/8');
    expect(canonicalPrefix('nonsense')).toBe('nonsense');
  });

  it('never contain the other family', () => {
    expect(ipContains(prefix('::/0'), prefix('10.0.0.0/8'))).toBe(false);
    expect(ipOverlaps(prefix('0.0.0.0/0'), prefix('::/0'))).toBe(false);
  });

  it('of IPv6 reckon with all bits', () => {
    const network = prefix('2001:db8:ffff:8000::/49');
    expect(formatIpAddress({ family: 6, address: lastIpAddress(network) })).toBe(
      '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
    );
    expect(ipContains(network, prefix('2001:db8:ffff:8000::1/128'))).toBe(true);
    expect(ipContains(network, prefix('2001:db8:ffff:7fff::/64'))).toBe(false);
    expect(sameIpNetwork(network, prefix('2001:db8:ffff:9000::/49'))).toBe(true);
    expect(ipHostPrefix('::ffff:1.2.3.4')).toEqual({ family: 6, address: 0xffff01020304n, length: 128 });
  });

  it('of IPv4 reckon as those of IPv4 alone do', () => {
    fc.assert(
      fc.property(anIpv4Prefix, anIpv4Prefix, (a, b) => {
        const [x, y] = [ofBoth(a), ofBoth(b)];
        expect(formatIpPrefix(ipNetworkOf(x))).toBe(formatCidr(networkOf(a)));
        expect(Number(lastIpAddress(x))).toBe(lastAddress(a));
        expect(ipContains(x, y)).toBe(contains(a, b));
        expect(ipOverlaps(x, y)).toBe(overlaps(a, b));
      }),
    );
  });
});
