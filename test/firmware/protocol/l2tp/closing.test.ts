import { describe, expect, it } from 'vitest';
import type { AvpFields } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import type { MessageName } from '../../../../firmware/protocol/l2tp/message-table.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { CLIENT_PATH, Harness, SERVER_PATH } from './harness.ts';
import { INTRODUCTION, PEER_TUNNEL, ScriptedPeer } from './scripted-peer.ts';

const STOP: AvpFields = { assignedTunnelId: PEER_TUNNEL, resultCode: { resultCode: 1 } };

function endpoint(): L2tpEndpoint {
  return new L2tpEndpoint({ hostName: 'us', accept: {} }, new SeededRandom(6));
}

function peerIn(state: 'wait-reply' | 'wait-connect' | 'established'): ScriptedPeer {
  if (state === 'established') return ScriptedPeer.client(endpoint());
  const peer = new ScriptedPeer(endpoint(), state === 'wait-reply' ? CLIENT_PATH : SERVER_PATH);
  if (state === 'wait-connect') peer.send('SCCRQ', INTRODUCTION);
  else peer.endpoint.openTunnel(peer.now, { path: CLIENT_PATH });
  peer.drain();
  return peer;
}

describe('the control connection states of section 7.2.1', () => {
  it.each<['wait-reply' | 'wait-connect' | 'established', MessageName, string, string]>([
    ['wait-reply', 'SCCRP', 'SCCCN', 'established'],
    ['wait-reply', 'SCCCN', 'StopCCN', 'closing'],
    ['wait-reply', 'StopCCN', 'ZLB', 'closing'],
    ['wait-reply', 'HELLO', 'ZLB', 'wait-reply'],
    ['wait-connect', 'SCCCN', 'ZLB', 'established'],
    ['wait-connect', 'SCCRQ', 'StopCCN', 'closing'],
    ['wait-connect', 'SCCRP', 'StopCCN', 'closing'],
    ['wait-connect', 'StopCCN', 'ZLB', 'closing'],
    ['established', 'SCCRQ', 'StopCCN', 'closing'],
    ['established', 'SCCRP', 'StopCCN', 'closing'],
    ['established', 'SCCCN', 'StopCCN', 'closing'],
    ['established', 'StopCCN', 'ZLB', 'closing'],
    ['established', 'HELLO', 'ZLB', 'established'],
  ])('in %s answer %s with %s and go to %s', (state, message, answer, next) => {
    const peer = peerIn(state);
    const fields = { SCCRP: INTRODUCTION, SCCRQ: INTRODUCTION, StopCCN: STOP }[message as string] ?? {};
    expect(peer.send(message, fields)).toEqual([answer]);
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: next }]);
    const down = peer.event('tunnel-down');
    if (next === 'closing') expect(down?.byPeer).toBe(message === 'StopCCN');
    else expect(down).toBeUndefined();
  });
});

