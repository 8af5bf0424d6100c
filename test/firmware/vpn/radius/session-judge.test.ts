import { describe, expect, it } from 'vitest';
import { concatBytes, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { PeerProof } from '../../../../firmware/protocol/ppp/link-types.ts';
import { firstValue, type RadiusAttribute } from '../../../../firmware/protocol/radius/attribute-value.ts';
import { CODE } from '../../../../firmware/protocol/radius/packet.ts';
import { joinEap } from '../../../../firmware/protocol/radius/proof-attributes.ts';
import { SessionJudge } from '../../../../firmware/vpn/radius/session-judge.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const SUCCESS = 'S=407A5589115FD0D6209F510FE9C04566932CDA56';

function judge(): SessionJudge {
  return new SessionJudge({
    users: { password: (user) => (user === 'local' ? 'local-pw' : undefined) },
    random: new SeededRandom(3),
    call: () => [{ name: 'nasPort', value: 7 }],
  });
}

const pap = (name: string, password: string): PeerProof => ({
  method: 'pap',
  name: utf8Bytes(name),
  password: utf8Bytes(password),
});

const mschapv2: PeerProof = {
  method: 'mschapv2',
  name: utf8Bytes('alice'),
  identifier: 4,
  challenge: new Uint8Array(16),
  response: new Uint8Array(49),
};

/** A Response of EAP with that identifier. */
const eap = (identifier: number): PeerProof => ({
  method: 'eap',
  name: utf8Bytes('alice'),
  packet: Uint8Array.of(2, identifier, 0, 5, 1),
});

const answer = (code: number, attributes: readonly RadiusAttribute[] = [], server = 0) => ({
  code,
  attributes,
  server,
});

describe('a user of the configuration', () => {
  it('is judged here, and no server is asked', () => {
    expect(judge().judge(pap('local', 'local-pw'))).toEqual({
      kind: 'verdict',
      verdict: { kind: 'accept', user: 'local' },
    });
    expect(judge().judge(pap('local', 'wrong'))).toEqual({ kind: 'verdict', verdict: { kind: 'reject' } });
  });

  it('who proves by EAP is asked about all the same: EAP is the business of a server', () => {
    expect(judge().judge({ ...eap(1), name: utf8Bytes('local') })).toMatchObject({ kind: 'ask' });
  });
});

describe('all others', () => {
  it('are asked about, with the proof and the call', () => {
    const judgement = judge().judge(pap('alice', 'alice-pw'));
    expect(judgement).toEqual({
      kind: 'ask',
      attributes: [
        { name: 'userName', value: utf8Bytes('alice') },
        { name: 'userPassword', value: utf8Bytes('alice-pw') },
        { name: 'nasPort', value: 7 },
      ],
    });
  });

  it('are accepted with what they are granted', () => {
    const one = judge();
    one.judge(pap('alice', 'alice-pw'));
    const attributes: RadiusAttribute[] = [
      { name: 'framedIpAddress', value: '10.98.0.7' },
      { name: 'replyMessage', value: 'hello' },
    ];
    expect(one.answered(answer(CODE.accessAccept, attributes))).toEqual({
      kind: 'accept',
      user: 'alice',
      message: 'hello',
    });
    expect(one.grant?.address).toBe('10.98.0.7');
  });

  it('are rejected with what the server says', () => {
    const one = judge();
    one.judge(pap('alice', 'wrong'));
    const attributes: RadiusAttribute[] = [{ name: 'replyMessage', value: 'not\u0007today' }];
    expect(one.answered(answer(CODE.accessReject, attributes))).toEqual({ kind: 'reject', message: 'not\\x07today' });
    expect(one.grant).toBeUndefined();
  });

  it('are rejected when their server wants to ask them something that PPP cannot ask', () => {
    const one = judge();
    one.judge(pap('alice', 'alice-pw'));
    expect(one.answered(answer(CODE.accessChallenge)).kind).toBe('reject');
  });

  it('are rejected without asking when their proof is none', () => {
    expect(judge().judge(pap('', ''))).toEqual({ kind: 'verdict', verdict: { kind: 'reject' } });
    expect(judge().judge({ ...mschapv2, response: new Uint8Array(3) })).toEqual({
      kind: 'verdict',
      verdict: { kind: 'reject' },
    });
  });
});

describe('a user of MS-CHAPv2', () => {
  it('is given the proof of the server', () => {
    const one = judge();
    one.judge(mschapv2);
    const value = concatBytes(Uint8Array.of(4), utf8Bytes(SUCCESS));
    const verdict = one.answered(answer(CODE.accessAccept, [{ name: 'msChap2Success', value }]));
    expect(verdict).toEqual({ kind: 'accept', user: 'alice', message: SUCCESS });
  });

  it('is not let in without it, in words', () => {
    const one = judge();
    one.judge(mschapv2);
    const verdict = one.answered(answer(CODE.accessAccept));
    expect(verdict).toMatchObject({
      kind: 'unavailable',
      failure: { step: 'RADIUS', reason: expect.stringMatching(/MS-CHAP2-Success/) },
    });
    expect(one.grant).toBeUndefined();
  });

  it('is told the error, and not to try again', () => {
    const one = judge();
    one.judge(mschapv2);
    const value = utf8Bytes('\u0004E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=no');
    expect(one.answered(answer(CODE.accessReject, [{ name: 'msChapError', value }]))).toEqual({
      kind: 'reject',
      message: 'E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=no',
    });
  });
});

describe('a conversation of EAP', () => {
  const challenge = (state: string, identifier: number): RadiusAttribute[] => [
    { name: 'eapMessage', value: Uint8Array.of(1, identifier, 0, 5, 4) },
    { name: 'state', value: utf8Bytes(state) },
  ];

  it('goes on with the server that began it, which sees its State again', () => {
    const one = judge();
    one.judge(eap(1));
    const packet = Uint8Array.of(1, 2, 0, 5, 4);
    expect(one.answered(answer(CODE.accessChallenge, challenge('first', 2), 1))).toEqual({ kind: 'continue', packet });
    const second = one.judge(eap(2));
    expect(second).toMatchObject({ kind: 'ask', server: 1 });
    const attributes = second.kind === 'ask' ? second.attributes : [];
    expect(firstValue(attributes, 'state')).toEqual(utf8Bytes('first'));
    expect(joinEap(attributes)).toEqual(Uint8Array.of(2, 2, 0, 5, 1));
    const success: RadiusAttribute[] = [{ name: 'eapMessage', value: Uint8Array.of(3, 2, 0, 4) }];
    expect(one.answered(answer(CODE.accessAccept, success, 1))).toEqual({
      kind: 'accept',
      user: 'alice',
      packet: Uint8Array.of(3, 2, 0, 4),
    });
    expect(one.grant).toBeDefined();
  });

  it('ends as the code of the answer says, whatever EAP it brings or does not', () => {
    const one = judge();
    one.judge(eap(9));
    const success: RadiusAttribute[] = [{ name: 'eapMessage', value: Uint8Array.of(3, 9, 0, 4) }];
    expect(one.answered(answer(CODE.accessReject, success))).toEqual({
      kind: 'reject',
      packet: Uint8Array.of(4, 9, 0, 4),
    });
    one.judge(eap(9));
    expect(one.answered(answer(CODE.accessAccept))).toMatchObject({ packet: Uint8Array.of(3, 9, 0, 4) });
  });

  it('begins anew after a server fell silent', () => {
    const one = judge();
    one.judge(eap(1));
    one.answered(answer(CODE.accessChallenge, challenge('first', 2), 1));
    one.unanswered();
    const again = one.judge(eap(2));
    expect(again.kind === 'ask' && again.server).toBeUndefined();
    expect(firstValue(again.kind === 'ask' ? again.attributes : [], 'state')).toBeUndefined();
  });

  it('ends when the server never comes to an end', () => {
    const one = judge();
    let last = one.judge(eap(1));
    for (let round = 0; round < 200 && last.kind === 'ask'; round += 1) {
      one.answered(answer(CODE.accessChallenge, challenge('again', round & 255)));
      last = one.judge(eap(round & 255));
    }
    expect(last).toMatchObject({ kind: 'verdict', verdict: { kind: 'reject' } });
  });
});
