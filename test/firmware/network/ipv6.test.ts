/** What IPv6 inside the tunnels wants of the machine's network. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkAdvertised, localNetworks } from '../../../firmware/network/assignment-check.ts';
import { desiredNetwork, type LiveState, type LiveTunnel } from '../../../firmware/network/desired.ts';
import { filterBody } from '../../../firmware/network/filter.ts';
import { NetworkJournal } from '../../../firmware/network/journal.ts';
import { Reconciler } from '../../../firmware/network/reconciler.ts';
import type { Route } from '../../../hal/links.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';
import { SimulatedPacketFilter } from '../../../hal/simulated/packet-filter.ts';
import { exampleDocument, parsed, protectedDocument, withValue } from '../config/example.ts';

type Change = readonly [path: string, value: unknown];

const HQ: LiveTunnel = {
  device: 'l2tp-hq',
  localAddress: '10.98.7.10',
  prefixes: ['10.99.0.0/16', 'FD00:99::/48'],
  ipv6: { addresses: ['fe80::7/64', 'fd00:98:0:7::7/128'], mtu: 1400 },
};
const { ipv6: _, ...HQ_WITHOUT_IPV6 } = HQ;
const NOTHING: LiveState = { tunnels: [], mainRoutes: [], reversePathFilter: false };
const MAIN = { type: 'unicast', table: 254, metric: 256 } as const;

function configuration(...changes: readonly Change[]) {
  let document = withValue(exampleDocument(), 'l2tp.servers', undefined);
  const ipv6: readonly Change[] = [
    ['interfaces.lan.ipv6', { address: 'FD00:12::1/64' }],
    ['l2tp.clients.hq.ipv6', true],
    ['l2tp.clients.hq.routes', ['10.99.0.0/16', 'FD00:99::/48']],
  ];
  for (const [path, value] of [...ipv6, ...changes]) document = withValue(document, path, value);
  return parsed(document);
}

/** `type prefix metric device` of the tunnel table's routes of IPv6, sorted. */
function table(routes: readonly Route[]): string[] {
  return routes
    .filter(({ table: number, prefix }) => number === 5000 && prefix.includes(':'))
    .map(({ type, prefix, metric, device }) => `${type} ${prefix} ${metric}${device === undefined ? '' : ` ${device}`}`)
    .sort();
}

describe('routes of IPv6', () => {
  it('refuse every remote prefix while no tunnel stands, by a rule of their own', () => {
    const desired = desiredNetwork(configuration(), NOTHING);
    expect(table(desired.routes)).toEqual(['unreachable fd00:99::/48 4294967295']);
    expect(desired.rules.map(({ family }) => family)).toEqual([4, 6]);
    expect(desiredNetwork(parsed(exampleDocument()), NOTHING).rules.map(({ family }) => family)).toEqual([4]);
  });

  it('lead into a tunnel while IPv6 is up in it, and not while only IPv4 is', () => {
    const both = desiredNetwork(configuration(), { ...NOTHING, tunnels: [HQ] });
    expect(table(both.routes)).toContain('unicast fd00:99::/48 100 l2tp-hq');
    expect(both.addresses).toEqual(
      expect.arrayContaining([
        { device: 'lan0', address: 'fd00:12::1/64' },
        { device: 'l2tp-hq', address: 'fe80::7/64' },
        { device: 'l2tp-hq', address: 'fd00:98:0:7::7/128' },
      ]),
    );
    const ipv4 = desiredNetwork(configuration(), { ...NOTHING, tunnels: [HQ_WITHOUT_IPV6] });
    expect(table(ipv4.routes)).toEqual(['unreachable fd00:99::/48 4294967295']);
  });

  it('leave connected networks, link-local addresses and groups out of a tunnel for everything', () => {
    const mainRoutes: Route[] = [
      { ...MAIN, prefix: '2001:db8:5::/64', device: 'eth0', protocol: 9 },
      { ...MAIN, prefix: '2001:db8:6::/64', device: 'eth0', protocol: 2 },
      { ...MAIN, prefix: 'fe80::/64', device: 'eth0', protocol: 2 },
      { ...MAIN, prefix: 'fe80::/64', device: 'l2tp-hq', protocol: 2 },
      { ...MAIN, prefix: '2001:db8:7::/64', device: 'eth0', gateway: 'fe80::1', protocol: 9 },
      { ...MAIN, prefix: '::/0', device: 'eth0', gateway: 'fe80::1', protocol: 9 },
    ];
    const everything = configuration(['l2tp.clients.hq.routes', ['::/0']]);
    const tunnels = [{ ...HQ, prefixes: ['::/0'] }];
    expect(table(desiredNetwork(everything, { ...NOTHING, tunnels, mainRoutes }).routes)).toEqual([
      'throw 2001:db8:5::/64 10',
      'throw 2001:db8:6::/64 10',
      'throw fd00:12::/64 10',
      'throw fe80::/10 10',
      'throw ff00::/8 10',
      'unicast ::/0 100 l2tp-hq',
      'unreachable ::/0 4294967295',
    ]);
  });

  it('refuse the pool of a server and the prefixes of its users, each once', () => {
    const office: Change = [
      'l2tp.servers.office',
      {
        listen: '10.20.0.9',
        localAddress: '10.98.0.1',
        pool: '10.98.0.10-10.98.0.20',
        ipv6: { pool: 'fd00:98::/48' },
        users: {
          bob: { password: 'long enough', ipv6Prefix: 'fd00:98:0:7::/64', routes: ['fd00:77::/64'] },
          eve: { password: 'long enough', ipv6Prefix: 'fd00:97::/64' },
        },
      },
    ];
    expect(table(desiredNetwork(configuration(office), NOTHING).routes)).toEqual([
      'unreachable fd00:77::/64 4294967295',
      'unreachable fd00:97::/64 4294967295',
      'unreachable fd00:98::/48 4294967295',
      'unreachable fd00:99::/48 4294967295',
    ]);
  });
});

