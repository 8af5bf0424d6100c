/** IKE_FOLLOWUP_KE (RFC 9370 section 2.2.4): the additional key exchange when keys are renewed. */
import { describe, expect, it } from 'vitest';
import { createKeyExchange } from '../../../../../firmware/protocol/ike/crypto/dh.ts';
import { childKeymat, type IkeSaKeys } from '../../../../../firmware/protocol/ike/crypto/keys-v2.ts';
import { createDecapsulator } from '../../../../../firmware/protocol/ike/crypto/ml-kem.ts';
import type { IkeConnection } from '../../../../../firmware/protocol/ike/ike-types.ts';
import type { EspProposal, IkeProposal } from '../../../../../firmware/protocol/ike/proposals.ts';
import { espOffers, ikeOffers } from '../../../../../firmware/protocol/ike/proposals.ts';
import { spiNumber, spiOctets } from '../../../../../firmware/protocol/ike/v2/child.ts';
import { findNotify, notify, notifyChild } from '../../../../../firmware/protocol/ike/v2/notify.ts';
import { PROTOCOL } from '../../../../../firmware/protocol/ike/v2/numbers.ts';
import { find, type Payload } from '../../../../../firmware/protocol/ike/v2/payload.ts';
import { encodeEspOffers, encodeIkeOffers, groupNumber } from '../../../../../firmware/protocol/ike/v2/sa-payload.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { FAST_ESP, FAST_IKE, Harness, type HarnessOptions, LEFT, problems, type Side } from './harness.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const HYBRID: IkeProposal = { ...FAST_IKE, additional: 'mlkem768' };
const PFS: EspProposal = { ...FAST_ESP, group: 'x25519' };
const HYBRID_ESP: EspProposal = { ...PFS, additional: 'mlkem768' };
const SIDES = ['left', 'right'] as const;
const KINDS = ['IKE', 'child'] as const;
type Kind = (typeof KINDS)[number];

const HYBRID_SIDE: Partial<IkeConnection> = { ikeProposals: [HYBRID], espProposals: [HYBRID_ESP] };

function hybrid(options: HarnessOptions = {}): Harness {
  const { left = HYBRID_SIDE, right = HYBRID_SIDE } = options;
  return new Harness({ ...options, left, right }).connect();
}

function rekey(harness: Harness, side: Side, kind: Kind): void {
  if (kind === 'IKE') harness[side].rekeyIke(harness.now, harness.ikeId(side));
  else harness[side].rekeyChild(harness.now, harness.child(side).id);
  harness.drain();
}

/** Hands over all fragments of a message. */
function pass(harness: Harness, from: Side, name: string): void {
  do harness.pass(from, name);
  while (harness.flying.some((one) => one.from === from && one.name.startsWith(name)));
}

function followUps(harness: Harness): readonly string[] {
  return harness.log.filter((line) => line.includes('IKE_FOLLOWUP_KE'));
}

/** How often something was renewed. */
function renewed(harness: Harness, side: Side, kind: Kind): number {
  return kind === 'IKE' ? harness.all(side, 'ike-up').length - 1 : harness.all(side, 'child-up').length - 1;
}

function keysAgree(harness: Harness): void {
  const [left] = harness.left.secrets();
  const [right] = harness.right.secrets();
  expect(left?.ike).toEqual(right?.ike);
  expect(harness.child('left').inbound).toEqual(harness.child('right').outbound);
  expect(harness.child('left').outbound).toEqual(harness.child('right').inbound);
}

