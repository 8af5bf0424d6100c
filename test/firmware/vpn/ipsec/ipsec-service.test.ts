import { describe, expect, it } from 'vitest';
import { AH_DEFAULTS } from '../../../../firmware/protocol/ike/default-offers.ts';
import type { ChannelId, ChannelRequest } from '../../../../firmware/vpn/ipsec/channel.ts';
import { Listener, ServiceBench } from './service-bench.ts';
import { BRANCH, OFFICE, servedSettings, settings } from './two-sites.ts';

const SOCKET = 900;
const REQUEST: ChannelRequest = {
  connection: 'hq',
  remoteAddress: OFFICE,
  inside: { kind: 'l2tp', socket: SOCKET, localPort: 1701, remotePort: 1701 },
};
const TUNNEL = {
  device: 'ipsec-hq',
  localSubnets: ['10.1.0.0/24'],
  remoteSubnets: ['10.2.0.0/24'],
  mtu: 1400,
  routing: 'policy',
  start: 'boot',
} as const;
const FAR_TUNNEL = { ...TUNNEL, localSubnets: TUNNEL.remoteSubnets, remoteSubnets: TUNNEL.localSubnets };

async function served(version: 1 | 2) {
  const bench = new ServiceBench();
  const callers: { up: ChannelId[]; down: ChannelId[] } = { up: [], down: [] };
  await bench.branch.service.setConnections([settings(version)]);
  await bench.office.service.setConnections([servedSettings(version)]);
  const stop = await bench.office.service.serve('callers', {
    socket: SOCKET,
    up: (channel) => callers.up.push(channel),
    down: (channel) => callers.down.push(channel),
  });
  return { bench, callers, stop };
}

describe('the IPsec service with an address that the peer assigns', () => {
  const pool = { range: '10.9.0.10-10.9.0.20', dns: ['10.2.0.53'] };
  const office = settings(2, {
    name: 'branch',
    remote: 'any',
    mode: 'tunnel',
    tunnel: { ...FAR_TUNNEL, remoteSubnets: [], pool },
  });
  const client = settings(2, { mode: 'tunnel', tunnel: { ...TUNNEL, localSubnets: [], virtualAddress: true } });

  it('has it on the TUN, its DNS servers beside it, and one SA for that address alone', async () => {
    const bench = new ServiceBench();
    await bench.office.service.setConnections([office]);
    await bench.branch.service.setConnections([client]);
    await bench.run(20);
    expect(bench.branch.states.at(-1)).toBe('hq up');
    expect(bench.branch.networks.standing.get('ipsec-hq')).toMatchObject({
      localAddress: '10.9.0.10',
      dns: ['10.2.0.53'],
      prefixes: ['10.2.0.0/24'],
    });
    expect(bench.office.networks.standing.get('ipsec-hq')?.prefixes).toContain('10.9.0.12/30');
    const host = [{ firstAddress: '10.9.0.10', lastAddress: '10.9.0.10' }];
    const [mine] = bench.branch.dataPlane.policies.values();
    expect(mine?.inside).toMatchObject({ localSelectors: host, remoteSelectors: [{ firstAddress: '10.2.0.0' }] });
    const [theirs] = bench.office.dataPlane.policies.values();
    expect(theirs?.inside).toMatchObject({ localSelectors: [{ firstAddress: '10.2.0.0' }], remoteSelectors: host });
    await bench.until(bench.branch.service.disconnect('hq'));
    expect(bench.branch.networks.standing.size).toBe(0);
    bench.branch.service.connect('hq');
    await bench.run(20);
    expect(bench.branch.networks.standing.get('ipsec-hq')?.localAddress).toBe('10.9.0.10');
  });

  it('is not taken where it would draw packets that belong elsewhere', async () => {
    const bench = new ServiceBench();
    bench.branch.networks.refusal = { step: 'address', reason: 'it is in the LAN', remedy: 'give another one' };
    await bench.office.service.setConnections([office]);
    await bench.branch.service.setConnections([client]);
    await bench.run(3);
    expect(bench.branch.service.info()).toMatchObject([{ failure: { reason: 'it is in the LAN' } }]);
    expect(bench.branch.networks.standing.size).toBe(0);
    expect(bench.branch.dataPlane.sas.size).toBe(0);
  });
});

