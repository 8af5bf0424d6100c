import { describe, expect, it } from 'vitest';
import type { AddressLeases, AssignedConfiguration } from '../../../../../firmware/protocol/ike/authentication.ts';
import { Harness, LEFT, net, problems, RIGHT } from './harness.ts';

class FakeLeases implements AddressLeases {
  readonly held = new Map<number, AssignedConfiguration>();
  readonly log: string[] = [];
  left: number;

  constructor(left: number) {
    this.left = left;
  }

  lease(ikeId: number, _identity: unknown, wanted: string | undefined): AssignedConfiguration | undefined {
    const old = this.held.get(ikeId);
    if (old !== undefined) return old;
    if (this.held.size >= this.left) return undefined;
    const given = { addresses: [wanted ?? `10.99.0.${this.held.size + 10}`], dns: ['10.2.0.53', '10.2.0.54'] };
    this.held.set(ikeId, given);
    this.log.push(`lease ${given.addresses}`);
    return given;
  }

  release(ikeId: number, heir?: number): void {
    const held = this.held.get(ikeId);
    this.held.delete(ikeId);
    if (held !== undefined && heir !== undefined) this.held.set(heir, held);
    this.log.push(heir === undefined ? 'release' : 'heir');
  }
}

const { localSelectors: _local, ...CALLER } = LEFT;
const { remoteSelectors: _remote, ...CALLED } = RIGHT;

function pair(leases: FakeLeases, requestAddress = true): Harness {
  return new Harness({
    leftOptions: { connections: [{ ...CALLER, requestAddress }] },
    rightOptions: { connections: [{ ...CALLED, leases }] },
  });
}

describe('the Configuration payload', () => {
  it('gives an inner address, which is all that lies at the end of the caller', () => {
    const leases = new FakeLeases(3);
    const harness = pair(leases).connect();
    expect(problems(harness)).toEqual([]);
    expect(harness.last('left', 'ike-up').configuration).toEqual({
      addresses: ['10.99.0.10'],
      dns: ['10.2.0.53', '10.2.0.54'],
    });
    const host = [{ ...net('10.99.0'), firstAddress: '10.99.0.10', lastAddress: '10.99.0.10' }];
    expect(harness.child('left').localSelectors).toEqual(host);
    expect(harness.child('right').remoteSelectors).toEqual(host);
    expect(harness.child('left').remoteSelectors).toEqual([net('10.2.0')]);
  });

  it('keeps the address over rekeys of child and IKE SA, and gives it back at the end', () => {
    const leases = new FakeLeases(1);
    const harness = pair(leases).connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.deliverAll();
    harness.right.rekeyIke(harness.now, harness.ikeId('right'));
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect([...leases.held.keys()]).toEqual([harness.ikeId('right')]);
    expect(harness.last('left', 'ike-up').configuration?.addresses).toEqual(['10.99.0.10']);
    harness.left.close(harness.now, harness.ikeId('left'));
    harness.deliverAll();
    expect(leases.held.size).toBe(0);
    expect(leases.log).toEqual(['lease 10.99.0.10', 'heir', 'release']);
  });

  it('says in words on both sides that no address is left, and holds none for the one turned away', () => {
    const harness = pair(new FakeLeases(0)).connect();
    expect(harness.last('right', 'ike-down').failure.reason).toContain('no inner address is left');
    expect(harness.last('left', 'ike-down').failure.reason).toContain('no inner address');
    expect(harness.tables.left.children.size).toBe(0);
  });

  it('is required of a caller that has no networks of its own', () => {
    const leases = new FakeLeases(3);
    const harness = pair(leases, false).connect();
    expect(harness.last('right', 'ike-down').failure.reason).toContain('asks for no inner address');
    expect(harness.last('left', 'ike-down').failure.reason).toContain('wants this side to ask for an inner address');
    expect(leases.held.size).toBe(0);
  });

  it('that is not answered ends the SA in words', () => {
    const harness = new Harness({
      leftOptions: { connections: [{ ...CALLER, requestAddress: true }] },
      rightOptions: { connections: [RIGHT] },
    }).connect();
    expect(harness.last('left', 'ike-down').failure.reason).toBe('the peer assigned no inner address to this side');
  });
});
