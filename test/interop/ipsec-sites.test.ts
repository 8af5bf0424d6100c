/** Two Culverts between whose networks there is a tunnel, and a hub with two spokes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect } from 'vitest';
import { run } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { allUp, eachReachesEach, networksOf, type Site, Sites, siteConnection, wanOf } from './ipsec-sites.ts';
import { awaitRenewal, expectNoneLost, ipsecStatus, type Overlay, pingSteadily, withLogOf } from './ipsec-support.ts';
import { type Measure, matrixIt } from './matrix.ts';
import { ping } from './site-pair.ts';

const CULVERT = { peer: 'Culvert', mode: 'tunnel', encapsulation: 'udp' } as const;

let sites: Sites | undefined;
afterEach(async () => {
  await sites?.remove();
  sites = undefined;
});

/** Sites 1 and 2 with all their networks, each naming the other by its address. */
async function twoSites(first: Overlay, second: Overlay): Promise<readonly [Site, Site]> {
  sites = await Sites.create();
  const one = await sites.add(1, { two: siteConnection(networksOf(1), networksOf(2), { remote: wanOf(2), ...first }) });
  const two = await sites.add(2, {
    one: siteConnection(networksOf(2), networksOf(1), { remote: wanOf(1), ...second }),
  });
  return [one, two];
}

describe('two sites with two networks each, both calling', () => {
  for (const version of [2, 1] as const) {
    const algorithms = 'default offers, 2 x 2 networks, both calling';
    matrixIt({ ...CULVERT, role: 'initiator', version, algorithms }, async (measure) => {
      const overlay = { version, lifetimeSeconds: 20, ikeLifetimeSeconds: 20 };
      const [one, two] = await twoSites(overlay, overlay);
      // A masquerade of somebody else's for all that leaves by the uplink: what is inside the tunnel leaves by the tunnel.
      const masquerade =
        'table ip nat { chain post { type nat hook postrouting priority 100; oifname "eth0" masquerade; }; }';
      await run(one.router.namespace.command('nft', masquerade));
      const counted = 'table ip seen { chain in { type filter hook input priority 0; ip saddr 10.1.1.10 counter; }; }';
      await run(two.host.command('nft', counted));
      await measure(async () => {
        await Promise.all([one.router.start(), two.router.start()]);
        await eachReachesEach(one, two);
      });
      const pings = pingSteadily(one.host, two.hosts[1], '-I', one.hosts[1]);
      await eachReachesEach(two, one);
      expect(await two.host.run('nft', 'list', 'table', 'ip', 'seen')).not.toContain('packets 0 ');
      // The routers themselves have an address at their end, and nothing else of theirs goes in.
      expect(await ping(one.router.namespace, two.hosts[0])).toBe(true);
      expect(await ping(two.router.namespace, one.hosts[1])).toBe(true);
      expect(await ping(one.router.namespace, two.hosts[0], '-I', one.wan)).toBe(false);
      await (await awaitRenewal(one.router, 'two'))();
      await expectNoneLost(pings);
      await allUp([one, 'two'], [two, 'one']);
    });
  }
});

describe('two sites that call when packets come', () => {
  /** It has hung up, or has never called, and says so. */
  const rests = async ({ router }: Site, name: string): Promise<void> => {
    const waits = async () => {
      const entry = await ipsecStatus(router, name);
      return entry?.state === 'down' && entry.reason === 'waits for traffic';
    };
    await withLogOf(router, waitFor(`${router.name} to wait for traffic`, waits, { timeoutMs: 60_000 }));
  };

  for (const version of [2, 1] as const) {
    const algorithms = 'default offers, called by the first packet';
    matrixIt({ ...CULVERT, role: 'initiator', version, algorithms }, async (measure) => {
      const waiting = { version, start: 'traffic' };
      const [one, two] = await twoSites({ ...waiting, idleSeconds: 2 }, waiting);
      await Promise.all([one.router.start(), two.router.start()]);
      for (let call = 0; call < 2; call += 1) {
        await rests(one, 'two');
        await rests(two, 'one');
        // One packet, and no other one: it is held, and answered once the tunnel stands.
        const first = () => ping(one.host, two.hosts[1], '-W', '20', '-I', one.hosts[1]);
        expect(await (call === 0 ? measure(first) : first())).toBe(true);
      }
    });
  }
});

