/** A hub with two hundred branches: half with a connection each, half told apart by who they are on one connection for all. */
import { describe, expect, it } from 'vitest';
import type { IpsecConnectionSettings } from '../../firmware/vpn/ipsec/ipsec-types.ts';
import { settings } from '../firmware/vpn/ipsec/two-sites.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { IpsecHost } from './ipsec-host.ts';
import { LossyNetwork } from './lossy-network.ts';

const LONG = process.env['CULVERT_LONG_TESTS'] !== undefined;
const seed = Number(process.env['CULVERT_SEED'] ?? '1');
/** Of the hub; those of the branches follow. Numbers that are made of it have to stay whole ones. */
const FIRST_SEED = (seed % 1_000_000) * 1000;
const BRANCHES = 200;
const HOURS = LONG ? 24 : 6;
const HOUR_MS = 3_600_000;
/** Time between two packets each way of one branch, and silence after which either side asks, seconds. */
const [PACKETS_EVERY, DPD] = [900, 600];
const HUB = '192.0.2.2';
const CORPORATE = '10.0.0.0/8';
const IN_COMMON = 'all';

const addressOf = (number: number): string => `198.51.${100 + (number >> 7)}.${(number & 127) + 1}`;
const networkOf = (number: number): string => `10.${number >> 7}.${number & 127}.0/24`;
const identityOf = (number: number) => ({ kind: 'fqdn', value: `branch${number}.example` }) as const;
const hasItsOwn = (number: number): boolean => number % 2 === 0;
const keyOf = (number: number): string => `a key of ${hasItsOwn(number) ? `branch ${number}` : 'all the others'}`;

function connection(
  name: string,
  key: string,
  more: Partial<IpsecConnectionSettings>,
  local: string,
  remote: string,
): IpsecConnectionSettings {
  return settings(2, {
    name,
    remote: 'any',
    authentication: { kind: 'psk', psk: key },
    mode: 'tunnel',
    dpdSeconds: DPD,
    tunnel: {
      device: `ipsec-${name}`,
      localSubnets: [local],
      remoteSubnets: [remote],
      mtu: 1400,
      routing: 'policy',
      start: 'boot',
    },
    ...more,
  });
}

/** What branch `number` is told. */
function branchSettings(number: number, network = networkOf(number)): IpsecConnectionSettings {
  const more = { remote: HUB, localId: identityOf(number) };
  return connection('hub', keyOf(number), more, network, CORPORATE);
}

function hubSettings(): readonly IpsecConnectionSettings[] {
  const numbers = Array.from({ length: BRANCHES }, (_, number) => number);
  const own = numbers.filter(hasItsOwn).map((number) => {
    return connection(`branch${number}`, keyOf(number), { remoteId: identityOf(number) }, CORPORATE, networkOf(number));
  });
  return [...own, connection(IN_COMMON, keyOf(1), {}, CORPORATE, CORPORATE)];
}

class Hub {
  readonly network: LossyNetwork;
  readonly host: IpsecHost;
  readonly branches: IpsecHost[] = [];
  calls = 0;

  constructor(loss: number) {
    this.network = new LossyNetwork(new SeededRandom(seed), { loss, duplicate: loss, delay: [5, 60] });
    this.network.capture = false;
    const connections = hubSettings();
    this.host = new IpsecHost(this.network, HUB, FIRST_SEED, connections);
    for (const { name } of connections) this.host.run((now) => this.host.site.machine.serve(now, name));
  }

  /** A branch that calls, and calls again as often as it has to. */
  add(number: number, network?: string): IpsecHost {
    const connections = [branchSettings(number, network)];
    const branch = new IpsecHost(this.network, addressOf(number), FIRST_SEED + 1 + number, connections);
    this.branches.push(branch);
    let ended = -1;
    const call = (): void => {
      if (branch.site.up.size > 0 || branch.ended.length === ended) return;
      ended = branch.ended.length;
      this.calls += 1;
      const remote = { connection: 'hub', remoteAddress: HUB, localAddress: addressOf(number) };
      branch.run((now) => branch.site.machine.dial(now, branch.site.newId(), remote));
    };
    this.every(5000, 37 * number, call);
    return branch;
  }

  every(period: number, from: number, action: () => void): void {
    const again = (): void => {
      action();
      this.network.at(this.network.now + period, again);
    };
    this.network.at(this.network.now + from, again);
  }

  run(ms: number): void {
    this.network.runUntil(this.network.now + ms, () => false);
  }

  get up(): number {
    return this.branches.filter(({ site }) => site.up.size === 1).length;
  }
}

