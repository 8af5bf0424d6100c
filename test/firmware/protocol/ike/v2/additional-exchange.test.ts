import { describe, expect, it } from 'vitest';
import type { IkeProposal } from '../../../../../firmware/protocol/ike/proposals.ts';
import { notify } from '../../../../../firmware/protocol/ike/v2/notify.ts';
import { find } from '../../../../../firmware/protocol/ike/v2/payload.ts';
import { FAST_IKE, Harness, problems } from './harness.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const HYBRID: IkeProposal = { ...FAST_IKE, additional: 'mlkem768' };
const CBC: IkeProposal = {
  encryption: 'aes128',
  integrity: 'sha256',
  prf: 'sha256',
  group: 'x25519',
  additional: 'mlkem768',
};
const both = (...ikeProposals: readonly IkeProposal[]) => ({ left: { ikeProposals }, right: { ikeProposals } });

describe('ML-KEM beside X25519 (RFC 9370)', () => {
  it.each([HYBRID, CBC])(
    'goes under the keys of the first exchange, and what follows is under keys of both: %o',
    (proposal) => {
      const harness = new Harness(both(proposal)).connect();
      expect(problems(harness)).toEqual([]);
      expect(harness.log.filter((line) => line.includes('IKE_INTERMEDIATE'))).toEqual([
        'left: IKE_INTERMEDIATE request 1',
        'left: IKE_INTERMEDIATE request 1',
        'right: IKE_INTERMEDIATE response 1',
      ]);
      for (const side of ['left', 'right'] as const) {
        expect(harness.last(side, 'ike-up').proposal.additional).toBe('mlkem768');
      }
      const [left] = harness.left.secrets();
      const [right] = harness.right.secrets();
      expect(left?.ike).toEqual(right?.ike);
    },
  );

  it('lives on through rekeys of either side', () => {
    const harness = new Harness(both(HYBRID)).connect();
    for (const side of ['left', 'right', 'left'] as const) {
      harness[side].rekeyIke(harness.now, harness.ikeId(side));
      harness.deliverAll();
      harness[side].rekeyChild(harness.now, harness.child(side).id);
      harness.deliverAll();
    }
    expect(problems(harness)).toEqual([]);
    expect(harness.last('right', 'ike-up').proposal).toEqual(HYBRID);
  });

  it('is chosen where both offer it, and left out where the other one does not know it', () => {
    const known = new Harness(both(HYBRID, FAST_IKE)).connect();
    expect(known.last('right', 'ike-up').proposal).toEqual(HYBRID);
    const unknown = new Harness({
      left: { ikeProposals: [HYBRID, FAST_IKE] },
      right: { ikeProposals: [FAST_IKE] },
    }).connect();
    expect(problems(unknown)).toEqual([]);
    expect(unknown.last('left', 'ike-up').proposal).toEqual(FAST_IKE);
    const other = new Harness({
      left: { ikeProposals: [FAST_IKE] },
      right: { ikeProposals: [HYBRID, FAST_IKE] },
    }).connect();
    expect(other.last('left', 'ike-up').proposal).toEqual(FAST_IKE);
  });

  it('is not given up where it is all that is allowed, and the words say so', () => {
    const harness = new Harness({ left: { ikeProposals: [FAST_IKE] }, right: { ikeProposals: [HYBRID] } }).connect();
    expect(harness.last('right', 'ike-down').failure.reason).toContain('ke1_mlkem768');
    const reverse = new Harness({ left: { ikeProposals: [HYBRID] }, right: { ikeProposals: [FAST_IKE] } }).connect();
    reverse.run(5000);
    expect(reverse.last('left', 'ike-down').failure).toMatchObject({ cause: 'no-proposal' });
    expect(reverse.last('left', 'ike-down').failure.reason).toContain('ke1_mlkem768');
  });

  it('comes up on a network that loses a third, doubles and reorders', () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const patient = { limits: { retransmitTries: 12, halfOpenMs: 120_000 } };
      const harness = new Harness({ ...both(HYBRID), seed, leftOptions: patient, rightOptions: patient });
      harness.faults = { loss: 0.33, duplicate: 0.3, jitterMs: 500 };
      harness.initiate();
      const up = harness.runUntil(() => harness.tables.left.children.size > 0, 180_000);
      harness.faults = {};
      harness.run(20_000);
      expect(up && problems(harness).length === 0, `seed ${seed}: ${problems(harness)}`).toBe(true);
    }
  });
});

describe('a peer with an additional key exchange that is up to no good', () => {
  function hybridPeer(): ScriptedPeer {
    return new ScriptedPeer({ ikeProposals: [HYBRID] }, {}, HYBRID);
  }
  const KEY = { kind: 'KE', group: 36 } as const;

  it('gets nowhere without saying that it knows IKE_INTERMEDIATE', () => {
    expect(find(hybridPeer().init(), 'SA')).toBeUndefined();
  });

  it('may not go on to IKE_AUTH before it, and is not answered', () => {
    const peer = hybridPeer();
    peer.init([notify('INTERMEDIATE_EXCHANGE_SUPPORTED')]);
    expect(peer.ask('IKE_AUTH', peer.authPayloads())).toBeUndefined();
  });

  it.each([
    ['nothing', []],
    ['another key exchange', [{ kind: 'KE', group: 31, data: new Uint8Array(32) }]],
    ['a key that is too short', [{ ...KEY, data: new Uint8Array(1183) }]],
    ['a key that is too long', [{ ...KEY, data: new Uint8Array(1185) }]],
    ['coefficients that are none', [{ ...KEY, data: new Uint8Array(1184).fill(0xff) }]],
  ] as const)('ends the attempt with %s', (_what, payloads) => {
    const peer = hybridPeer();
    peer.init([notify('INTERMEDIATE_EXCHANGE_SUPPORTED')]);
    expect(peer.ask('IKE_INTERMEDIATE', payloads)).toEqual([notify('INVALID_SYNTAX')]);
    expect(peer.failures).toEqual(['the peer sent a malformed request']);
  });

  it('gets no such exchange when none was agreed on', () => {
    const peer = new ScriptedPeer();
    peer.init([notify('INTERMEDIATE_EXCHANGE_SUPPORTED')]);
    expect(peer.ask('IKE_INTERMEDIATE', [])).toBeUndefined();
    const up = new ScriptedPeer().connect();
    expect(up.ask('IKE_FOLLOWUP_KE', [])).toEqual([notify('STATE_NOT_FOUND')]);
  });
});