describe('guards of IPv6', () => {
  function body(routes: readonly string[]): string {
    let document = withValue(protectedDocument(), 'l2tp.clients.hq.routes', routes);
    document = withValue(document, 'l2tp.clients.hq.ipv6', true);
    return filterBody(desiredNetwork(parsed(document), NOTHING));
  }

  it('let nothing come in clear from behind a protected tunnel, but what carries tunnels', () => {
    const text = body(['10.99.0.0/16', 'fd00:99::/48']);
    expect(text).toContain('ip6 saddr vmap {');
    expect(text).toContain('fd00:99::-fd00:99:0:ffff:ffff:ffff:ffff:ffff : goto only-l2tp-hq,');
    expect(text).toContain('icmpv6 type { nd-router-solicit');
  });

  it('are none for the rest of the world, nor without IPv6', () => {
    expect(body(['::/0', '2000::/3'])).not.toContain('ip6');
    expect(body(['10.99.0.0/16'])).not.toMatch(/ip6|icmpv6/);
  });
});

describe('what a server advertises', () => {
  const office = { listen: '10.20.0.9', localAddress: '10.98.0.1', pool: '10.98.0.10-10.98.0.20' };
  const networks = localNetworks(
    configuration(
      ['l2tp.servers.office', { ...office, ipv6: { pool: 'fd00:98::/48', localAddress: 'fd00:55::1' } }],
      ['interfaces.wan.ipv6', { address: '2001:db8:5::9/64' }],
    ),
    [{ ...HQ, device: 'l2tp-plant', ipv6: { addresses: ['fe80::7/64', '2001:db8:7::7/128'] } }, HQ],
    'l2tp-hq',
  );

  it.each([
    ['fd00:12::77', /interface "lan"/],
    ['2001:db8:5::77', /interface "wan"/],
    ['fd00:98:0:1::7', /server "office"/],
    ['fd00:55::1', /server "office"/],
    ['2001:db8:7::7', /our address on l2tp-plant/],
  ])('is not taken as an address where it is ours: %s', (address, reason) => {
    expect(checkAdvertised('address', address, networks)?.reason).toMatch(reason);
  });

  it('is taken otherwise, and a DNS server may be outside', () => {
    expect(checkAdvertised('address', '2001:db8:8::7', networks)).toBeUndefined();
    expect(
      checkAdvertised('address', 'fd00:98:0:7::7', localNetworks(configuration(), [HQ], 'l2tp-hq')),
    ).toBeUndefined();
    expect(checkAdvertised('dns', '2001:db8:5::53', networks)).toBeUndefined();
    expect(checkAdvertised('dns', 'fd00:12::53', networks)?.reason).toMatch(/the DNS server.*interface "lan"/);
  });
});

