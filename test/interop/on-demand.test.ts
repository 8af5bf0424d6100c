/** A branch that dials when somebody wants to reach head office, and hangs up when nobody does. */
import { afterEach, describe, expect, it } from 'vitest';
import { addresses } from '../../scripts/lab/branch-network.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { ping, SitePair, waitForState } from './site-pair.ts';

let pair: SitePair | undefined;
afterEach(async () => {
  await pair?.remove();
  pair = undefined;
});

/** The branch waits for traffic: its interface and routes stand. */
async function waitsForTraffic({ branch }: SitePair): Promise<void> {
  await waitFor('the branch to wait for traffic', async () => {
    const entry = await branch.l2tp('hq');
    return entry?.state === 'down' && entry.reason === 'idle, dials when traffic comes';
  });
}

describe('a client that dials on demand', () => {
  it('dials for the first ping of its LAN, hangs up after silence, and dials again', { timeout: 90_000 }, async () => {
    pair = await SitePair.start({ start: 'on-demand', idleSeconds: 3 });
    const { branchHost } = pair.network;
    for (const _ of ['first', 'again']) {
      await waitsForTraffic(pair);
      expect((await pair.branch.l2tp('hq'))?.sessions).toEqual([]);
      await ping(branchHost, addresses.officeHost);
      await pair.up();
      expect((await pair.branch.l2tp('hq'))?.sessions[0]?.packetsSent).toBeGreaterThan(0);
    }
  });

  it('dials no more after so many failures, says so, and connects when it is told to', {
    timeout: 90_000,
  }, async () => {
    pair = await SitePair.build({ start: 'on-demand', maxFail: 1, password: 'not the right one' });
    await pair.office.start();
    await pair.branch.start();
    await waitsForTraffic(pair);
    expect(await ping(pair.network.branchHost, addresses.officeHost)).toBe(false);
    await waitForState(pair.branch, 'hq', 'failed');
    const entry = await pair.branch.l2tp('hq');
    expect(entry?.reason).toContain('given up after 1 failed attempt');
    expect(entry?.remedy).toContain('then connect again');
  });
});
