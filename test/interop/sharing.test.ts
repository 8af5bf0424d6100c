import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { run } from '../../scripts/lab/shell.ts';
import { branchUplinks, LINES, type LineName, officeSite, places, TwoUplinks } from '../../scripts/lab/two-uplinks.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { expectNoneLost, PSK, pingSteadily, waitForIpsec } from './ipsec-support.ts';
import { ping } from './site-pair.ts';

const FLOWS = 300;
const PORT = 7777;
const IDS = { branch: 'branch.example', office: 'office.example' } as const;
const NAMES: readonly LineName[] = ['dsl', 'lte'];

const COMMON = { version: 2, psk: PSK, mode: 'tunnel', dpdSeconds: 2 } as const;

const HQ = {
  ...COMMON,
  remote: places.office,
  localId: IDS.branch,
  remoteId: IDS.office,
  localSubnets: [places.branchNetwork],
  remoteSubnets: [places.officeNetwork],
  start: 'boot',
};

const BRANCHES = {
  ...COMMON,
  remote: 'any',
  localId: IDS.office,
  remoteId: IDS.branch,
  localSubnets: [places.officeNetwork],
  remoteSubnets: [places.branchNetwork],
};

/** What arrives by each line: flows of the host, and the outer packets of the VPN. */
const COUNTING = `table ip counting {
  ${NAMES.map((name) => `counter flows-${name} { }\n  counter vpn-${name} { }`).join('\n  ')}
  chain arriving { type filter hook prerouting priority -300;
    ${NAMES.map((name) => {
      const { far, address } = LINES[name];
      const from = `iifname ${far} ip saddr ${address}`;
      return [
        `iifname ${far} udp dport ${PORT} counter name "flows-${name}"`,
        `${from} udp dport { 500, 4500 } counter name "vpn-${name}"`,
        `${from} meta l4proto esp counter name "vpn-${name}"`,
      ].join('\n    ');
    }).join('\n    ')}
  }
}`;

describe('a branch with two uplinks of the same priority', () => {
  let lab: TwoUplinks;
  let branch: LabCulvert;
  let office: LabCulvert;

  beforeAll(async () => {
    lab = await TwoUplinks.create();
  });

  afterEach(async () => {
    await lab.heal();
    await branch?.remove();
    await office?.remove();
  });

  afterAll(() => lab?.delete());

  async function count(what: 'flows' | 'vpn'): Promise<Record<LineName, number>> {
    const counted = NAMES.map(async (name) => {
      const text = await lab.internet.run('nft', 'list', 'counter', 'ip', 'counting', `${what}-${name}`);
      return [name, Number(/packets (\d+)/.exec(String(text))?.[1])] as const;
    });
    return Object.fromEntries(await Promise.all(counted)) as Record<LineName, number>;
  }

  /** Each from a port of its own, of a host behind the branch. @returns how many came by each line. */
  async function flows(): Promise<Record<LineName, number>> {
    const before = await count('flows');
    const script = `for i in $(seq ${FLOWS}); do echo x > /dev/udp/${places.office}/${PORT}; done`;
    await lab.branchHost.run('bash', '-c', script);
    const after = await count('flows');
    return { dsl: after.dsl - before.dsl, lte: after.lte - before.lte };
  }

  async function carrying(...names: LineName[]): Promise<void> {
    let last = '';
    await waitFor(
      `${names.join(' and ')} carrying the traffic`,
      async () => {
        const { uplinks } = await branch.status();
        last = uplinks.flatMap((uplink) => (uplink.carrying ? [uplink.name] : [])).join();
        return last === names.join();
      },
      { timeoutMs: 60_000, intervalMs: 50 },
    ).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}; last: ${last}\n${branch.log()}`);
    });
  }

  it('spreads flows over both, by one when the other dies, and leaves the VPN where it is', async () => {
    const both = { priority: 1, health: { holdSeconds: 2 } };
    const document = branchUplinks(both);
    const uplinks = document['uplinks'] as Record<LineName, object>;
    office = new LabCulvert({
      name: 'office',
      namespace: lab.office,
      configuration: { ...officeSite(), ipsec: { connections: { branches: BRANCHES } } },
    });
    branch = new LabCulvert({
      name: 'branch',
      namespace: lab.branch,
      configuration: {
        ...document,
        uplinks: { ...uplinks, dsl: { ...uplinks.dsl, weight: 2 } },
        ipsec: { connections: { hq: HQ } },
      },
    });
    await run(lab.internet.command('nft', '-f', '-'), { input: COUNTING });
    await office.start();
    await branch.start();
    await carrying('dsl', 'lte');
    await waitForIpsec(branch, 'hq', 'up');
    await waitFor('an answer through the tunnel', () => ping(lab.branchHost, places.officeHost), { timeoutMs: 20_000 });

    const shared = await flows();
    expect(shared.dsl + shared.lte).toBe(FLOWS);
    // Two thirds, within eight standard deviations.
    expect(shared.dsl).toBeGreaterThan(FLOWS * 0.45);
    expect(shared.lte).toBeGreaterThan(FLOWS * 0.12);

    const [vpnBefore, pings] = [await count('vpn'), pingSteadily(lab.branchHost, places.officeHost)];
    await pings.more(20);
    await lab.trouble('lte', 'silent');
    await carrying('dsl');
    const alone = await flows();
    expect(alone).toEqual({ dsl: FLOWS, lte: 0 });
    await lab.heal();
    await carrying('dsl', 'lte');
    await pings.more(20);
    await expectNoneLost(pings);
    const again = await flows();
    expect(again.lte).toBeGreaterThan(FLOWS * 0.12);
    const vpnAfter = await count('vpn');
    expect(vpnAfter.dsl).toBeGreaterThan(vpnBefore.dsl);
    expect(vpnAfter.lte).toBe(vpnBefore.lte);
    expect(branch.log()).toContain('dsl and lte share the traffic, 2 to 1');
    expect(branch.log()).toContain('dsl carries the traffic alone');
    console.log(`flows by dsl and lte: both ${shared.dsl} ${shared.lte}, lte silent ${alone.dsl} ${alone.lte}`);
  });
});
