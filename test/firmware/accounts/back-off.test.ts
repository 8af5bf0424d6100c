import { describe, expect, it } from 'vitest';
import { BackOff } from '../../../firmware/accounts/back-off.ts';

const make = (entries = 100) => new BackOff({ free: 2, base: 1000, most: 8000, entries, forget: 60_000 });

describe('the back-off', () => {
  it('doubles with each failure up to its most, and is forgotten after a while', () => {
    const backOff = make();
    const waits = Array.from({ length: 7 }, () => {
      backOff.count('a', 0);
      return backOff.remaining('a', 0);
    });
    expect(waits).toEqual([0, 1000, 2000, 4000, 8000, 8000, 8000]);
    expect(backOff.remaining('a', 7999)).toBe(1);
    expect(backOff.remaining('b', 0)).toBe(0);
    backOff.count('a', 60_000);
    expect(backOff.remaining('a', 60_000)).toBe(0);
  });

  it('takes one attempt back without forgiving the others', () => {
    const backOff = make();
    for (let count = 0; count < 4; count += 1) backOff.count('a', 0);
    backOff.takeBack('a');
    expect(backOff.remaining('a', 0)).toBe(2000);
    backOff.forgive('a');
    expect([backOff.remaining('a', 0), backOff.size]).toEqual([0, 0]);
    backOff.takeBack('never seen');
  });

  it('has a bound, at which those who failed least give way', () => {
    const backOff = make(3);
    for (const key of ['bad', 'bad', 'bad', 'once', 'twice', 'twice', 'new', 'newer', 'newest']) backOff.count(key, 0);
    expect(backOff.size).toBe(3);
    expect(backOff.remaining('bad', 0)).toBe(2000);
    expect(backOff.remaining('twice', 0)).toBe(1000);
  });
});
