/** What RFC 7296 sections 2.8.1, 2.8.2 and 2.25 are about: requests of both sides that cross, in any order. */
import { describe, expect, it } from 'vitest';
import { spiOctets } from '../../../../../firmware/protocol/ike/v2/child.ts';
import { notifyChild } from '../../../../../firmware/protocol/ike/v2/notify.ts';
import { PROTOCOL } from '../../../../../firmware/protocol/ike/v2/numbers.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { Harness, problems, type Side } from './harness.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);
const SIDES = ['left', 'right'] as const;
type Action = 'rekey child' | 'rekey IKE' | 'delete IKE' | 'rekey both';

function begin(harness: Harness, side: Side, action: Action): void {
  const ikeId = harness.ikeId(side);
  const child = harness.child(side).id;
  if (action === 'rekey child' || action === 'rekey both') harness[side].rekeyChild(harness.now, child);
  if (action === 'rekey IKE' || action === 'rekey both') harness[side].rekeyIke(harness.now, ikeId);
  if (action === 'delete IKE') harness[side].close(harness.now, ikeId);
}

/** Both begin; then what flies arrives in any order, and now and then not at all. */
function cross(seed: number, left: Action, right: Action, lost: number, each: (harness: Harness) => void): Harness {
  const random = new SeededRandom(seed * 31 + lost + 7);
  const harness = new Harness({ seed }).connect();
  begin(harness, 'left', left);
  begin(harness, 'right', right);
  harness.drain();
  for (let count = 0; harness.flying.length > 0 && count < 200; count += 1) {
    const one = harness.flying[random.int(harness.flying.length)];
    if (one === undefined) break;
    harness.flying = harness.flying.filter((other) => other !== one);
    if (count !== lost) harness.deliver(one);
    each(harness);
  }
  return harness;
}

/** Of everything that comes up, something goes down, once. */
function balance(harness: Harness, side: Side): readonly number[] {
  const kinds = ['ike-up', 'ike-down', 'child-up', 'child-down'] as const;
  return kinds.map((kind) => harness.all(side, kind).length);
}

describe('two rekeys that cross, in any order', () => {
  it.each<[Action, Action]>([
    ['rekey child', 'rekey child'],
    ['rekey child', 'rekey IKE'],
    ['rekey IKE', 'rekey child'],
    ['rekey IKE', 'rekey IKE'],
    ['rekey both', 'rekey both'],
    ['rekey both', 'rekey IKE'],
  ])('left: %s, right: %s: one IKE SA and one child are left, and no packet is lost', (left, right) => {
    for (const seed of SEEDS) {
      const harness = cross(seed, left, right, -1, (here) => expect([seed, here.traffic()]).toEqual([seed, []]));
      harness.run(90_000, () => expect([seed, harness.traffic()]).toEqual([seed, []]));
      expect([seed, problems(harness)]).toEqual([seed, []]);
    }
  });

  it.each<[Action, Action]>([
    ['rekey child', 'rekey child'],
    ['rekey child', 'rekey IKE'],
    ['rekey IKE', 'rekey IKE'],
  ])('left: %s, right: %s: the same where any one of the first eight datagrams is lost', (left, right) => {
    for (const seed of SEEDS.slice(0, 8)) {
      for (let lost = 0; lost < 8; lost += 1) {
        const harness = cross(seed, left, right, lost, (here) => {
          expect([seed, lost, here.traffic()]).toEqual([seed, lost, []]);
        });
        harness.run(120_000, () => expect([seed, lost, harness.traffic()]).toEqual([seed, lost, []]));
        expect([seed, lost, problems(harness)]).toEqual([seed, lost, []]);
      }
    }
  });
});