describe.each(KINDS)('rekey of the %s SA with an additional key exchange', (kind) => {
  it.each(SIDES)('begun by %s: what is new stands after IKE_FOLLOWUP_KE, and no packet is lost', (side) => {
    const other = side === 'left' ? 'right' : 'left';
    const harness = hybrid();
    rekey(harness, side, kind);
    harness.pass(side, 'CREATE_CHILD_SA request');
    harness.pass(other, 'CREATE_CHILD_SA response');
    for (const end of SIDES) expect(renewed(harness, end, kind)).toBe(0);
    expect(harness.traffic()).toEqual([]);
    pass(harness, side, 'IKE_FOLLOWUP_KE request');
    expect([renewed(harness, side, kind), renewed(harness, other, kind)]).toEqual([0, 1]);
    expect(harness.traffic()).toEqual([]);
    pass(harness, other, 'IKE_FOLLOWUP_KE response');
    expect(harness.traffic()).toEqual([]);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(renewed(harness, side, kind)).toBe(1);
    expect(harness.last(other, 'ike-up').proposal).toEqual(HYBRID);
    keysAgree(harness);
  });

  it.each([
    'CREATE_CHILD_SA request',
    'CREATE_CHILD_SA response',
    'IKE_FOLLOWUP_KE request',
    'IKE_FOLLOWUP_KE response',
  ])('goes on where %s is lost, which is sent once more', (lost) => {
    const harness = hybrid();
    rekey(harness, 'left', kind);
    const sender = lost.endsWith('request') ? 'left' : 'right';
    harness.runUntil(() => harness.flying.some(({ name }) => name.startsWith(lost)), 5000);
    while (harness.flying.some(({ name }) => name.startsWith(lost))) harness.take(sender, lost);
    harness.run(20_000, () => expect(harness.traffic()).toEqual([]));
    expect(problems(harness)).toEqual([]);
    expect([renewed(harness, 'left', kind), renewed(harness, 'right', kind)]).toEqual([1, 1]);
    keysAgree(harness);
  });

  it.each(SIDES)('begins anew with STATE_NOT_FOUND where the peer of %s waited for too long', (side) => {
    const other = side === 'left' ? 'right' : 'left';
    const patient = { limits: { retransmitTries: 12 } };
    const harness = hybrid({ leftOptions: patient, rightOptions: patient });
    rekey(harness, side, kind);
    harness.pass(side, 'CREATE_CHILD_SA request');
    harness.pass(other, 'CREATE_CHILD_SA response');
    harness.run(61_000, () => {
      harness.flying = harness.flying.filter(({ name }) => !name.startsWith('IKE_FOLLOWUP_KE'));
    });
    harness.run(60_000);
    expect(harness.all(other, 'trace').map(({ detail }) => detail)).toContain('N(STATE_NOT_FOUND)');
    expect(problems(harness)).toEqual([]);
    expect([renewed(harness, 'left', kind), renewed(harness, 'right', kind)]).toEqual([1, 1]);
    keysAgree(harness);
  });

  it('ends the IKE SA where IKE_FOLLOWUP_KE is never answered, as it does with all else', () => {
    const harness = hybrid();
    rekey(harness, 'left', kind);
    harness.pass('left');
    harness.pass('right');
    harness.run(600_000, () => {
      harness.flying = [];
    });
    expect(harness.last('left', 'ike-down').failure.reason).toContain('does not answer any more');
    expect(harness.left.views(harness.now)).toEqual([]);
  });
});

describe('who does without', () => {
  it('a peer without it for ESP is offered both, and takes the plain one', () => {
    const left = { ikeProposals: [FAST_IKE], espProposals: [HYBRID_ESP, PFS] };
    const harness = hybrid({ left, right: { ikeProposals: [FAST_IKE], espProposals: [PFS] } });
    for (const side of SIDES) {
      rekey(harness, side, 'child');
      harness.deliverAll();
    }
    expect(problems(harness)).toEqual([]);
    expect(renewed(harness, 'left', 'child')).toBe(2);
    expect(followUps(harness)).toEqual([]);
  });

  it('an IKE SA that was made without is renewed without, even where both could', () => {
    const espProposals = [FAST_ESP];
    const accepted: IkeProposal[] = [FAST_IKE];
    const harness = hybrid({
      left: { ikeProposals: [HYBRID, FAST_IKE], espProposals },
      right: { ikeProposals: accepted, espProposals },
    });
    accepted.unshift(HYBRID);
    rekey(harness, 'left', 'IKE');
    harness.deliverAll();
    expect(renewed(harness, 'left', 'IKE')).toBe(1);
    expect(followUps(harness)).toEqual([]);
  });

  it('a peer that no longer has it for IKE gets a rekey by the group alone, under keys of the old ones', () => {
    const accepted: IkeProposal[] = [HYBRID];
    const harness = hybrid({ right: { ...HYBRID_SIDE, ikeProposals: accepted } });
    accepted.splice(0, 1, FAST_IKE);
    rekey(harness, 'left', 'IKE');
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(renewed(harness, 'left', 'IKE')).toBe(1);
    expect(followUps(harness)).toEqual([]);
    keysAgree(harness);
  });

  it('a peer that insists on it for ESP gets NO_PROPOSAL_CHOSEN where it is not allowed, and the words name it', () => {
    const right = { ikeProposals: [FAST_IKE], espProposals: [PFS] };
    const harness = hybrid({ left: { ikeProposals: [FAST_IKE], espProposals: [HYBRID_ESP] }, right });
    rekey(harness, 'left', 'child');
    harness.deliverAll();
    const said = harness.all('right', 'trace').map(({ detail }) => detail);
    expect(said.some((detail) => detail?.includes('x25519-ke1_mlkem768'))).toBe(true);
    expect(problems(harness)).toEqual([]);
  });
});

