import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrefixIndex } from '../../../firmware/config/prefix-index.ts';
import { type IpPrefix, ipContains, parseIpPrefix } from '../../../firmware/protocol/ip-prefix.ts';

/** Few addresses and all lengths, so that prefixes lie in each other. */
const PREFIX: fc.Arbitrary<IpPrefix> = fc.oneof(
  fc.record({
    family: fc.constant<4>(4),
    address: fc.bigInt({ min: 0x0a000000n, max: 0x0a00000fn }),
    length: fc.integer({ min: 0, max: 32 }),
  }),
  fc.record({
    family: fc.constant<6>(6),
    address: fc.bigInt({ min: 0n, max: 15n }),
    length: fc.integer({ min: 0, max: 128 }),
  }),
);

describe('PrefixIndex', () => {
  it('finds what looking at every prefix would find, the longest first', () => {
    fc.assert(
      fc.property(fc.array(PREFIX), PREFIX, (prefixes, inner) => {
        const index = new PrefixIndex(prefixes.map((prefix, order) => [prefix, { prefix, order }] as const));
        const expected = prefixes
          .map((prefix, order) => ({ prefix, order }))
          .filter(({ prefix }) => ipContains(prefix, inner))
          .sort((a, b) => b.prefix.length - a.prefix.length || a.order - b.order);
        expect([...index.containing(inner)]).toEqual(expected);
      }),
    );
  });

  it('does not take a network of one family for one of the other', () => {
    const [all4, all6] = ['0.0.0.0/0', '::/0'].flatMap((text) => parseIpPrefix(text) ?? []);
    if (all4 === undefined || all6 === undefined) throw new Error('no prefixes');
    expect([...new PrefixIndex([[all4, 'four']]).containing(all6)]).toEqual([]);
  });
});
