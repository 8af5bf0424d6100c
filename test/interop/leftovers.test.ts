import { afterEach, describe, expect, it } from 'vitest';
import type { Namespace } from '../../scripts/lab/namespaces.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { SitePair } from './site-pair.ts';

let pair: SitePair | undefined;
afterEach(async () => {
  await pair?.remove();
  pair = undefined;
});

/** Waits until the kernel has settled the link-local addresses of freshly laid cables, which are not the router's doing. */
async function settled(namespace: Namespace): Promise<void> {
  const quiet = async (): Promise<boolean> => !(await namespace.ip('address')).includes('tentative');
  await waitFor('the end of duplicate address detection', quiet);
}

/** Everything that a router may change, as the tools print it. */
async function machineState(namespace: Namespace): Promise<string> {
  await settled(namespace);
  const parts = [
    await namespace.ip('route', 'show', 'table', 'all'),
    await namespace.ip('rule'),
    await namespace.ip('-6', 'rule'),
    await namespace.ip('link'),
    await namespace.ip('address'),
    await namespace.run('nft', 'list', 'ruleset'),
    await namespace.run('sysctl', '-a', '-r', 'net.ipv4.(ip_forward|conf)'),
  ];
  return parts.join('\n--\n');
}

describe('what a router leaves behind', () => {
  it('is nothing, after SIGTERM', async () => {
    pair = await SitePair.build({ masquerade: true });
    const { branch, office } = pair.network;
    const before = [await machineState(branch), await machineState(office)];
    await pair.office.start();
    await pair.branch.start();
    await pair.up();
    expect(await machineState(branch)).not.toBe(before[0]);
    expect(await pair.branch.end('SIGTERM')).toBe(0);
    expect(await pair.office.end('SIGTERM')).toBe(0);
    expect([await machineState(branch), await machineState(office)]).toEqual(before);
  });

  it('is nothing, after SIGKILL, a new start and SIGTERM', async () => {
    pair = await SitePair.build({ masquerade: true });
    const { branch, office } = pair.network;
    const before = [await machineState(branch), await machineState(office)];
    await pair.office.start();
    await pair.branch.start();
    await pair.up();
    expect(await pair.branch.end('SIGKILL')).toBe('SIGKILL');
    expect(await pair.office.end('SIGKILL')).toBe('SIGKILL');
    expect(await branch.ip('rule')).toContain('5000');
    await pair.office.start();
    await pair.branch.start();
    await pair.up();
    expect(await pair.branch.end('SIGTERM')).toBe(0);
    expect(await pair.office.end('SIGTERM')).toBe(0);
    expect([await machineState(branch), await machineState(office)]).toEqual(before);
  });

  it('is nothing on links that were down and had another MTU', async () => {
    pair = await SitePair.build();
    const { branch } = pair.network;
    for (const device of ['eth0', 'lan0']) await branch.ip('link', 'set', device, 'down', 'mtu', '1492');
    const before = await machineState(branch);
    await pair.office.start();
    await pair.branch.start();
    await pair.up();
    expect(await pair.branch.end('SIGTERM')).toBe(0);
    expect(await machineState(branch)).toBe(before);
  });

  it('is nothing, when it is told to end in the middle of dialling', async () => {
    pair = await SitePair.build({ server: '10.20.0.77' });
    const { branch } = pair.network;
    const before = await machineState(branch);
    await pair.branch.start();
    expect(await pair.branch.end('SIGTERM')).toBe(0);
    expect(await machineState(branch)).toBe(before);
  });

  it('says StopCCN to the peer, which needs no time-out to notice', async () => {
    pair = await SitePair.start();
    await pair.up();
    await pair.branch.end('SIGTERM');
    expect(pair.office.log()).toMatch(/received StopCCN/);
    expect((await pair.office.l2tp('office'))?.tunnelId).toBe(0);
  });
});
