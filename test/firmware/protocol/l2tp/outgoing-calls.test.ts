import { describe, expect, it } from 'vitest';
import type { AvpFields } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import type { CallRequest, L2tpEndpointOptions } from '../../../../firmware/protocol/l2tp/endpoint-types.ts';
import type { MessageName } from '../../../../firmware/protocol/l2tp/message-table.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { Harness } from './harness.ts';
import { ICCN, ICRQ, PEER_SESSION, ScriptedPeer } from './scripted-peer.ts';

const REPLY: AvpFields = { assignedSessionId: PEER_SESSION };
const OCRQ: AvpFields = { ...ICRQ, minimumBps: 1, maximumBps: 2, bearerType: 1, framingType: 1, calledNumber: '110' };
const CDN: AvpFields = { resultCode: { resultCode: 8 }, assignedSessionId: PEER_SESSION };
const FIELDS: Partial<Record<MessageName, AvpFields>> = {
  ICRQ,
  ICRP: REPLY,
  ICCN,
  CDN,
  OCRQ,
  OCRP: REPLY,
  OCCN: ICCN,
};

/** A side that places calls for its peer. */
const TAKES_CALLS: Partial<L2tpEndpointOptions> = {
  outgoingCalls: ({ calledNumber }) =>
    calledNumber === '110' ? undefined : { resultCode: 6, message: 'no such number' },
};

function endpoint(options: Partial<L2tpEndpointOptions> = {}): L2tpEndpoint {
  return new L2tpEndpoint({ hostName: 'us', accept: {}, ...options }, new SeededRandom(6));
}

/** We are the LAC of a call that the peer wants placed, in the given state. */
function asLac(state: 'wait-cs-answer' | 'established'): ScriptedPeer {
  const peer = ScriptedPeer.client(endpoint(TAKES_CALLS));
  peer.send('OCRQ', OCRQ);
  const request = peer.event('call-requested');
  if (state === 'established' && request)
    peer.endpoint.answerCall(peer.now, request.tunnelId, request.sessionId, { connectSpeed: 64_000 });
  peer.drain();
  peer.acknowledge();
  return peer;
}

/** We are the LNS of a call that the peer shall place, in the given state. */
function asLns(state: 'wait-reply' | 'wait-connect' | 'established'): ScriptedPeer {
  const peer = ScriptedPeer.server(endpoint());
  const [{ tunnelId } = { tunnelId: 0 }] = peer.endpoint.tunnels();
  peer.endpoint.openCall(peer.now, tunnelId, { calledNumber: '110' });
  peer.drain();
  peer.acknowledge();
  if (state !== 'wait-reply') peer.send('OCRP', REPLY, peer.sessionId);
  if (state === 'established') peer.send('OCCN', ICCN, peer.sessionId);
  peer.acknowledge();
  return peer;
}

function stateOf(peer: ScriptedPeer): string | undefined {
  const [tunnel] = peer.endpoint.tunnels();
  return tunnel?.sessions[0]?.state ?? 'idle';
}

describe('the LAC outgoing call states of section 7.5.1', () => {
  it.each<['wait-cs-answer' | 'established', MessageName, string, string]>([
    ['wait-cs-answer', 'OCRQ', 'CDN', 'idle'],
    ['wait-cs-answer', 'OCRP', 'CDN', 'idle'],
    ['wait-cs-answer', 'OCCN', 'CDN', 'idle'],
    ['wait-cs-answer', 'CDN', 'ZLB', 'idle'],
    ['wait-cs-answer', 'ICRP', 'CDN', 'idle'],
    ['established', 'OCRQ', 'CDN', 'idle'],
    ['established', 'OCRP', 'CDN', 'idle'],
    ['established', 'OCCN', 'CDN', 'idle'],
    ['established', 'ICCN', 'CDN', 'idle'],
    ['established', 'CDN', 'ZLB', 'idle'],
  ])('in %s answer %s with %s and go to %s', (state, message, answer, next) => {
    const peer = asLac(state);
    expect(stateOf(peer)).toBe(state);
    expect(peer.send(message, FIELDS[message] ?? {}, peer.sessionId)).toEqual([answer]);
    expect(stateOf(peer)).toBe(next);
  });

  it('end a call whose line never answers', () => {
    const peer = asLac('wait-cs-answer');
    peer.endpoint.tick(peer.now + 60_000);
    peer.drain();
    expect(peer.event('session-down')?.failure).toMatchObject({ step: 'OCCN' });
    expect(stateOf(peer)).toBe('idle');
  });
});

