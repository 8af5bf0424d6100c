import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../../firmware/config/spelling.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['sever', 'server', 1],
    ['zoen', 'zone', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('from %j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is symmetric, zero for equal words only, and at most the longer word', () => {
    const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('nearest', () => {
  it('finds the word that was meant, whatever its case', () => {
    expect(nearest('PASWORD', ['user', 'password'])).toBe('password');
    expect(nearest('adress', ['address', 'pool'])).toBe('address');
  });

  it('finds nothing when nothing is near', () => {
    expect(nearest('frobnicate', ['user', 'password'])).toBeUndefined();
    expect(nearest('foo', ['mru', 'port'])).toBeUndefined();
  });
});