describe('a DELETE of the IKE SA that crosses with something else, in any order (section 2.25.2)', () => {
  it.each<[Action, Action]>([
    ['delete IKE', 'rekey child'],
    ['rekey IKE', 'delete IKE'],
    ['delete IKE', 'rekey both'],
    ['delete IKE', 'delete IKE'],
  ])('left: %s, right: %s: nothing is left, whatever is lost', (left, right) => {
    for (const seed of SEEDS.slice(0, 10)) {
      for (let lost = -1; lost < 5; lost += 1) {
        const harness = cross(seed, left, right, lost, () => undefined);
        harness.run(300_000);
        for (const side of SIDES) {
          const [ikeUp, ikeDown, childUp, childDown] = balance(harness, side);
          expect([seed, lost, side, ikeUp, childUp]).toEqual([seed, lost, side, ikeDown, childDown]);
          expect([seed, lost, side, harness[side].views().length]).toEqual([seed, lost, side, 0]);
          expect([harness.tables[side].children.size, harness[side].idle]).toEqual([0, true]);
        }
      }
    }
  });

  it('is answered as usual by whoever rekeys it, and answers that rekey with TEMPORARY_FAILURE', () => {
    const harness = new Harness().connect();
    begin(harness, 'left', 'delete IKE');
    begin(harness, 'right', 'rekey IKE');
    harness.drain();
    harness.pass('right', 'CREATE_CHILD_SA request');
    expect(harness.all('left', 'trace').at(-1)).toMatchObject({ detail: 'N(TEMPORARY_FAILURE)', direction: 'sent' });
    harness.pass('left', 'INFORMATIONAL request');
    expect(harness.last('right', 'ike-down').failure.step).toBe('DELETE');
    // The late refusal is for nobody.
    harness.pass('left', 'CREATE_CHILD_SA response');
    harness.deliverAll();
    harness.run(60_000);
    expect(harness.right.views().length + harness.left.views().length).toBe(0);
  });
});

describe('a DELETE of a child that crosses with its rekey (section 2.25.1)', () => {
  const OLD = spiOctets(0x1000);
  const D = { kind: 'D', protocol: 3, spis: [OLD] } as const;

  function crossed(): ScriptedPeer {
    const peer = new ScriptedPeer().connect();
    peer.right.rekeyChild(0, [...peer.table.children.keys()][0] ?? 0);
    return peer;
  }

  it('is answered as usual, with the DELETE of the other direction', () => {
    const peer = crossed();
    const [child] = peer.table.children.values();
    expect(peer.ask('INFORMATIONAL', [D])).toEqual([
      { kind: 'D', protocol: 3, spis: [spiOctets(child?.inboundSpi ?? 0)] },
    ]);
    expect(peer.table.children.size).toBe(0);
  });

  it('leaves the rekey to be refused with CHILD_SA_NOT_FOUND, and nothing is made in its place', () => {
    const peer = crossed();
    peer.ask('INFORMATIONAL', [D]);
    peer.reply('CREATE_CHILD_SA', 0, [notifyChild('CHILD_SA_NOT_FOUND', OLD, PROTOCOL.esp)]);
    peer.right.tick(5000);
    expect(peer.table.children.size).toBe(0);
    expect(peer.failures).toEqual([]);
    expect(peer.right.views(0)[0]).toMatchObject({ state: 'established', children: [] });
    // A minute later nobody has made another child: that is the end.
    peer.right.tick(60_000);
    peer.ask('INFORMATIONAL', []);
    expect(peer.failures).toEqual(['the peer closed the last child SA and made no other']);
  });

  it('of which the peer knows nothing keeps the old one until there is a new one', () => {
    const peer = crossed();
    const before = [...peer.table.children.values()];
    peer.reply('CREATE_CHILD_SA', 0, [notifyChild('CHILD_SA_NOT_FOUND', OLD, PROTOCOL.esp)]);
    expect([...peer.table.children.values()]).toEqual(before);
  });
});

describe('answers that are lost', () => {
  it.each(SIDES)('make nobody do a thing twice when %s asks again and again', (side) => {
    const harness = new Harness().connect();
    const other: Side = side === 'left' ? 'right' : 'left';
    harness[side].rekeyIke(harness.now, harness.ikeId(side));
    harness.drain();
    const request = harness.pass(side);
    const [first] = [harness.take(other)];
    for (let again = 0; again < 3; again += 1) {
      harness.deliver(request);
      expect(harness.take(other).datagram).toEqual(first.datagram);
    }
    expect(harness.all(other, 'ike-up')).toHaveLength(2);
    harness.run(30_000);
    expect(problems(harness)).toEqual([]);
    expect(harness.all(side, 'ike-up')).toHaveLength(2);
  });
});
