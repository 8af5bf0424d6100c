import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { addresses, branchConfiguration, officeConfiguration } from '../../scripts/lab/branch-network.ts';
import type { LabCulvert } from '../../scripts/lab/culvert.ts';
import { createStateFolder } from '../../scripts/lab/state-folder.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { answering, dialling, expectNoneLost, PSK, pingSteadily, waitForIpsec } from './ipsec-support.ts';
import { SitePair } from './site-pair.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const OTHER_PSK = 'another key of the same lab';

/** `culvert apply`, as a person does it. @returns what it prints. */
async function apply(router: LabCulvert, configuration: unknown): Promise<string> {
  const folder = createStateFolder('apply');
  try {
    const file = join(folder.path, 'new.json');
    writeFileSync(file, JSON.stringify(configuration));
    const { code, stdout, stderr } = await router.culvert('apply', file);
    expect({ code, stderr: stderr.replace(/^culvert: warning: .*\n/gm, '') }).toEqual({ code: 0, stderr: '' });
    return stdout + stderr;
  } finally {
    folder.remove();
  }
}

/** Every text that a person can see of a router, by which a key might leave it. */
async function allTexts(router: LabCulvert): Promise<string> {
  const texts = [router.log()];
  for (const topic of ['config', 'status', 'ipsec', 'l2tp', 'log']) {
    texts.push((await router.culvert('show', topic)).stdout, (await router.culvert('show', topic, '--json')).stdout);
  }
  return texts.join('\n');
}

/** A connection between two networks that are nobody else's; of the other version of IKE, so that only names are shared. */
function plant(end: 'branch' | 'office', overlay: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const [local, remote] = [['192.168.13.0/24'], ['10.99.1.0/24']];
  const [localSubnets, remoteSubnets] = end === 'branch' ? [local, remote] : [remote, local];
  const peer = end === 'branch' ? addresses.officeWan : addresses.branchWan;
  return { plant: { version: 2, remote: peer, psk: PSK, mode: 'tunnel', localSubnets, remoteSubnets, ...overlay } };
}

describe('culvert apply while tunnels are up', () => {
  it('puts a client that runs in clear behind IPsec, gives both ends another key, and takes IPsec away again', async () => {
    const pair = await SitePair.start();
    undo.push(() => pair.remove());
    const { branch, office } = pair;
    await pair.up();
    await pair.pingThrough();

    const protectedOffice = (ipsec: Readonly<Record<string, unknown>>) =>
      officeConfiguration({ ipsec: 'branches' }, { ipsec });
    const protectedBranch = (ipsec: Readonly<Record<string, unknown>>) =>
      branchConfiguration({ ipsec: 'hq' }, { ipsec });

    await apply(office, protectedOffice(answering(2)));
    const added = await apply(branch, protectedBranch(dialling(2)));
    expect(added).toContain('+ ipsec.connections.hq.psk (set)');
    expect(added).toContain('+ l2tp.clients.hq.ipsec = "hq"');
    await pair.up();
    await pair.pingThrough();
    expect((await waitForIpsec(branch, 'hq', 'up')).children).toHaveLength(1);

    // A key at one end only: no tunnel, and words that name the key.
    const changed = await apply(office, protectedOffice(answering(2, { psk: OTHER_PSK })));
    expect(changed).toContain('~ ipsec.connections.branches.psk (changed)');
    const refused = async () => /pre-shared key/.test((await branch.l2tp('hq'))?.remedy ?? '');
    await waitFor('words about the key', refused, { timeoutMs: 60_000 });
    await apply(branch, protectedBranch(dialling(2, { psk: OTHER_PSK })));
    await pair.up();
    await pair.pingThrough();

    // The other version of IKE.
    await apply(office, protectedOffice(answering(1, { psk: OTHER_PSK })));
    await apply(branch, protectedBranch(dialling(1, { psk: OTHER_PSK })));
    await pair.up();
    await pair.pingThrough();
    expect((await waitForIpsec(branch, 'hq', 'up')).version).toBe(1);

    for (const router of [branch, office]) {
      const seen = await allTexts(router);
      for (const secret of [PSK, OTHER_PSK, 'alice-pw']) expect(seen).not.toContain(secret);
    }

    const removed = await apply(branch, branchConfiguration({}));
    expect(removed).toContain('- ipsec.connections.hq.psk');
    await apply(office, officeConfiguration({}));
    await pair.up();
    await pair.pingThrough();
    expect((await branch.status()).ipsec).toEqual([]);
    expect((await office.status()).ipsec).toEqual([]);
  }, 90_000);

  it('leaves what is unchanged alone while another connection comes, changes and goes', async () => {
    const pair = await SitePair.startWith({
      client: { ipsec: 'hq' },
      server: { ipsec: 'branches' },
      branchIpsec: dialling(2),
      officeIpsec: answering(2),
    });
    undo.push(() => pair.remove());
    const { branch, office, network } = pair;
    await pair.up();
    await pair.pingThrough();
    const before = await waitForIpsec(branch, 'hq', 'up');
    const pings = pingSteadily(network.branchHost, addresses.officeHost);
    undo.push(() => pings.stop());
    await pings.more(5);

    const officeWith = (more: object) =>
      officeConfiguration({ ipsec: 'branches' }, { ipsec: { ...answering(2), ...more } });
    const branchWith = (more: object) => branchConfiguration({ ipsec: 'hq' }, { ipsec: { ...dialling(2), ...more } });
    for (const psk of [PSK, OTHER_PSK]) {
      await apply(office, officeWith(plant('office', { psk })));
      await apply(branch, branchWith(plant('branch', { psk })));
      await waitForIpsec(branch, 'plant', 'up');
      await waitForIpsec(office, 'plant', 'up');
    }
    await apply(branch, branchWith({}));
    await apply(office, officeWith({}));
    await expectNoneLost(pings);
    expect((await branch.status()).ipsec.map(({ name }) => name)).toEqual(['hq']);
    expect((await waitForIpsec(branch, 'hq', 'up')).children.map(({ inboundSpi }) => inboundSpi)).toEqual(
      before.children.map(({ inboundSpi }) => inboundSpi),
    );
  }, 90_000);
});
