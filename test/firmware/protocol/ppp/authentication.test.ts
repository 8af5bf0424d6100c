import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { decodeChapValue, encodeChapValue } from '../../../../firmware/protocol/ppp/chap.ts';
import { chapMd5 } from '../../../../firmware/protocol/ppp/chap-md5.ts';
import type { PppAuthentication, PppLinkOptions } from '../../../../firmware/protocol/ppp/link-types.ts';
import { decodePapRequest, encodePapRequest } from '../../../../firmware/protocol/ppp/pap.ts';
import { PPP_CHAP, PPP_IPCP, PPP_LCP, PPP_PAP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { option, Solo } from './simulation.ts';

const OPTIONS: Readonly<Record<PppAuthentication, ReturnType<typeof option>>> = {
  pap: option(3, 0xc0, 0x23),
  chap: option(3, 0xc2, 0x23, 5),
  mschapv1: option(3, 0xc2, 0x23, 0x80),
  mschapv2: option(3, 0xc2, 0x23, 0x81),
  eap: option(3, 0xc2, 0x27),
};
const CHALLENGE = Uint8Array.from({ length: 16 }, (_, index) => index + 1);

/** A client in the Authentication phase, asked for this method. */
function client(method: PppAuthentication, more: Partial<PppLinkOptions> = {}): Solo {
  const solo = new Solo({
    mru: 1400,
    authenticatee: { user: 'alice', password: 'alice-pw' },
    ipcp: { role: 'client', requestDns: true },
    ...more,
  }).begin();
  solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, [OPTIONS[method]]);
  expect(solo.link.view.phase).toBe('authenticate');
  return solo;
}

/** A server in the Authentication phase, that asks for this method. */
function server(method: PppAuthentication): Solo {
  const solo = new Solo({
    mru: 1400,
    authenticator: { name: 'lns', methods: [method], password: (user) => (user === 'bob' ? 'bob-pw' : undefined) },
    ipcp: { role: 'server', assign: () => ({ localAddress: '10.0.0.1', peerAddress: '10.0.0.7', dns: [] }) },
  }).begin();
  solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, []);
  expect(solo.link.view.phase).toBe('authenticate');
  return solo;
}

function challenge(solo: Solo, identifier = 5, value = CHALLENGE): Solo {
  return solo.hear(PPP_CHAP, 1, identifier, encodeChapValue({ value, name: utf8Bytes('lns') }));
}

describe('PAP', () => {
  it('as authenticatee repeats the request, with a new identifier, until it is answered', () => {
    const solo = client('pap').wait(2500);
    const requests = solo.sentOf(PPP_PAP, 1);
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map(({ identifier }) => identifier)).size).toBe(3);
    solo.hear(PPP_PAP, 2, requests[0]?.identifier ?? 0, [0]);
    expect(solo.story).toContain('authenticated we');
    solo.wait(5000);
    expect(solo.sentOf(PPP_PAP, 1)).toHaveLength(3);
  });

  it('as authenticatee ignores an answer to nothing, and takes one without a message', () => {
    const solo = client('pap').hear(PPP_PAP, 2, 99, [0]);
    expect(solo.link.view.phase).toBe('authenticate');
    solo.hear(PPP_PAP, 2, solo.last(PPP_PAP, 1).identifier);
    expect(solo.link.view.phase).toBe('network');
  });

  it('as authenticatee tells what the server said', () => {
    const solo = client('pap');
    solo.hear(PPP_PAP, 3, solo.last(PPP_PAP, 1).identifier, [4, ...utf8Bytes('nope')]).wait(3000);
    expect(solo.failure?.reason).toBe('the server refused user alice (PAP): "nope"');
  });

  it('as authenticator answers a repeated request the same, even one with another password', () => {
    const solo = server('pap');
    const request = (password: string) => encodePapRequest({ peerId: utf8Bytes('bob'), password: utf8Bytes(password) });
    solo
      .hear(PPP_PAP, 1, 1, request('bob-pw'))
      .hear(PPP_PAP, 1, 2, request('bob-pw'))
      .hear(PPP_PAP, 1, 3, request('x'));
    expect(solo.sentOf(PPP_PAP, 2).map(({ identifier }) => identifier)).toEqual([1, 2, 3]);
    expect(solo.eventsOf('authenticated')).toHaveLength(1);
    expect(decodePapRequest(request('bob-pw'))).toEqual({ peerId: utf8Bytes('bob'), password: utf8Bytes('bob-pw') });
  });

  it('as authenticator refuses an empty name and password', () => {
    const solo = server('pap').hear(PPP_PAP, 1, 1, [0, 0]);
    expect(solo.sentOf(PPP_PAP, 3)).toHaveLength(1);
    expect(solo.link.view.phase).toBe('terminate');
  });
});