describe('a server that gives addresses', () => {
  const algorithms = 'default offers, addresses of a pool';

  matrixIt({ ...CULVERT, role: 'responder', version: 2, algorithms }, async (measure) => {
    await givesAddresses(measure, { version: 2 });
  });

  matrixIt({ ...CULVERT, role: 'responder', version: 1, algorithms, proof: 'PSK and XAUTH' }, async (measure) => {
    const users = { one: { password: 'one-pw' }, two: { password: 'two-pw' } };
    const login = (user: keyof typeof users): Overlay => ({ user, ...users[user] });
    const server = await givesAddresses(measure, { version: 1 }, { users }, login);
    const entries = (await server.router.status()).ipsec.filter(({ state }) => state === 'up');
    expect(entries.map(({ peerUser }) => peerUser).sort()).toEqual(['one', 'two']);
  });

  async function givesAddresses(
    measure: Measure,
    version: Overlay,
    called: Overlay = {},
    login: (caller: 'one' | 'two') => Overlay = () => ({}),
  ): Promise<Site> {
    sites = await Sites.create();
    const pool = { ...version, ...called, remote: 'any', pool: '10.60.0.10-10.60.0.20', dns: ['10.3.0.10'] };
    const server = await sites.add(3, { callers: siteConnection(networksOf(3), [], pool) });
    const virtual = { ...version, remote: wanOf(3), virtualAddress: true };
    // One with a LAN, which goes behind the address that it is given, and one that has nothing but that address.
    const one = await sites.add(1, {
      office: siteConnection(networksOf(1), networksOf(3), { ...virtual, localId: 'one.example', ...login('one') }),
    });
    const two = await sites.add(2, {
      office: siteConnection([], networksOf(3), { ...virtual, localId: 'two.example', ...login('two') }),
    });
    const counted = 'table ip seen { chain in { type filter hook input priority 0; ip saddr 10.60.0.0/24 counter; }; }';
    await run(server.host.command('nft', counted));
    await Promise.all([server, one, two].map(({ router }) => router.start()));
    await measure(() => eachReachesEach(one, server));
    await allUp([one, 'office'], [two, 'office'], [server, 'callers']);
    const addresses = await Promise.all(
      [one, two].map(async ({ router }) => (await ipsecStatus(router, 'office'))?.children[0]?.localSelectors.join()),
    );
    expect(new Set(addresses).size).toBe(2);
    for (const [index, { router }] of [one, two].entries()) {
      const answered = () => ping(router.namespace, server.hosts[0]);
      await waitFor(`an answer to ${router.name}`, answered, { timeoutMs: 30_000 });
      expect(addresses[index]).toMatch(/^10\.60\.0\.1\d$/);
      expect(await ping(server.host, addresses[index] ?? '')).toBe(true);
      expect(readFileSync(join(router.stateDir, 'dns', 'office.conf'), 'utf8')).toContain('nameserver 10.3.0.10');
    }
    expect(await ping(two.host, server.hosts[0])).toBe(false);
    expect(await server.host.run('nft', 'list', 'table', 'ip', 'seen')).not.toContain('packets 0 ');
    return server;
  }
});

describe('a hub with two spokes', () => {
  const HUB = 3;

  /** What a spoke is told; the rest of the world behind the hub is all of 10.0.0.0/8. */
  const spokeConnection = (number: number, overlay: Overlay) =>
    siteConnection(networksOf(number), ['10.0.0.0/8'], {
      remote: wanOf(HUB),
      localId: `spoke${number}.example`,
      remoteId: 'hub.example',
      ...overlay,
    });

  /** What the hub is told of that spoke, to which it brings everything else. */
  const hubConnection = (number: number, overlay: Overlay) =>
    siteConnection(['10.0.0.0/8'], networksOf(number), {
      remote: 'any',
      localId: 'hub.example',
      remoteId: `spoke${number}.example`,
      ...overlay,
    });

  for (const routing of ['policy', 'route'] as const) {
    const algorithms = `default offers, hub and two spokes, routing by ${routing}`;
    matrixIt({ ...CULVERT, role: 'responder', version: 2, algorithms }, async (measure) => {
      sites = await Sites.create();
      const hub = await sites.add(HUB, { one: hubConnection(1, { routing }), two: hubConnection(2, { routing }) });
      const one = await sites.add(1, { hub: spokeConnection(1, { routing }) });
      const two = await sites.add(2, { hub: spokeConnection(2, { routing }) });
      await Promise.all([hub, one, two].map(({ router }) => router.start()));
      await measure(() => eachReachesEach(one, two));
      await eachReachesEach(two, hub);
      expect(await ping(hub.router.namespace, one.hosts[1])).toBe(true);
      expect(await ping(one.router.namespace, two.hosts[0])).toBe(true);
      await allUp([hub, 'one'], [hub, 'two'], [one, 'hub'], [two, 'hub']);
    });
  }
});
