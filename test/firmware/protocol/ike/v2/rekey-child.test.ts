import { describe, expect, it } from 'vitest';
import { FAST_ESP, Harness, problems } from './harness.ts';

const SEEDS = Array.from({ length: 24 }, (_, seed) => seed);

/** Both sides begin to rekey the same child; nothing is delivered yet. */
function both(seed: number): Harness {
  const harness = new Harness({ seed }).connect();
  harness.left.rekeyChild(harness.now, harness.child('left').id);
  harness.right.rekeyChild(harness.now, harness.child('right').id);
  harness.drain();
  return harness;
}

describe('rekeying a child SA', () => {
  it.each(['left', 'right'] as const)('makes a new one before the old one goes, begun by %s', (side) => {
    const harness = new Harness().connect();
    const old = { left: harness.child('left'), right: harness.child('right') };
    const other = side === 'left' ? 'right' : 'left';
    harness[side].rekeyChild(harness.now, old[side].id);
    harness.drain();
    harness.pass(side, 'CREATE_CHILD_SA request');
    expect(harness.last(other, 'child-up')).toMatchObject({ replaces: old[other].id, receiveOnly: true });
    expect(harness.traffic()).toEqual([]);
    harness.pass(other, 'CREATE_CHILD_SA response');
    expect(harness.last(side, 'child-up')).toMatchObject({ replaces: old[side].id });
    expect(harness.last(side, 'child-up').receiveOnly).toBeUndefined();
    expect(harness.all(other, 'child-send')).toHaveLength(0);
    harness.pass(side, 'INFORMATIONAL request');
    expect(harness.last(other, 'child-send').childId).toBe(harness.last(other, 'child-up').child.id);
    expect(harness.traffic()).toEqual([]);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(harness.child('left').inboundSpi).not.toBe(old.left.inboundSpi);
    expect(harness.child('left').inbound).toEqual(harness.child('right').outbound);
  });

  it('lets the responder send on the new one as soon as the initiator has used it', () => {
    const harness = new Harness().connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.drain();
    harness.pass('left');
    harness.pass('right');
    expect(harness.traffic()).toEqual([]);
    expect(harness.all('right', 'child-send')).toHaveLength(1);
    expect(harness.traffic()).toEqual([]);
    harness.deliverAll();
    expect(harness.all('right', 'child-send')).toHaveLength(1);
  });

  it('does a key exchange of its own where the proposal has a group', () => {
    const esp = { espProposals: [{ ...FAST_ESP, group: 'x25519' }] };
    const harness = new Harness({ left: esp, right: esp }).connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(harness.all('left', 'trace').map(({ detail }) => detail)).toContain('N(REKEY_SA) SA Nonce KE TSi TSr');
    expect(harness.child('left').inbound).toEqual(harness.child('right').outbound);
  });

  it('asks again in the group that INVALID_KE_PAYLOAD names, without losing the old one', () => {
    const groups = (...names: string[]) => ({ espProposals: names.map((group) => ({ ...FAST_ESP, group })) });
    const harness = new Harness({ left: groups('x25519', 'ecp256'), right: groups('ecp256') }).connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(harness.log.filter((line) => line.startsWith('left: CREATE_CHILD_SA request'))).toHaveLength(2);
  });

  it('keeps the old one and tries again later when the peer refuses', () => {
    const harness = new Harness({ left: { espProposals: [FAST_ESP] } }).connect();
    harness.right.setConnections([]);
    const before = harness.child('left');
    // The peer of this child is busy closing it.
    const right = harness.child('right');
    harness.left.rekeyChild(harness.now, before.id);
    harness.right.rekeyIke(harness.now, harness.ikeId('right'));
    harness.drain();
    harness.pass('left', 'CREATE_CHILD_SA request');
    harness.pass('right', 'CREATE_CHILD_SA response');
    expect(harness.child('left')).toEqual(before);
    expect(harness.child('right')).toEqual(right);
    harness.run(10_000);
    expect(problems(harness)).toEqual([]);
    expect(harness.child('left').inboundSpi).not.toBe(before.inboundSpi);
  });

  it('makes a new one from scratch when the peer has lost the old one', () => {
    const harness = new Harness({
      right: { childLifetime: 30 },
      rightOptions: { limits: { retransmitTries: 1000 } },
    }).connect();
    const old = harness.child('left');
    // Nothing of what the right side asks for arrives, until its child has reached its end.
    harness.faults = { loss: 1 };
    harness.runUntil(() => harness.tables.right.children.size === 0, 200_000);
    harness.faults = {};
    harness.left.rekeyChild(harness.now, old.id);
    harness.deliverAll();
    const seen = harness.all('left', 'trace').map(({ detail }) => detail);
    expect(seen).toContain('N(CHILD_SA_NOT_FOUND)');
    expect(harness.last('left', 'child-up').replaces).toBe(old.id);
    harness.run(20_000);
    expect(problems(harness)).toEqual([]);
  });
});

