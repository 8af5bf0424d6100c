import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../../../../scripts/lab/shell.ts';
import { describeWithNamespaces } from '../../../lab/needs.ts';
import { named, StoreBench } from './store-bench.ts';

/** Octets of the disk: enough for a database, its -wal file and the export. */
const DISK = 512 * 1024;

describeWithNamespaces('a store on a disk', () => {
  let folder: string;
  let bench: StoreBench;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'culvert-disk-'));
    await run(['mount', '-t', 'tmpfs', '-o', `size=${DISK},mode=700`, 'culvert-test', folder]);
    bench = new StoreBench(folder);
    await bench.start();
    expect(await bench.commit(named('a'))).toMatchObject({ ok: true, revision: 1 });
  });

  afterEach(async () => {
    await bench.desk.close();
    await run(['umount', '--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes until nothing fits any more. */
  function fill(): void {
    for (const octets of [65_536, 4_096, 512]) {
      for (let count = 0; ; count += 1) {
        try {
          writeFileSync(join(folder, `filler-${octets}-${count}`), Buffer.alloc(octets, 1));
        } catch {
          rmSync(join(folder, `filler-${octets}-${count}`), { force: true });
          break;
        }
      }
    }
  }

  function empty(): void {
    for (const octets of [65_536, 4_096, 512]) {
      for (let count = 0; count < 200; count += 1) rmSync(join(folder, `filler-${octets}-${count}`), { force: true });
    }
  }

  it('that is full refuses a commit in words, keeps what is in force, and takes the next one when there is room', async () => {
    fill();
    // Something may fit into what is there already: at the latest a large one does not.
    const large = named('b', 'x'.repeat(200)).replace('"system"', `"interfaces": ${interfaces(60)}, "system"`);
    const refused = await bench.commit(large);
    expect(refused).toMatchObject({ ok: false, reason: expect.stringContaining('the disk is full') });
    expect(bench.inForce).toBe('a');
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'confirmed' });
    empty();
    expect(await bench.commit(named('c'))).toMatchObject({ ok: true });
    await bench.restart();
    expect(bench.inForce).toBe('c');
  });

  it('that is full does not keep the router from starting with what is stored', async () => {
    fill();
    await bench.restart();
    expect(bench.inForce).toBe('a');
    expect(bench.desk.inForce.l2tp.clients['hq']?.password).toBe('password of a');
    empty();
    await bench.restart();
    expect(await bench.commit(named('b'))).toMatchObject({ ok: true });
  });

  it('that became read-only starts from the last good export, and refuses commits in words', async () => {
    // A file that is open for writing would keep the file system from it.
    await bench.desk.close();
    await run(['mount', '-o', 'remount,ro', folder]);
    await bench.restart();
    expect(bench.inForce).toBe('a');
    const state = bench.desk.state();
    expect(state).toMatchObject({ revision: 1, state: 'recovered', reason: expect.stringContaining('read-only') });
    expect(await bench.commit(named('b'))).toMatchObject({ ok: false, remedy: expect.stringMatching(/./) });
    await bench.desk.close();
    await run(['mount', '-o', 'remount,rw', folder]);
    await bench.restart();
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'confirmed' });
    expect(await bench.commit(named('b'))).toMatchObject({ ok: true });
  });
});

function interfaces(count: number): string {
  const entries = Array.from({ length: count }, (_, index) => {
    const ipv4 = { method: 'static', address: `10.50.${index}.1/24`, dns: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] };
    return [`lan${index}`, { device: `lan${index}`, zone: 'lan', ipv4 }];
  });
  return JSON.stringify(Object.fromEntries(entries));
}