describe('the LNS outgoing call states of section 7.5.2', () => {
  it.each<['wait-reply' | 'wait-connect' | 'established', MessageName, string, string]>([
    ['wait-reply', 'OCRP', 'ZLB', 'wait-connect'],
    ['wait-reply', 'OCCN', 'CDN', 'idle'],
    ['wait-reply', 'OCRQ', 'CDN', 'idle'],
    ['wait-reply', 'ICRP', 'CDN', 'idle'],
    ['wait-reply', 'CDN', 'ZLB', 'idle'],
    ['wait-connect', 'OCCN', 'ZLB', 'established'],
    ['wait-connect', 'OCRP', 'CDN', 'idle'],
    ['wait-connect', 'OCRQ', 'CDN', 'idle'],
    ['wait-connect', 'ICCN', 'CDN', 'idle'],
    ['wait-connect', 'CDN', 'ZLB', 'idle'],
    ['established', 'OCCN', 'CDN', 'idle'],
    ['established', 'OCRP', 'CDN', 'idle'],
    ['established', 'OCRQ', 'CDN', 'idle'],
    ['established', 'CDN', 'ZLB', 'idle'],
  ])('in %s answer %s with %s and go to %s', (state, message, answer, next) => {
    const peer = asLns(state);
    expect(stateOf(peer)).toBe(state);
    expect(peer.send(message, FIELDS[message] ?? {}, peer.sessionId)).toEqual([answer]);
    expect(stateOf(peer)).toBe(next);
  });

  it('end a call that the peer does not place in time', () => {
    for (const [state, step] of [
      ['wait-reply', 'OCRQ'],
      ['wait-connect', 'OCCN'],
    ] as const) {
      const peer = asLns(state);
      peer.endpoint.tick(peer.now + 60_000);
      peer.drain();
      expect(peer.event('session-down')?.failure).toMatchObject({ step });
    }
  });
});

describe('an outgoing call between two endpoints', () => {
  function called(options: Partial<L2tpEndpointOptions> = TAKES_CALLS, seed = 1): Harness {
    return new Harness({ client: options, seed });
  }

  it('goes up with both ids known first, and carries what was asked for and what was got', () => {
    const harness = called();
    harness.openTunnel();
    harness.run(200);
    const { tunnelId } = harness.last('server', 'tunnel-up') ?? { tunnelId: 0 };
    const sessionId = harness.server.openCall(harness.now, tunnelId, {
      calledNumber: '110',
      subAddress: 'x',
      maximumBps: 64_000,
    });
    harness.run(200);
    const request = harness.last('client', 'call-requested');
    expect(request).toMatchObject({
      calledNumber: '110',
      subAddress: 'x',
      minimumBps: 0,
      maximumBps: 64_000,
    } satisfies CallRequest);
    expect(harness.last('client', 'session-opening')).toMatchObject({ incoming: true, peerSessionId: sessionId });
    expect(harness.last('server', 'session-up')).toBeUndefined();
    harness.client.answerCall(harness.now, request?.tunnelId ?? 0, request?.sessionId ?? 0, {
      connectSpeed: 56_000,
      sequencing: true,
    });
    harness.run(200);
    expect(harness.last('client', 'session-up')).toMatchObject({ sequencing: true });
    expect(harness.last('server', 'session-up')).toMatchObject({ sessionId, sequencing: true, connectSpeed: 56_000 });
    expect(harness.names('server').filter((name) => name !== 'ZLB')).toEqual(['SCCRP', 'OCRQ']);
  });

  it.each([
    ['by a side that places none', {}, /lack of facilities, permanently .*: "no outgoing calls here"/],
    ['for a number that is not there', TAKES_CALLS, /invalid destination .*: "no such number"/],
  ])('is refused %s', (_name, options, words) => {
    const harness = called(options);
    harness.openTunnel();
    harness.run(200);
    const { tunnelId } = harness.last('server', 'tunnel-up') ?? { tunnelId: 0 };
    harness.server.openCall(harness.now, tunnelId, { calledNumber: '112' });
    harness.run(200);
    expect(harness.last('server', 'session-down')?.failure).toMatchObject({
      step: 'OCRQ',
      reason: expect.stringMatching(words),
    });
    expect(harness.live('server')).toHaveLength(1);
  });

  it('is no call to a side that wants none of its peer, whose own calls it places', () => {
    const harness = new Harness({ server: { accept: { incomingCalls: false }, ...TAKES_CALLS } });
    const tunnelId = harness.openTunnel();
    harness.client.openSession(harness.now, tunnelId);
    harness.run(500);
    expect(harness.last('client', 'session-down')?.failure.reason).toContain('no calls are taken here');
    harness.client.openCall(harness.now, tunnelId, { calledNumber: '110' });
    harness.run(500);
    expect(harness.last('server', 'call-requested')).toMatchObject({ calledNumber: '110' });
  });

  it('stands or ends on both sides, on a line that loses and repeats, for 300 seeds', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const harness = called(TAKES_CALLS, seed);
      harness.faults = { loss: 0.2, duplicate: 0.2, jitterMs: 300 };
      harness.openTunnel();
      const up = harness.runUntil(() => harness.last('server', 'tunnel-up') !== undefined, 60_000);
      if (!up) continue;
      const { tunnelId } = harness.last('server', 'tunnel-up') ?? { tunnelId: 0 };
      harness.server.openCall(harness.now, tunnelId, { calledNumber: '110' });
      harness.runUntil(() => harness.last('client', 'call-requested') !== undefined, 60_000);
      const request = harness.last('client', 'call-requested');
      if (request) harness.client.answerCall(harness.now, request.tunnelId, request.sessionId);
      harness.faults = {};
      harness.run(90_000);
      const states = [harness.client, harness.server].map((side) =>
        side.tunnels().flatMap(({ sessions }) => sessions.map(({ state }) => state)),
      );
      expect(states[0], `seed ${seed}`).toEqual(states[1]);
    }
  });
});

