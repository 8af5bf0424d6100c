import { describe, expect, it } from 'vitest';
import { checkConfiguration } from '../../../firmware/config/parse.ts';
import { largeDocument } from '../../../scripts/lab/large-document.ts';
import { largeConfiguration } from './large.ts';

/**
 * It takes about 20 ms on a desk; something that grows with the square of the entries would take a second. Milliseconds.
 */
const PATIENCE = 120;

describe('the large configuration', () => {
  it.each([10, 500, 1280])('of %i entries has so many of them, and no rule finds anything in it', (entries) => {
    const { l2tp, ipsec, routes } = largeConfiguration(entries);
    const users = Object.keys(l2tp.servers['office']?.users ?? {}).length;
    const [clients, connections] = [l2tp.clients, ipsec.connections].map((record) => Object.keys(record).length);
    expect(users + (clients ?? 0) + (connections ?? 0) + routes.length).toBe(entries);
    expect(checkConfiguration(largeDocument(entries))).toMatchObject({ ok: true, warnings: [] });
  });

  it('of 500 entries is checked in a few tens of milliseconds', () => {
    const document = largeDocument(500);
    const runs = Array.from({ length: 8 }, () => {
      const start = performance.now();
      checkConfiguration(document);
      return performance.now() - start;
    });
    expect(Math.min(...runs)).toBeLessThan(PATIENCE);
  });
});