describe('CHAP as authenticatee', () => {
  it('answers a Challenge with the digest and its name', () => {
    const response = challenge(client('chap')).last(PPP_CHAP, 2);
    expect(response.identifier).toBe(5);
    expect(decodeChapValue(response.data)).toEqual({
      value: Uint8Array.from(chapMd5(5, utf8Bytes('alice-pw'), CHALLENGE)),
      name: utf8Bytes('alice'),
    });
  });

  it('answers a repeated Challenge octet for octet, and says a Response again that got no answer', () => {
    const solo = challenge(challenge(client('mschapv2'))).wait(4500);
    const responses = solo.sentOf(PPP_CHAP, 2);
    expect(responses).toHaveLength(4);
    for (const response of responses) expect(response).toEqual(responses[0]);
  });

  it('is challenged again at any time, and fails if it fails then', () => {
    const solo = challenge(client('chap')).hear(PPP_CHAP, 3, 5);
    expect(solo.link.view.phase).toBe('network');
    challenge(solo, 6).hear(PPP_CHAP, 3, 6);
    expect(solo.eventsOf('authenticated')).toHaveLength(1);
    challenge(solo, 7).hear(PPP_CHAP, 4, 7, utf8Bytes('expired')).wait(3000);
    expect(solo.failure?.reason).toBe('the server refused user alice (CHAP-MD5): "expired"');
  });

  it('ignores a Success that it did not wait for', () => {
    const solo = client('chap').hear(PPP_CHAP, 3, 5);
    challenge(solo).hear(PPP_CHAP, 3, 6);
    expect(solo.link.view.phase).toBe('authenticate');
  });

  it('ends the link when the server does not prove itself (MS-CHAPv2)', () => {
    for (const message of [`S=${'0'.repeat(40)} M=OK`, 'M=OK', '']) {
      const solo = challenge(client('mschapv2')).hear(PPP_CHAP, 3, 5, utf8Bytes(message)).wait(3000);
      expect(solo.failure?.reason).toContain('did not prove that it knows the password');
      expect(solo.story).not.toContain('authenticated we');
    }
  });

  it('does not answer an MS-CHAPv2 Challenge of a wrong length, and says so in the end', () => {
    const solo = challenge(client('mschapv2'), 5, CHALLENGE.subarray(0, 8));
    expect(solo.sentOf(PPP_CHAP, 2)).toEqual([]);
    solo.wait(33_000);
    expect(solo.failure?.reason).toBe('the server asked for MS-CHAPv2 but sent no usable Challenge within 30 s');
  });

  it('gives up after the time limit when no verdict comes', () => {
    const solo = client('chap', { authenticationMs: 5000 });
    challenge(solo).wait(4999);
    expect(solo.link.view.phase).toBe('authenticate');
    solo.wait(3000);
    expect(solo.failure?.reason).toBe('the server did not answer the CHAP-MD5 Response of user alice within 5 s');
  });

  it('does not compute an answer to its own Challenge for a peer that hands it back', () => {
    const solo = client('chap', { authenticator: { name: 'branch', methods: ['chap'], password: () => 'alice-pw' } });
    const { identifier, data } = solo.last(PPP_CHAP, 1);
    solo.hear(PPP_CHAP, 1, identifier, data);
    expect(solo.sentOf(PPP_CHAP, 2)).toEqual([]);
    expect(challenge(solo, 77).sentOf(PPP_CHAP, 2)).toHaveLength(1);
  });
});