describe('further networks', () => {
  it('get child SAs with it, too', () => {
    const one = LEFT.remoteSelectors?.[0];
    if (one === undefined) throw new Error('no selector');
    const two = { ...one, firstAddress: '10.3.0.0', lastAddress: '10.3.0.255' };
    const wide = { ...HYBRID_SIDE, remoteSelectors: [one, two] };
    const right = { ...HYBRID_SIDE, localSelectors: [one] as (typeof one)[] };
    const harness = new Harness({ left: wide, right });
    harness.initiate();
    harness.pass('left');
    harness.pass('right');
    harness.runUntil(() => harness.tables.right.children.size > 0, 1000);
    right.localSelectors.push(two);
    harness.deliverAll();
    expect(followUps(harness).length).toBeGreaterThan(0);
    expect(SIDES.map((side) => harness.tables[side].children.size)).toEqual([2, 2]);
    for (const child of harness.tables.left.children.values()) {
      expect(harness.tables.right.byInboundSpi(child.outboundSpi)?.inbound).toEqual(child.outbound);
    }
  });
});

type Action = Kind | 'both';

/** Both begin; what flies arrives in any order, and one of it not at all. */
function cross(seed: number, left: Action, right: Action, lost: number, options: HarnessOptions = {}): Harness {
  const random = new SeededRandom(seed * 31 + lost + 7);
  const harness = hybrid({ ...options, seed });
  for (const [side, action] of [
    ['left', left],
    ['right', right],
  ] as const) {
    for (const kind of KINDS) if (action === kind || action === 'both') rekey(harness, side, kind);
  }
  for (let count = 0; harness.flying.length > 0 && count < 300; count += 1) {
    const one = harness.flying[random.int(harness.flying.length)];
    if (one === undefined) break;
    harness.flying = harness.flying.filter((other) => other !== one);
    if (count !== lost) harness.deliver(one);
    expect([seed, lost, harness.traffic()]).toEqual([seed, lost, []]);
  }
  return harness;
}

describe('rekeys that cross, in any order', () => {
  it.each<[Action, Action]>([
    ['child', 'child'],
    ['IKE', 'IKE'],
    ['child', 'IKE'],
    ['both', 'both'],
  ])(
    'left: %s, right: %s: one of each is left, and no packet is lost, whichever datagram is',
    (left, right) => {
      for (let seed = 0; seed < 16; seed += 1) {
        for (let lost = -1; lost < 10; lost += 1) {
          const harness = cross(seed, left, right, lost);
          harness.run(200_000, () => expect([seed, lost, harness.traffic()]).toEqual([seed, lost, []]));
          expect([seed, lost, problems(harness)]).toEqual([seed, lost, []]);
          const kind = left === 'child' ? 'child' : 'IKE';
          expect([seed, lost, renewed(harness, 'left', kind) > 0]).toEqual([seed, lost, true]);
          keysAgree(harness);
        }
      }
    },
    120_000,
  );

  it.each<Action>(['child', 'IKE', 'both'])(
    '%s: the same where the answer of one side is with it and that of the other without',
    (action) => {
      const mixed = {
        left: { ikeProposals: [FAST_IKE, HYBRID], espProposals: [PFS, HYBRID_ESP] },
        right: { ikeProposals: [HYBRID, FAST_IKE], espProposals: [HYBRID_ESP, PFS] },
      };
      for (let seed = 0; seed < 12; seed += 1) {
        for (let lost = -1; lost < 10; lost += 1) {
          const harness = cross(seed, action, action, lost, mixed);
          harness.run(200_000, () => expect([seed, lost, harness.traffic()]).toEqual([seed, lost, []]));
          expect([seed, lost, problems(harness)]).toEqual([seed, lost, []]);
          keysAgree(harness);
        }
      }
    },
    120_000,
  );

  it.each(KINDS)('%s: the one with the lowest nonce does not go on, and nothing of it is made', (kind) => {
    const winners = new Set<Side>();
    for (let seed = 0; seed < 12; seed += 1) {
      const harness = hybrid({ seed });
      for (const side of SIDES) rekey(harness, side, kind);
      for (const name of ['CREATE_CHILD_SA request', 'CREATE_CHILD_SA response']) {
        for (const side of SIDES) harness.pass(side, name);
      }
      const [winner, ...more] = SIDES.filter((side) => followUps(harness).some((line) => line.startsWith(side)));
      if (winner === undefined) throw new Error('nobody goes on');
      expect([seed, more]).toEqual([seed, []]);
      winners.add(winner);
      harness.deliverAll();
      expect([seed, problems(harness)]).toEqual([seed, []]);
      expect([seed, ...SIDES.map((side) => renewed(harness, side, kind))]).toEqual([seed, 1, 1]);
    }
    expect(winners.size).toBe(2);
  });
});