describe('the reconciler', () => {
  let state: string;
  let links: SimulatedLinks;
  beforeEach(async () => {
    state = await mkdtemp(join(tmpdir(), 'culvert-ipv6-'));
    links = new SimulatedLinks();
    for (const name of ['eth0', 'lan0']) links.addLink({ name });
    await links.setSysctl('net.ipv6.conf.eth0.accept_ra', '1');
    await links.setSysctl('net.ipv6.conf.lan0.accept_ra', '1');
  });
  afterEach(() => rm(state, { recursive: true, force: true }));

  function reconciler(): Reconciler {
    const journal = new NetworkJournal({ stateDirectory: state, scope: 'boot 1' });
    return new Reconciler({ links, packetFilter: new SimulatedPacketFilter(), journal, log: () => undefined });
  }

  async function machine() {
    return {
      links: await links.links(),
      addresses: await links.addresses(),
      routes: await links.routes(6, 5000),
      rules: await links.rules(6),
      forwarding: await links.getSysctl('net.ipv6.conf.all.forwarding'),
      acceptRa: await links.getSysctl('net.ipv6.conf.eth0.accept_ra'),
    };
  }

  function standingTun(): void {
    links.addLink({ name: 'l2tp-hq', up: true });
  }

  it('forwards, keeps an uplink that lives by Router Advertisements, and puts all of it back', async () => {
    const before = await machine();
    const subject = reconciler();
    standingTun();
    expect((await subject.reconcile({ configuration: configuration(), tunnels: [HQ] })).failures).toEqual([]);
    expect(await machine()).toMatchObject({ forwarding: '1', acceptRa: '2' });
    expect(await links.getSysctl('net.ipv6.conf.lan0.accept_ra')).toBe('1');
    expect((await links.rules(6)).some(({ table: number }) => number === 5000)).toBe(true);
    links.takeChanges();
    expect(await subject.reconcile({ configuration: configuration(), tunnels: [HQ] })).toEqual({
      changes: [],
      failures: [],
    });
    expect(links.takeChanges()).toEqual([]);
    links.removeLink('l2tp-hq');
    expect((await subject.close()).failures).toEqual([]);
    expect(await machine()).toEqual(before);
  });

  it('puts it back at the next start when it was killed', async () => {
    const before = await machine();
    await reconciler().reconcile({ configuration: configuration(), tunnels: [] });
    expect((await reconciler().restore()).failures).toEqual([]);
    expect(await machine()).toEqual(before);
  });

  it('puts it back when the configuration has no IPv6 any more', async () => {
    const subject = reconciler();
    await subject.reconcile({ configuration: configuration(), tunnels: [] });
    await subject.reconcile({ configuration: parsed(exampleDocument()), tunnels: [] });
    expect(await machine()).toMatchObject({ forwarding: '0', acceptRa: '1', routes: [] });
  });

  it('has its own addresses on a TUN and no others, and the kernel make none', async () => {
    const subject = reconciler();
    standingTun();
    await links.addAddress('l2tp-hq', 'fe80::dead/64');
    await links.setSysctl('net.ipv6.conf.l2tp-hq.disable_ipv6', '1');
    await links.setSysctl('net.ipv6.conf.l2tp-hq.accept_ra', '1');
    await subject.reconcile({ configuration: configuration(), tunnels: [HQ] });
    const onTun = async () =>
      (await links.addresses()).filter(({ device }) => device === 'l2tp-hq').map(({ address }) => address);
    expect(await onTun()).toEqual(['10.98.7.10/32', 'fe80::7/64', 'fd00:98:0:7::7/128']);
    for (const [name, value] of [
      ['disable_ipv6', '0'],
      ['accept_ra', '0'],
      ['autoconf', '0'],
      ['addr_gen_mode', '1'],
      ['mtu', '1400'],
    ]) {
      expect(await links.getSysctl(`net.ipv6.conf.l2tp-hq.${name}`)).toBe(value);
    }
    await subject.reconcile({ configuration: configuration(), tunnels: [HQ_WITHOUT_IPV6] });
    expect(await onTun()).not.toContain('fd00:98:0:7::7/128');
    expect(table(await links.routes(6, 5000))).toEqual(['unreachable fd00:99::/48 4294967295']);
  });

  it('does its work for IPv4 on a kernel without IPv6', async () => {
    const old = new Proxy(links, {
      get: (target, name) => {
        if (name === 'state') {
          return async () => {
            const all = await target.state();
            return {
              ...all,
              routes: all.routes.filter(({ prefix }) => !prefix.includes(':')),
              rules: all.rules.filter(({ family }) => family === 4),
            };
          };
        }
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const journal = new NetworkJournal({ stateDirectory: state, scope: 'boot 1' });
    const subject = new Reconciler({
      links: old,
      packetFilter: new SimulatedPacketFilter(),
      journal,
      log: () => undefined,
    });
    expect((await subject.restore()).failures).toEqual([]);
    const report = await subject.reconcile({ configuration: parsed(exampleDocument()), tunnels: [] });
    expect(report.failures).toEqual([]);
    expect(report.changes).toContain('address 192.168.12.1/24 added to lan0');
  });
});
