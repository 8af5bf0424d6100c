import { describe, expect, it } from 'vitest';
import { PathMtus } from '../../../../firmware/dataplane/userspace/path-mtu.ts';

describe('PathMtus', () => {
  it('knows nothing at first', () => {
    const mtus = new PathMtus();
    expect(mtus.empty).toBe(true);
    expect(mtus.to('192.0.2.1', 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('believes the newest report, but nothing below what the kernel believes', () => {
    const mtus = new PathMtus();
    for (const [reported, believed] of [
      [1400, 1400],
      [1450, 1450],
      [100, 552],
    ] as const) {
      mtus.learn('192.0.2.1', reported, 0);
      expect(mtus.to('192.0.2.1', 0)).toBe(believed);
    }
    mtus.learn('2001:db8::1', 600, 0);
    expect(mtus.to('2001:db8::1', 0)).toBe(1280);
    expect(mtus.empty).toBe(false);
  });

  it('forgets after ten minutes, counted from the last report', () => {
    const mtus = new PathMtus();
    mtus.learn('192.0.2.1', 1400, 0);
    mtus.learn('192.0.2.1', 1400, 1000);
    expect(mtus.to('192.0.2.1', 600_999)).toBe(1400);
    expect(mtus.to('192.0.2.1', 601_000)).toBe(Number.POSITIVE_INFINITY);
    expect(mtus.empty).toBe(true);
  });

  it('remembers four thousand paths and forgets the oldest first', () => {
    const mtus = new PathMtus();
    const address = (i: number) => `10.0.${i >> 8}.${i & 255}`;
    for (let i = 0; i < 4096; i++) mtus.learn(address(i), 1400, 0);
    mtus.learn(address(0), 1400, 0);
    mtus.learn(address(4096), 1400, 0);
    expect(mtus.to(address(0), 0)).toBe(1400);
    expect(mtus.to(address(1), 0)).toBe(Number.POSITIVE_INFINITY);
    expect(mtus.to(address(2), 0)).toBe(1400);
  });
});
