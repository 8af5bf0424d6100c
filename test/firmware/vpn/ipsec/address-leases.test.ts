import { describe, expect, it } from 'vitest';
import type { ProvedPeer } from '../../../../firmware/protocol/ike/authentication.ts';
import { PoolLeases } from '../../../../firmware/vpn/ipsec/address-leases.ts';

const named = (value: string): ProvedPeer => ({ identity: { kind: 'fqdn', value } });
const DNS = ['10.0.0.53'];

describe('inner addresses out of a pool', () => {
  it('are one for each IKE SA, the same when it asks again, and none when all are taken', () => {
    const leases = new PoolLeases('10.9.0.10-10.9.0.11', DNS);
    expect(leases.lease(1, named('a'))).toEqual({ addresses: ['10.9.0.10'], dns: DNS });
    expect(leases.lease(2, named('a'))).toEqual({ addresses: ['10.9.0.11'], dns: DNS });
    expect(leases.lease(1, named('a'))?.addresses).toEqual(['10.9.0.10']);
    expect(leases.lease(3, named('c'))).toBeUndefined();
    leases.release(3);
    leases.release(2);
    expect(leases.lease(3, named('c'))?.addresses).toEqual(['10.9.0.11']);
  });

  it('go over to the IKE SA that takes over, and are free when that one is gone', () => {
    const leases = new PoolLeases('10.9.0.10-10.9.0.10', []);
    leases.lease(1, named('a'));
    leases.release(1, 7);
    leases.release(1);
    expect(leases.lease(8, named('b'))).toBeUndefined();
    expect(leases.lease(7, named('a'))?.addresses).toEqual(['10.9.0.10']);
    leases.release(7);
    expect(leases.lease(8, named('b'))?.addresses).toEqual(['10.9.0.10']);
  });

  it('come back to who had them, if they are free, however many others have been there', () => {
    const leases = new PoolLeases('10.9.0.10-10.9.8.250', []);
    const first = leases.lease(1, named('first'))?.addresses;
    leases.release(1);
    for (let id = 2; id < 2000; id += 1) {
      leases.lease(id, named(`caller ${id}`));
      leases.release(id);
    }
    expect(leases.lease(5000, named('first'))?.addresses).toEqual(first);
  });

  it('are of the user, whatever his device calls itself', () => {
    const leases = new PoolLeases('10.9.0.10-10.9.0.20', []);
    const of = (ikeId: number, user: string, device: string) => leases.lease(ikeId, { ...named(device), user });
    const alice = of(1, 'alice', 'group')?.addresses;
    const bob = of(2, 'bob', 'group')?.addresses;
    leases.release(1);
    leases.release(2);
    expect(of(3, 'bob', 'tablet')?.addresses).toEqual(bob);
    expect(of(4, 'alice', 'tablet')?.addresses).toEqual(alice);
  });

  it('are not lost where the one that takes over had one itself', () => {
    const leases = new PoolLeases('10.9.0.10-10.9.0.11', []);
    leases.lease(1, named('a'));
    leases.lease(2, named('a'));
    leases.release(1, 2);
    expect(leases.lease(2, named('a'))?.addresses).toEqual(['10.9.0.11']);
    expect(leases.lease(3, named('b'))).toBeUndefined();
    leases.release(2);
    expect([3, 4].map((id) => leases.lease(id, named('b'))?.addresses.length)).toEqual([1, 1]);
  });
});
