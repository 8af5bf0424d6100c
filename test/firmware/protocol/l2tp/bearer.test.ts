import { describe, expect, it } from 'vitest';
import { encodeControlMessage } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import type { L2tpEndpointOptions, L2tpOutput } from '../../../../firmware/protocol/l2tp/endpoint-types.ts';
import { peerKey, sameHost } from '../../../../firmware/protocol/l2tp/peer-key.ts';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { samePeer, type UdpPath } from '../../../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { SERVER_END } from './harness.ts';
import { ICCN, ICRQ, INTRODUCTION, PEER_TUNNEL, ScriptedPeer } from './scripted-peer.ts';

/** Of the NAT, behind which everybody has port 1701. */
const NAT = { address: '198.51.100.7', port: 1701 };
const DEAD: Failure = { step: 'DPD', reason: 'the IKE peer is silent', remedy: 'check the path' };

function via(bearer: number, remote = NAT): UdpPath {
  return { remote, local: SERVER_END, bearer };
}

function server(options: Partial<L2tpEndpointOptions> = {}): L2tpEndpoint {
  return new L2tpEndpoint({ hostName: 'lns', accept: {}, ...options }, new SeededRandom(4));
}

/** A peer whose tunnel and session stand. */
function called(endpoint: L2tpEndpoint, path: UdpPath): ScriptedPeer {
  const peer = new ScriptedPeer(endpoint, path);
  peer.send('SCCRQ', INTRODUCTION);
  peer.send('SCCCN', {});
  peer.send('ICRQ', ICRQ);
  peer.send('ICCN', ICCN, peer.sessionId);
  return peer;
}

function outputs(endpoint: L2tpEndpoint): L2tpOutput[] {
  const all: L2tpOutput[] = [];
  for (let output = endpoint.poll(); output; output = endpoint.poll()) all.push(output);
  return all;
}

describe('a peer', () => {
  const paths: UdpPath[] = [
    { remote: NAT, local: SERVER_END },
    { remote: { ...NAT, port: 40_000 }, local: SERVER_END },
    via(1),
    via(2),
    via(1, { ...NAT, address: '203.0.113.9' }),
    via(1, { ...NAT, port: 40_000 }),
  ];

  it('has a key that is the same exactly for the paths that lead to it', () => {
    for (const a of paths) for (const b of paths) expect(peerKey(a) === peerKey(b)).toBe(samePeer(a, b));
  });

  it('is on the host that the bearer, or else the address, tells', () => {
    const [clear, otherPort, one, two, moved, onePort] = paths as [
      UdpPath,
      UdpPath,
      UdpPath,
      UdpPath,
      UdpPath,
      UdpPath,
    ];
    expect(sameHost(clear, otherPort)).toBe(true);
    expect(sameHost(clear, one)).toBe(false);
    expect(sameHost(one, two)).toBe(false);
    expect(sameHost(one, moved)).toBe(true);
    expect(sameHost(one, onePort)).toBe(true);
  });
});

