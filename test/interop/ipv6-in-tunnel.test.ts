/**
 * IPv6 inside a protected tunnel between two Culverts: addresses, both LANs, the MTU, and nothing left behind. In clear it is
 * tried with xl2tpd.
 */
import { afterEach, expect, it } from 'vitest';
import { addresses, branchConfiguration, officeConfiguration } from '../../scripts/lab/branch-network.ts';
import type { Namespace } from '../../scripts/lab/namespaces.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { answering, dialling } from './ipsec-support.ts';
import { ping, SitePair } from './site-pair.ts';

const BRANCH = { router: 'fd00:12::1', host: 'fd00:12::10', network: 'fd00:12::/64' };
const OFFICE = { router: 'fd00:99::1', host: 'fd00:99::10', network: 'fd00:99::/64' };
const PREFIX = 'fd00:98:0:7::/64';

const client = { ipsec: 'hq', ipv6: true, routes: [addresses.officeNetwork, OFFICE.network, 'fd00:98::/48'] };
const server = {
  ipsec: 'branches',
  ipv6: { pool: 'fd00:98::/48', dns: ['fd00:99::53'] },
  users: { alice: { password: 'alice-pw', ipv6Prefix: PREFIX, routes: [addresses.branchNetwork, BRANCH.network] } },
};

/** The configuration with an IPv6 address on the LAN. */
function withLan(configuration: Record<string, unknown>, address: string): Record<string, unknown> {
  const interfaces = configuration['interfaces'] as { readonly lan: object };
  return { ...configuration, interfaces: { ...interfaces, lan: { ...interfaces.lan, ipv6: { address } } } };
}

async function join(host: Namespace, { host: address, router }: typeof BRANCH): Promise<void> {
  await host.ip('address', 'add', `${address}/64`, 'dev', 'eth0', 'nodad');
  await host.ip('-6', 'route', 'replace', 'default', 'via', router);
}

/** What IPv6 there is on a router: addresses, rules, routes of the tunnels, and what decides about forwarding. */
async function traces(router: Namespace): Promise<string> {
  const forwarding = await router.run('cat', '/proc/sys/net/ipv6/conf/all/forwarding');
  const rules = await router.ip('-6', 'rule', 'show');
  const global = await router.ip('-6', '-o', 'address', 'show', 'scope', 'global');
  const routes = await router.ip('-6', 'route', 'show', 'table', '5000').catch(() => '');
  return `${forwarding}${rules}${global}${routes}`;
}

let pair: SitePair | undefined;
afterEach(async () => {
  await pair?.remove();
  pair = undefined;
});

it('two LANs reach each other by IPv6, and at the end all is as it was', async () => {
  pair = await SitePair.build();
  const { network, branch, office } = pair;
  branch.writeConfiguration(withLan(branchConfiguration(client, { ipsec: dialling(2) }), `${BRANCH.router}/64`));
  office.writeConfiguration(withLan(officeConfiguration(server, { ipsec: answering(2) }), `${OFFICE.router}/64`));
  await join(network.branchHost, BRANCH);
  await join(network.officeHost, OFFICE);
  const before = await traces(network.branch);
  await office.start();
  await branch.start();
  await pair.up();

  const link = await waitFor('an address by autoconfiguration', async () => {
    const ipv6 = (await branch.ppp('hq'))?.ipv6;
    return ipv6 !== undefined && ipv6.addresses.length > 0 ? ipv6 : undefined;
  });
  expect(link.addresses[0]).toMatch(/^fd00:98:0:7:/);
  expect(link).toMatchObject({ router: link.peerAddress, dns: ['fd00:99::53'] });
  expect((await office.ppp('alice'))?.ipv6).toEqual({
    localAddress: link.peerAddress,
    peerAddress: link.localAddress,
    addresses: ['fd00:98::1'],
    prefix: PREFIX,
    dns: [],
  });
  await waitFor('the addresses of the TUN', async () => {
    const text = await network.branch.ip('-6', '-o', 'address', 'show', 'dev', 'l2tp-hq');
    const onDevice = text.split('\n').flatMap((line) => / inet6 (\S+)/.exec(line)?.[1] ?? []);
    return onDevice.sort().join(' ') === `${link.addresses[0]}/128 ${link.localAddress}/64`;
  });
  expect((await branch.culvert('show', 'ppp')).stdout).toContain(link.addresses[0]);

  await waitFor('an answer from the other LAN', () => ping(network.branchHost, OFFICE.host));
  expect(await ping(network.officeHost, BRANCH.host)).toBe(true);
  expect(await ping(network.branch, 'fd00:98::1')).toBe(true);
  expect(await ping(network.branch, `${link.peerAddress}%l2tp-hq`)).toBe(true);
  // The MTU less the headers of IPv6 and ICMPv6; of what is larger the sender is told.
  const mtu = (await branch.ppp('hq'))?.mtu ?? 0;
  expect(await ping(network.branchHost, OFFICE.host, '-M', 'do', '-s', String(mtu - 48))).toBe(true);
  // The router itself, of both families and link-local, and what is larger than the tunnel takes.
  for (const to of [OFFICE.host, addresses.officeHost, link.peerAddress]) {
    const said = await branch.culvert('ping', to, '--via', 'hq', '--count', '2', '--interval', '200');
    expect([to, said]).toMatchObject([to, { code: 0, stdout: expect.stringContaining('2 sent, 2 answered') }]);
  }
  const tooLarge = await branch.culvert('ping', OFFICE.host, '--df', '--size', String(mtu - 47), '--count', '1');
  expect(tooLarge).toMatchObject({ code: 1, stdout: expect.stringContaining(`the MTU of the path is ${mtu}: `) });
  const way = await branch.culvert('traceroute', OFFICE.host);
  expect(way).toMatchObject({ code: 0, stdout: expect.stringContaining('it is 2 hops away') });
  await waitFor('both hosts knowing the MTU', () => ping(network.branchHost, OFFICE.host, '-M', 'want', '-s', '1600'));
  expect(await network.branchHost.ip('-6', 'route', 'get', OFFICE.host)).toContain(`mtu ${mtu}`);

  // What belongs into the tunnel is unreachable without it, and takes no other way.
  await branch.culvert('disconnect', 'hq');
  expect(await network.branch.ip('-6', 'route', 'show', 'table', '5000')).toMatch(/unreachable fd00:99::\/64/);
  expect(await branch.end()).toBe(0);
  expect(await traces(network.branch)).toBe(before);
});
