import { describe, expect, it } from 'vitest';
import { AddressPool } from '../../../../firmware/vpn/l2tp/address-pool.ts';

describe('the address pool', () => {
  it('gives every address once, never a reserved one, and then none', () => {
    const pool = new AddressPool('10.98.0.10-10.98.0.13', ['10.98.0.11']);
    const given = [pool.take('a'), pool.take('b'), pool.take('c')];
    expect(new Set(given)).toEqual(new Set(['10.98.0.10', '10.98.0.12', '10.98.0.13']));
    expect(pool.take('d')).toBeUndefined();
  });

  it('gives a user who comes back the address of last time, when it is free', () => {
    const pool = new AddressPool('10.98.0.10-10.98.0.20', []);
    const first = pool.take('alice') ?? '';
    pool.take('bob');
    pool.release(first);
    expect(pool.take('alice')).toBe(first);
    expect(pool.take('alice')).not.toBe(first);
  });

  it('does not give what somebody else chose, until it was given back as often as it was chosen', () => {
    const pool = new AddressPool('10.98.0.10-10.98.0.11', []);
    pool.claim('10.98.0.10');
    pool.claim('10.98.0.10');
    expect([pool.take('a'), pool.take('b')]).toEqual(['10.98.0.11', undefined]);
    pool.release('10.98.0.10');
    expect(pool.take('b')).toBeUndefined();
    pool.release('10.98.0.10');
    expect(pool.take('b')).toBe('10.98.0.10');
  });

  it('crosses an octet boundary', () => {
    const pool = new AddressPool('10.98.0.255-10.98.1.0', []);
    expect([pool.take('a'), pool.take('b')]).toEqual(['10.98.0.255', '10.98.1.0']);
  });

  it('refuses a range that is none', () => {
    expect(() => new AddressPool('10.98.0.9-10.98.0.1', [])).toThrow(RangeError);
    expect(() => new AddressPool('banana', [])).toThrow(RangeError);
  });
});
