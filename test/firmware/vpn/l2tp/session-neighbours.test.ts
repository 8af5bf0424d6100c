import { describe, expect, it } from 'vitest';
import { AddressPool } from '../../../../firmware/vpn/l2tp/address-pool.ts';
import { type Neighbour, SessionNeighbours } from '../../../../firmware/vpn/l2tp/session-neighbours.ts';

const options = {
  localAddress: '10.98.0.1',
  pool: '10.98.0.10-10.98.0.20',
  users: {},
  review: () => undefined,
};

function session(user: string | undefined, address: string | undefined): Neighbour {
  return { user, address, prefixes: address === undefined ? [] : [`${address}/32`] };
}

describe('the neighbours of a session', () => {
  const own = session(undefined, undefined);
  const earlier = session('alice', '10.98.0.77');
  const other = session('bob\u001b[2J', '10.98.0.12');
  const pool = new AddressPool(options.pool, []);
  const neighbours = new SessionNeighbours(options, pool, () => [own, earlier, other]);

  it('do not give up an address that another user has, and say whose it is, fit to print', () => {
    expect(neighbours.refuse(own, 'alice', '10.98.0.12')?.reason).toBe(
      'the address 10.98.0.12 of this user is in use by bob\\x1b[2J',
    );
  });

  it('let a user have the address of its earlier session, which gives way', () => {
    expect(neighbours.refuse(own, 'alice', '10.98.0.77')).toBeUndefined();
    expect(neighbours.refuse(own, 'carol', '10.98.0.77')).toBeDefined();
  });

  it('have networks that only their own user may be granted', () => {
    expect(neighbours.around(own, 'alice').taken()).toEqual(['10.98.0.12/32']);
    expect(neighbours.around(own, 'carol').taken()).toEqual(['10.98.0.77/32', '10.98.0.12/32']);
  });
});
