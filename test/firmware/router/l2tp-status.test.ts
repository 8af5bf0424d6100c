import { describe, expect, it } from 'vitest';
import { clientStatus, serverStatus } from '../../../firmware/router/l2tp-status.ts';
import type { FakeDataPlane } from '../vpn/fake-data-plane.ts';
import { DriverBench } from '../vpn/l2tp/driver-bench.ts';

async function counters(dataPlane: FakeDataPlane) {
  const { sessions } = await dataPlane.counters();
  return new Map(sessions.map((session) => [session.key, session]));
}

describe('the status of a tunnel', () => {
  it('at the client: ids, peer, addresses, DNS, authentication, device and counters', async () => {
    const bench = new DriverBench();
    await bench.up();
    bench.branch.dataPlane.received.set(bench.client.sessionKey ?? 0, 7);
    const { l2tp, ppp } = clientStatus(bench.client, await counters(bench.branch.dataPlane));
    expect(l2tp).toMatchObject([
      { name: 'hq', role: 'client', state: 'up', peer: '10.20.0.2:1701', peerHostName: 'bench' },
    ]);
    expect(l2tp[0]?.tunnelId).toBeGreaterThan(0);
    expect(l2tp[0]?.peerTunnelId).toBeGreaterThan(0);
    expect(l2tp[0]?.sessions).toMatchObject([{ name: 'hq', state: 'up', interface: 'l2tp-hq', packetsReceived: 7 }]);
    expect(l2tp[0]).not.toHaveProperty('reason');
    const address = { interface: 'l2tp-hq', peerAddress: '10.98.0.1', dns: ['10.98.0.1'] };
    expect(ppp).toMatchObject([{ name: 'hq', state: 'up', authentication: 'chap', user: 'bob', ...address }]);
  });

  it('at the server: the user, its address, and how it proved itself', async () => {
    const bench = new DriverBench();
    await bench.up();
    const { l2tp, ppp } = serverStatus(bench.server, await counters(bench.office.dataPlane));
    expect(l2tp).toMatchObject([
      { name: 'office', role: 'server', state: 'up', sessions: [{ name: 'bob', state: 'up' }] },
    ]);
    const { localAddress } = bench.client.machine.network ?? {};
    expect(ppp).toMatchObject([
      { name: 'bob', state: 'up', localAddress: '10.98.0.1', peerAddress: localAddress, authentication: 'chap' },
    ]);
  });

  it('says "none" at both ends where nobody had to prove anything', async () => {
    const bench = new DriverBench({}, { authentication: [] });
    await bench.up();
    const client = clientStatus(bench.client, new Map());
    const server = serverStatus(bench.server, new Map());
    expect(client.ppp).toMatchObject([{ state: 'up', authentication: 'none' }]);
    expect(server.ppp).toMatchObject([{ name: 'office', state: 'up', authentication: 'none' }]);
  });

  it('tells the IPv6 of both ends while it is up', async () => {
    const users = { bob: { password: 'bob-pw', ipv6Prefix: 'fd00:98:0:7::/64' } };
    const bench = new DriverBench({ ipv6: true }, { ipv6: { pool: 'fd00:98::/48', dns: ['fd00:99::53'] }, users });
    await bench.up();
    await bench.run(1);
    const ours = clientStatus(bench.client, new Map()).ppp[0]?.ipv6;
    const theirs = serverStatus(bench.server, new Map()).ppp[0]?.ipv6;
    expect(ours).toMatchObject({
      addresses: [expect.stringMatching(/^fd00:98:0:7:/)],
      router: theirs?.localAddress,
      dns: ['fd00:99::53'],
    });
    expect(theirs).toMatchObject({
      peerAddress: ours?.localAddress,
      addresses: ['fd00:98::1'],
      prefix: 'fd00:98:0:7::/64',
    });
  });

  it('of a server that nobody has called says on which address it waits', async () => {
    const bench = new DriverBench();
    await bench.server.start();
    const { l2tp, ppp } = serverStatus(bench.server, new Map());
    expect(l2tp).toMatchObject([{ name: 'office', state: 'up', peer: '0.0.0.0:1701', tunnelId: 0, sessions: [] }]);
    expect(ppp).toEqual([]);
  });

  it('while the next attempt runs still says why the last one failed', async () => {
    const bench = new DriverBench();
    bench.client.connect();
    for (let tenth = 0; bench.client.state !== 'failed' && tenth < 300; tenth += 1) await bench.run(0.1);
    const failed = clientStatus(bench.client, new Map()).l2tp[0];
    expect(failed).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^SCCRQ: /) });
    await bench.run(1);
    expect(clientStatus(bench.client, new Map()).l2tp[0]).toMatchObject({
      state: 'connecting',
      reason: failed?.reason,
    });
  });
});
