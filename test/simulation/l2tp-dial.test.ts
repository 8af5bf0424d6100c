import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PppAuthentication } from '../../firmware/protocol/ppp/link-types.ts';
import { writePcapng } from '../support/pcapng.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { LossyNetwork } from './lossy-network.ts';
import { type ChannelWeather, SimulatedBranch } from './simulated-branch.ts';

const SEEDS = 2_000;
/** One run in so many has IPv6 inside. */
const IPV6_EVERY = 3;
/** Runs that wait for an address of IPv6. */
const IPV6_SEEDS = 100;
/** Runs with a client that is protected by IPsec. */
const PROTECTED_SEEDS = 500;
const METHODS: readonly PppAuthentication[] = ['pap', 'chap', 'mschapv2'];
/** `--seed N` replays that one run. */
const only = process.env['CULVERT_REPLAY'] === undefined ? undefined : process.env['CULVERT_SEED'];

interface Dial {
  readonly network: LossyNetwork;
  readonly branch: SimulatedBranch;
}

/** Channels of which one in two is lost within a minute. */
function fragileChannels(random: SeededRandom): ChannelWeather {
  return { setUp: 200, life: () => (random.next() < 0.5 ? random.next() * 60_000 : undefined) };
}

function prepare(seed: number, loss: number, password = 'bob-pw', protection = false): Dial {
  const random = new SeededRandom(seed);
  const network = new LossyNetwork(random, { loss, duplicate: 0.1, delay: [1, 60] });
  const method = METHODS[seed % METHODS.length] ?? 'pap';
  const secret = seed % 2 === 0 ? { secret: 'tunnel secret' } : {};
  const isIpv6 = seed % IPV6_EVERY === 0;
  const branch = new SimulatedBranch(
    network,
    random,
    {
      hostName: 'branch',
      server: 'office.example',
      port: 1701,
      user: 'bob',
      password,
      authentication: [method],
      hideAvps: seed % 4 === 0,
      mru: 1400,
      ipv6: isIpv6,
      ...secret,
    },
    {
      hostName: 'office',
      localAddress: '10.98.0.1',
      pool: '10.98.0.10-10.98.0.12',
      dns: ['10.98.0.1'],
      users: { bob: { password: 'bob-pw', routes: ['192.168.12.0/24'] } },
      authentication: [method],
      hideAvps: seed % 4 === 0,
      mru: 1400,
      ...secret,
      ...(isIpv6 ? { ipv6: { pool: 'fd00:98::/62', dns: [] } } : {}),
    },
    protection ? fragileChannels(random) : undefined,
  );
  return { network, branch };
}

/** Dials, stays up for a minute, hangs up, and looks at what is left. @returns what is wrong, if anything. */
function dialAndHangUp(seed: number, { network, branch }: Dial): string | undefined {
  branch.connect();
  if (!network.runUntil(300_000, () => branch.up)) {
    if (branch.reasons.length === 0) return 'did not come up in five minutes and does not say why';
    return `did not come up in five minutes: ${branch.reasons.join(', ')}`;
  }
  network.runUntil(network.now + 60_000, () => false);
  const settled = (): boolean => branch.client.state === 'up' || branch.reasons.length > 0;
  if (!network.runUntil(network.now + 60_000, settled)) return 'went down and does not say why';
  branch.disconnect();
  const ended = (): boolean =>
    branch.client.quiet && branch.server.quiet && branch.server.tunnels.length === 0 && branch.usersUp.size === 0;
  if (!network.runUntil(network.now + 180_000, ended)) return `hangs after disconnect (seed ${seed})`;
  network.runUntil(network.now + 120_000, () => false);
  if (branch.client.nextDeadline() !== undefined) return 'the client keeps a timer';
  if (branch.server.nextDeadline() !== undefined) return 'the server keeps a timer';
  if (branch.client.tunnel) return 'the client keeps a tunnel';
  if (branch.channelOpen) return 'a protected channel is left';
  if (branch.wakeUps > 20_000) return `timers fired ${branch.wakeUps} times: something spins`;
  return undefined;
}

function explain(seed: number, problem: string, network: LossyNetwork): string {
  const folder = join(tmpdir(), 'culvert-simulation');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `seed-${seed}.pcapng`);
  writePcapng(file, network.captured);
  return `seed ${seed}: ${problem}; replay with ./scripts/test --seed ${seed}; the run is in ${file}`;
}

/** @returns what went wrong, by seed. */
function dialMany(count: number, protection: boolean): string[] {
  const seeds = only === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(only)];
  const problems: string[] = [];
  for (const seed of seeds) {
    const dial = prepare(seed, 0.3, 'bob-pw', protection);
    const problem = dialAndHangUp(seed, dial);
    if (problem) problems.push(explain(seed, problem, dial.network));
  }
  return problems.slice(0, 5);
}

describe('dialling over a network that loses 30 %, duplicates and reorders', () => {
  it(`ends up and leaves nothing behind, for ${SEEDS} seeds`, () => {
    expect(dialMany(SEEDS, false)).toEqual([]);
  });

  it(`brings an IPv6 address sooner or later, for ${IPV6_SEEDS} seeds`, () => {
    const late: number[] = [];
    for (let run = 1; run <= IPV6_SEEDS; run += 1) {
      const seed = IPV6_EVERY * run;
      const { network, branch } = prepare(seed, 0.3);
      branch.connect();
      // What is lost of three advertisements in the first half minute comes again after ten minutes.
      if (!network.runUntil(1_500_000, () => branch.client.ipv6?.addresses.length === 1)) late.push(seed);
    }
    expect(late).toEqual([]);
  });

  it(`does so inside channels that are lost at any moment, for ${PROTECTED_SEEDS} seeds`, () => {
    expect(dialMany(PROTECTED_SEEDS, true)).toEqual([]);
  });
});

describe('dialling over a good network', () => {
  it('is up within a second', () => {
    const { network, branch } = prepare(3, 0);
    branch.connect();
    expect(network.runUntil(1_000, () => branch.up)).toBe(true);
  });

  it('says that the password is wrong, keeps trying, and tries ever more slowly', () => {
    const { network, branch } = prepare(5, 0, 'wrong');
    branch.connect();
    network.runUntil(300_000, () => false);
    expect(branch.states).not.toContain('up');
    expect(branch.reasons[0]).toMatch(/^authentication: /);
    expect(branch.reasons.length).toBeGreaterThan(4);
    expect(branch.reasons.length).toBeLessThan(20);
  });

  it('notices within 13 seconds that the server has gone silent, and dials again', () => {
    const { network, branch } = prepare(7, 0);
    branch.connect();
    network.runUntil(5_000, () => branch.up);
    network.weather = { ...network.weather, loss: 1 };
    const silentSince = network.now;
    expect(network.runUntil(silentSince + 13_000, () => branch.client.state !== 'up')).toBe(true);
    expect(branch.reasons.at(-1)).toMatch(/^hello: /);
    network.weather = { ...network.weather, loss: 0 };
    const backSince = network.now;
    expect(network.runUntil(backSince + 20_000, () => branch.client.state === 'up')).toBe(true);
  });

  it('is told by a server that shuts down, and comes back', () => {
    const { network, branch } = prepare(9, 0);
    branch.connect();
    network.runUntil(5_000, () => branch.up);
    branch.shutdownServer();
    expect(network.runUntil(network.now + 1_000, () => branch.client.state !== 'up')).toBe(true);
    expect(network.runUntil(network.now + 20_000, () => branch.up)).toBe(true);
  });
});
