import { describe, expect, it } from 'vitest';
import { encodeControlMessage } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import type { L2tpEndpointOptions } from '../../../../firmware/protocol/l2tp/endpoint-types.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { CLIENT_END, SERVER_END, SERVER_PATH } from './harness.ts';
import { ICRQ, INTRODUCTION, ScriptedPeer } from './scripted-peer.ts';

function server(options: Partial<L2tpEndpointOptions> = {}): L2tpEndpoint {
  return new L2tpEndpoint({ hostName: 'lns', accept: {}, ...options }, new SeededRandom(4));
}

function sccrq(peerTunnelId: number, tunnelId = 0): Uint8Array {
  const header = { tunnelId, sessionId: 0, ns: 0, nr: 0 };
  return encodeControlMessage(header, 'SCCRQ', { ...INTRODUCTION, assignedTunnelId: peerTunnelId });
}

describe('limits', () => {
  it('hold against a flood of SCCRQs from one address', () => {
    const endpoint = server();
    for (let i = 1; i <= 1000; i++) {
      endpoint.receive(0, sccrq(i), { remote: { ...CLIENT_END, port: 1024 + i }, local: SERVER_END });
    }
    expect(endpoint.tunnels()).toHaveLength(4);
    expect(endpoint.counters.halfOpenLimit).toBe(996);
  });

  it('hold against a flood from everywhere, which costs three retransmissions each and is over in 15 s', () => {
    const endpoint = server();
    let sent = 0;
    const drain = (): void => {
      for (let output = endpoint.poll(); output !== undefined; output = endpoint.poll()) {
        if (output.kind === 'send') sent += 1;
      }
    };
    for (let i = 0; i < 5000; i++) {
      const address = `10.${i >> 8}.${i & 255}.1`;
      endpoint.receive(0, sccrq(1 + i), { remote: { address, port: 1701 }, local: SERVER_END });
    }
    drain();
    expect(endpoint.tunnels()).toHaveLength(64);
    expect(sent).toBe(64);
    for (let now = endpoint.nextDeadline(); now !== undefined; now = endpoint.nextDeadline()) {
      expect(now).toBeLessThanOrEqual(15_000);
      endpoint.tick(now);
      drain();
    }
    expect(sent).toBe(64 * 4);
    expect(endpoint.tunnels()).toEqual([]);
    endpoint.receive(20_000, sccrq(9), SERVER_PATH);
    expect(endpoint.tunnels()).toHaveLength(1);
  });

  it('let every honest caller in while forged SCCRQs come twenty times a second, half of them in its name', () => {
    const endpoint = server();
    const callers: ScriptedPeer[] = [];
    for (let step = 0; step * 50 < 60_000; step += 1) {
      const now = step * 50;
      endpoint.tick(now);
      const address = step % 2 === 0 ? CLIENT_END.address : `10.77.${step >> 8}.${step & 255}`;
      endpoint.receive(now, sccrq(1 + step), { remote: { address, port: 999 }, local: SERVER_END });
      // What is for the forgers is not for the caller.
      while (endpoint.poll() !== undefined);
      if (step % 200 === 100) {
        const caller = new ScriptedPeer(endpoint, { remote: { ...CLIENT_END, port: 2000 + step }, local: SERVER_END });
        caller.now = now;
        expect(caller.send('SCCRQ', { ...INTRODUCTION, assignedTunnelId: 60_000 + step })).toContain('SCCRP');
        callers.push(caller);
      }
      // Its SCCCN comes 200 ms later.
      const caller = step % 200 === 104 ? callers.at(-1) : undefined;
      if (caller) {
        caller.now = now;
        caller.send('SCCCN', {});
        expect(endpoint.tunnel(caller.tunnelId)?.state).toBe('established');
      }
    }
    expect(callers).toHaveLength(6);
    expect(endpoint.counters.halfOpenLimit).toBeGreaterThan(100);
  });

  it('leave room for tunnels that complete', () => {
    const endpoint = server({ limits: { tunnels: 8 } });
    const peers = Array.from({ length: 12 }, (_, i) => {
      const peer = new ScriptedPeer(endpoint, { remote: { ...CLIENT_END, port: 3000 + i }, local: SERVER_END });
      const names = peer.send('SCCRQ', { ...INTRODUCTION, assignedTunnelId: i + 1 });
      if (names.includes('SCCRP')) peer.send('SCCCN', {});
      return names;
    });
    expect(peers.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => ['SCCRP']));
    expect(peers.slice(8)).toEqual(Array.from({ length: 4 }, () => ['StopCCN']));
    expect(endpoint.tunnels()).toHaveLength(8);
  });

  it('bound what lingers: the oldest goes first', () => {
    const endpoint = server();
    for (let i = 0; i < 400; i++) {
      const peer = new ScriptedPeer(endpoint, { remote: { ...CLIENT_END, port: 3000 + i }, local: SERVER_END });
      peer.send('SCCRQ', { ...INTRODUCTION, assignedTunnelId: i + 1 });
      peer.send('StopCCN', { assignedTunnelId: i + 1, resultCode: { resultCode: 1 } });
    }
    const left = endpoint.tunnels();
    expect(left).toHaveLength(256);
    expect(left.map((tunnel) => tunnel.peerTunnelId)).not.toContain(1);
    expect(left.map((tunnel) => tunnel.peerTunnelId)).toContain(400);
  });

  it('on retransmissions towards strangers end with the SCCCN', () => {
    const peer = ScriptedPeer.client(server({ accept: { replyAttempts: 1 } }));
    const [{ tunnelId } = { tunnelId: 0 }] = peer.endpoint.tunnels();
    peer.send('ICRQ', ICRQ);
    for (let i = 0; i < 35; i++) {
      peer.wait(1000);
      peer.endpoint.dataReceived(peer.now, tunnelId);
    }
    expect(peer.received.filter(({ body }) => body?.name === 'ICRP')).toHaveLength(6);
  });

  it('end a tunnel whose peer causes answers without acknowledging any', () => {
    const peer = ScriptedPeer.client(server());
    const stuck = peer.nr;
    for (let i = 0; i < 4000 && peer.event('tunnel-down') === undefined; i++) {
      peer.nr = stuck;
      peer.send('ICRQ', { assignedSessionId: 1 + i, callSerialNumber: i });
    }
    expect(peer.event('tunnel-down')?.failure.reason).toContain('does not acknowledge');
    expect(peer.endpoint.tunnels()).toEqual([]);
  });
});