describe('closing a tunnel', () => {
  it('tells of every session and then of the tunnel, at once', () => {
    const harness = new Harness();
    const { tunnelId } = harness.connect();
    harness.client.openSession(harness.now, tunnelId);
    harness.run(500);
    harness.events.client.length = 0;
    harness.client.closeTunnel(harness.now, tunnelId, { resultCode: 6 });
    harness.drain();
    expect(harness.events.client.map((event) => event.kind).filter((kind) => kind !== 'trace')).toEqual([
      'session-down',
      'session-down',
      'tunnel-down',
    ]);
    expect(harness.client.tunnel(tunnelId)).toMatchObject({ state: 'closing', sessions: [] });
    harness.run(500);
    expect(harness.last('server', 'tunnel-down')).toMatchObject({
      byPeer: true,
      failure: { step: 'StopCCN', reason: expect.stringContaining('the requester is being shut down') },
    });
    expect(harness.all('server', 'session-down')).toHaveLength(2);
  });

  it('retransmits the StopCCN until it is acknowledged, and is idle only then', () => {
    const harness = new Harness();
    const { tunnelId } = harness.connect();
    harness.run(10);
    harness.mute.client = true;
    harness.client.closeTunnel(harness.now, tunnelId, { resultCode: 1 });
    harness.run(2000);
    expect(harness.client.idle).toBe(false);
    harness.mute.client = false;
    harness.run(2000);
    expect(harness.client.idle).toBe(true);
    expect(harness.sentBy('client', 'StopCCN')).toHaveLength(3);
    expect(harness.last('server', 'tunnel-down')?.byPeer).toBe(true);
  });

  it('lingers for 31 s on both sides, and then nothing is left', () => {
    const harness = new Harness();
    const { tunnelId } = harness.connect();
    harness.client.closeTunnel(harness.now, tunnelId, { resultCode: 1 });
    harness.run(30_900);
    expect(harness.client.tunnels()).toHaveLength(1);
    expect(harness.server.tunnels()).toHaveLength(1);
    harness.run(200);
    expect(harness.client.tunnels()).toEqual([]);
    expect(harness.server.tunnels()).toEqual([]);
    expect(harness.client.nextDeadline()).toBeUndefined();
    expect(harness.server.nextDeadline()).toBeUndefined();
  });

  it('answers a repeated StopCCN as long as it lingers', () => {
    const peer = ScriptedPeer.client(endpoint());
    peer.send('StopCCN', STOP);
    const events = peer.events.length;
    for (let i = 0; i < 3; i++) {
      peer.ns -= 1;
      peer.wait(8000);
      expect(peer.send('StopCCN', STOP)).toEqual(['ZLB']);
    }
    expect(peer.events).toHaveLength(events);
    peer.wait(10_000);
    peer.ns -= 1;
    expect(peer.send('StopCCN', STOP)).toEqual([]);
  });

  it('has nothing more to say to a peer that has sent a StopCCN', () => {
    const probed = ScriptedPeer.client(endpoint());
    const [{ tunnelId } = { tunnelId: 0 }] = probed.endpoint.tunnels();
    probed.endpoint.probe(probed.now, tunnelId);
    probed.drain();
    probed.nr -= 1;
    expect(probed.send('StopCCN', STOP)).toEqual(['ZLB']);
    expect(probed.wait(30_000)).toEqual([]);

    const crossing = ScriptedPeer.client(endpoint());
    const [other = { tunnelId: 0 }] = crossing.endpoint.tunnels();
    crossing.endpoint.closeTunnel(crossing.now, other.tunnelId, { resultCode: 1 });
    crossing.drain();
    crossing.nr -= 1;
    expect(crossing.send('StopCCN', STOP)).toEqual(['ZLB']);
    expect(crossing.wait(30_000)).toEqual([]);
    expect(crossing.endpoint.idle).toBe(true);
  });

  it('does so for lingerMs where that is set', () => {
    const harness = new Harness({ client: { lingerMs: 500 }, server: { lingerMs: 500 } });
    const { tunnelId } = harness.connect();
    harness.client.closeTunnel(harness.now, tunnelId, { resultCode: 1 });
    harness.run(600);
    expect(harness.client.tunnels()).toEqual([]);
    expect(harness.server.tunnels()).toEqual([]);
  });

  it('while nobody has answered yet stops the SCCRQs, sends a StopCCN and is idle', () => {
    const harness = new Harness();
    harness.mute.client = true;
    const tunnelId = harness.openTunnel();
    harness.client.closeTunnel(harness.now, tunnelId, { resultCode: 1 });
    harness.drain();
    expect(harness.client.idle).toBe(true);
    harness.run(60_000);
    expect(harness.sentBy('client', 'SCCRQ')).toHaveLength(1);
    expect(harness.sentBy('client', 'StopCCN').length).toBeGreaterThan(0);
    expect(harness.client.tunnels()).toEqual([]);
  });

  it('while the SCCRP is on its way clears the tunnel of the server, too', () => {
    const harness = new Harness();
    const tunnelId = harness.openTunnel();
    harness.client.closeTunnel(harness.now, tunnelId, { resultCode: 1 });
    harness.run(1000);
    expect(harness.live('server')).toEqual([]);
    expect(harness.last('server', 'tunnel-down')?.byPeer).toBe(true);
  });

  it('from both sides at once ends well', () => {
    const harness = new Harness();
    const { tunnelId, serverTunnelId } = harness.connect();
    harness.client.closeTunnel(harness.now, tunnelId, { resultCode: 1 });
    harness.server.closeTunnel(harness.now, serverTunnelId, { resultCode: 1 });
    harness.run(100);
    expect(harness.client.idle && harness.server.idle).toBe(true);
    expect(harness.all('client', 'tunnel-down')).toHaveLength(1);
    expect(harness.all('server', 'tunnel-down')).toHaveLength(1);
  });

  it('is harmless when repeated or for a tunnel that is not there', () => {
    const harness = new Harness();
    const { tunnelId } = harness.connect();
    for (const id of [tunnelId, tunnelId, 4711]) harness.client.closeTunnel(harness.now, id, { resultCode: 1 });
    harness.run(100);
    expect(harness.sentBy('client', 'StopCCN')).toHaveLength(1);
  });

  it('of all tunnels is shutdown', () => {
    const harness = new Harness();
    harness.connect();
    harness.connect();
    harness.server.shutdown(harness.now, { resultCode: 6 });
    harness.run(500);
    expect(harness.live('client')).toEqual([]);
    expect(harness.live('server')).toEqual([]);
    expect(harness.client.idle && harness.server.idle).toBe(true);
  });
});

