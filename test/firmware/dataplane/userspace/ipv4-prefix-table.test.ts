import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Ipv4Prefix,
  Ipv4PrefixTable,
  parseIpv4Prefix,
} from '../../../../firmware/dataplane/userspace/ipv4-prefix-table.ts';
import { ipv4 } from './packets.ts';

/** The plain way: over everything, in the order added, the longest and then the newest. */
class NaiveTable {
  readonly #entries: { prefix: Ipv4Prefix; value: number }[] = [];

  add(prefix: Ipv4Prefix, value: number): void {
    this.#entries.push({ prefix, value });
  }

  remove(prefix: Ipv4Prefix, value: number): void {
    const index = this.#entries.findLastIndex(
      (entry) =>
        entry.value === value && entry.prefix.length === prefix.length && entry.prefix.network === prefix.network,
    );
    if (index >= 0) this.#entries.splice(index, 1);
  }

  lookup(address: number): number | undefined {
    let best: { prefix: Ipv4Prefix; value: number } | undefined;
    for (const entry of this.#entries) {
      const size = 2 ** (32 - entry.prefix.length);
      const inside = Math.floor(address / size) === Math.floor(entry.prefix.network / size);
      if (inside && (best === undefined || entry.prefix.length >= best.prefix.length)) best = entry;
    }
    return best?.value;
  }
}

function prefix(text: string): Ipv4Prefix {
  const parsed = parseIpv4Prefix(text);
  if (parsed === undefined) throw new Error(`${text} is not IPv4`);
  return parsed;
}

/** Few bits vary, so that prefixes meet and nest often. */
const anAddress = fc.integer({ min: 0, max: 0xff }).map((low) => (0xc0a80000 + ((low & 0xf0) << 20) + low) >>> 0);
const aPrefix = fc
  .tuple(anAddress, fc.integer({ min: 0, max: 32 }))
  .map(([address, length]) =>
    prefix(`${[24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')}/${length}`),
  );
const aChange = fc.record({ add: fc.boolean(), prefix: aPrefix, value: fc.integer({ min: 1, max: 4 }) });

describe('parseIpv4Prefix', () => {
  it('reads a prefix and cuts host bits off', () => {
    expect(parseIpv4Prefix('10.99.3.4/16')).toEqual({ network: ipv4('10.99.0.0'), length: 16 });
    expect(parseIpv4Prefix('255.255.255.255/1')).toEqual({ network: 0x80000000, length: 1 });
    expect(parseIpv4Prefix('1.2.3.4/0')).toEqual({ network: 0, length: 0 });
  });

  it('takes an address alone as a /32', () => {
    expect(parseIpv4Prefix('192.0.2.1')).toEqual({ network: ipv4('192.0.2.1'), length: 32 });
  });

  it('tells IPv6 prefixes apart instead of failing', () => {
    for (const text of ['::/0', '2001:db8::/32', 'fe80::1', '::ffff:192.0.2.1/128']) {
      expect(parseIpv4Prefix(text)).toBeUndefined();
    }
  });

  it.each(['', '10.0.0.0/33', '10.0.0/8', '256.0.0.1/8', '10.0.0.0/', '10.0.0.0/8/8', '::/129', 'all', '1.2.3.4/-1'])(
    'refuses %j',
    (text) => {
      expect(() => parseIpv4Prefix(text)).toThrow(RangeError);
    },
  );
});

describe('Ipv4PrefixTable', () => {
  it('prefers the longest prefix, whatever the order of adding', () => {
    const table = new Ipv4PrefixTable<string>();
    table.add(prefix('10.1.0.0/16'), 'net');
    table.add(prefix('10.1.2.3/32'), 'host');
    table.add(prefix('0.0.0.0/0'), 'default');
    expect(table.lookup(ipv4('10.1.2.3'))).toBe('host');
    expect(table.lookup(ipv4('10.1.2.4'))).toBe('net');
    expect(table.lookup(ipv4('203.0.113.9'))).toBe('default');
  });

  it('gives a prefix back to the one before when the newest claimant goes', () => {
    const table = new Ipv4PrefixTable<string>();
    table.add(prefix('10.0.0.0/8'), 'old');
    table.add(prefix('10.0.0.0/8'), 'new');
    expect(table.lookup(ipv4('10.0.0.1'))).toBe('new');
    table.remove(prefix('10.0.0.0/8'), 'new');
    expect(table.lookup(ipv4('10.0.0.1'))).toBe('old');
    table.remove(prefix('10.0.0.0/8'), 'old');
    expect(table.lookup(ipv4('10.0.0.1'))).toBeUndefined();
  });

  it('agrees with a scan over all prefixes after any changes', () => {
    fc.assert(
      fc.property(
        fc.array(aChange, { maxLength: 60 }),
        fc.array(anAddress, { maxLength: 40 }),
        (changes, addresses) => {
          const table = new Ipv4PrefixTable<number>();
          const naive = new NaiveTable();
          for (const change of changes) {
            for (const each of [table, naive]) {
              if (change.add) each.add(change.prefix, change.value);
              else each.remove(change.prefix, change.value);
            }
          }
          for (const address of addresses) expect(table.lookup(address)).toBe(naive.lookup(address));
        },
      ),
      { numRuns: 500 },
    );
  });
});
