import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { encodeChapValue } from '../../../../firmware/protocol/ppp/chap.ts';
import type { PppAuthentication, PppLinkOptions, Verdict } from '../../../../firmware/protocol/ppp/link-types.ts';
import { judgeLocally } from '../../../../firmware/protocol/ppp/local-judge.ts';
import { encodePapRequest } from '../../../../firmware/protocol/ppp/pap.ts';
import { PPP_CHAP, PPP_LCP, PPP_PAP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { Pair, Solo, TestRandom } from './simulation.ts';

const ACCEPT: Verdict = { kind: 'accept', user: 'Bob Builder', message: 'S=0123' };
const RESPONSE = encodeChapValue({ value: new Uint8Array(49).fill(7), name: utf8Bytes('DOM\\bob') });
const PASSWORDS = { password: (user: string) => (user === 'bob' ? 'bob-pw' : undefined) };

function options(method: PppAuthentication): PppLinkOptions {
  return {
    mru: 1400,
    authenticator: { name: 'lns', methods: [method], judge: 'elsewhere' },
    ipcp: { role: 'server', assign: () => ({ localAddress: '10.0.0.1', peerAddress: '10.0.0.7', dns: [] }) },
  };
}

/** A server in the Authentication phase, whose users are judged elsewhere. */
function server(method: PppAuthentication): Solo {
  const solo = new Solo(options(method)).begin();
  return solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, []);
}

function pap(solo: Solo, identifier: number): Solo {
  const request = { peerId: utf8Bytes('bob'), password: utf8Bytes('bob-pw') };
  return solo.hear(PPP_PAP, 1, identifier, encodePapRequest(request));
}

function judged(solo: Solo, id: number, verdict: Verdict): Solo {
  solo.link.verdict(solo.now, id, verdict);
  solo.drain();
  return solo;
}

describe('a proof that is judged elsewhere', () => {
  it('comes out whole, once, and stops the Challenge', () => {
    const solo = server('mschapv2');
    const { identifier, data } = solo.last(PPP_CHAP, 1);
    solo.hear(PPP_CHAP, 2, identifier, RESPONSE).hear(PPP_CHAP, 2, identifier, RESPONSE).wait(5000);
    expect(solo.eventsOf('verify')).toEqual([
      {
        kind: 'verify',
        id: 1,
        proof: {
          method: 'mschapv2',
          name: utf8Bytes('DOM\\bob'),
          identifier,
          challenge: data.subarray(1, 17),
          response: new Uint8Array(49).fill(7),
        },
      },
    ]);
    expect(solo.sentOf(PPP_CHAP, 1)).toHaveLength(1);
    expect(solo.link.view.phase).toBe('authenticate');
  });

  it('is accepted with the words and the name that the judge gives, also for a repeated Response', () => {
    const solo = server('mschapv2');
    const { identifier } = solo.last(PPP_CHAP, 1);
    judged(solo.hear(PPP_CHAP, 2, identifier, RESPONSE), 1, ACCEPT).hear(PPP_CHAP, 2, identifier, RESPONSE);
    expect(solo.sentOf(PPP_CHAP, 3).map(({ data }) => data)).toEqual([utf8Bytes('S=0123'), utf8Bytes('S=0123')]);
    expect(solo.eventsOf('authenticated')).toMatchObject([{ who: 'peer', user: 'Bob Builder', method: 'mschapv2' }]);
    expect(solo.eventsOf('verify')).toHaveLength(1);
  });

  it('is refused with the judge’s words, or ours where it has none', () => {
    const said = server('mschapv2');
    said.hear(PPP_CHAP, 2, said.last(PPP_CHAP, 1).identifier, RESPONSE);
    judged(said, 1, { kind: 'reject', message: 'E=647 R=0' });
    expect(said.last(PPP_CHAP, 4).data).toEqual(utf8Bytes('E=647 R=0'));
    const silent = server('mschapv2');
    silent.hear(PPP_CHAP, 2, silent.last(PPP_CHAP, 1).identifier, RESPONSE);
    judged(silent, 1, { kind: 'reject' }).wait(3000);
    expect(Buffer.from(silent.last(PPP_CHAP, 4).data).toString()).toMatch(/^E=691 R=0 C=[0-9A-F]{32} V=3/);
    expect(silent.failure?.reason).toBe('the peer did not prove itself as user DOM\\\\bob (MS-CHAPv2)');
  });

  it('answers the newest of several PAP requests, each of which asks the same', () => {
    const solo = pap(pap(server('pap'), 1), 2);
    expect(solo.eventsOf('verify')).toMatchObject([{ proof: { method: 'pap', password: utf8Bytes('bob-pw') } }]);
    judged(solo, 1, { kind: 'accept', user: 'bob' });
    expect(solo.sentOf(PPP_PAP, 2).map(({ identifier }) => identifier)).toEqual([2]);
    expect(pap(solo, 3).sentOf(PPP_PAP, 2)).toHaveLength(2);
  });

  it('ends the link with the reason for which nobody could be asked', () => {
    const solo = pap(server('pap'), 1);
    const failure = { step: 'RADIUS', reason: 'no RADIUS server answers', remedy: 'start one' };
    judged(solo, 1, { kind: 'unavailable', failure }).wait(3000);
    expect(solo.sentOf(PPP_PAP, 3)).toHaveLength(1);
    expect(solo.failure).toEqual(failure);
  });

  it('runs out of time like any other, and a verdict after that changes nothing', () => {
    const solo = pap(server('pap'), 1).wait(31_000);
    expect(solo.failure).toBeUndefined();
    expect(solo.link.view.phase).toBe('terminate');
    judged(solo, 1, { kind: 'accept', user: 'bob' }).wait(3000);
    expect(solo.sentOf(PPP_PAP, 2)).toHaveLength(0);
    expect(solo.failure?.reason).toBe('nobody judged the user name and password of the peer (PAP) within 30 s');
  });

  it('of an exchange before a renegotiation is void', () => {
    const solo = pap(server('pap'), 1).hearOptions(PPP_LCP, 1, 2, []).hearAck(PPP_LCP);
    expect(solo.link.view.phase).toBe('authenticate');
    judged(solo, 1, { kind: 'accept', user: 'bob' });
    expect(solo.link.view.phase).toBe('authenticate');
    judged(pap(solo, 4), 2, { kind: 'accept', user: 'bob' });
    expect(solo.link.view.phase).toBe('network');
  });

  it.each(['pap', 'chap', 'mschapv2'] as const)('is judged by passwords as the link itself does, for %s', (method) => {
    const client: PppLinkOptions = {
      mru: 1400,
      authenticatee: { user: 'bob', password: 'bob-pw' },
      ipcp: { role: 'client', requestDns: false },
    };
    const pair = new Pair(client, options(method)).start();
    pair.run(60_000, () => pair.b.eventsOf('verify').length > 0);
    const [question] = pair.b.eventsOf('verify');
    if (question === undefined) throw new Error('nothing to judge');
    pair.b.link.verdict(pair.now, question.id, judgeLocally(PASSWORDS, question.proof, new TestRandom(3)));
    pair.run(60_000, () => pair.a.isOpen && pair.b.isOpen);
    expect(pair.a.isOpen && pair.b.isOpen).toBe(true);
    expect(judgeLocally({ password: () => 'other' }, question.proof, new TestRandom(3))).toEqual({ kind: 'reject' });
  });
});