describe('a StopCCN with wrong ids', () => {
  it('is understood although its Assigned Tunnel ID is not the one of the peer', () => {
    const peer = peerIn('established');
    expect(peer.send('StopCCN', { ...STOP, assignedTunnelId: 1 })).toEqual(['ZLB']);
    expect(peer.event('tunnel-down')?.byPeer).toBe(true);
  });

  it('is understood without our tunnel id, by that of the peer', () => {
    const peer = peerIn('wait-connect');
    peer.tunnelId = 0;
    expect(peer.send('StopCCN', STOP)).toEqual(['ZLB']);
    expect(peer.event('tunnel-down')).toMatchObject({ byPeer: true, failure: { step: 'SCCRP' } });
  });

  it('is understood without our tunnel id as the answer to the only SCCRQ that waits', () => {
    const peer = peerIn('wait-reply');
    peer.tunnelId = 0;
    peer.send('StopCCN', { ...STOP, resultCode: { resultCode: 2, errorCode: 4 } });
    expect(peer.event('tunnel-down')?.failure).toMatchObject({
      step: 'SCCRQ',
      reason: expect.stringContaining('insufficient resources'),
      remedy: 'try again later, or raise the limits of the peer',
    });
  });

  it('is understood with a Result Code that is missing or has its octets swapped', () => {
    const peer = peerIn('established');
    peer.send('StopCCN', { ...STOP, resultCode: { resultCode: 0x0600 } });
    expect(peer.event('tunnel-down')?.failure.reason).toContain('being shut down (StopCCN result 6)');
  });
});

describe('nobody answers', () => {
  it('the SCCRQ: the tunnel fails after 31 s and six transmissions', () => {
    const harness = new Harness();
    harness.mute.server = true;
    const tunnelId = harness.openTunnel();
    harness.client.openSession(harness.now, tunnelId);
    harness.run(30_999);
    expect(harness.last('client', 'tunnel-down')).toBeUndefined();
    harness.run(1);
    expect(harness.sentBy('client', 'SCCRQ')).toHaveLength(6);
    expect(harness.last('client', 'tunnel-down')).toMatchObject({
      byPeer: false,
      failure: { step: 'SCCRQ', reason: expect.stringContaining('did not answer the SCCRQ within 31 s') },
    });
    expect(harness.all('client', 'session-down')).toHaveLength(1);
    expect(harness.client.tunnels()).toEqual([]);
    expect(harness.client.idle).toBe(true);
  });

  it('but an acknowledgement: the words say so', () => {
    const peer = peerIn('wait-reply');
    peer.acknowledge();
    peer.wait(31_000);
    expect(peer.event('tunnel-down')?.failure.reason).toContain('acknowledged the SCCRQ but sent no SCCRP');
  });

  it('the SCCRP but with acknowledgements: the half-open tunnel goes all the same', () => {
    const peer = peerIn('wait-connect');
    peer.acknowledge();
    peer.wait(15_000);
    expect(peer.endpoint.tunnels()).toEqual([]);
    expect(peer.event('tunnel-down')?.failure.step).toBe('SCCRP');
  });
});
