import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { addresses, branchConfiguration } from '../../scripts/lab/branch-network.ts';
import type { LabCulvert } from '../../scripts/lab/culvert.ts';
import type { RunResult } from '../../scripts/lab/shell.ts';
import { createStateFolder } from '../../scripts/lab/state-folder.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { answering, dialling, expectNoneLost, pingSteadily } from './ipsec-support.ts';
import { SitePair } from './site-pair.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A session through L2TP and IPsec between two Culverts, up. */
async function protectedPair(): Promise<SitePair> {
  const pair = await SitePair.startWith({
    client: { ipsec: 'hq' },
    server: { ipsec: 'branches' },
    branchIpsec: dialling(2),
    officeIpsec: answering(2),
  });
  undo.push(() => pair.remove());
  await pair.up();
  await pair.pingThrough();
  return pair;
}

/** The configuration of the branch, with what is laid over it. */
function branch(overlay: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...branchConfiguration({ ipsec: 'hq' }, { ipsec: dialling(2) }), ...overlay };
}

/** Its WAN is on a network that nobody is on: the author of this is cut off. */
function cutOff(): Record<string, unknown> {
  const { interfaces } = branch();
  const ipv4 = { method: 'static', address: '10.77.0.9/24', gateway: '10.77.0.1' };
  return branch({ interfaces: { ...(interfaces as object), wan: { device: 'eth0', zone: 'wan', ipv4 } } });
}

/** `culvert apply FILE ...`, as a person does it. */
async function apply(router: LabCulvert, configuration: unknown, ...options: string[]): Promise<RunResult> {
  const folder = createStateFolder('apply');
  try {
    const file = join(folder.path, 'new.json');
    writeFileSync(file, JSON.stringify(configuration));
    return await router.culvert('apply', file, ...options);
  } finally {
    folder.remove();
  }
}

const state = async (router: LabCulvert) => (await router.status()).configuration;

async function waitForRevision(router: LabCulvert, revision: number, timeoutMs = 60_000): Promise<void> {
  const settled = async () => {
    const now = await state(router);
    return now.state === 'confirmed' && now.revision === revision;
  };
  await waitFor(`revision ${revision} being confirmed`, settled, { timeoutMs, intervalMs: 100 });
}

describe('culvert apply --confirm-within, with a configuration that cuts off its own author', () => {
  it('reverts by itself, and the session that was up is up again', async () => {
    const pair = await protectedPair();
    const began = performance.now();
    const { code, stdout } = await apply(pair.branch, cutOff(), '--confirm-within', '20');
    expect(code).toBe(0);
    expect(stdout).toContain('revision 2 is in force for 20 s; keep it with "culvert confirm"');
    expect(await pair.network.branch.ip('address', 'show', 'dev', 'eth0')).toContain('10.77.0.9/24');
    const told = await pair.branch.culvert('show', 'status');
    expect(told.stdout).toMatch(/revision 2/);
    await waitForRevision(pair.branch, 1);
    const reverted = performance.now() - began;
    expect(reverted).toBeGreaterThan(19_000);
    const eth0 = await pair.network.branch.ip('address', 'show', 'dev', 'eth0');
    expect(eth0).toContain(addresses.branchWan);
    expect(eth0).not.toContain('10.77.0.9');
    await pair.up(60_000);
    await pair.pingThrough();
    const upAgain = performance.now() - began;
    console.log(`commit-confirm: reverted after ${Math.round(reverted)} ms, traffic after ${Math.round(upAgain)} ms`);
  });

  it('reverts at the next start when the power goes in the window', async () => {
    const pair = await protectedPair();
    const { code } = await apply(pair.branch, cutOff(), '--confirm-within', '600');
    expect(code).toBe(0);
    expect((await state(pair.branch)).state).toBe('pending');
    await pair.branch.end('SIGKILL');
    await pair.branch.start({ given: false });
    await waitForRevision(pair.branch, 1);
    await pair.up(60_000);
    await pair.pingThrough();
    expect(pair.branch.log()).toContain('was reverted: the router was restarted before it was confirmed');
    const eth0 = await pair.network.branch.ip('address', 'show', 'dev', 'eth0');
    expect(eth0).not.toContain('10.77.0.9');
  });
});

describe('a commit', () => {
  it('leaves what it does not touch running: no ping is lost, no session is new', async () => {
    const pair = await protectedPair();
    const before = await pair.branch.l2tp('hq');
    const pings = pingSteadily(pair.network.branchHost, addresses.officeHost);
    await pings.more(5);
    const other = { server: '10.20.0.77', user: 'bob', password: 'bob-pw of the lab' };
    for (let count = 1; count <= 10; count += 1) {
      const { l2tp } = branch();
      const { clients } = l2tp as { clients: object };
      const changed = branch({
        l2tp: { clients: { ...clients, [`other${count % 3}`]: { ...other, routes: [`10.${100 + count}.0.0/16`] } } },
        routes: [{ prefix: `10.200.${count}.0/24`, gateway: addresses.internet }],
      });
      const window = count % 2 === 0 ? { confirmWithin: 60 } : {};
      const outcome = await pair.branch.commit(JSON.stringify(changed), 'other.json', window);
      expect(outcome).toMatchObject({ ok: true, failures: [] });
      if (count % 4 === 0) await pair.branch.configurations.revert({ who: 'lab', via: 'cli' });
      else if (count % 2 === 0) await pair.branch.configurations.confirm({ who: 'lab', via: 'cli' });
    }
    await expectNoneLost(pings);
    const after = await pair.branch.l2tp('hq');
    expect(after).toMatchObject({
      tunnelId: before?.tunnelId,
      sessions: [{ sessionId: before?.sessions[0]?.sessionId }],
    });
    expect(await pair.network.branch.ip('route')).not.toContain('10.200.8.0/24');
    expect((await pair.branch.configurations.history()).revisions).toHaveLength(11);
  });

  it('that is checked is confirmed by itself when the uplink is up, and reverts when it is not', {
    timeout: 300_000,
  }, async () => {
    const pair = await protectedPair();
    const good = await apply(
      pair.branch,
      branch({ system: { hostname: 'renamed' } }),
      '--confirm-within',
      '60',
      '--check',
    );
    expect(good).toMatchObject({ code: 0 });
    await waitForRevision(pair.branch, 2);
    await pair.pingThrough();
    const bad = await apply(pair.branch, cutOff(), '--confirm-within', '25', '--check');
    expect(bad).toMatchObject({ code: 0 });
    await waitForRevision(pair.branch, 2);
    const [revision] = (await pair.branch.configurations.history()).revisions;
    expect(revision).toMatchObject({ id: 3, state: 'reverted', reason: 'hq did not come up again in time' });
    await pair.up(60_000);
    await pair.pingThrough();
  });
});
