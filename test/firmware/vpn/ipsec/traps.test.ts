/** What has kept other implementations from working with one another, seen from where channels are made. */
import { describe, expect, it } from 'vitest';
import type { UdpEndpoint } from '../../../../firmware/protocol/udp-path.ts';
import { ServiceBench } from './service-bench.ts';
import { BRANCH, dial, OFFICE, servedSettings, settings, TestNetwork, TestSite } from './two-sites.ts';

const IDENTITY = { kind: 'ipv4', value: '192.168.1.10' } as const;
/** A NAT for each branch, which leaves ports as they are. */
const OUTSIDE: Readonly<Record<string, string>> = { '10.0.0.1': '198.51.100.1', '10.0.0.2': '198.51.100.2' };

const translate = (end: UdpEndpoint): UdpEndpoint => ({ ...end, address: OUTSIDE[end.address] ?? end.address });

function restore(end: UdpEndpoint): UdpEndpoint {
  const inside = Object.entries(OUTSIDE).find(([, address]) => address === end.address);
  return { ...end, address: inside?.[0] ?? end.address };
}

function networkOf(...sites: readonly TestSite[]): TestNetwork {
  const network = new TestNetwork(...sites);
  network.translate = translate;
  network.restore = restore;
  return network;
}

const TUNNEL = {
  device: 'ipsec-hq',
  localSubnets: ['10.1.0.0/24'],
  remoteSubnets: ['10.2.0.0/24'],
  mtu: 1400,
  routing: 'policy',
  start: 'boot',
} as const;
const FAR_TUNNEL = { ...TUNNEL, localSubnets: TUNNEL.remoteSubnets, remoteSubnets: TUNNEL.localSubnets };

describe.each([1, 2] as const)('channels with IKEv%i', (version) => {
  function office(): TestSite {
    const site = new TestSite(OFFICE, 50);
    site.machine.setConnections(1_000_000, [servedSettings(version)]);
    site.machine.serve(1_000_000, 'callers');
    return site;
  }

  function branch(address: string, seed: number): TestSite {
    const site = new TestSite(address, seed);
    site.machine.setConnections(1_000_000, [settings(version, { localId: IDENTITY })]);
    return site;
  }

  it('of two sites that both call themselves 192.168.1.10 do not evict each other when one is restarted', () => {
    const served = office();
    const first = branch('10.0.0.1', 1);
    const second = branch('10.0.0.2', 2);
    const network = networkOf(served, first, second);
    dial(network, first);
    network.run(5);
    const [kept] = served.up.keys();
    dial(network, second);
    network.run(5);
    expect(served.up.size).toBe(2);
    // The second one loses its memory, and says INITIAL_CONTACT when it calls again.
    const reborn = branch('10.0.0.2', 3);
    const after = networkOf(served, first, reborn);
    after.now = network.now;
    dial(after, reborn);
    after.run(5);
    expect(reborn.up.size).toBe(1);
    expect(served.up.size).toBe(2);
    expect(served.up.has(kept ?? 0)).toBe(true);
    after.traffic = true;
    after.run(600);
    expect([after.unopened, first.all('channel-down'), reborn.all('channel-down')]).toEqual([0, [], []]);
  });

  it('of a caller whose inner port is not 1701 go to that port', () => {
    const served = office();
    const caller = branch('10.0.0.1', 1);
    const network = networkOf(served, caller);
    const channel = caller.newId();
    const ports = { local: 54_321, remote: 1701 };
    caller.machine.dial(network.now, channel, {
      connection: 'hq',
      remoteAddress: OFFICE,
      localAddress: caller.address,
      ports,
    });
    network.run(5);
    const [up] = served.up.values();
    expect(up?.path).toMatchObject({ local: { port: 1701 }, remote: { address: '198.51.100.1', port: 54_321 } });
    const inside = [{ protocol: 17, firstPort: 54_321, lastPort: 54_321, firstAddress: '198.51.100.1' }];
    expect(served.sending(up?.channel ?? 0)?.remoteSelectors).toMatchObject(inside);
  });

  it('with lifetimes that differ lose no packet, whichever side has the shorter ones', () => {
    for (const [own, their] of [
      [240, 3600],
      [3600, 240],
    ] as const) {
      const served = new TestSite(OFFICE, 50);
      served.machine.setConnections(1_000_000, [
        servedSettings(version, { childLifetime: their, ikeLifetime: 2 * their }),
      ]);
      served.machine.serve(1_000_000, 'callers');
      const caller = new TestSite(BRANCH, 1);
      caller.machine.setConnections(1_000_000, [settings(version, { childLifetime: own, ikeLifetime: 2 * own })]);
      const network = new TestNetwork(served, caller);
      dial(network, caller);
      network.run(5);
      network.traffic = true;
      network.run(3600);
      expect([network.unopened, served.all('channel-down'), caller.all('channel-down')]).toEqual([0, [], []]);
      expect(served.all('put-sa').length).toBeGreaterThan(14);
    }
  });

  it('between networks are dialled to what the name of the peer means at each attempt', async () => {
    const bench = new ServiceBench();
    const tunnel = { mode: 'tunnel', tunnel: TUNNEL } as const;
    const waiting = { mode: 'tunnel', tunnel: FAR_TUNNEL, name: 'branch', remote: 'any' } as const;
    bench.cut = true;
    await bench.office.service.setConnections([settings(version, waiting)]);
    bench.branch.resolved = ['203.0.113.98'];
    await bench.branch.service.setConnections([settings(version, { ...tunnel, remote: 'office.example' })]);
    await bench.run(300);
    expect(bench.branch.service.info()[0]?.failure?.reason).toContain('203.0.113.98');
    bench.branch.resolved = ['203.0.113.99'];
    await bench.run(300);
    expect(bench.branch.service.info()[0]?.failure?.reason).toContain('203.0.113.99');
    bench.branch.resolved = [OFFICE];
    bench.cut = false;
    await bench.run(120);
    expect(bench.branch.states.at(-1)).toBe('hq up');
    await bench.until(Promise.all([bench.branch.service.stop(), bench.office.service.stop()]));
  });
});