describe(`a hub with branches, seed ${seed}`, () => {
  it(`has ${BRANCHES} up, and keeps every one through ${HOURS} hours of new keys on lines that lose 1 %`, {
    timeout: 600_000,
  }, () => {
    const started = process.cpuUsage();
    const hub = new Hub(0.01);
    for (let number = 0; number < BRANCHES; number += 1) hub.add(number);
    hub.run(120_000);
    expect(hub.up).toBe(BRANCHES);
    expect(hub.host.site.up.size).toBe(BRANCHES);
    const remotes = [...hub.host.site.policies.values()].map(({ remoteSelectors }) => remoteSelectors[0]?.firstAddress);
    expect(new Set(remotes).size).toBe(BRANCHES);
    const { calls } = hub;
    const ended = () => [hub.host, ...hub.branches].map((host) => host.ended.length).reduce((a, b) => a + b, 0);
    const endedBefore = ended();
    for (const [index, branch] of hub.branches.entries()) {
      hub.every(PACKETS_EVERY * 1000, 500 + 211 * index, () => branch.sendPackets());
    }
    hub.every(PACKETS_EVERY * 1000, 300, () => hub.host.sendPackets());
    for (let hour = 1; hour <= HOURS; hour += 1) {
      hub.run(HOUR_MS);
      expect(hub.up).toBe(BRANCHES);
      expect(hub.host.site.up.size).toBe(BRANCHES);
      // One pair, and for a moment the one that it replaces.
      expect(hub.host.site.sas.size).toBeLessThanOrEqual(BRANCHES * 2);
    }
    const all = [hub.host, ...hub.branches];
    const sum = (of: (host: IpsecHost) => number): number => all.map(of).reduce((a, b) => a + b, 0);
    const cpu = process.cpuUsage(started);
    console.log(
      `seed ${seed}: ${BRANCHES} branches, ${hub.calls} calls, ${hub.host.pairs} SA pairs at the hub in ${HOURS} h, ` +
        `${sum(({ messages }) => messages)} IKE messages, ${sum(({ opened }) => opened)} packets opened, ` +
        `${sum(({ unopened }) => unopened)} not, ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s of CPU`,
    );
    expect(hub.calls).toBe(calls);
    expect(ended()).toBe(endedBefore);
    expect(sum(({ unopened }) => unopened)).toBe(0);
    // New keys every hour, with jitter; and the pairs of the calls that failed at first.
    expect(hub.host.pairs).toBeGreaterThanOrEqual(BRANCHES * (HOURS - 1));
    expect(hub.host.pairs).toBeLessThanOrEqual(BRANCHES * HOURS * 2);
  });

  it('tells of a branch that comes with the network of another, and keeps the one that was there', () => {
    const hub = new Hub(0);
    const first = hub.add(1);
    hub.run(10_000);
    expect(first.site.up.size).toBe(1);
    const second = hub.add(3, networkOf(1));
    hub.run(60_000);
    expect(second.site.up.size).toBe(0);
    expect(first.site.up.size).toBe(1);
    expect(first.ended).toEqual([]);
    expect(hub.host.site.up.size).toBe(1);
    const info = hub.host.site.machine.views(hub.network.now, hub.network.now).find(({ name }) => name === IN_COMMON);
    expect(info?.failure?.reason).toBe(
      `branch3.example called with the network ${networkOf(1)}, which is behind branch1.example already`,
    );
    expect(info?.state).toBe('up');
  });

  it('gives each caller an address of its pool, keeps it over new keys, and has it back', () => {
    const network = new LossyNetwork(new SeededRandom(seed), { loss: 0, duplicate: 0, delay: [5, 60] });
    network.capture = false;
    const pool = { range: '10.60.0.10-10.60.0.29', dns: [] };
    const shape = { device: 'ipsec-x', mtu: 1400, routing: 'policy', start: 'boot' } as const;
    const server = { ...shape, localSubnets: [CORPORATE], remoteSubnets: [], pool };
    const hub = new IpsecHost(network, HUB, FIRST_SEED, [
      connection(IN_COMMON, keyOf(1), { tunnel: server, ikeLifetime: 3600 }, CORPORATE, CORPORATE),
    ]);
    hub.run((now) => hub.site.machine.serve(now, IN_COMMON));
    const client = { ...shape, localSubnets: [], remoteSubnets: [CORPORATE], virtualAddress: true } as const;
    const callers = Array.from({ length: 21 }, (_, number) => {
      const more = { remote: HUB, localId: identityOf(number), tunnel: client, ikeLifetime: 3600 };
      const host = new IpsecHost(network, addressOf(number), FIRST_SEED + 1 + number, [
        connection('hub', keyOf(1), more, CORPORATE, CORPORATE),
      ]);
      const call = { connection: 'hub', remoteAddress: HUB, localAddress: addressOf(number) };
      host.run((now) => host.site.machine.dial(now, host.site.newId(), call));
      network.runUntil(network.now + 1000, () => false);
      return host;
    });
    const addresses = () =>
      [...hub.site.policies.values()].map(({ remoteSelectors }) => remoteSelectors[0]?.firstAddress);
    const given = addresses();
    expect(new Set(given).size).toBe(20);
    expect(callers.map(({ site }) => site.up.size)).toEqual([...Array(20).fill(1), 0]);
    expect(callers[20]?.ended.join()).toMatch(/address/);
    network.runUntil(network.now + 4 * HOUR_MS, () => false);
    expect(addresses()).toEqual(given);
    const [first, last] = [callers[0], callers[20]];
    first?.run((now) => first.site.machine.shutdown(now));
    network.runUntil(network.now + 5000, () => false);
    last?.run((now) => {
      const call = { connection: 'hub', remoteAddress: HUB, localAddress: addressOf(20) };
      last.site.machine.dial(now, last.site.newId(), call);
    });
    network.runUntil(network.now + 5000, () => false);
    expect(last?.site.up.size).toBe(1);
    expect(new Set(addresses())).toEqual(new Set(given));
  });
});
