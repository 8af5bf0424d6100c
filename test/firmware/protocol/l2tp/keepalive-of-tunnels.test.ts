import { describe, expect, it } from 'vitest';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { CLIENT_PATH, Harness, SERVER_END, SERVER_PATH } from './harness.ts';
import { ICCN, ICRQ, PEER_SESSION, ScriptedPeer } from './scripted-peer.ts';

describe('Hello', () => {
  it('keeps an idle tunnel up for ever, with one Hello every idleMs', () => {
    const harness = new Harness();
    harness.connect();
    harness.run(60_000);
    expect(harness.live('client')).toHaveLength(1);
    expect(harness.live('server')).toHaveLength(1);
    const hellos = harness.sentBy('client', 'HELLO').length + harness.sentBy('server', 'HELLO').length;
    expect(hellos).toBeGreaterThan(12);
    expect(hellos).toBeLessThan(32);
  });

  it('notices a dead peer idleMs + probes * probeMs after the last input', () => {
    const harness = new Harness();
    const { tunnelId, sessionId } = harness.connect();
    const { lastHeard } = harness.client.tunnel(tunnelId) ?? { lastHeard: 0 };
    harness.mute.server = true;
    expect(harness.runUntil(() => harness.last('client', 'tunnel-down') !== undefined, 100_000)).toBe(true);
    expect(harness.now - lastHeard).toBe(4000 + 8 * 1000);
    expect(harness.last('client', 'tunnel-down')?.failure).toMatchObject({
      step: 'hello',
      reason: expect.stringContaining('for 12 s'),
    });
    expect(harness.last('client', 'session-down')).toMatchObject({ sessionId, byPeer: false });
    expect(harness.client.tunnels()).toEqual([]);
  });

  it('probes by sending one Hello again and again, not by queueing more of them', () => {
    const harness = new Harness();
    harness.connect();
    harness.mute.server = true;
    const before = harness.sentBy('client', 'HELLO').length;
    harness.runUntil(() => harness.last('client', 'tunnel-down') !== undefined, 100_000);
    const probes = harness.sentBy('client', 'HELLO').slice(before);
    expect(probes).toHaveLength(8);
    expect(new Set(probes.map(({ message }) => message.header.ns)).size).toBe(1);
    const distances = probes.slice(1).map(({ at }, i) => at - (probes[i]?.at ?? 0));
    expect(distances).toEqual([1000, 1000, 1000, 1000, 1000, 1000, 1000]);
  });

  it('keeps to another policy', () => {
    const harness = new Harness({ client: { hello: { idleMs: 10_000, probeMs: 500, probes: 3 } } });
    const { tunnelId } = harness.connect();
    harness.run(20_000);
    harness.mute.server = true;
    harness.run(20);
    const { lastHeard } = harness.client.tunnel(tunnelId) ?? { lastHeard: 0 };
    harness.runUntil(() => harness.last('client', 'tunnel-down') !== undefined, 100_000);
    expect(harness.now - lastHeard).toBe(11_500);
  });

  it('is not doubled by the ordinary retransmissions, whose patience does not count meanwhile', () => {
    const hello = { idleMs: 4000, probeMs: 5000, probes: 3 };
    const harness = new Harness({ client: { hello, retransmit: { attempts: 1 } } });
    const { tunnelId } = harness.connect();
    const { lastHeard } = harness.client.tunnel(tunnelId) ?? { lastHeard: 0 };
    harness.mute.server = true;
    const before = harness.sentBy('client', 'HELLO').length;
    harness.runUntil(() => harness.last('client', 'tunnel-down') !== undefined, 100_000);
    expect(harness.now - lastHeard).toBe(19_000);
    expect(harness.sentBy('client', 'HELLO')).toHaveLength(before + 3);
  });

  it('is not needed while user data comes in', () => {
    const harness = new Harness();
    const { tunnelId } = harness.connect();
    harness.mute.server = true;
    const before = harness.sentBy('client', 'HELLO').length;
    for (let i = 0; i < 60; i++) {
      harness.run(1000);
      harness.client.dataReceived(harness.now, tunnelId);
    }
    expect(harness.sentBy('client', 'HELLO')).toHaveLength(before);
    expect(harness.live('client')).toHaveLength(1);
  });

  it('goes by the ordinary retransmissions when only user data comes back', () => {
    const peer = ScriptedPeer.server(new L2tpEndpoint({ hostName: 'lac' }, new SeededRandom(1)));
    const [{ tunnelId } = { tunnelId: 0 }] = peer.endpoint.tunnels();
    peer.acknowledge();
    peer.endpoint.probe(peer.now, tunnelId);
    for (let i = 0; i < 80; i++) {
      peer.endpoint.dataReceived(peer.now, tunnelId);
      peer.wait(500);
    }
    expect(peer.event('tunnel-down')?.failure).toMatchObject({
      step: 'hello',
      reason: expect.stringContaining('did not acknowledge the HELLO'),
    });
  });

  it('lets a message that waits for its acknowledgement be the probe', () => {
    const peer = ScriptedPeer.client(new L2tpEndpoint({ hostName: 'lns', accept: {} }, new SeededRandom(1)));
    peer.send('ICRQ', ICRQ);
    const names = peer.wait(11_500);
    expect(names).not.toContain('HELLO');
    expect(names.filter((name) => name === 'ICRP').length).toBeGreaterThanOrEqual(8);
    peer.wait(1000);
    expect(peer.event('tunnel-down')?.failure.step).toBe('hello');
  });

  it('works across the wrap of Ns and Nr: 70,000 Hellos each way', () => {
    const client = new L2tpEndpoint({ hostName: 'lac' }, new SeededRandom(1));
    const server = new L2tpEndpoint({ hostName: 'lns', accept: {} }, new SeededRandom(2));
    let now = 0;
    const exchange = (): void => {
      for (let busy = true; busy; ) {
        busy = false;
        for (const [from, to, path] of [
          [client, server, SERVER_PATH],
          [server, client, CLIENT_PATH],
        ] as const) {
          for (let output = from.poll(); output !== undefined; output = from.poll()) {
            busy = true;
            if (output.kind === 'send') to.receive(now, output.datagram, path);
            else if (output.kind === 'tunnel-down') throw new Error(output.failure.reason);
          }
        }
      }
    };
    const tunnelId = client.openTunnel(now, { path: CLIENT_PATH });
    exchange();
    const [{ tunnelId: serverTunnelId } = { tunnelId: 0 }] = server.tunnels();
    for (let i = 0; i < 70_000; i++) {
      now += 1000;
      client.probe(now, tunnelId);
      server.probe(now, serverTunnelId);
      exchange();
    }
    client.openSession(now, tunnelId);
    exchange();
    expect(client.tunnels()).toMatchObject([{ state: 'established', sessions: [{ state: 'established' }] }]);
    expect(client.counters.outOfWindow + server.counters.outOfWindow).toBe(0);
    expect(client.counters.duplicate + server.counters.duplicate).toBe(0);
  });
});

