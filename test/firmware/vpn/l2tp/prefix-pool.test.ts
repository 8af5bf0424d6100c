import { describe, expect, it } from 'vitest';
import { PrefixPool } from '../../../../firmware/vpn/l2tp/prefix-pool.ts';

describe('the prefix pool', () => {
  it('gives every /64 once, never a reserved one, and then none', () => {
    const pool = new PrefixPool('fd00:98:0:4::/62', ['fd00:98:0:4::1', 'fd00:98:0:6::/64', '2001:db8::1']);
    expect([pool.take('a'), pool.take('b'), pool.take('c')]).toEqual([
      'fd00:98:0:5::/64',
      'fd00:98:0:7::/64',
      undefined,
    ]);
    pool.release('fd00:98:0:7::/64');
    expect(pool.take('c')).toBe('fd00:98:0:7::/64');
  });

  it('gives a user who comes back the prefix of last time, when it is free', () => {
    const pool = new PrefixPool('fd00:98::/48', []);
    const first = pool.take('alice') ?? '';
    pool.take('bob');
    pool.release(first);
    expect(pool.take('alice')).toBe(first);
  });

  it('may be a single /64', () => {
    const pool = new PrefixPool('fd00:98::/64', []);
    expect([pool.take('a'), pool.take('b')]).toEqual(['fd00:98::/64', undefined]);
  });

  it('refuses what has no /64', () => {
    expect(() => new PrefixPool('fd00::/65', [])).toThrow(RangeError);
    expect(() => new PrefixPool('10.0.0.0/8', [])).toThrow(RangeError);
  });
});