describe('the proxy AVPs of ICCN', () => {
  it('come out on the other side as they were put in, hidden where the tunnel hides', () => {
    const proxy = {
      initialReceivedLcpConfreq: Uint8Array.of(1, 4, 5, 0xdc),
      lastSentLcpConfreq: Uint8Array.of(3, 5, 0xc2, 0x23, 5),
      lastReceivedLcpConfreq: Uint8Array.of(1, 4, 5, 0xb4),
      authenType: 2,
      authenName: 'alice@plant.example',
      authenChallenge: new Uint8Array(16).fill(3),
      authenId: 7,
      authenResponse: new Uint8Array(16).fill(9),
    };
    for (const hideAvps of [false, true]) {
      const harness = new Harness({ server: { accept: { secret: 's3cret' } } });
      const tunnelId = harness.openTunnel({ secret: 's3cret', hideAvps });
      harness.client.openSession(harness.now, tunnelId, { proxy });
      harness.run(500);
      expect(harness.last('server', 'session-up')?.proxy).toEqual(proxy);
      const iccn = harness.sentBy('client', 'ICCN')[0]?.datagram ?? new Uint8Array(0);
      expect(Buffer.from(iccn).includes('alice@plant')).toBe(!hideAvps);
    }
    const plain = new Harness();
    plain.connect();
    expect(plain.last('server', 'session-up')).not.toHaveProperty('proxy');
  });
});

describe('the Session DS of RFC 3308', () => {
  it.each([
    [0, 0, undefined, undefined],
    [46, 0, 46, undefined],
    [46, 46, 46, 46],
    [46, 10, 10, 10],
    [0, 10, undefined, 10],
  ])('asked for %i where the LNS wants %i, is %s at the LAC and %s at the LNS', (lac, lns, atLac, atLns) => {
    const harness = new Harness({ client: { dscp: lac }, server: { dscp: lns } });
    harness.connect();
    expect(harness.last('client', 'session-opening')?.dscp).toBe(atLac);
    expect(harness.last('server', 'session-opening')?.dscp).toBe(atLns);
    const [icrq] = harness.sentBy('client', 'ICRQ');
    expect(icrq?.message.body?.fields.sessionDs).toBe(lac === 0 ? undefined : lac << 10);
    const [icrp] = harness.sentBy('server', 'ICRP');
    expect(icrp?.message.body?.fields.sessionDs).toBe(lac === 0 || lns === 0 ? undefined : lns << 10);
  });

  it('of another kind than a DSCP changes nothing', () => {
    const peer = ScriptedPeer.server(endpoint({ dscp: 46 }));
    const [{ tunnelId } = { tunnelId: 0 }] = peer.endpoint.tunnels();
    peer.endpoint.openSession(peer.now, tunnelId);
    peer.drain();
    peer.send('ICRP', { ...REPLY, sessionDs: 0x8001 }, peer.sessionId);
    expect(peer.event('session-opening')).toMatchObject({ dscp: 46 });
  });
});

describe('the PPP disconnect cause of RFC 3145', () => {
  it('is sent with a CDN and told in words', () => {
    const harness = new Harness();
    const { serverTunnelId } = harness.connect();
    const { sessionId } = harness.last('server', 'session-up') ?? { sessionId: 0 };
    const pppDisconnect = { code: 16, protocol: 0xc223, direction: 1, message: 'bad\u001bpassword' };
    harness.server.closeSession(harness.now, serverTunnelId, sessionId, { resultCode: 3, pppDisconnect });
    harness.run(500);
    expect(harness.last('client', 'session-down')?.failure.reason).toBe(
      '192.0.2.2:1701 ended the session: call disconnected for administrative reasons (CDN result 3); PPP: authentication failed: ' +
        'a wrong name, password or secret (of the caller): "bad\\x1bpassword"',
    );
  });
});