describe('errors of the path', () => {
  it('trigger a Hello at once, and a tunnel whose peer answers it stays up', () => {
    const harness = new Harness();
    harness.connect();
    harness.run(100);
    const before = harness.sentBy('client', 'HELLO').length;
    harness.client.pathError(harness.now, SERVER_END, 'ECONNREFUSED');
    harness.drain();
    expect(harness.sentBy('client', 'HELLO')).toHaveLength(before + 1);
    harness.run(30_000);
    expect(harness.live('client')).toHaveLength(1);
  });

  it('do not make a storm: one probe is out at a time', () => {
    const harness = new Harness();
    harness.connect();
    harness.run(100);
    const before = harness.sentBy('client', 'HELLO').length;
    for (let i = 0; i < 500; i++) {
      harness.client.pathError(harness.now, SERVER_END, 'EHOSTUNREACH');
      harness.run(1);
    }
    expect(harness.sentBy('client', 'HELLO').length - before).toBe(1);
  });

  it('bring the end of a dead tunnel forward, but only by probing', () => {
    const harness = new Harness();
    harness.connect();
    harness.run(100);
    harness.mute.server = true;
    const start = harness.now;
    harness.client.pathError(harness.now, SERVER_END, 'ECONNREFUSED');
    harness.runUntil(() => harness.last('client', 'tunnel-down') !== undefined, 100_000);
    expect(harness.now - start).toBe(8000);
  });

  it('of another end, or of a datagram too big, do nothing', () => {
    const harness = new Harness();
    harness.connect();
    harness.run(100);
    const before = harness.sent.length;
    harness.client.pathError(harness.now, { ...SERVER_END, port: 4500 }, 'ECONNREFUSED');
    harness.client.pathError(harness.now, SERVER_END, 'EMSGSIZE');
    harness.drain();
    expect(harness.sent).toHaveLength(before);
  });

  it('do not end an attempt, but stand in the reason when nobody answers', () => {
    const harness = new Harness();
    harness.mute.server = true;
    harness.openTunnel();
    harness.client.pathError(harness.now, SERVER_END, 'ECONNREFUSED');
    harness.run(30_000);
    expect(harness.last('client', 'tunnel-down')).toBeUndefined();
    harness.run(1000);
    const { failure } = harness.last('client', 'tunnel-down') ?? {};
    expect(failure?.step).toBe('SCCRQ');
    expect(failure?.reason).toContain('connection refused');
    expect(failure?.remedy).toContain('listens on that port');
  });
});

describe('a tunnel between set-up and its end', () => {
  it('passes on SLI and WEN', () => {
    const peer = ScriptedPeer.client(new L2tpEndpoint({ hostName: 'lns', accept: {} }, new SeededRandom(1)));
    peer.send('ICRQ', ICRQ);
    peer.send('ICCN', ICCN, peer.sessionId);
    const errors = {
      crcErrors: 1,
      framingErrors: 2,
      hardwareOverruns: 3,
      bufferOverruns: 4,
      timeoutErrors: 5,
      alignmentErrors: 6,
    };
    expect(peer.send('WEN', { callErrors: errors }, peer.sessionId)).toEqual(['ZLB']);
    expect(peer.event('wan-error')).toMatchObject({ sessionId: peer.sessionId, errors });
    peer.send('SLI', { accm: { sendAccm: 1, receiveAccm: 2 } }, peer.sessionId);
    expect(peer.event('link-info')).toMatchObject({ sessionId: peer.sessionId, sendAccm: 1, receiveAccm: 2 });
    const [{ tunnelId } = { tunnelId: 0 }] = peer.endpoint.tunnels();
    peer.endpoint.sendLinkInfo(peer.now, tunnelId, peer.sessionId, 0xffffffff, 7);
    peer.endpoint.sendWanErrors(peer.now, tunnelId, peer.sessionId, errors);
    peer.drain();
    peer.acknowledge();
    expect(peer.last('SLI')?.header.sessionId).toBe(PEER_SESSION);
    expect(peer.last('SLI')?.body?.fields.accm).toEqual({ sendAccm: 0xffffffff, receiveAccm: 7 });
    expect(peer.last('WEN')?.body?.fields.callErrors).toEqual(errors);
  });
});