describe('a bad network', () => {
  it('that loses a fifth, doubles and reorders never makes the two lose each other', () => {
    const patient = { limits: { retransmitTries: 12 } };
    for (let seed = 1; seed <= 12; seed += 1) {
      const random = new SeededRandom(seed);
      const harness = hybrid({ seed, leftOptions: patient, rightOptions: patient });
      harness.faults = { loss: 0.2, duplicate: 0.2, jitterMs: 400 };
      for (let round = 0; round < 8; round += 1) {
        for (const side of SIDES) {
          const [ike] = harness.live(side);
          const child = ike?.children[0]?.sa.id;
          if (ike !== undefined && random.next() < 0.5) harness[side].rekeyIke(harness.now, ike.ikeId);
          if (child !== undefined && random.next() < 0.5) harness[side].rekeyChild(harness.now, child);
        }
        harness.run(random.int(8000), () => expect([seed, harness.traffic()]).toEqual([seed, []]));
      }
      harness.faults = {};
      harness.run(300_000);
      expect([seed, problems(harness)]).toEqual([seed, []]);
      keysAgree(harness);
    }
  }, 120_000);
});

describe('a peer that is up to no good', () => {
  const right = { ikeProposals: [FAST_IKE, HYBRID], espProposals: [HYBRID_ESP] };
  const OLD = spiOctets(0x1000);
  const random = new SeededRandom(5);
  const nonce = random.bytes(32);

  interface Begun {
    readonly peer: ScriptedPeer;
    readonly answer: readonly Payload[];
    readonly link: Uint8Array;
    readonly secret: Uint8Array;
  }

  function request(kind: Kind): { payloads: readonly Payload[]; secretOf: (answer: readonly Payload[]) => Uint8Array } {
    const exchange = createKeyExchange('x25519', random);
    const key = { kind: 'KE', group: groupNumber('x25519'), data: exchange.publicValue } as const;
    const proposals =
      kind === 'IKE'
        ? encodeIkeOffers(ikeOffers([HYBRID]), random.bytes(8))
        : encodeEspOffers(espOffers([HYBRID_ESP]), spiOctets(0x2000));
    const selectors: readonly Payload[] = [
      { kind: 'TSi', selectors: LEFT.localSelectors ?? [] },
      { kind: 'TSr', selectors: LEFT.remoteSelectors ?? [] },
    ];
    return {
      payloads: [
        ...(kind === 'IKE' ? [] : [notifyChild('REKEY_SA', OLD, PROTOCOL.esp)]),
        { kind: 'SA', proposals },
        { kind: 'Nonce', data: nonce },
        key,
        ...(kind === 'IKE' ? [] : selectors),
      ],
      secretOf: (answer) => exchange.sharedSecret(find(answer, 'KE')?.data ?? new Uint8Array(0)),
    };
  }

  function begin(kind: Kind, peer = new ScriptedPeer(right).connect()): Begun {
    const { payloads, secretOf } = request(kind);
    const answer = peer.ask('CREATE_CHILD_SA', payloads) ?? [];
    const link = findNotify(answer, 'ADDITIONAL_KEY_EXCHANGE')?.data;
    if (link === undefined) throw new Error(`no link in ${JSON.stringify(answer)}`);
    return { peer, answer, link: link.slice(), secret: secretOf(answer) };
  }

  const kem = createDecapsulator(new SeededRandom(3));
  const KEY = { kind: 'KE', group: 36, data: kem.publicValue } as const;
  const linked = (link: Uint8Array) => notify('ADDITIONAL_KEY_EXCHANGE', link);

  it.each(KINDS)(
    '%s: link data that are wrong, or none, are STATE_NOT_FOUND; the right ones go on all the same',
    (kind) => {
      const { peer, link } = begin(kind);
      for (const extra of [[], [linked(new Uint8Array(0))], [linked(link.map((octet) => octet ^ 1))]]) {
        expect(peer.ask('IKE_FOLLOWUP_KE', [KEY, ...extra])).toEqual([notify('STATE_NOT_FOUND')]);
      }
      expect(find(peer.ask('IKE_FOLLOWUP_KE', [KEY, linked(link)]) ?? [], 'KE')?.group).toBe(36);
      expect(peer.failures.filter((reason) => reason.includes('malformed'))).toEqual([]);
    },
  );

  it('a link is good once', () => {
    const { peer, link } = begin('child');
    expect(find(peer.ask('IKE_FOLLOWUP_KE', [KEY, linked(link)]) ?? [], 'KE')).toBeDefined();
    expect(peer.ask('IKE_FOLLOWUP_KE', [KEY, linked(link)])).toEqual([notify('STATE_NOT_FOUND')]);
  });

  it.each(KINDS)('%s: one that begins again and again has one pending, the last', (kind) => {
    const first = begin(kind);
    const links = [first.link];
    for (let count = 0; count < 20; count += 1) links.push(begin(kind, first.peer).link);
    expect(first.peer.ask('IKE_FOLLOWUP_KE', [KEY, linked(first.link)])).toEqual([notify('STATE_NOT_FOUND')]);
    const last = links.at(-1) ?? first.link;
    expect(find(first.peer.ask('IKE_FOLLOWUP_KE', [KEY, linked(last)]) ?? [], 'KE')).toBeDefined();
    expect(first.peer.right.views(0).length).toBe(kind === 'IKE' ? 2 : 1);
  });

  it('nothing is renewed that the peer has deleted meanwhile', () => {
    const { peer, link } = begin('child');
    peer.ask('INFORMATIONAL', [{ kind: 'D', protocol: 3, spis: [OLD] }]);
    expect(peer.ask('IKE_FOLLOWUP_KE', [KEY, linked(link)])).toEqual([notify('STATE_NOT_FOUND')]);
    expect(peer.table.children.size).toBe(0);
  });

  it.each([
    ['no key', []],
    ['another key exchange', [{ kind: 'KE', group: 31, data: new Uint8Array(32) }]],
    ['a key that is too short', [{ ...KEY, data: new Uint8Array(1183) }]],
  ] as const)('%s ends the IKE SA', (_what, payloads) => {
    const { peer, link } = begin('child');
    expect(peer.ask('IKE_FOLLOWUP_KE', [...payloads, linked(link)])).toEqual([notify('INVALID_SYNTAX')]);
    expect(peer.failures).toEqual(['the peer sent a malformed request']);
  });

  it('both secrets are in the keys of the child', () => {
    const { peer, answer, link, secret } = begin('child');
    const more = peer.ask('IKE_FOLLOWUP_KE', [KEY, linked(link)]) ?? [];
    const additionalSecret = kem.sharedSecret(find(more, 'KE')?.data ?? new Uint8Array(0));
    const nonceR = find(answer, 'Nonce')?.data ?? new Uint8Array(0);
    const { skD } = peer.keys as IkeSaKeys;
    const seed = { nonceI: nonce, nonceR, sharedSecret: secret, additionalSecret };
    const keys = childKeymat(HYBRID_ESP, { prf: FAST_IKE.prf, skD }, seed);
    const spi = spiNumber(find(answer, 'SA')?.proposals[0]?.spi ?? new Uint8Array(0));
    expect(peer.table.byInboundSpi(spi)).toMatchObject({ inbound: keys.initiator, outbound: keys.responder });
  });
});
