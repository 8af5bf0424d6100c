import { describe, expect, it } from 'vitest';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { CLIENT_END, CLIENT_PATH, Harness, SERVER_END, SERVER_PATH } from './harness.ts';
import { ICRQ, INTRODUCTION, PEER_TUNNEL, ScriptedPeer } from './scripted-peer.ts';

function client(): L2tpEndpoint {
  return new L2tpEndpoint({ hostName: 'lac.example' }, new SeededRandom(3));
}

function server(): L2tpEndpoint {
  return new L2tpEndpoint({ hostName: 'lns.example', accept: {} }, new SeededRandom(4));
}

describe('establishment of tunnel and session', () => {
  it('takes SCCRQ, SCCRP, SCCCN and ICRQ, ICRP, ICCN and nothing else', () => {
    const harness = new Harness();
    const { tunnelId, sessionId } = harness.connect();
    expect(harness.names('client')).toEqual(['SCCRQ', 'SCCCN', 'ICRQ', 'ICCN']);
    expect(harness.names('server').filter((name) => name !== 'ZLB')).toEqual(['SCCRP', 'ICRP']);
    expect(harness.client.tunnel(tunnelId)).toMatchObject({
      state: 'established',
      incoming: false,
      peer: { hostName: 'lns.example', vendorName: 'Culvert', receiveWindow: 16 },
      sessions: [{ sessionId, state: 'established' }],
    });
    expect(harness.live('server')).toMatchObject([{ state: 'established', incoming: true, peerTunnelId: tunnelId }]);
  });

  it('is told in the order: tunnel-up, session-opening, session-up, on both sides with the same ids', () => {
    const harness = new Harness();
    harness.connect();
    const kinds = (side: 'client' | 'server'): string[] =>
      harness.events[side].map((event) => event.kind).filter((kind) => kind !== 'trace');
    expect(kinds('client')).toEqual(['tunnel-up', 'session-opening', 'session-up']);
    expect(kinds('server')).toEqual(['tunnel-up', 'session-opening', 'session-up']);
    const ours = harness.last('client', 'session-opening');
    const theirs = harness.last('server', 'session-opening');
    expect(ours).toMatchObject({ incoming: false, path: CLIENT_PATH });
    expect(theirs).toMatchObject({
      incoming: true,
      path: SERVER_PATH,
      tunnelId: ours?.peerTunnelId,
      sessionId: ours?.peerSessionId,
      peerTunnelId: ours?.tunnelId,
      peerSessionId: ours?.sessionId,
    });
  });

  it('traces every message once, and no ZLB', () => {
    const harness = new Harness();
    harness.connect();
    const traced = harness.all('client', 'trace').map(({ direction, message }) => `${direction} ${message}`);
    expect(traced.sort()).toEqual([
      'received ICRP',
      'received SCCRP',
      'sent ICCN',
      'sent ICRQ',
      'sent SCCCN',
      'sent SCCRQ',
    ]);
  });

  it('tells the LNS what the LAC said of the call', () => {
    const harness = new Harness();
    const tunnelId = harness.openTunnel();
    const options = { callingNumber: '030\n1', calledNumber: '110', connectSpeed: 16_000_000, sequencing: true };
    harness.client.openSession(harness.now, tunnelId, options);
    harness.run(500);
    expect(harness.last('server', 'session-up')).toMatchObject({
      callingNumber: '030\\x0a1',
      calledNumber: '110',
      connectSpeed: 16_000_000,
      sequencing: true,
    });
    expect(harness.last('client', 'session-up')).toMatchObject({ sequencing: true });
  });

  it('carries many sessions in a tunnel and many tunnels in an endpoint', () => {
    const harness = new Harness();
    const tunnels = [harness.openTunnel(), harness.openTunnel(), harness.openTunnel()];
    for (const tunnelId of tunnels) {
      for (let i = 0; i < 40; i++) harness.client.openSession(harness.now, tunnelId);
    }
    harness.run(3000);
    for (const side of ['client', 'server'] as const) {
      expect(harness.live(side)).toHaveLength(3);
      for (const { sessions } of harness.live(side)) {
        expect(sessions.filter(({ state }) => state === 'established')).toHaveLength(40);
        expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBe(40);
      }
    }
  });

  it('takes an ICRQ right behind the SCCCN, even when it overtakes it', () => {
    const peer = new ScriptedPeer(server(), SERVER_PATH);
    peer.send('SCCRQ', INTRODUCTION);
    peer.ns = 2;
    expect(peer.send('ICRQ', ICRQ)).toEqual(['ZLB']);
    peer.ns = 1;
    expect(peer.send('SCCCN', {})).toEqual(['ICRP']);
    expect(peer.received.at(-1)?.header.nr).toBe(3);
  });

  it('has ids that are random and never 0', () => {
    const ids = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const harness = new Harness({ seed });
      ids.add(harness.openTunnel());
    }
    expect(ids.size).toBeGreaterThan(45);
    expect(ids.has(0)).toBe(false);
  });

  it('announces a framing type that the peer can do', () => {
    const peer = new ScriptedPeer(client(), CLIENT_PATH);
    const tunnelId = peer.endpoint.openTunnel(peer.now, { path: CLIENT_PATH });
    peer.endpoint.openSession(peer.now, tunnelId);
    peer.drain();
    peer.send('SCCRP', { ...INTRODUCTION, framingCapabilities: 2 });
    peer.send('ICRP', { assignedSessionId: 9 }, peer.sessionId);
    expect(peer.last('ICCN')?.body?.fields.framingType).toBe(2);
  });
});

