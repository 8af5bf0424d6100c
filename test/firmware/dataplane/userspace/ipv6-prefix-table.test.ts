import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ipv6PrefixTable, parseIpv6Prefix } from '../../../../firmware/dataplane/userspace/ipv6-prefix-table.ts';
import { ipv6 } from './packets.ts';

function prefix(text: string) {
  const parsed = parseIpv6Prefix(text);
  if (parsed === undefined) throw new Error(`${text} is no IPv6 prefix`);
  return parsed;
}

/** Few bits in few places, so that prefixes hold each other and addresses hit them. */
const anAddress = fc
  .array(fc.constantFrom(0, 1, 0x8000, 0xffff), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(':'));
const aPrefix = fc
  .tuple(anAddress, fc.constantFrom(0, 1, 16, 31, 32, 33, 48, 64, 96, 127, 128))
  .map(([address, length]) => `${address}/${length}`);

/** The same by comparing bits. */
function holds(text: string, address: string): boolean {
  const [network = '', length = ''] = text.split('/');
  const bits = (of: string) => Array.from(ipv6(of), (octet) => octet.toString(2).padStart(8, '0')).join('');
  return bits(network).slice(0, Number(length)) === bits(address).slice(0, Number(length));
}

describe('parseIpv6Prefix', () => {
  it('cuts off host bits, and takes an address for a /128', () => {
    expect(parseIpv6Prefix('2001:db8:0:1::5/64')).toEqual(parseIpv6Prefix('2001:db8:0:1::/64'));
    expect(parseIpv6Prefix('fe80::1')).toEqual(parseIpv6Prefix('fe80::1/128'));
    expect(parseIpv6Prefix('ffff::/0')).toEqual(parseIpv6Prefix('::/0'));
  });

  it('leaves IPv4 prefixes to the other table', () => {
    expect(parseIpv6Prefix('10.0.0.0/8')).toBeUndefined();
  });

  it.each(['::/129', ':::/8', '1::2::3/64', 'fe80::1%eth0', '2001:db8::/', '2001:db8::/64/64', '::/-1', '12345::'])(
    'refuses %j',
    (text) => {
      expect(() => parseIpv6Prefix(text)).toThrow(RangeError);
    },
  );
});

describe('Ipv6PrefixTable', () => {
  it('prefers the longest prefix, whatever the order of adding', () => {
    const table = new Ipv6PrefixTable<string>();
    table.add(prefix('2001:db8::/32'), 'net');
    table.add(prefix('2001:db8::7/128'), 'host');
    table.add(prefix('::/0'), 'default');
    expect(table.lookup(ipv6('2001:db8::7'), 0)).toBe('host');
    expect(table.lookup(ipv6('2001:db8::8'), 0)).toBe('net');
    expect(table.lookup(ipv6('2001:db9::7'), 0)).toBe('default');
  });

  it('gives a prefix back to the one before when the newest claimant goes', () => {
    const table = new Ipv6PrefixTable<string>();
    table.add(prefix('fd00::/8'), 'old');
    table.add(prefix('fd00::/8'), 'new');
    table.remove(prefix('fd00::/8'), 'new');
    expect(table.lookup(ipv6('fd12::1'), 0)).toBe('old');
    table.remove(prefix('fd00::/8'), 'old');
    expect([table.lookup(ipv6('fd12::1'), 0), table.empty]).toEqual([undefined, true]);
  });

  it('agrees with a scan over all prefixes after any changes', () => {
    const aChange = fc.record({ add: fc.boolean(), text: aPrefix, value: fc.nat(3) });
    fc.assert(
      fc.property(
        fc.array(aChange, { maxLength: 60 }),
        fc.array(anAddress, { maxLength: 30 }),
        (changes, addresses) => {
          const table = new Ipv6PrefixTable<number>();
          const claims: { readonly text: string; readonly value: number }[] = [];
          for (const { add, text, value } of changes) {
            if (add) {
              table.add(prefix(text), value);
              claims.push({ text, value });
            } else {
              table.remove(prefix(text), value);
              const length = Number(text.split('/')[1]);
              const same = (other: string) =>
                Number(other.split('/')[1]) === length && holds(other, text.split('/')[0] ?? '');
              const at = claims.findLastIndex((claim) => claim.value === value && same(claim.text));
              if (at >= 0) claims.splice(at, 1);
            }
          }
          for (const address of addresses) {
            const matching = claims.filter(({ text }) => holds(text, address));
            const longest = Math.max(...matching.map(({ text }) => Number(text.split('/')[1])));
            const expected = matching.findLast(({ text }) => Number(text.split('/')[1]) === longest)?.value;
            expect(table.lookup(ipv6(address), 0)).toBe(expected);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