describe('a child whose end has come while the peer refused to rekey it', () => {
  it('is made anew over the IKE SA that stands, by the side that opened the connection', () => {
    const harness = new Harness({
      left: { childLifetime: 100 },
      right: { childLifetime: 1000 },
      rightOptions: { limits: { retransmitTries: 1000 } },
    }).connect();
    const before = harness.child('left').inboundSpi;
    // What the right side wants, to rekey the IKE SA, never arrives: meanwhile it refuses.
    harness.right.rekeyIke(harness.now, harness.ikeId('right'));
    const lose = (): void => {
      harness.flying = harness.flying.filter(({ from, name }) => from !== 'right' || !name.includes('SA request'));
    };
    harness.run(101_000, lose);
    expect(harness.all('left', 'child-up')).toHaveLength(1);
    harness.run(60_000);
    expect(harness.all('left', 'ike-down').filter(({ failure }) => failure.step !== 'rekey')).toEqual([]);
    expect(problems(harness)).toEqual([]);
    expect(harness.child('left').inboundSpi).not.toBe(before);
  });
});

describe('both sides rekeying the same child (section 2.8.1)', () => {
  const orders: Record<string, (harness: Harness) => void> = {
    'as in the RFC': (harness) => {
      harness.pass('right', 'CREATE_CHILD_SA request');
      harness.pass('left', 'CREATE_CHILD_SA request');
      harness.pass('right', 'CREATE_CHILD_SA response');
      harness.pass('left', 'CREATE_CHILD_SA response');
    },
    'with the DELETE of the loser before the response': (harness) => {
      harness.pass('right', 'CREATE_CHILD_SA request');
      harness.pass('left', 'CREATE_CHILD_SA request');
      const late = harness.take('right', 'CREATE_CHILD_SA response');
      harness.pass('left', 'CREATE_CHILD_SA response');
      harness.pass('right', 'INFORMATIONAL request');
      expect(harness.traffic()).toEqual([]);
      harness.deliver(late);
    },
    'with one request lost until all else is done': (harness) => {
      const late = harness.take('left', 'CREATE_CHILD_SA request');
      harness.deliverAll();
      expect(harness.traffic()).toEqual([]);
      harness.deliver(late);
    },
    'with one request arriving between response and DELETE': (harness) => {
      const late = harness.take('left', 'CREATE_CHILD_SA request');
      harness.pass('right', 'CREATE_CHILD_SA request');
      harness.pass('left', 'CREATE_CHILD_SA response');
      harness.deliver(late);
    },
    'with both responses overtaken by traffic': (harness) => {
      harness.pass('right', 'CREATE_CHILD_SA request');
      expect(harness.traffic()).toEqual([]);
      harness.pass('left', 'CREATE_CHILD_SA request');
      expect(harness.traffic()).toEqual([]);
      harness.pass('left', 'CREATE_CHILD_SA response');
      expect(harness.traffic()).toEqual([]);
    },
  };

  it.each(Object.keys(orders))('leaves one child and loses no packet, %s, whichever nonce is the lowest', (name) => {
    for (const seed of SEEDS) {
      const harness = both(seed);
      const old = harness.child('left');
      orders[name]?.(harness);
      expect([seed, harness.traffic()]).toEqual([seed, []]);
      harness.deliverAll();
      expect([seed, problems(harness)]).toEqual([seed, []]);
      expect(harness.child('left').id).not.toBe(old.id);
      expect(harness.flying).toEqual([]);
    }
  });

  it('is won by either side, depending on the nonces, and the loser deletes what it made', () => {
    const winners = new Set<boolean>();
    for (const seed of SEEDS) {
      const harness = both(seed);
      harness.deliverAll();
      const downs = {
        left: harness.all('left', 'child-down').length,
        right: harness.all('right', 'child-down').length,
      };
      expect(downs).toEqual({ left: 2, right: 2 });
      const [first] = harness.all('left', 'child-up').filter(({ replaces }) => replaces !== undefined);
      winners.add(first?.child.id === harness.child('left').id);
    }
    expect(winners.size).toBe(2);
  });
});

describe('a child and other things at once (section 2.25)', () => {
  it('does not even ask to rekey a child that was replaced', () => {
    const harness = new Harness().connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.drain();
    harness.pass('left', 'CREATE_CHILD_SA request');
    harness.pass('right', 'CREATE_CHILD_SA response');
    const held = harness.take('left', 'INFORMATIONAL request');
    for (const id of harness.tables.right.children.keys()) harness.right.rekeyChild(harness.now, id);
    harness.drain();
    expect(harness.flying).toEqual([]);
    harness.deliver(held);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  });

  it('answers TEMPORARY_FAILURE to the rekey of a child that it is deleting', () => {
    const harness = both(1);
    const late = harness.take('right', 'CREATE_CHILD_SA request');
    harness.pass('left', 'CREATE_CHILD_SA request');
    harness.pass('right', 'CREATE_CHILD_SA response');
    harness.deliver(late);
    expect(harness.all('left', 'trace').at(-1)?.detail).toBe('N(TEMPORARY_FAILURE)');
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  });

  it('never rekeys an SA that is not established', () => {
    const harness = new Harness();
    const ikeId = harness.initiate();
    harness.left.rekeyIke(harness.now, ikeId);
    harness.left.rekeyChild(harness.now, 1);
    harness.drain();
    expect(harness.flying.map(({ name }) => name)).toEqual(['IKE_SA_INIT request 0']);
  });
});
