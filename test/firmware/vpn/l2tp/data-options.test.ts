/** How data messages of a client and of a server shall be, as their data planes hear of it. */
import { describe, expect, it } from 'vitest';
import { DriverBench } from './driver-bench.ts';

/** The session of each end, once it is up. */
async function sessions(...args: ConstructorParameters<typeof DriverBench>) {
  const bench = new DriverBench(...args);
  await bench.up();
  const [branch] = bench.branch.dataPlane.sessions.values();
  const [office] = bench.office.dataPlane.sessions.values();
  return { branch, office };
}

describe('data messages', () => {
  it('are not numbered, nor put in order, nor marked, unless somebody wants it', async () => {
    const { branch, office } = await sessions();
    for (const session of [branch, office]) {
      expect(session?.sequencing).toBe(false);
      expect([session?.reorder, session?.dscp]).toEqual([undefined, undefined]);
    }
  });

  it('are numbered by both ends when the client demands it', async () => {
    const { branch, office } = await sessions({ data: { sequencing: true } });
    expect([branch?.sequencing, office?.sequencing]).toEqual([true, true]);
  });

  it('are numbered by the server when it is told to; the client then does as the server does', async () => {
    const { branch, office } = await sessions({}, { data: { sequencing: true } });
    expect([branch?.sequencing, office?.sequencing]).toEqual([false, true]);
  });

  it('are put in order as each end is told, and marked as the server says, where both want a mark', async () => {
    const reorder = { packets: 16, milliseconds: 20 };
    const { branch, office } = await sessions({ data: { reorder, dscp: 46 } }, { data: { reorder, dscp: 10 } });
    expect(branch).toMatchObject({ reorder, dscp: 10 });
    expect(office).toMatchObject({ reorder, dscp: 10 });
    const alone = await sessions({ data: { dscp: 46 } }, {});
    expect(alone.branch).toMatchObject({ dscp: 46 });
    expect(alone.office).not.toHaveProperty('dscp');
  });
});