describe('two callers behind one NAT with the same port, tunnel id and SCCRQ', () => {
  it('have a tunnel and a session each, and the replies go out by the bearer of each', () => {
    const endpoint = server();
    const sent = new Map<number | undefined, number>();
    const poll = endpoint.poll.bind(endpoint);
    endpoint.poll = () => {
      const output = poll();
      if (output?.kind === 'send') sent.set(output.path.bearer, (sent.get(output.path.bearer) ?? 0) + 1);
      return output;
    };
    const first = called(endpoint, via(11));
    const second = called(endpoint, via(12));
    expect(endpoint.counters).toMatchObject({ duplicate: 0, wrongSource: 0 });
    expect(endpoint.tunnels().map(({ path, state, peerTunnelId }) => [path.bearer, state, peerTunnelId])).toEqual([
      [11, 'established', PEER_TUNNEL],
      [12, 'established', PEER_TUNNEL],
    ]);
    for (const peer of [first, second]) {
      expect(peer.event('session-opening')?.path).toEqual(peer.path);
      expect(peer.event('session-up')).toBeDefined();
    }
    expect([...sent.keys()]).toEqual([11, 12]);
    expect(sent.get(11)).toBe(sent.get(12));
  });

  it('do not take or disturb the tunnel of each other', () => {
    const endpoint = server();
    const first = called(endpoint, via(11));
    const second = called(endpoint, via(12));
    const header = { tunnelId: first.tunnelId, sessionId: 0, ns: first.ns, nr: first.nr };
    const stop = encodeControlMessage(header, 'StopCCN', {
      assignedTunnelId: PEER_TUNNEL,
      resultCode: { resultCode: 1 },
    });
    expect(second.raw(stop)).toEqual([]);
    expect(endpoint.counters.wrongSource).toBe(1);
    expect(endpoint.tunnel(first.tunnelId)?.state).toBe('established');
    first.send('StopCCN', { assignedTunnelId: PEER_TUNNEL, resultCode: { resultCode: 1 } });
    expect(endpoint.tunnel(first.tunnelId)?.state).toBe('closing');
    expect(endpoint.tunnel(second.tunnelId)?.state).toBe('established');
  });

  it('are each answered again when they repeat their SCCRQ, and nothing is made for it', () => {
    const endpoint = server();
    for (const bearer of [11, 12]) {
      const peer = new ScriptedPeer(endpoint, via(bearer));
      const header = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
      const sccrq = encodeControlMessage(header, 'SCCRQ', INTRODUCTION);
      expect(peer.raw(sccrq)).toEqual(['SCCRP']);
      expect(peer.raw(sccrq)).toEqual(['SCCRP']);
      expect(peer.datagrams[1]).toEqual(peer.datagrams[0]);
    }
    expect(endpoint.tunnels()).toHaveLength(2);
    expect(endpoint.counters.duplicate).toBe(2);
  });

  it('have the limit on half-open tunnels each for itself', () => {
    const endpoint = server();
    for (const bearer of [11, 12]) {
      for (let id = 1; id <= 10; id += 1) {
        const header = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
        const sccrq = encodeControlMessage(header, 'SCCRQ', { ...INTRODUCTION, assignedTunnelId: id });
        endpoint.receive(0, sccrq, via(bearer));
      }
    }
    expect(endpoint.tunnels().map(({ path }) => path.bearer)).toEqual([11, 11, 11, 11, 12, 12, 12, 12]);
    expect(endpoint.counters.halfOpenLimit).toBe(12);
  });

  it('break no tie with each other, nor with who is in clear', () => {
    const endpoint = server();
    for (const path of [via(11), { remote: NAT, local: SERVER_END }]) endpoint.openTunnel(0, { path });
    outputs(endpoint);
    const other = new ScriptedPeer(endpoint, via(12));
    expect(other.send('SCCRQ', { ...INTRODUCTION, tieBreaker: 0n })).toEqual(['SCCRP']);
    expect(endpoint.tunnels()).toHaveLength(3);
    const same = new ScriptedPeer(endpoint, via(11, { ...NAT, address: '203.0.113.9' }));
    expect(same.send('SCCRQ', { ...INTRODUCTION, tieBreaker: 0n })).toEqual(['SCCRP']);
    expect(endpoint.tunnels().map(({ path }) => path.bearer)).toEqual([undefined, 12, 11]);
  });
});

describe('a tunnel inside a channel', () => {
  it('goes on when a NAT gives its peer another address, and says so', () => {
    const endpoint = server();
    const peer = called(endpoint, via(11));
    peer.path = via(11, { ...NAT, address: '203.0.113.9' });
    peer.send('HELLO', {});
    expect(endpoint.counters.wrongSource).toBe(0);
    expect(peer.event('tunnel-path')?.path).toEqual(peer.path);
    expect(endpoint.tunnel(peer.tunnelId)?.path).toEqual(peer.path);
  });

  it('is not taken over from another inner port', () => {
    const endpoint = server();
    const peer = called(endpoint, via(11));
    peer.path = via(11, { ...NAT, port: 40_000 });
    expect(peer.send('HELLO', {})).toEqual([]);
    expect(endpoint.counters.wrongSource).toBe(1);
  });

  it('pays no attention to errors that the network reports for the same address in clear', () => {
    const endpoint = server();
    const peer = called(endpoint, via(11));
    peer.wait(3000);
    endpoint.pathError(peer.now, NAT, 'ECONNREFUSED');
    peer.drain();
    expect(peer.received.filter(({ body }) => body?.name === 'HELLO')).toEqual([]);
  });

  it('follows the inner port from which the SCCRP comes, and keeps the bearer', () => {
    const endpoint = new L2tpEndpoint({ hostName: 'lac' }, new SeededRandom(5));
    const peer = new ScriptedPeer(endpoint, via(21, SERVER_END));
    endpoint.openTunnel(peer.now, { path: peer.path });
    peer.drain();
    const moved = via(21, { ...SERVER_END, port: 50_000 });
    peer.path = moved;
    expect(peer.send('SCCRP', INTRODUCTION)).toContain('SCCCN');
    expect(peer.event('tunnel-up')?.path).toEqual(moved);
    expect(peer.event('tunnel-path')?.path).toEqual(moved);
  });

  it('takes no SCCRP of another channel or in clear, from whatever port', () => {
    const endpoint = new L2tpEndpoint({ hostName: 'lac' }, new SeededRandom(5));
    const peer = new ScriptedPeer(endpoint, via(21, SERVER_END));
    endpoint.openTunnel(peer.now, { path: peer.path });
    peer.drain();
    for (const path of [via(22, SERVER_END), { remote: SERVER_END, local: NAT }]) {
      peer.ns = 0;
      peer.path = path;
      expect(peer.send('SCCRP', INTRODUCTION)).toEqual([]);
    }
    expect(endpoint.counters.wrongSource).toBe(2);
    expect(endpoint.tunnels()).toMatchObject([{ state: 'wait-reply' }]);
  });
});

