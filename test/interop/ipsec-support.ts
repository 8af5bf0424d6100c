/** What the tests of IPsec share: configurations, what status says, and pings that notice every lost packet. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import type { IpsecStatus } from '../../firmware/api/router-control.ts';
import { addresses } from '../../scripts/lab/branch-network.ts';
import type { LabCulvert } from '../../scripts/lab/culvert.ts';
import { endingWithUs } from '../../scripts/lab/daemon.ts';
import type { Guest } from '../../scripts/lab/guest.ts';
import type { Namespace } from '../../scripts/lab/namespaces.ts';
import { lastLines } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';

export const PSK = 'a pre-shared key of the lab';

export type Overlay = Readonly<Record<string, unknown>>;

/** `ipsec.connections` of a branch whose client has `ipsec: 'hq'`. */
export function dialling(version: 1 | 2, overlay: Overlay = {}): Overlay {
  return { hq: { version, remote: addresses.officeWan, psk: PSK, mode: 'transport', ...overlay } };
}

/** `ipsec.connections` of a head office whose server has `ipsec: 'branches'`. */
export function answering(version: 1 | 2, overlay: Overlay = {}): Overlay {
  return { branches: { version, remote: 'any', psk: PSK, mode: 'transport', ...overlay } };
}

export async function ipsecStatus(router: LabCulvert, name: string): Promise<IpsecStatus | undefined> {
  return (await router.status()).ipsec.find((entry) => entry.name === name);
}

/** Waits for a state of the IPsec connection `name`; says what it was instead. */
export async function waitForIpsec(
  router: LabCulvert,
  name: string,
  state: IpsecStatus['state'],
  timeoutMs = 30_000,
): Promise<IpsecStatus> {
  let last = 'nothing was heard of it';
  const probe = async () => {
    const entry = await ipsecStatus(router, name).catch(() => undefined);
    if (entry) last = `${entry.state} ${entry.reason ?? ''}`;
    return entry?.state === state && entry;
  };
  return await waitFor(`${name} of ${router.name} coming to be ${state}`, probe, { timeoutMs, intervalMs: 50 }).catch(
    (error: unknown) => {
      const why = error instanceof Error ? error.message : error;
      throw new Error(`${why}; the last state was: ${last}\n${router.log()}`);
    },
  );
}

/** SPIs by which the IPsec connection `name` receives, by whichever of its IKE SAs. */
async function inboundSpis(router: LabCulvert, name: string): Promise<readonly string[]> {
  const entries = (await router.status()).ipsec.filter((entry) => entry.name === name);
  return entries.flatMap(({ children }) => children.map(({ inboundSpi }) => inboundSpi));
}

/** From now on. @returns what waits until every child SA of the connection has another SPI. */
export async function awaitRenewal(router: LabCulvert, name: string): Promise<() => Promise<unknown>> {
  const before = await inboundSpis(router, name);
  const renewed = async () => {
    const now = await inboundSpis(router, name);
    return now.length > 0 && now.every((spi) => !before.includes(spi));
  };
  return () => waitFor('new keys of every pair', renewed, { timeoutMs: 60_000, intervalMs: 200 });
}

/** Adds the last lines of the router's log to an error of its peer: two sides of a story. */
export async function withLogOf<T>(router: LabCulvert | undefined, of: Promise<T>): Promise<T> {
  return await of.catch((error: unknown) => {
    const why = error instanceof Error ? error.message : error;
    throw new Error(`${why}\n${router?.name} says: ${lastLines(router?.log() ?? '', 25)}`);
  });
}

/** What became of a row of pings. */
export interface PingResult {
  readonly received: number;
  /** Sent before the last answer and never answered. */
  readonly lost: readonly number[];
}

export interface SteadyPing {
  /** Waits until so many more have been answered: what was done before has not cut the line. */
  more(count: number): Promise<void>;
  stop(): Promise<PingResult>;
}

/** How long {@link SteadyPing.more} waits for one that is missing, in milliseconds. */
const MORE_TIMEOUT_MS = 10_000;

async function moreThan(output: () => string, count: number): Promise<void> {
  const { received } = readPings(output());
  const enough = () => readPings(output()).received >= received + count;
  await waitFor(`${count} more answers`, enough, { timeoutMs: MORE_TIMEOUT_MS });
}

const INTERVAL_SECONDS = '0.05';

/** A ping every 50 ms from a namespace until it is stopped. */
export function pingSteadily(from: Namespace, to: string, ...options: string[]): SteadyPing {
  const command = from.command('ping', '-n', '-i', INTERVAL_SECONDS, ...options, to);
  const [program, ...args] = endingWithUs(...command);
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const closed = once(child, 'close');
  return {
    more: (count) => moreThan(() => output, count),
    async stop() {
      child.kill('SIGINT');
      await closed;
      return readPings(output);
    },
  };
}

/** The same in a guest; one at a time. */
export async function pingSteadilyInGuest(guest: Guest, to: string): Promise<SteadyPing> {
  await guest.spawn('ping', `stdbuf -oL ping -n -i ${INTERVAL_SECONDS} ${to}`);
  return {
    more: (count) => moreThan(() => guest.log('ping'), count),
    async stop() {
      await guest.exec('pkill -INT ping; while pgrep -x ping >/dev/null; do sleep 0.05; done');
      return readPings(guest.log('ping'));
    },
  };
}

/** Reads the output of ping. */
export function readPings(output: string): PingResult {
  const answered = new Set([...output.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, number]) => Number(number)));
  const lost: number[] = [];
  for (let number = 1; number < Math.max(0, ...answered); number += 1) if (!answered.has(number)) lost.push(number);
  return { received: answered.size, lost };
}

/** Ends the pings when twenty more have been answered, and checks that none was lost. */
export async function expectNoneLost(pings: SteadyPing): Promise<void> {
  await pings.more(20);
  expect((await pings.stop()).lost).toEqual([]);
}
