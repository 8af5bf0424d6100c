import { describe, expect, it } from 'vitest';
import type { AvpFields } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import type { L2tpEndpointOptions } from '../../../../firmware/protocol/l2tp/endpoint-types.ts';
import type { MessageName } from '../../../../firmware/protocol/l2tp/message-table.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { CLIENT_PATH, Harness } from './harness.ts';
import { ICCN, ICRQ, PEER_SESSION, ScriptedPeer } from './scripted-peer.ts';

const ICRP: AvpFields = { assignedSessionId: PEER_SESSION };
const OCRQ: AvpFields = {
  ...ICRQ,
  minimumBps: 1,
  maximumBps: 2,
  bearerType: 1,
  framingType: 1,
  calledNumber: '110',
};
const CDN: AvpFields = { resultCode: { resultCode: 3 }, assignedSessionId: PEER_SESSION };
const FIELDS: Partial<Record<MessageName, AvpFields>> = { ICRQ, ICRP, ICCN, CDN, OCRQ, OCRP: ICRP, OCCN: ICCN };

function endpoint(options: Partial<L2tpEndpointOptions> = {}): L2tpEndpoint {
  return new L2tpEndpoint({ hostName: 'us', accept: {}, ...options }, new SeededRandom(6));
}

/** We are the LNS of the peer's call, in the given state. */
function asLns(state: 'wait-connect' | 'established'): ScriptedPeer {
  const peer = ScriptedPeer.client(endpoint());
  peer.send('ICRQ', ICRQ);
  if (state === 'established') peer.send('ICCN', ICCN, peer.sessionId);
  peer.acknowledge();
  return peer;
}

/** We are the LAC of a call to the peer, in the given state. */
function asLac(state: 'wait-reply' | 'established'): ScriptedPeer {
  const peer = ScriptedPeer.server(endpoint());
  const [{ tunnelId } = { tunnelId: 0 }] = peer.endpoint.tunnels();
  peer.endpoint.openSession(peer.now, tunnelId);
  peer.drain();
  peer.acknowledge();
  if (state === 'established') peer.send('ICRP', ICRP, peer.sessionId);
  peer.acknowledge();
  return peer;
}

function stateOf(peer: ScriptedPeer): string | undefined {
  const [tunnel] = peer.endpoint.tunnels();
  return tunnel?.sessions[0]?.state ?? 'idle';
}

describe('the LNS incoming call states of section 7.4.2', () => {
  it.each<['wait-connect' | 'established', MessageName, string, string]>([
    ['wait-connect', 'ICCN', 'ZLB', 'established'],
    ['wait-connect', 'ICRQ', 'CDN', 'idle'],
    ['wait-connect', 'ICRP', 'CDN', 'idle'],
    ['wait-connect', 'CDN', 'ZLB', 'idle'],
    ['wait-connect', 'OCRP', 'CDN', 'idle'],
    ['established', 'ICRQ', 'CDN', 'idle'],
    ['established', 'ICRP', 'CDN', 'idle'],
    ['established', 'ICCN', 'CDN', 'idle'],
    ['established', 'CDN', 'ZLB', 'idle'],
    ['established', 'OCRQ', 'CDN', 'idle'],
  ])('in %s answer %s with %s and go to %s', (state, message, answer, next) => {
    const peer = asLns(state);
    expect(peer.send(message, FIELDS[message] ?? {}, peer.sessionId)).toEqual([answer]);
    expect(stateOf(peer)).toBe(next);
    if (next === 'idle') expect(peer.event('session-down')).toMatchObject({ byPeer: message === 'CDN' });
  });
});