describe('CHAP as authenticator', () => {
  const answer = (solo: Solo, password: string, name = 'bob') => {
    const { identifier, data } = solo.last(PPP_CHAP, 1);
    const value = chapMd5(identifier, utf8Bytes(password), decodeChapValue(data).value);
    return solo.hear(PPP_CHAP, 2, identifier, encodeChapValue({ value, name: utf8Bytes(name) }));
  };

  it('repeats its Challenge until it is answered', () => {
    const solo = server('chap').wait(2500);
    const challenges = solo.sentOf(PPP_CHAP, 1);
    expect(challenges).toHaveLength(3);
    expect(decodeChapValue(challenges[0]?.data ?? new Uint8Array(0)).name).toEqual(utf8Bytes('lns'));
    answer(solo, 'bob-pw').wait(3000);
    expect(solo.sentOf(PPP_CHAP, 1)).toHaveLength(3);
    expect(solo.link.view).toMatchObject({ phase: 'network', user: 'bob', authentication: 'chap' });
  });

  it('answers a repeated Response with the same Success, even when it has become wrong', () => {
    const solo = answer(answer(server('chap'), 'bob-pw'), 'wrong');
    const [first, second] = solo.sentOf(PPP_CHAP, 3);
    expect(second).toEqual(first);
    expect(solo.sentOf(PPP_CHAP, 4)).toEqual([]);
    expect(solo.eventsOf('authenticated')).toHaveLength(1);
  });

  it('does not allow a second guess', () => {
    const solo = answer(server('chap'), 'wrong');
    expect(solo.sentOf(PPP_CHAP, 4)).toHaveLength(1);
    answer(solo, 'bob-pw');
    expect(solo.sentOf(PPP_CHAP, 3)).toEqual([]);
    expect(solo.link.view.phase).toBe('terminate');
  });

  it('ignores a Response to another Challenge', () => {
    const solo = server('chap');
    solo.hear(
      PPP_CHAP,
      2,
      solo.last(PPP_CHAP, 1).identifier + 1,
      encodeChapValue({ value: CHALLENGE, name: CHALLENGE }),
    );
    expect(solo.sentOf(PPP_CHAP, 4)).toEqual([]);
  });

  it('does not let a peer into the network before it has proved itself', () => {
    const solo = server('chap').hearOptions(PPP_IPCP, 1, 1, [option(3, 0, 0, 0, 0)]);
    expect(solo.sentOf(PPP_IPCP, 1)).toEqual([]);
    answer(solo, 'bob-pw');
    // Nothing that an unproved peer sent is taken afterwards.
    expect(solo.sentOf(PPP_IPCP, 3)).toEqual([]);
  });

  it('uses another identifier and another Challenge after a renegotiation', () => {
    const solo = server('chap');
    solo.hearOptions(PPP_LCP, 1, 2, [option(5, 1, 1, 1, 1)]).hearAck(PPP_LCP);
    const [first, second] = solo.sentOf(PPP_CHAP, 1);
    expect(second?.identifier).not.toBe(first?.identifier);
    expect(second?.data).not.toEqual(first?.data);
  });

  it('ends the link of a peer that renegotiates and becomes another user', () => {
    const solo = new Solo({
      mru: 1400,
      authenticator: { name: 'lns', methods: ['chap'], password: () => 'pw' },
      ipcp: { role: 'server', assign: () => ({ localAddress: '10.0.0.1', peerAddress: '10.0.0.7', dns: [] }) },
    }).begin();
    solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, []);
    answer(solo, 'pw', 'bob')
      .hearOptions(PPP_LCP, 1, 2, [option(5, 1, 1, 1, 1)])
      .hearAck(PPP_LCP);
    answer(solo, 'pw', 'eve').wait(3000);
    expect(solo.failure?.reason).toContain('another user');
  });

  it('gives up with words when nothing comes', () => {
    const solo = server('chap').wait(33_000);
    expect(solo.failure?.reason).toBe('the peer did not answer our CHAP-MD5 Challenge within 30 s');
  });
});

describe('frames a moment too soon', () => {
  it('are kept until the Success: the first IPCP request is answered at once', () => {
    const solo = challenge(client('chap')).hearOptions(PPP_IPCP, 1, 9, [option(3, 10, 0, 0, 1)]);
    expect(solo.sentOf(PPP_IPCP, 2)).toEqual([]);
    solo.hear(PPP_CHAP, 3, 5);
    expect(solo.last(PPP_IPCP, 2).identifier).toBe(9);
  });

  it('are kept in a small number only, and each asks for the verdict once', () => {
    const solo = challenge(client('chap'));
    for (let round = 0; round < 50; round += 1) solo.hearOptions(PPP_IPCP, 1, round, [option(3, 10, 0, 0, 1)]);
    expect(solo.sentOf(PPP_CHAP, 2)).toHaveLength(9);
    solo.hear(PPP_CHAP, 3, 5);
    expect(solo.sentOf(PPP_IPCP, 2)).toHaveLength(8);
  });

  it('include a Challenge that overtakes the Configure-Ack', () => {
    const solo = new Solo({
      mru: 1400,
      authenticatee: { user: 'alice', password: 'alice-pw' },
      ipcp: { role: 'client', requestDns: true },
    }).begin();
    challenge(solo.hearOptions(PPP_LCP, 1, 1, [OPTIONS.chap]));
    expect(solo.sentOf(PPP_CHAP, 2)).toEqual([]);
    solo.hearAck(PPP_LCP);
    expect(solo.sentOf(PPP_CHAP, 2)).toHaveLength(1);
  });
});
