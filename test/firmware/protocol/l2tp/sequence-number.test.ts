import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, distance, isDuplicate } from '../../../../firmware/protocol/l2tp/sequence-number.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });

describe('sequence numbers', () => {
  it('wrap at 65536', () => {
    expect(advance(65_535)).toBe(0);
    expect(advance(65_530, 10)).toBe(4);
    expect(distance(65_535, 2)).toBe(3);
    fc.assert(fc.property(u16, u16, (from, steps) => distance(from, advance(from, steps)) === steps));
  });

  it('are duplicates in the last received number and the 32767 before it, as the example of section 5.8 has it', () => {
    const received = 15;
    for (const ns of [0, 15, 32_784, 65_535]) expect(isDuplicate(ns, received + 1)).toBe(true);
    for (const ns of [16, 17, 32_783]) expect(isDuplicate(ns, received + 1)).toBe(false);
  });
});
