import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desiredNetwork } from '../../../firmware/network/desired.ts';
import { filterBody } from '../../../firmware/network/filter.ts';
import { type GuardedRange, guardedRanges, type SourceGuard, sourceGuards } from '../../../firmware/network/guards.ts';
import {
  contains,
  formatCidr,
  formatIpv4,
  hostPrefix,
  networkOf,
  parseCidr,
} from '../../../firmware/protocol/ip-address.ts';
import { exampleConfiguration, exampleDocument, parsed, protectedDocument, withValue } from '../config/example.ts';

const CONNECTED = ['10.20.0.0/24', '192.168.12.0/24'];
const ROUTES = 'l2tp.clients.hq.routes';

function guards(document: unknown): string[] {
  return sourceGuards(parsed(document), CONNECTED).map(({ prefix, device = 'any' }) => `${prefix} ${device}`);
}

describe('what must not come in clear', () => {
  it('is what lies behind a protected client and behind an IPsec tunnel, though neither stands', () => {
    expect(guards(protectedDocument())).toEqual(['10.88.0.0/24 ipsec-plant', '10.99.0.0/16 l2tp-hq']);
  });

  it('is nothing where nothing is protected', () => {
    expect(guards(exampleDocument())).toEqual([]);
  });

  it('is the pool of a protected server, the addresses of its users and what is behind them', () => {
    const all = { remote: 'any', psk: 'long enough', mode: 'transport' };
    let document = withValue(exampleDocument(), 'ipsec.connections', { all });
    document = withValue(document, 'l2tp.servers.office.ipsec', 'all');
    document = withValue(document, 'l2tp.servers.office.pool', '10.98.0.8-10.98.0.15');
    const bob = { password: 'long enough', address: '172.16.0.1', routes: ['172.17.0.0/16'] };
    expect(guards(withValue(document, 'l2tp.servers.office.users', { bob }))).toEqual([
      '172.16.0.1/32 l2tp-office',
      '10.98.0.8/29 l2tp-office',
      '172.17.0.0/16 l2tp-office',
    ]);
  });

  it('is not the rest of the world', () => {
    const world = ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1', '128.0.0.0/2', '192.0.0.0/2', '52.0.0.0/8'];
    expect(guards(withValue(protectedDocument(), ROUTES, world))).toEqual([
      '10.88.0.0/24 ipsec-plant',
      '52.0.0.0/8 l2tp-hq',
    ]);
  });

  it('is not a directly connected network inside a wider prefix, but a narrower prefix inside that network is', () => {
    expect(guards(withValue(protectedDocument(), ROUTES, ['192.168.0.0/16', '192.168.12.128/25']))).toEqual([
      '192.168.12.128/25 l2tp-hq',
      '10.88.0.0/24 ipsec-plant',
      '192.168.12.0/24 any',
      '192.168.0.0/16 l2tp-hq',
    ]);
  });

  it('is not what lies behind a tunnel that is not protected, inside a wider prefix', () => {
    const plain = { server: '10.20.0.5', user: 'u', password: 'long enough', routes: ['10.99.7.0/24'] };
    expect(guards(withValue(protectedDocument(), 'l2tp.clients.plain', plain))).toContain('10.99.7.0/24 any');
  });
});

describe('guards as ranges', () => {
  const text = ({ first, last, device }: GuardedRange) =>
    `${formatIpv4(Number(first))}-${formatIpv4(Number(last))} ${device}`;

  it('have no overlap: the longest prefix has its part, also where it may come from everywhere', () => {
    const ranges = guardedRanges([
      { prefix: '10.99.7.9/32', device: 'b' },
      { prefix: '10.99.7.0/24' },
      { prefix: '10.99.255.0/24', device: 'a' },
      { prefix: '10.99.0.0/16', device: 'a' },
      { prefix: '10.100.0.0/16', device: 'a' },
    ]);
    expect(ranges.map(text)).toEqual([
      '10.99.0.0-10.99.6.255 a',
      '10.99.7.9-10.99.7.9 b',
      '10.99.8.0-10.100.255.255 a',
    ]);
  });

  it('decide for every address what the longest prefix decides', () => {
    const prefix = fc
      .record({ address: fc.integer({ min: 0, max: 255 }), length: fc.integer({ min: 24, max: 32 }) })
      .map(({ address, length }) => formatCidr(networkOf({ address: 0xffffff00 + address, length })));
    const device = fc.constantFrom('a', 'b', undefined);
    const guard = fc.tuple(prefix, device).map(([prefix, device]) => (device ? { prefix, device } : { prefix }));
    fc.assert(
      fc.property(fc.uniqueArray(guard, { selector: ({ prefix }) => prefix, maxLength: 12 }), (unsorted) => {
        const length = ({ prefix }: SourceGuard) => parseCidr(prefix)?.length ?? 0;
        const guards = [...unsorted].sort((x, y) => length(y) - length(x));
        const ranges = guardedRanges(guards);
        for (let address = 0xffffff00; address <= 0xffffffff; address += 1) {
          const host = hostPrefix(address);
          const wanted = guards.find(({ prefix }) => contains(parseCidr(prefix) ?? host, host))?.device;
          expect(ranges.filter(({ first, last }) => first <= address && address <= last).map((r) => r.device)).toEqual(
            wanted === undefined ? [] : [wanted],
          );
        }
      }),
    );
  });
});

describe('the packet filter of protected prefixes', () => {
  const live = { tunnels: [], mainRoutes: [], reversePathFilter: false };

  it('lets through what carries tunnels, then what comes by the right TUN, and drops and counts the rest', () => {
    const lines = filterBody(desiredNetwork(parsed(protectedDocument()), live)).split('\n');
    expect(lines.map((line) => line.trim())).toEqual([
      'chain only-ipsec-plant {',
      'iifname "ipsec-plant" accept',
      'counter drop',
      '}',
      'chain only-l2tp-hq {',
      'iifname "l2tp-hq" accept',
      'counter drop',
      '}',
      'chain guard {',
      'type filter hook prerouting priority raw; policy accept;',
      'iifname "lo" accept',
      'fib daddr type local meta l4proto { esp, ah } accept',
      'fib daddr type local udp dport { 500, 4500 } accept',
      'fib daddr type local icmp type { destination-unreachable, time-exceeded, parameter-problem } accept',
      'fib daddr type local ip frag-off & 0x1fff != 0 accept',
      'fib daddr type local meta l4proto { udp, icmp } socket mark 0xc1 accept',
      'ip saddr vmap {',
      '10.88.0.0-10.88.0.255 : goto only-ipsec-plant,',
      '10.99.0.0-10.99.255.255 : goto only-l2tp-hq,',
      '}',
      '}',
    ]);
  });

  it('stands without the socket match on a kernel that has none', () => {
    const body = filterBody(desiredNetwork(parsed(protectedDocument()), { ...live, reversePathFilter: true }), false);
    expect(body).not.toContain('socket');
    expect(body).toContain('10.99.0.0-10.99.255.255 : goto only-l2tp-hq');
  });

  it('is not there where nothing is protected', () => {
    expect(filterBody(desiredNetwork(exampleConfiguration(), live))).toBe('');
  });
});
