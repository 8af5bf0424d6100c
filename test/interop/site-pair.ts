import { expect } from 'vitest';
import type { Diagnosis } from '../../firmware/diagnosis/diagnosis.ts';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeConfiguration,
  type SiteOptions,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import type { Namespace } from '../../scripts/lab/namespaces.ts';
import { tryRun } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';

type Overlay = Readonly<Record<string, unknown>>;

export interface PairOptions {
  /** Laid over the branch's client, and over head office's server. */
  readonly client?: Overlay;
  readonly server?: Overlay;
  /** `ipsec.connections` of either. */
  readonly branchIpsec?: Overlay;
  readonly officeIpsec?: Overlay;
  /** The branch lies behind a NAT. */
  readonly behindNat?: boolean;
}

/** A branch and a head office, both Culvert; either may be left out of the start. */
export class SitePair {
  readonly network: BranchNetwork;
  readonly branch: LabCulvert;
  readonly office: LabCulvert;

  private constructor(network: BranchNetwork, options: PairOptions) {
    const { client = {}, server = {}, behindNat = false } = options;
    this.network = network;
    this.branch = new LabCulvert({
      name: 'branch',
      namespace: network.branch,
      configuration: branchConfiguration(client, { ...withIpsec(options.branchIpsec), behindNat }),
    });
    this.office = new LabCulvert({
      name: 'office',
      namespace: network.office,
      configuration: officeConfiguration(server, withIpsec(options.officeIpsec)),
    });
  }

  /** The network stands, no router runs yet. */
  static async build(client: Overlay = {}, server: Overlay = {}): Promise<SitePair> {
    return await SitePair.buildWith({ client, server });
  }

  /** As {@link build}, with all there is to choose. */
  static async buildWith(options: PairOptions): Promise<SitePair> {
    return new SitePair(await createBranchNetwork('namespace', options.behindNat), options);
  }

  /** Both routers run. */
  static async start(client: Overlay = {}, server: Overlay = {}): Promise<SitePair> {
    return await SitePair.startWith({ client, server });
  }

  /** As {@link start}, with all there is to choose. */
  static async startWith(options: PairOptions): Promise<SitePair> {
    const pair = await SitePair.buildWith(options);
    await pair.office.start();
    await pair.branch.start();
    return pair;
  }

  async remove(): Promise<void> {
    await this.branch.remove();
    await this.office.remove();
    this.network.delete();
  }

  /** Waits until the branch's tunnel is up. */
  async up(timeoutMs = 30_000): Promise<void> {
    await waitForState(this.branch, 'hq', 'up', timeoutMs);
  }

  /** A ping from the branch's LAN to head office's, repeated until it is answered. */
  async pingThrough(timeoutMs = 15_000): Promise<void> {
    await waitFor('an answer from head office', () => ping(this.network.branchHost, addresses.officeHost), {
      timeoutMs,
    });
  }
}

function withIpsec(ipsec: Overlay | undefined): SiteOptions {
  return ipsec === undefined ? {} : { ipsec };
}

/** One ping. @returns whether it was answered within a second. */
export async function ping(from: Namespace, to: string, ...options: string[]): Promise<boolean> {
  return (await tryRun(from.command('ping', '-n', '-c', '1', '-W', '1', ...options, to))).code === 0;
}

/** Waits for a state of the connection `name`; says what it was instead. */
export async function waitForState(router: LabCulvert, name: string, state: string, timeoutMs = 30_000): Promise<void> {
  let last = 'nothing was heard of it';
  await waitFor(
    `${name} of ${router.name} coming to be ${state}`,
    async () => {
      const entry = await router.l2tp(name).catch(() => undefined);
      last = entry ? `${entry.state} ${entry.reason ?? ''}` : last;
      return entry?.state === state;
    },
    { timeoutMs, intervalMs: 50 },
  ).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}; the last state was: ${last}\n${router.log()}`);
  });
}

/** Waits until the connection has failed with words like these, and checks that the remedy is told, too. */
export async function expectFailure(router: LabCulvert, name: string, reason: RegExp, remedy: RegExp): Promise<void> {
  await waitForState(router, name, 'failed', 60_000);
  const entry = await router.l2tp(name);
  expect(entry?.reason).toMatch(reason);
  expect(entry?.reason).not.toContain('\n');
  expect(entry?.remedy).toMatch(remedy);
}

/** Asks `culvert diagnose` and checks that it finds this known failure, with a cause and a remedy. */
export async function expectDiagnosis(router: LabCulvert, name: string, id: string): Promise<void> {
  const { code, stdout, stderr } = await router.culvert('diagnose', name, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { findings } = JSON.parse(stdout) as Diagnosis;
  expect(findings.map((finding) => finding.id)).toContain(id);
  for (const { cause, remedy } of findings) expect(`${cause} ${remedy}`).toMatch(/\w+ \w+/);
}
