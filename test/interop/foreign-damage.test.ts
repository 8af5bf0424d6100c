import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../scripts/lab/wait.ts';
import { SitePair } from './site-pair.ts';

/** Some five times what it takes on a machine that has nothing else to do. */
const REPAIRED_WITHIN_MS = 5000;

let pair: SitePair | undefined;
afterEach(async () => {
  await pair?.remove();
  pair = undefined;
});

describe('a tunnel whose routes somebody else takes away', () => {
  it('has them again within 5 s, and its session never notices', async () => {
    pair = await SitePair.start();
    await pair.up();
    const { branch } = pair.network;
    const before = await pair.branch.l2tp('hq');
    const table = async () => `${await branch.ip('route', 'show', 'table', '5000')}${await branch.ip('rule')}`;
    const whole = await table();
    await branch.ip('route', 'flush', 'table', '5000');
    await branch.ip('rule', 'del', 'priority', '5000');
    await waitFor('the repair', async () => (await table()) === whole, { timeoutMs: REPAIRED_WITHIN_MS });
    expect(pair.branch.log()).toMatch(
      /route to 10\.99\.0\.0\/24 on l2tp-hq in the tunnel table was removed by somebody else/,
    );
    expect((await pair.branch.l2tp('hq'))?.sessions).toEqual(before?.sessions);
  });
});
