import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeTrouble } from '../../../../firmware/config/store/write-trouble.ts';
import type { TrafficChunk } from '../../../../firmware/config/traffic/traffic-chunks.ts';
import { TrafficDatabase, type TrafficMark } from '../../../../firmware/config/traffic/traffic-database.ts';
import { run } from '../../../../scripts/lab/shell.ts';
import { describeWithNamespaces } from '../../../lab/needs.ts';

/** Octets of the disk. */
const DISK = 1024 * 1024;

const MARK: TrafficMark = { time: 900_000, wall: 0, day: 0, octets: 0 };

/** What a flush has to write when so many counters were busy for a quarter of an hour. */
function busy(counters: number): TrafficChunk[] {
  const values = new Float64Array(900).map((_, slot) => (slot * 7919 * 31) % 1_000_003);
  return Array.from({ length: counters }, (_, index) => ({ name: `c${index}`, ring: 'second', chunk: 0, values }));
}

describeWithNamespaces('the traffic on a disk', () => {
  let folder: string;
  let database: TrafficDatabase;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'culvert-traffic-disk-'));
    await run(['mount', '-t', 'tmpfs', '-o', `size=${DISK},mode=700`, 'culvert-test', folder]);
    database = new TrafficDatabase(folder);
  });

  afterEach(async () => {
    database.close();
    await run(['umount', '--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  function reasonOf(task: () => unknown): string {
    try {
      task();
    } catch (error) {
      return writeTrouble(error).reason;
    }
    return 'it was written';
  }

  const filler = () => join(folder, 'filler');

  /** Leaves no octet free. */
  function fill(): void {
    for (let octets = DISK; octets >= 4096; octets /= 2) {
      try {
        writeFileSync(`${filler()}-${octets}`, Buffer.alloc(octets, 1));
      } catch {
        // As much of it as fits is there.
      }
    }
  }

  function empty(): void {
    for (let octets = DISK; octets >= 4096; octets /= 2) rmSync(`${filler()}-${octets}`, { force: true });
  }

  it('that becomes full keeps what was written, says so in words, and takes the next flush when there is room', () => {
    database.flush(busy(10), MARK);
    fill();
    expect(reasonOf(() => database.flush(busy(100), { ...MARK, time: 1_800_000 }))).toBe('the disk is full');
    expect(database.load()).toMatchObject({ mark: MARK, chunks: { length: 10 } });
    database.close();
    expect(database.load().note).toBeUndefined();
    empty();
    database.flush(busy(20), { ...MARK, time: 1_800_000 });
    expect(database.load()).toMatchObject({ mark: { time: 1_800_000 }, chunks: { length: 20 } });
  });

  it('that is full from the beginning is tried again with the next flush', () => {
    fill();
    expect(reasonOf(() => database.load())).not.toBe('it was written');
    empty();
    database.flush(busy(3), MARK);
    expect(database.load().chunks).toHaveLength(3);
  });

  it('that is read-only costs the history alone, in words', async () => {
    database.flush(busy(3), MARK);
    database.close();
    await run(['mount', '-o', 'remount,ro', folder]);
    expect(reasonOf(() => database.load())).toBe('the file system is read-only');
    expect(reasonOf(() => database.flush(busy(3), MARK))).toBe('the file system is read-only');
    await run(['mount', '-o', 'remount,rw', folder]);
    expect(database.load().chunks).toHaveLength(3);
  });
});