describe('the LAC incoming call states of section 7.4.1', () => {
  it.each<['wait-reply' | 'established', MessageName, string, string]>([
    ['wait-reply', 'ICRP', 'ICCN', 'established'],
    ['wait-reply', 'ICRQ', 'CDN', 'idle'],
    ['wait-reply', 'ICCN', 'ZLB', 'idle'],
    ['wait-reply', 'CDN', 'ZLB', 'idle'],
    ['established', 'ICRQ', 'CDN', 'idle'],
    ['established', 'ICRP', 'CDN', 'idle'],
    ['established', 'ICCN', 'CDN', 'idle'],
    ['established', 'CDN', 'ZLB', 'idle'],
    ['established', 'OCCN', 'CDN', 'idle'],
  ])('in %s answer %s with %s and go to %s', (state, message, answer, next) => {
    const peer = asLac(state);
    expect(peer.send(message, FIELDS[message] ?? {}, peer.sessionId)).toEqual([answer]);
    expect(stateOf(peer)).toBe(next);
  });
});

describe('a session', () => {
  it('waits for its tunnel', () => {
    const harness = new Harness();
    const tunnelId = harness.openTunnel();
    const sessionId = harness.client.openSession(harness.now, tunnelId);
    expect(harness.client.tunnel(tunnelId)?.sessions).toEqual([{ sessionId, peerSessionId: 0, state: 'wait-tunnel' }]);
    harness.client.closeSession(harness.now, tunnelId, sessionId, { resultCode: 3 });
    harness.run(500);
    expect(harness.last('client', 'session-down')).toMatchObject({ sessionId, byPeer: false });
    expect(harness.names('client')).not.toContain('ICRQ');
    expect(harness.live('client')).toHaveLength(1);
  });

  it('that we close ends with a CDN that names both ids, and our own words', () => {
    const harness = new Harness();
    const { tunnelId, sessionId } = harness.connect();
    const { peerSessionId } = harness.last('client', 'session-opening') ?? {};
    const cause = { resultCode: 3, message: 'user pressed the button' };
    harness.client.closeSession(harness.now, tunnelId, sessionId, cause);
    harness.drain();
    const cdn = harness.sentBy('client', 'CDN')[0]?.message;
    expect(cdn?.header.sessionId).toBe(peerSessionId);
    expect(cdn?.body?.fields).toEqual({
      resultCode: { resultCode: 3, errorCode: 0, message: 'user pressed the button' },
      assignedSessionId: sessionId,
    });
    expect(harness.last('client', 'session-down')).toMatchObject({
      byPeer: false,
      failure: { step: 'CDN', reason: 'the session was closed by this side: user pressed the button' },
    });
    harness.run(500);
    expect(harness.last('server', 'session-down')).toMatchObject({
      byPeer: true,
      failure: {
        step: 'CDN',
        reason:
          '192.0.2.1:40000 ended the session: ' +
          'call disconnected for administrative reasons (CDN result 3): "user pressed the button"',
      },
    });
    expect(harness.live('server')).toMatchObject([{ state: 'established', sessions: [] }]);
  });

  it('that the server refuses says why', () => {
    const harness = new Harness({ server: { limits: { sessionsPerTunnel: 1 } } });
    const { tunnelId } = harness.connect();
    harness.client.openSession(harness.now, tunnelId);
    harness.run(500);
    expect(harness.last('client', 'session-down')?.failure).toEqual({
      step: 'ICRQ',
      reason:
        '192.0.2.2:1701 refused the session: ' +
        'call failed for lack of facilities at the moment (CDN result 4): "too many sessions"',
      remedy: 'try again later, or raise the limits of the peer',
    });
  });

  it('beyond our own limit is refused at once', () => {
    const harness = new Harness({ client: { limits: { sessionsPerTunnel: 1 } } });
    const { tunnelId } = harness.connect();
    const sessionId = harness.client.openSession(harness.now, tunnelId);
    harness.drain();
    expect(harness.last('client', 'session-down')).toMatchObject({ sessionId, failure: { step: 'ICRQ' } });
  });

  it('in a tunnel that is gone comes down at once instead of throwing', () => {
    const harness = new Harness();
    const sessionId = harness.client.openSession(harness.now, 4711);
    harness.drain();
    expect(harness.last('client', 'session-down')).toMatchObject({ tunnelId: 4711, sessionId });
  });

  it('whose ICRQ is acknowledged but not answered fails after 30 s, with a CDN', () => {
    const peer = asLac('wait-reply');
    for (let i = 0; i < 29; i++) {
      peer.wait(1000);
      peer.acknowledge();
    }
    expect(peer.event('session-down')).toBeUndefined();
    expect(peer.wait(1000)).toContain('CDN');
    expect(peer.event('session-down')?.failure).toMatchObject({
      step: 'ICRQ',
      reason: expect.stringContaining('acknowledged the ICRQ but did not answer it within 30 s'),
    });
    expect(peer.last('CDN')?.body?.fields.resultCode).toEqual({ resultCode: 10 });
  });

  it('that the peer places but never connects is ended', () => {
    const peer = asLns('wait-connect');
    for (let i = 0; i < 61; i++) {
      peer.wait(1000);
      peer.acknowledge();
    }
    expect(peer.event('session-down')?.failure.step).toBe('ICCN');
    expect(stateOf(peer)).toBe('idle');
  });

  it('gives way to a new call under the same id of the peer', () => {
    const peer = asLns('established');
    const old = peer.sessionId;
    expect(peer.send('ICRQ', ICRQ)).toEqual(['ICRP']);
    expect(peer.event('session-down')).toMatchObject({ sessionId: old, byPeer: true });
    expect(peer.endpoint.tunnels()[0]?.sessions).toMatchObject([{ sessionId: peer.sessionId }]);
  });
});