describe('the port of the SCCRP', () => {
  const moved = { remote: { ...SERVER_END, port: 50_123 }, local: CLIENT_END };

  it('is followed by default, told, and then fixed', () => {
    const peer = new ScriptedPeer(client(), CLIENT_PATH);
    const tunnelId = peer.endpoint.openTunnel(peer.now, { path: CLIENT_PATH });
    peer.drain();
    peer.path = moved;
    expect(peer.send('SCCRP', INTRODUCTION)).toEqual(['SCCCN']);
    expect(peer.event('tunnel-path')).toEqual({ kind: 'tunnel-path', tunnelId, path: moved });
    expect(peer.endpoint.tunnel(tunnelId)?.path).toEqual(moved);
    peer.path = CLIENT_PATH;
    expect(peer.send('HELLO', {})).toEqual([]);
    expect(peer.endpoint.counters.wrongSource).toBe(1);
  });

  it('is not followed where that is forbidden', () => {
    const peer = new ScriptedPeer(client(), CLIENT_PATH);
    peer.endpoint.openTunnel(peer.now, { path: CLIENT_PATH, followReplyPort: false });
    peer.drain();
    peer.path = moved;
    expect(peer.send('SCCRP', INTRODUCTION)).toEqual([]);
    expect(peer.endpoint.counters.wrongSource).toBe(1);
  });

  it('is never followed to another address', () => {
    const peer = new ScriptedPeer(client(), CLIENT_PATH);
    peer.endpoint.openTunnel(peer.now, { path: CLIENT_PATH });
    peer.drain();
    peer.path = { remote: { ...SERVER_END, address: '192.0.2.99' }, local: CLIENT_END };
    expect(peer.send('SCCRP', INTRODUCTION)).toEqual([]);
    expect(peer.endpoint.counters.wrongSource).toBe(1);
    expect(peer.event('tunnel-up')).toBeUndefined();
  });
});

describe('what cannot be accepted', () => {
  it('turns an SCCRQ of another version away with StopCCN result 5, and remembers nothing', () => {
    const peer = new ScriptedPeer(server(), SERVER_PATH);
    const version = { protocolVersion: { version: 2, revision: 0 } };
    expect(peer.send('SCCRQ', { ...INTRODUCTION, ...version })).toEqual(['StopCCN']);
    const stop = peer.last('StopCCN');
    expect(stop?.header).toMatchObject({ tunnelId: PEER_TUNNEL, ns: 0, nr: 1 });
    expect(stop?.body?.fields.resultCode).toEqual({ resultCode: 5, errorCode: 0x0100 });
    expect(peer.endpoint.tunnels()).toEqual([]);
    expect(peer.endpoint.nextDeadline()).toBeUndefined();
  });

  it('turns an SCCRQ with an unknown mandatory AVP away with error code 8', () => {
    const peer = new ScriptedPeer(server(), SERVER_PATH);
    const unknown = { mandatory: true, hidden: false, vendor: 9, type: 1, value: new Uint8Array(2) };
    expect(peer.send('SCCRQ', INTRODUCTION, 0, [unknown])).toEqual(['StopCCN']);
    expect(peer.last('StopCCN')?.body?.fields.resultCode).toMatchObject({ resultCode: 2, errorCode: 8 });
    expect(peer.endpoint.tunnels()).toEqual([]);
  });

  it('ends the tunnel when the SCCRP is of another version', () => {
    const peer = new ScriptedPeer(client(), CLIENT_PATH);
    peer.endpoint.openTunnel(peer.now, { path: CLIENT_PATH });
    peer.drain();
    const version = { protocolVersion: { version: 3, revision: 0 } };
    expect(peer.send('SCCRP', { ...INTRODUCTION, ...version })).toEqual(['StopCCN']);
    expect(peer.event('tunnel-down')?.failure.reason).toContain('version 3');
  });

  it('refuses options that cannot be sent', () => {
    const random = new SeededRandom(1);
    expect(() => new L2tpEndpoint({ hostName: '' }, random)).toThrow(RangeError);
    expect(() => new L2tpEndpoint({ hostName: 'x'.repeat(256) }, random)).toThrow(RangeError);
    expect(() => new L2tpEndpoint({ hostName: 'x', receiveWindow: 0 }, random)).toThrow(RangeError);
    const endpoint = new L2tpEndpoint({ hostName: 'x' }, random);
    const tunnelId = endpoint.openTunnel(0, { path: CLIENT_PATH });
    expect(() => endpoint.openSession(0, tunnelId, { calledNumber: '1'.repeat(256) })).toThrow(RangeError);
  });
});