describe('a channel that is gone', () => {
  it('ends every tunnel in it at once, sessions first, with its failure and without a word to anybody', () => {
    const endpoint = server();
    const gone = called(endpoint, via(11));
    const half = new ScriptedPeer(endpoint, via(11));
    half.send('SCCRQ', { ...INTRODUCTION, assignedTunnelId: 7 });
    const other = called(endpoint, via(12));
    outputs(endpoint);
    endpoint.closeBearer(gone.now, 11, DEAD);
    const told = outputs(endpoint);
    expect(told.map(({ kind }) => kind)).toEqual(['session-down', 'tunnel-down', 'tunnel-down']);
    for (const output of told) expect(output).toMatchObject({ failure: DEAD, byPeer: false });
    expect(endpoint.tunnels().map(({ path }) => path.bearer)).toEqual([12]);
    expect(other.send('HELLO', {})).toEqual(['ZLB']);
  });

  it('leaves nothing that lingers, and no deadline', () => {
    const endpoint = server();
    const peer = called(endpoint, via(11));
    endpoint.closeTunnel(peer.now, peer.tunnelId, { resultCode: 1 });
    outputs(endpoint);
    expect(endpoint.idle).toBe(false);
    endpoint.closeBearer(peer.now, 11, DEAD);
    expect(outputs(endpoint)).toEqual([]);
    expect(endpoint.idle).toBe(true);
    expect(endpoint.nextDeadline()).toBeUndefined();
  });

  it('ends a tunnel of ours whose SCCRQ nobody has answered yet', () => {
    const endpoint = new L2tpEndpoint({ hostName: 'lac' }, new SeededRandom(5));
    const tunnelId = endpoint.openTunnel(0, { path: via(21, SERVER_END) });
    endpoint.openSession(0, tunnelId);
    outputs(endpoint);
    endpoint.closeBearer(10, 21, DEAD);
    expect(outputs(endpoint).map(({ kind }) => kind)).toEqual(['session-down', 'tunnel-down']);
    expect(endpoint.nextDeadline()).toBeUndefined();
  });

  it('changes nothing when it carried nothing', () => {
    const endpoint = server();
    endpoint.closeBearer(0, 99, DEAD);
    expect(outputs(endpoint)).toEqual([]);
  });
});

describe('a caller in one channel', () => {
  it('cannot take the tunnels of all others', () => {
    const endpoint = server();
    const open = (bearer: number, port: number) => {
      const peer = new ScriptedPeer(endpoint, via(bearer, { ...NAT, port }));
      const answer = peer.send('SCCRQ', INTRODUCTION);
      if (answer.includes('SCCRP')) peer.send('SCCCN', {});
      return { peer, answer };
    };
    const greedy = Array.from({ length: 20 }, (_, index) => open(1, 2000 + index));
    expect(greedy.filter(({ answer }) => answer.includes('SCCRP'))).toHaveLength(16);
    expect(greedy.at(-1)?.answer).toEqual(['StopCCN']);
    expect(open(2, 2000).answer).toEqual(['SCCRP']);
    greedy[0]?.peer.send('StopCCN', { assignedTunnelId: PEER_TUNNEL, resultCode: { resultCode: 1 } });
    expect(open(1, 3000).answer).toEqual(['SCCRP']);
  });
});