describe('a CDN with wrong ids', () => {
  it('is understood by the id that the peer assigned, when the header has none', () => {
    const peer = asLns('established');
    expect(peer.send('CDN', CDN, 0)).toEqual(['ZLB']);
    expect(stateOf(peer)).toBe('idle');
  });

  it('is understood by the header, when the assigned id is another', () => {
    const peer = asLns('established');
    peer.send('CDN', { ...CDN, assignedSessionId: 1 }, peer.sessionId);
    expect(stateOf(peer)).toBe('idle');
  });

  it('is understood when our id stands where the own id of the peer belongs', () => {
    const peer = asLns('established');
    peer.send('CDN', { ...CDN, assignedSessionId: peer.sessionId }, 0);
    expect(stateOf(peer)).toBe('idle');
  });

  it('is acknowledged and ignored when it fits no session', () => {
    const peer = asLns('established');
    expect(peer.send('CDN', { ...CDN, assignedSessionId: 1 }, 2)).toEqual(['ZLB']);
    expect(stateOf(peer)).toBe('established');
  });
});

describe('calls that are not taken', () => {
  it('of the outgoing kind are answered with a CDN: not supported', () => {
    const peer = ScriptedPeer.client(endpoint());
    expect(peer.send('OCRQ', OCRQ)).toEqual(['CDN']);
    const cdn = peer.last('CDN');
    expect(cdn?.header.sessionId).toBe(PEER_SESSION);
    expect(cdn?.body?.fields.resultCode?.resultCode).toBe(5);
    expect(cdn?.body?.fields.assignedSessionId).not.toBe(0);
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: 'established', sessions: [] }]);
  });

  it('by an endpoint that is a client alone are refused', () => {
    const peer = ScriptedPeer.server(new L2tpEndpoint({ hostName: 'lac' }, new SeededRandom(1)));
    peer.acknowledge();
    expect(peer.send('ICRQ', ICRQ)).toEqual(['CDN']);
    expect(peer.event('session-opening')).toBeUndefined();
  });

  it('before the tunnel is established make no session', () => {
    const peer = new ScriptedPeer(endpoint(), CLIENT_PATH);
    peer.endpoint.openTunnel(peer.now, { path: CLIENT_PATH });
    peer.drain();
    expect(peer.send('ICRQ', ICRQ)).toEqual(['ZLB']);
    expect(stateOf(peer)).toBe('idle');
  });
});
