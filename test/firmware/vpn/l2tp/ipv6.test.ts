/** IPv6 of a client and a server, their drivers joined by a wire in virtual time. */
import { describe, expect, it } from 'vitest';
import { decodeRouterDiscovery, type RouterAdvertisement } from '../../../../firmware/protocol/ndp/messages.ts';
import type { L2tpClientOptions } from '../../../../firmware/vpn/l2tp/client-types.ts';
import { isIpv6Frame, packetOf } from '../../../../firmware/vpn/l2tp/ipv6-frame.ts';
import type { L2tpServerOptions } from '../../../../firmware/vpn/l2tp/server-types.ts';
import { DriverBench } from './driver-bench.ts';

const BOB = { password: 'bob-pw', routes: ['192.168.12.0/24', 'fd00:12::/64'] };
const SERVER = {
  ipv6: { pool: 'fd00:98::/48', dns: ['fd00:99::53'] },
  users: { bob: { ...BOB, ipv6Prefix: 'fd00:98:0:7::/64' } },
};

async function up(
  client: Partial<L2tpClientOptions> = {},
  server: Partial<L2tpServerOptions> = SERVER,
): Promise<DriverBench> {
  const bench = new DriverBench({ ipv6: true, ...client }, server);
  await bench.up();
  await bench.run(1);
  return bench;
}

const sessionOf = (bench: DriverBench, site: 'branch' | 'office') => [...bench[site].dataPlane.sessions.values()][0];

describe('IPv6 in a session', () => {
  it('gives the client an address under the prefix of its user, beside the link-local one', async () => {
    const bench = await up();
    const { ipv6 } = bench.client.machine;
    const address = ipv6?.addresses[0] ?? '';
    expect(address).toMatch(/^fd00:98:0:7:/);
    const tun = bench.branch.networks.standing.get('l2tp-hq');
    expect(tun?.ipv6).toEqual({ addresses: [`${ipv6?.linkLocalAddress}/64`, `${address}/128`], mtu: 1400 });
    expect(tun?.dns).toEqual(['10.98.0.1', 'fd00:99::53']);
    expect(bench.branch.steps).toContain(`IPv6: the address is ${address}`);
  });

  it('has the server routed the prefix and the networks of its user, and take no others from it', async () => {
    const bench = await up();
    const { ipv6 } = bench.client.machine;
    const prefixes = ['fd00:98:0:7::/64', 'fd00:12::/64'];
    expect(bench.office.networks.standing.get('l2tp-office')?.prefixes).toEqual(expect.arrayContaining(prefixes));
    const network = sessionOf(bench, 'office')?.network;
    expect(network?.sources).toEqual(network?.destinations);
    expect(network?.sources.filter((prefix) => prefix.includes(':'))).toEqual([
      `${ipv6?.linkLocalAddress}/128`,
      ...prefixes,
    ]);
    expect(sessionOf(bench, 'branch')?.network?.destinations).toEqual(['0.0.0.0/0', '::/0']);
  });

  it('has one link-local address and one of its own on the interface of all sessions', async () => {
    const bench = await up();
    const own = bench.office.networks.standing.get('l2tp-office')?.ipv6?.addresses;
    expect(own).toEqual([`${bench.client.machine.ipv6?.peerLinkLocalAddress}/64`, 'fd00:98::1/128']);
  });

  it.each([
    ['the client does not ask for it', { ipv6: false }, SERVER],
    ['the server refuses it', {}, { users: { bob: { password: 'bob-pw', routes: ['192.168.12.0/24'] } } }],
    ['the link is too narrow for it', { mru: 1279 }, SERVER],
  ])('leaves a connection of IPv4 alone when %s', async (_, client, server) => {
    const bench = await up(client, server);
    await bench.run(20);
    expect(bench.client.state).toBe('up');
    expect(bench.client.machine.ipv6).toBeUndefined();
    expect(bench.branch.networks.standing.get('l2tp-hq')?.ipv6).toBeUndefined();
    for (const site of ['branch', 'office'] as const) {
      expect(sessionOf(bench, site)?.network?.sources.some((prefix) => prefix.includes(':'))).toBe(false);
    }
  });

  it('is there without a prefix when the pool is used up, which is told', async () => {
    const bench = await up({}, { ...SERVER, ipv6: { pool: 'fd00:98::/64', dns: [] }, users: { bob: BOB } });
    expect(bench.client.machine.ipv6).toMatchObject({ addresses: [] });
    expect(bench.office.steps.join('\n')).toContain('every prefix of the IPv6 pool is in use');
  });

  it('gives a pooled prefix back at the end, and the same one to the user who comes again', async () => {
    const bench = await up({}, { ...SERVER, ipv6: { pool: 'fd00:98::/63', dns: [] }, users: { bob: BOB } });
    expect(bench.client.machine.ipv6?.addresses[0]).toMatch(/^fd00:98:0:1:/);
    const ended = bench.client.disconnect();
    await bench.run(1);
    await ended;
    bench.client.connect();
    await bench.run(2);
    expect(bench.client.machine.ipv6?.addresses[0]).toMatch(/^fd00:98:0:1:/);
  });

  it('does not use an address or a DNS server that this router must not have, and says why', async () => {
    const bench = await up({
      reviewIpv6: (what) => ({ step: 'IPv6', reason: `the ${what} lies in the LAN`, remedy: 'renumber' }),
    });
    expect(bench.client.machine.ipv6).toMatchObject({ addresses: [], dns: [] });
    expect(bench.branch.steps.filter((step) => step.startsWith('IPv6: the'))).toEqual([
      'IPv6: the address lies in the LAN',
      'IPv6: the dns lies in the LAN',
    ]);
    expect(bench.client.state).toBe('up');
  });

  it('costs IPv6 and not the connection when the system refuses the addresses', async () => {
    const bench = new DriverBench({ ipv6: true }, SERVER);
    await bench.server.start();
    const { up: put } = bench.branch.networks;
    bench.branch.networks.up = async (network) => {
      if (network.ipv6 !== undefined) throw new Error('IPv6 is off');
      await put.call(bench.branch.networks, network);
    };
    bench.client.connect();
    await bench.run(2);
    expect(bench.client.state).toBe('up');
    expect(bench.branch.steps).toContain('IPv6: it cannot be used: IPv6 is off');
  });

  it('tells its user that the router goes before the tunnel does', async () => {
    const bench = await up();
    const said: RouterAdvertisement[] = [];
    const { dataPlane } = bench.office;
    const send = dataPlane.sendPppFrame.bind(dataPlane);
    dataPlane.sendPppFrame = (session, frame) => {
      const message = isIpv6Frame(frame) ? decodeRouterDiscovery(packetOf(frame)) : undefined;
      if (message?.kind === 'advertisement') said.push(message);
      send(session, frame);
    };
    const stopping = bench.server.stop();
    await bench.run(3);
    await stopping;
    expect(said).toMatchObject([{ lifetimeSeconds: 0, dns: [{ lifetimeSeconds: 0 }] }]);
  });

  it('leaves nothing behind', async () => {
    const bench = await up();
    const stopping = bench.client.stop();
    await bench.run(2);
    await stopping;
    expect(bench.branch.networks.standing.size).toBe(0);
    expect(bench.branch.dataPlane.leftovers).toBe(0);
    const prefixes = bench.office.networks.standing.get('l2tp-office')?.prefixes ?? [];
    expect(prefixes.filter((prefix) => prefix.includes(':'))).toEqual([]);
    await bench.server.stop();
    expect(bench.clock.nextTimer).toBeUndefined();
  });
});
