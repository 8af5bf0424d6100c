import { describe, expect, it } from 'vitest';
import { type Branch, ProtectedBench } from './protected-bench.ts';

const GONE = { step: 'DPD', reason: 'the IKE peer is silent', remedy: 'check the path' };

async function called(bench: ProtectedBench, count: number): Promise<Branch[]> {
  await bench.server.start();
  const branches = Array.from({ length: count }, () => bench.branch());
  for (const branch of branches) branch.client.connect();
  await bench.run(1);
  expect(branches.map(({ client }) => client.state)).toEqual(branches.map(() => 'up'));
  return branches;
}

describe('a server with IPsec', () => {
  it('opens a protected socket and never another one, and takes calls on its connection', async () => {
    const bench = new ProtectedBench();
    await bench.server.start();
    expect(bench.server.state).toBe('up');
    expect(bench.opened).toEqual(['protected-l2tp 1701']);
    const [socket] = bench.office.dataPlane.sockets.values();
    expect(bench.officeChannels.served).toMatchObject([{ connection: 'callers', server: { socket: socket?.id } }]);
  });

  it('says why calls cannot be taken, leaves nothing open, and serves when they can be', async () => {
    const bench = new ProtectedBench();
    bench.officeChannels.refused = 'UDP port 500 is taken by another program.';
    await bench.server.start();
    expect(bench.server.state).toBe('failed');
    expect(bench.office.states[1]).toMatch(/^failed listen: .*UDP port 500 is taken by another program/);
    expect(bench.office.dataPlane.leftovers).toBe(0);
    bench.officeChannels.refused = undefined;
    await bench.run(4);
    expect(bench.server.state).toBe('up');
    expect(new Set(bench.opened)).toEqual(new Set(['protected-l2tp 1701']));
  });

  it('is failed, and takes no call in clear, when there is no IPsec service', async () => {
    const bench = new ProtectedBench(false);
    await bench.server.start();
    expect(bench.server.state).toBe('failed');
    expect(bench.server.failure?.reason).toContain('no IPsec service');
    expect(bench.office.dataPlane.leftovers).toBe(0);
    await bench.until(bench.server.stop());
  });

  it('stops taking calls when it is stopped, also while it was about to take them', async () => {
    for (const late of [false, true]) {
      const bench = new ProtectedBench();
      const asking = Promise.withResolvers<void>();
      if (late) bench.officeChannels.gate = asking.promise;
      const starting = bench.server.start();
      await bench.settle();
      const stopping = bench.until(bench.server.stop());
      asking.resolve();
      await Promise.all([starting, stopping]);
      expect(bench.officeChannels.served.map(({ stopped }) => stopped)).toEqual([true]);
      expect(bench.office.dataPlane.leftovers).toBe(0);
      expect(bench.clock.nextTimer).toBeUndefined();
    }
  });

  it('says goodbye inside the channels before it stops taking calls', async () => {
    const bench = new ProtectedBench();
    const [branch] = await called(bench, 1);
    await bench.until(bench.server.stop());
    expect(branch?.states.join()).toContain('failed StopCCN');
    expect(bench.officeChannels.served[0]?.stopped).toBe(true);
  });

  it('drops what comes in clear, or by a channel that nobody told of', async () => {
    const bench = new ProtectedBench();
    await bench.server.start();
    const [socket] = bench.office.dataPlane.sockets.keys();
    const remote = { address: '203.0.113.9', port: 1701 };
    const local = { address: '10.20.0.2', port: 1701 };
    for (const path of [
      { remote, local },
      { remote, local, bearer: 77 },
    ]) {
      const bytes = Uint8Array.of(0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0);
      bench.office.dataPlane.listener({ kind: 'datagram', socket: socket ?? 0, path, bytes, interfaceIndex: 0 });
    }
    expect(bench.server.machine.counters.received).toBe(0);
  });
});

describe('two clients behind one NAT, with the same ports and ids', () => {
  it('are up at once, each with a session of its own', async () => {
    const bench = new ProtectedBench();
    await called(bench, 2);
    const sessions = [...bench.office.dataPlane.sessions.values()];
    expect(sessions).toHaveLength(2);
    const [first, second] = sessions;
    expect(first?.peerTunnelId).toBe(second?.peerTunnelId);
    expect(first?.peerSessionId).toBe(second?.peerSessionId);
    expect(first?.path.remote).toEqual(second?.path.remote);
    expect(first?.path.bearer).not.toBe(second?.path.bearer);
    expect(first?.network?.destinations).not.toEqual(second?.network?.destinations);
    expect(bench.server.machine.tunnels.map(({ path }) => path.remote.address)).toEqual([
      '198.51.100.7',
      '198.51.100.7',
    ]);
  });

  it('live on when the channel of the other is lost', async () => {
    const bench = new ProtectedBench();
    const [first, second] = await called(bench, 2);
    const channel = first?.channels.open[0];
    const kept = second?.channels.open[0]?.peer?.id;
    if (!first || !channel?.peer) throw new Error('there is no channel');
    first.cut = true;
    channel.peer.server.down(channel.peer.id, GONE);
    expect([...bench.office.dataPlane.sessions.values()].map(({ path }) => path.bearer)).toEqual([kept]);
    expect(bench.office.steps.join()).toContain('DPD: the IKE peer is silent');
    await bench.run(30);
    expect(second?.client.state).toBe('up');
    expect(second?.states).toEqual(['connecting', 'up']);
    expect(bench.server.machine.tunnels).toHaveLength(1);
  });

  it('live on when the other hangs up', async () => {
    const bench = new ProtectedBench();
    const [first, second] = await called(bench, 2);
    await bench.until(first?.client.disconnect() ?? Promise.resolve());
    await bench.run(30);
    expect(second?.states).toEqual(['connecting', 'up']);
    expect(bench.office.dataPlane.sessions.size).toBe(1);
  });

  it('do not hear what is left of a channel that is over', async () => {
    const bench = new ProtectedBench();
    const [first] = await called(bench, 2);
    const peer = first?.channels.open[0]?.peer;
    if (!first || !peer) throw new Error('there is no channel');
    const before = bench.server.machine.counters.received;
    peer.server.down(peer.id, GONE);
    // It does not know yet, and asks whether anybody is there.
    await bench.run(6);
    const tunnels = bench.server.machine.tunnels;
    expect(tunnels).toHaveLength(1);
    expect(tunnels[0]?.path.bearer).not.toBe(peer.id);
    expect(bench.server.machine.counters.received).toBeGreaterThan(before);
    expect(bench.server.machine.counters.unknownTunnel).toBe(0);
  });
});
