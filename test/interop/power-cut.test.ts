import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleProgram } from '../../scripts/bundler.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { run } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { describeWithGuests } from '../lab/needs.ts';
import { ChurnModel } from '../support/churn-model.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CUTS = process.env['CULVERT_LONG_TESTS'] === undefined ? 4 : 100;
const SEED = Number(process.env['CULVERT_SEED'] ?? 1);
const DISK_OCTETS = 64 * 1024 * 1024;

/** Milliseconds of changes before the power goes. */
const WITHIN_MS = 1500;

describeWithGuests('a board whose power goes while its configuration changes', () => {
  let namespace: Namespace;
  let folder: string;
  let disk: string;
  let program: string;

  beforeAll(async () => {
    program = join(ROOT, 'build', `churn-guest-${process.pid}`);
    await bundleProgram(join(ROOT, 'test/support/commit-churn.ts'), program);
    namespace = await createNamespace('power');
    folder = mkdtempSync(join(tmpdir(), 'culvert-power-'));
    disk = join(folder, 'disk');
    writeFileSync(disk, '');
    truncateSync(disk, DISK_OCTETS);
    await run(['mkfs.ext4', '-q', '-F', disk]);
  });

  afterAll(() => {
    namespace?.delete();
    for (const path of [folder, program]) rmSync(path, { recursive: true, force: true });
  });

  /** A guest with the disk as its state. */
  async function boot(): Promise<Guest> {
    const guest = await startGuest({ name: 'board', namespace, disks: [disk] });
    await guest.exec('mkdir -p /state && mount -t ext4 /dev/ubda /state');
    return guest;
  }

  it('loses what was not synced, and nothing else: the harness cuts the power for real', async () => {
    const first = await boot();
    await first.exec('echo kept >/state/synced && sync /state/synced && echo lost >/state/unsynced');
    await first.stop();
    const second = await boot();
    try {
      expect(await second.exec('cat /state/synced')).toBe('kept\n');
      expect((await second.tryExec('cat /state/unsynced')).stdout).toBe('');
    } finally {
      await second.stop();
    }
  });

  it(`finds exactly one whole revision in force, and loses none that was confirmed, ${CUTS} times`, {
    timeout: CUTS * 60_000,
  }, async () => {
    const random = new SeededRandom(SEED);
    const model = new ChurnModel();
    for (let cut = 1; cut <= CUTS; cut += 1) {
      const guest = await boot();
      const seed = random.int(2 ** 31);
      const command = `${process.execPath} ${join(program, 'commit-churn.mjs')} /state/culvert ${cut} ${seed}`;
      await guest.spawn('churn', command);
      const began = await waitFor(
        'the first words of the program in the guest',
        async () => (guest.log('churn').includes('"found"') ? performance.now() : undefined),
        { timeoutMs: 60_000, intervalMs: 5 },
      );
      const until = began + random.next() * WITHIN_MS;
      await waitFor('the moment of the cut', async () => performance.now() >= until, { intervalMs: 1 });
      expect(model.run(await guest.stop('churn')), `seed ${SEED}, cut ${cut}`).toEqual([]);
    }
    const { starts, operations, kept, completed } = model.counts;
    console.log(
      `power cuts (seed ${SEED}): ${CUTS} cuts, ${starts} starts, ${operations} operations, ` +
        `${kept} times what was confirmed, ${completed} times what was being confirmed`,
    );
    expect(starts).toBe(CUTS);
    expect(operations).toBeGreaterThan(CUTS);
  });
});