describe.each([1, 2] as const)('the IPsec service with IKEv%i', (version) => {
  it('opens sockets for the first call, programs the data plane, and leaves nothing when it stops', async () => {
    const { bench, callers } = await served(version);
    expect(bench.branch.dataPlane.leftovers).toBe(0);
    const listener = new Listener();
    const channel = bench.branch.service.dial(REQUEST, listener);
    expect(listener.said).toEqual([]);
    await bench.run(2);
    expect(listener.said).toEqual(['up']);
    expect(bench.branch.ports).toEqual([500, 4500, 0]);
    expect([...bench.branch.dataPlane.sockets.values()]).toMatchObject([{ mark: 7 }, { mark: 7 }, { mark: 7 }]);
    expect([...bench.branch.dataPlane.policies.values()]).toMatchObject([
      { key: channel.id, inside: { kind: 'l2tp', socket: SOCKET } },
    ]);
    expect(bench.branch.dataPlane.sas.has(bench.branch.dataPlane.policies.get(channel.id)?.sa ?? 0)).toBe(true);
    expect(callers.up).toHaveLength(1);
    await bench.until(Promise.all([bench.branch.service.stop(), bench.office.service.stop()]));
    expect(listener.said).toEqual(['up', 'down close']);
    expect(bench.branch.dataPlane.leftovers + bench.office.dataPlane.leftovers).toBe(0);
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('tells whether anything was heard, and of what encapsulation', async () => {
    const { bench } = await served(version);
    const channel = bench.branch.service.dial(REQUEST, new Listener());
    await bench.run(2);
    expect([channel.heard, channel.udpEncapsulation]).toEqual([false, true]);
    const [sa] = bench.branch.dataPlane.sas.keys();
    bench.branch.dataPlane.listener({ kind: 'sa-received', sa: sa ?? 0 });
    expect(channel.heard).toBe(true);
  });

  it('asks the peer for nothing while packets come in, by the counters', async () => {
    const { bench } = await served(version);
    bench.branch.service.dial(REQUEST, new Listener());
    await bench.run(2);
    const [sa] = bench.branch.dataPlane.sas.keys();
    bench.branch.steps.length = 0;
    for (let second = 0; second < 40; second += 1) {
      bench.branch.dataPlane.authentic.set(sa ?? 0, second + 1);
      await bench.run(1);
    }
    expect(bench.branch.steps.filter((step) => / sent .*(R-U-THERE$|INFORMATIONAL request)/.test(step))).toEqual([]);
  });

  it('closes the channel, and the sockets a while later', async () => {
    const { bench, callers } = await served(version);
    const listener = new Listener();
    const channel = bench.branch.service.dial(REQUEST, listener);
    await bench.run(2);
    channel.close();
    channel.close();
    await bench.run(2);
    expect(callers.down).toEqual(callers.up);
    expect(listener.said).toEqual(['up']);
    expect(bench.branch.dataPlane.policies.size + bench.branch.dataPlane.sas.size).toBe(0);
    expect(bench.branch.ports).toEqual([500, 4500, 0]);
    await bench.run(20);
    expect(bench.branch.dataPlane.leftovers).toBe(0);
  });

  it('says nothing of a call that was closed before its sockets were open', async () => {
    const { bench } = await served(version);
    const listener = new Listener();
    bench.branch.service.dial(REQUEST, listener).close();
    await bench.run(20);
    expect(listener.said).toEqual([]);
    expect(bench.branch.dataPlane.leftovers).toBe(0);
  });

  it('says that there is no route', async () => {
    const { bench } = await served(version);
    bench.branch.route = false;
    const listener = new Listener();
    bench.branch.service.dial(REQUEST, listener);
    await bench.run(1);
    expect(listener.failure?.reason).toBe(`there is no route to ${OFFICE}`);
    expect(bench.branch.service.info()).toMatchObject([{ name: 'hq', state: 'failed' }]);
  });

  it('calls from another port when 500 is taken, and names who has it', async () => {
    const { bench } = await served(version);
    bench.branch.dataPlane.takenPorts.add(500);
    const listener = new Listener();
    bench.branch.service.dial(REQUEST, listener);
    await bench.run(2);
    expect(listener.said).toEqual(['up']);
    expect(bench.branch.dataPlane.sockets.size).toBe(1);
    expect(bench.branch.steps.join()).toContain('charon');
  });

  it('takes no calls when a port is taken, and names who has it', async () => {
    const bench = new ServiceBench();
    await bench.office.service.setConnections([servedSettings(version)]);
    bench.office.dataPlane.takenPorts.add(4500);
    const server = { socket: SOCKET, up: () => undefined, down: () => undefined };
    await expect(bench.office.service.serve('callers', server)).rejects.toThrow(/4500.*charon/);
    expect(bench.office.service.info()).toMatchObject([{ state: 'down' }]);
    bench.office.dataPlane.takenPorts.clear();
    const stop = await bench.office.service.serve('callers', server);
    expect(bench.office.service.info()).toMatchObject([{ state: 'up' }]);
    stop();
    await bench.run(20);
    expect(bench.office.dataPlane.leftovers).toBe(0);
  });

  it('ends one channel, and not the router, when the data plane refuses an SA', async () => {
    const { bench } = await served(version);
    const { dataPlane } = bench.branch;
    dataPlane.putSa = () => {
      throw new Error('there is no such cipher here');
    };
    const listener = new Listener();
    bench.branch.service.dial(REQUEST, listener);
    await bench.run(2);
    expect(listener.failure?.reason).toMatch(/no such cipher/);
    expect(dataPlane.policies.size).toBe(0);
  });

  it('connects networks: TUN, policy, routes, and back', async () => {
    const bench = new ServiceBench();
    await bench.office.service.setConnections([
      settings(version, { name: 'branch', remote: BRANCH, mode: 'tunnel', tunnel: { ...FAR_TUNNEL, start: 'manual' } }),
    ]);
    await bench.branch.service.setConnections([settings(version, { mode: 'tunnel', tunnel: TUNNEL })]);
    await bench.run(70);
    expect(bench.office.service.info()).toMatchObject([{ state: 'down' }]);
    expect(bench.branch.states).toContain(version === 1 ? 'hq failed Main Mode 1' : 'hq failed IKE_SA_INIT');
    bench.office.service.connect('branch');
    await bench.run(60);
    expect(bench.branch.states.at(-1)).toBe('hq up');
    expect(bench.office.states.at(-1)).toBe('branch up');
    expect(bench.branch.networks.standing.get('ipsec-hq')).toMatchObject({
      prefixes: ['10.2.0.0/24'],
      localAddress: '',
    });
    const [policy] = bench.branch.dataPlane.policies.values();
    expect(policy).toMatchObject({ inside: { kind: 'ip', mtu: 1400, localSelectors: [{ firstAddress: '10.1.0.0' }] } });
    expect(bench.branch.service.info()).toMatchObject([{ state: 'up', device: 'ipsec-hq' }]);
    await bench.until(bench.branch.service.disconnect('hq'));
    await bench.until(bench.office.service.disconnect('branch'));
    expect(bench.branch.networks.standing.size + bench.office.networks.standing.size).toBe(0);
    expect(bench.branch.states.at(-1)).toBe('hq down');
    await bench.run(20);
    expect(bench.branch.dataPlane.leftovers + bench.office.dataPlane.leftovers).toBe(0);
  });

  it('connects networks by AH over a socket of its own, which nobody else has opened', async () => {
    const bench = new ServiceBench();
    const ah = { mode: 'tunnel', protocol: 'ah', espProposals: AH_DEFAULTS[version] } as const;
    await bench.office.service.setConnections([
      settings(version, { name: 'branch', remote: 'any', ...ah, tunnel: FAR_TUNNEL }),
    ]);
    await bench.branch.service.setConnections([settings(version, { ...ah, tunnel: TUNNEL })]);
    await bench.run(20);
    expect(bench.branch.states.at(-1)).toBe('hq up');
    for (const { dataPlane, service } of [bench.branch, bench.office]) {
      const sockets = [...dataPlane.sockets.values()].filter(({ purpose }) => purpose === 'ah');
      expect(sockets).toMatchObject([{ family: 4, port: 0, mark: 7 }]);
      const [sa] = dataPlane.sas.values();
      expect(sa).toMatchObject({ socket: sockets[0]?.id, followPeer: false, outbound: { encryption: 'none' } });
      expect(sa?.path).toMatchObject({ local: { port: 0 }, remote: { port: 0 } });
      const [child] = service.info().flatMap(({ ikeSas }) => ikeSas.flatMap(({ children }) => children));
      expect(child).toMatchObject({ protocol: 'ah', udpEncapsulation: false });
      expect(child?.algorithms).toMatch(/^HMAC-SHA2-256-128/);
    }
    await bench.until(bench.branch.service.disconnect('hq'));
    await bench.until(bench.office.service.disconnect('branch'));
    await bench.run(20);
    expect(bench.branch.dataPlane.leftovers + bench.office.dataPlane.leftovers).toBe(0);
  });

  it('calls when packets wait, rests when the line is silent or the peer hangs up, and calls again', async () => {
    const bench = new ServiceBench();
    const there = settings(version, { name: 'branch', remote: 'any', mode: 'tunnel', tunnel: FAR_TUNNEL });
    await bench.office.service.setConnections([there]);
    const tunnel = { ...TUNNEL, start: 'traffic', idleSeconds: 30 } as const;
    const { service, dataPlane, networks, states } = bench.branch;
    await service.setConnections([settings(version, { mode: 'tunnel', tunnel })]);
    await bench.run(60);
    expect(service.info()).toMatchObject([{ state: 'down', waitsForTraffic: true, ikeSas: [] }]);
    expect(networks.standing.has('ipsec-hq')).toBe(true);
    const [spec] = dataPlane.interfaces.values();
    expect(spec?.hold).toEqual({ packets: 64, milliseconds: 30_000 });
    const traffic = () => dataPlane.listener({ kind: 'traffic', interface: spec?.id ?? 0 });
    traffic();
    traffic();
    await bench.run(5);
    expect(states).toEqual(['hq connecting', 'hq up']);
    for (let beat = 0; beat < 6; beat += 1) {
      for (const sa of dataPlane.sas.keys()) dataPlane.authentic.set(sa, (dataPlane.authentic.get(sa) ?? 0) + 1);
      await bench.run(10);
    }
    expect(states.at(-1)).toBe('hq up');
    await bench.run(40);
    expect(states.at(-1)).toBe('hq down');
    expect(dataPlane.sas.size).toBe(0);
    expect(service.info()).toMatchObject([{ waitsForTraffic: true }]);
    traffic();
    await bench.run(5);
    expect(states.at(-1)).toBe('hq up');
    await bench.until(bench.office.service.disconnect('branch'));
    await bench.run(20);
    expect(service.info()).toMatchObject([{ state: 'down', waitsForTraffic: true }]);
    expect(networks.standing.has('ipsec-hq')).toBe(true);
    bench.office.service.connect('branch');
    traffic();
    await bench.run(20);
    expect(states.at(-1)).toBe('hq up');
    await bench.until(service.disconnect('hq'));
    traffic();
    await bench.run(5);
    expect(states.at(-1)).toBe('hq down');
    expect(networks.standing.size + dataPlane.interfaces.size).toBe(0);
  });

  it('waits for packets, by its own account, only once they find their way to it; one that comes sooner has it call', async () => {
    const bench = new ServiceBench();
    const { service, dataPlane, networks } = bench.branch;
    const { promise, resolve: openGate } = Promise.withResolvers<void>();
    networks.gate = promise;
    await service.setConnections([settings(version, { mode: 'tunnel', tunnel: { ...TUNNEL, start: 'traffic' } })]);
    await bench.run(1);
    expect(service.info()[0]).toMatchObject({ state: 'down' });
    expect(service.info()[0]?.waitsForTraffic).toBeFalsy();
    openGate();
    await bench.run(1);
    expect(service.info()).toMatchObject([{ state: 'down', waitsForTraffic: true }]);
    await bench.until(service.disconnect('hq'));
    networks.gate = new Promise(() => undefined);
    await service.setConnections([]);
    await service.setConnections([settings(version, { mode: 'tunnel', tunnel: { ...TUNNEL, start: 'traffic' } })]);
    await bench.run(1);
    const [spec] = dataPlane.interfaces.values();
    dataPlane.listener({ kind: 'traffic', interface: spec?.id ?? 0 });
    await bench.run(1);
    expect(service.info()).toMatchObject([{ state: 'connecting' }]);
  });

  it('goes on calling once packets have woken it, until it is through', async () => {
    const bench = new ServiceBench();
    const { service, dataPlane } = bench.branch;
    await service.setConnections([settings(version, { mode: 'tunnel', tunnel: { ...TUNNEL, start: 'traffic' } })]);
    await bench.run(1);
    const [spec] = dataPlane.interfaces.values();
    dataPlane.listener({ kind: 'traffic', interface: spec?.id ?? 0 });
    await bench.run(200);
    expect(service.info()).toMatchObject([{ failure: { cause: 'silence' } }]);
    const there = settings(version, { name: 'branch', remote: 'any', mode: 'tunnel', tunnel: FAR_TUNNEL });
    await bench.office.service.setConnections([there]);
    await bench.run(60);
    expect(bench.branch.states.at(-1)).toBe('hq up');
  });

  it('agrees on everything where routes decide, and lets the peer speak for the networks behind it alone', async () => {
    const bench = new ServiceBench();
    const routed = (tunnel: typeof TUNNEL | typeof FAR_TUNNEL) => ({ ...tunnel, routing: 'route' }) as const;
    await bench.office.service.setConnections([
      settings(version, { name: 'branch', remote: 'any', mode: 'tunnel', tunnel: routed(FAR_TUNNEL) }),
    ]);
    await bench.branch.service.setConnections([settings(version, { mode: 'tunnel', tunnel: routed(TUNNEL) })]);
    await bench.run(20);
    const everything = [{ protocol: 0, firstAddress: '0.0.0.0', lastAddress: '255.255.255.255' }];
    const [sa] = bench.branch.dataPlane.sas.values();
    expect(sa).toMatchObject({ localSelectors: everything, remoteSelectors: everything });
    const [policy] = bench.branch.dataPlane.policies.values();
    const remoteSelectors = [{ firstAddress: '10.2.0.0', lastAddress: '10.2.0.255' }];
    expect(policy?.inside).toMatchObject({ localSelectors: everything, remoteSelectors });
  });

  it('waits for the next call when the one between networks that called has hung up, and has nothing to complain of', async () => {
    const bench = new ServiceBench();
    const waiting = { name: 'branch', remote: 'any', mode: 'tunnel', tunnel: FAR_TUNNEL } as const;
    await bench.office.service.setConnections([settings(version, waiting)]);
    await bench.branch.service.setConnections([settings(version, { mode: 'tunnel', tunnel: TUNNEL })]);
    await bench.run(20);
    expect(bench.branch.states.at(-1)).toBe('hq up');
    expect(bench.office.networks.standing.size).toBe(1);
    await bench.until(bench.branch.service.disconnect('hq'));
    await bench.run(1);
    expect(bench.office.service.info()).toMatchObject([{ state: 'up' }]);
    expect(bench.office.service.info()[0]?.failure).toBeUndefined();
    expect(bench.office.states.join()).not.toContain('failed');
    expect(bench.office.networks.standing.size).toBe(0);
    bench.branch.service.connect('hq');
    await bench.run(20);
    expect(bench.branch.states.at(-1)).toBe('hq up');
    expect(bench.office.networks.standing.size).toBe(1);
  });

  it('has done within two seconds when it stops and the peer is gone', async () => {
    const { bench } = await served(version);
    bench.branch.service.dial(REQUEST, new Listener());
    await bench.run(2);
    bench.cut = true;
    const before = bench.clock.now();
    await bench.until(bench.branch.service.stop());
    expect(bench.clock.now() - before).toBeLessThanOrEqual(2_100);
    expect(bench.branch.dataPlane.leftovers).toBe(0);
  });

  it('dials for ever between networks, and is up soon after the peer is back', async () => {
    const bench = new ServiceBench();
    const there = settings(version, { name: 'branch', remote: BRANCH, mode: 'tunnel', tunnel: FAR_TUNNEL });
    bench.cut = true;
    await bench.office.service.setConnections([there]);
    await bench.branch.service.setConnections([settings(version, { mode: 'tunnel', tunnel: TUNNEL })]);
    await bench.run(300);
    expect(bench.branch.service.info()).toMatchObject([{ failure: { cause: 'silence' } }]);
    bench.cut = false;
    await bench.run(60);
    expect(bench.branch.states.at(-1)).toBe('hq up');
    expect(bench.office.states.at(-1)).toBe('branch up');
    await bench.until(Promise.all([bench.branch.service.stop(), bench.office.service.stop()]));
    expect(bench.branch.dataPlane.leftovers + bench.office.dataPlane.leftovers).toBe(0);
    expect(bench.branch.networks.standing.size).toBe(0);
  });
});
