import { describe, expect, it } from 'vitest';
import { PathErrorLimiter } from '../../../../firmware/dataplane/userspace/path-error-limiter.ts';

describe('PathErrorLimiter', () => {
  it('lets one report a second through for each socket, remote and code', () => {
    const limiter = new PathErrorLimiter();
    expect(limiter.admit(1, '192.0.2.1', 1701, 'ECONNREFUSED', 0)).toBe(true);
    expect(limiter.admit(1, '192.0.2.1', 1701, 'ECONNREFUSED', 999)).toBe(false);
    expect(limiter.admit(1, '192.0.2.1', 1701, 'EHOSTUNREACH', 999)).toBe(true);
    expect(limiter.admit(1, '192.0.2.2', 1701, 'ECONNREFUSED', 999)).toBe(true);
    expect(limiter.admit(2, '192.0.2.1', 1701, 'ECONNREFUSED', 999)).toBe(true);
    expect(limiter.admit(1, '192.0.2.1', 1701, 'ECONNREFUSED', 1000)).toBe(true);
  });

  it('forgets the oldest path when there are more than it remembers', () => {
    const limiter = new PathErrorLimiter();
    for (let port = 1; port <= 5000; port++) limiter.admit(1, '192.0.2.1', port, 'ECONNREFUSED', 0);
    expect(limiter.admit(1, '192.0.2.1', 5000, 'ECONNREFUSED', 1)).toBe(false);
    expect(limiter.admit(1, '192.0.2.1', 1, 'ECONNREFUSED', 1)).toBe(true);
  });
});
