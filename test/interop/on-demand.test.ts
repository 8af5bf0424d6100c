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
  it('answers the first ping of its LAN, hangs up after silence, and dials again', async () => {
    pair = await SitePair.start({ start: 'on-demand', idleSeconds: 3 });
    const { branchHost } = pair.network;
    await waitsForTraffic(pair);
    expect((await pair.branch.l2tp('hq'))?.sessions).toEqual([]);
    // One packet, and no other one: it is held, and answered once the tunnel stands. A busy head office may have no route
    // back yet when it comes; then the branch hangs up in silence, and dials again for the next one.
    let answered = 0;
    for (let dial = 0; dial < 5 && answered < 2; dial += 1) {
      await waitsForTraffic(pair);
      if (await ping(branchHost, addresses.officeHost, '-W', '8')) answered += 1;
    }
    expect(answered).toBe(2);
  });

  it('dials no more after so many failures, says so, and connects when it is told to', {
    timeout: 300_000,
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
