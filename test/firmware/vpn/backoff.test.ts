import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../firmware/vpn/backoff.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

describe('back-off between attempts', () => {
  it('doubles up to 8 s when nobody answers, each wait between half and all of it', () => {
    const backoff = new Backoff(new SeededRandom(1));
    for (const full of [500, 1000, 2000, 4000, 8000, 8000, 8000]) {
      const wait = backoff.next(false);
      expect(wait).toBeGreaterThanOrEqual(full / 2);
      expect(wait).toBeLessThanOrEqual(full);
    }
  });

  it('goes on to a minute when the server says no', () => {
    const backoff = new Backoff(new SeededRandom(2));
    const waits = Array.from({ length: 12 }, () => backoff.next(true));
    expect(waits.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(waits.at(-1)).toBeLessThanOrEqual(60_000);
  });

  it('starts over after a success', () => {
    const backoff = new Backoff(new SeededRandom(3));
    for (let failures = 0; failures < 6; failures += 1) backoff.next(false);
    backoff.reset();
    expect(backoff.next(false)).toBeLessThanOrEqual(500);
  });
});
