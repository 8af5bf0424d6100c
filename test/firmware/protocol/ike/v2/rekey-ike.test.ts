import { describe, expect, it } from 'vitest';
import { FAST_IKE, Harness, problems } from './harness.ts';

const SEEDS = Array.from({ length: 24 }, (_, seed) => seed);

function both(seed: number): Harness {
  const harness = new Harness({ seed }).connect();
  harness.left.rekeyIke(harness.now, harness.ikeId('left'));
  harness.right.rekeyIke(harness.now, harness.ikeId('right'));
  harness.drain();
  return harness;
}

/** Rekeys of everything still work afterwards: keys, windows and roles of the new SA are right. */
function stillWorks(harness: Harness): void {
  for (const side of ['left', 'right'] as const) {
    harness[side].rekeyChild(harness.now, harness.child(side).id);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    harness[side].rekeyIke(harness.now, harness.ikeId(side));
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  }
}

describe('rekeying the IKE SA', () => {
  it.each(['left', 'right'] as const)('hands the children over untouched, begun by %s', (side) => {
    const harness = new Harness().connect();
    const old = { left: harness.ikeId('left'), right: harness.ikeId('right') };
    const child = { left: harness.child('left'), right: harness.child('right') };
    harness[side].rekeyIke(harness.now, old[side]);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    for (const end of ['left', 'right'] as const) {
      expect(harness.last(end, 'ike-up')).toMatchObject({ replaces: old[end], initiator: end === side });
      expect(harness.last(end, 'ike-down')).toMatchObject({ ikeId: old[end], failure: { step: 'rekey' } });
      expect(harness.all(end, 'child-down')).toEqual([]);
      expect(harness.child(end)).toEqual(child[end]);
      expect(harness.live(end)[0]?.children[0]?.sa.ikeId).toBe(harness.ikeId(end));
    }
    stillWorks(harness);
  });

  it('asks again in the group that INVALID_KE_PAYLOAD names', () => {
    const ecp = { ...FAST_IKE, group: 'ecp256' };
    const accepted = [FAST_IKE, ecp];
    const harness = new Harness({ left: { ikeProposals: [FAST_IKE, ecp] }, right: { ikeProposals: accepted } });
    harness.connect();
    // As if the peer had been told so by its configuration since.
    accepted.shift();
    harness.left.rekeyIke(harness.now, harness.ikeId('left'));
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(harness.last('left', 'ike-up').proposal.group).toBe('ecp256');
  });

  it('is refused with TEMPORARY_FAILURE while the peer rekeys a child, and done later', () => {
    const harness = new Harness().connect();
    const before = harness.ikeId('left');
    harness.right.rekeyChild(harness.now, harness.child('right').id);
    harness.left.rekeyIke(harness.now, before);
    harness.drain();
    harness.pass('left', 'CREATE_CHILD_SA request');
    harness.pass('right', 'CREATE_CHILD_SA response');
    expect(harness.ikeId('left')).toBe(before);
    harness.run(20_000);
    expect(harness.ikeId('left')).not.toBe(before);
    expect(problems(harness)).toEqual([]);
  });
});

describe('both sides rekeying the IKE SA (section 2.8.2)', () => {
  const orders: Record<string, (harness: Harness) => void> = {
    'when both notice': (harness) => {
      harness.pass('right', 'CREATE_CHILD_SA request');
      harness.pass('left', 'CREATE_CHILD_SA request');
      harness.pass('right', 'CREATE_CHILD_SA response');
      harness.pass('left', 'CREATE_CHILD_SA response');
    },
    'when one finishes before it notices': (harness) => {
      const late = harness.take('right', 'CREATE_CHILD_SA request');
      harness.pass('left', 'CREATE_CHILD_SA request');
      harness.pass('right', 'CREATE_CHILD_SA response');
      harness.deliver(late);
    },
    'when one request is lost until all else is done': (harness) => {
      const late = harness.take('right', 'CREATE_CHILD_SA request');
      harness.deliverAll();
      harness.deliver(late);
    },
    'when the DELETE overtakes the response': (harness) => {
      harness.pass('right', 'CREATE_CHILD_SA request');
      harness.pass('left', 'CREATE_CHILD_SA request');
      const late = harness.take('right', 'CREATE_CHILD_SA response');
      harness.pass('left', 'CREATE_CHILD_SA response');
      harness.pass('right', 'INFORMATIONAL request');
      harness.deliver(late);
    },
  };

  it.each(Object.keys(orders))('leaves one IKE SA with the child, %s, whichever nonce is the lowest', (name) => {
    for (const seed of SEEDS) {
      const harness = both(seed);
      const child = harness.child('left');
      orders[name]?.(harness);
      expect([seed, harness.traffic()]).toEqual([seed, []]);
      harness.deliverAll();
      expect([seed, problems(harness)]).toEqual([seed, []]);
      expect(harness.child('left').inboundSpi).toBe(child.inboundSpi);
      expect(harness.all('left', 'child-down')).toEqual([]);
      stillWorks(harness);
    }
  });

  it('is won by either side, depending on the nonces', () => {
    const winners = new Set(
      SEEDS.map((seed) => {
        const harness = both(seed);
        harness.deliverAll();
        return harness.last('left', 'ike-up').initiator;
      }),
    );
    expect(winners.size).toBe(2);
  });
});

describe('rekeying the IKE SA and a child at once (section 2.25)', () => {
  it('comes to rest with one of each, in every order of the first two requests', () => {
    for (const seed of SEEDS) {
      for (const first of ['left', 'right'] as const) {
        const harness = new Harness({ seed }).connect();
        harness.left.rekeyIke(harness.now, harness.ikeId('left'));
        harness.right.rekeyChild(harness.now, harness.child('right').id);
        harness.left.rekeyChild(harness.now, harness.child('left').id);
        harness.right.rekeyIke(harness.now, harness.ikeId('right'));
        harness.drain();
        harness.pass(first);
        harness.runUntil(
          () => false,
          60_000,
          () => expect([seed, harness.traffic()]).toEqual([seed, []]),
        );
        expect([seed, first, problems(harness)]).toEqual([seed, first, []]);
      }
    }
  });
});
