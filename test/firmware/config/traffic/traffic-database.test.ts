import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeChunk, encodeChunk } from '../../../../firmware/config/traffic/chunk-codec.ts';
import { TrafficCore } from '../../../../firmware/config/traffic/traffic-core.ts';
import { TrafficDatabase } from '../../../../firmware/config/traffic/traffic-database.ts';
import { TrafficRings } from '../../../../firmware/config/traffic/traffic-rings.ts';
import { fill } from './fill-rings.ts';

const WALL = Date.UTC(2026, 10, 26, 12);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cv-traffic-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const script = (name: string) => new URL(`./${name}.ts`, import.meta.url).pathname;

describe('pieces of rings', () => {
  it('come out as they went in, gaps and large numbers too', () => {
    const values = new Float64Array(60).fill(Number.NaN);
    values.set([0, 1, 127, 128, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER - 1], 10);
    const chunk = { ring: 'minute', index: 7, series: new Map([['l2tp.Zürich.received', values]]) } as const;
    expect(decodeChunk('minute', 7, encodeChunk(chunk))).toEqual(chunk);
  });

  it('that are damaged are refused', () => {
    const values = new Float64Array(24).fill(5);
    const good = encodeChunk({ ring: 'hour', index: 0, series: new Map([['a', values]]) });
    expect(() => decodeChunk('hour', 0, good.subarray(0, good.length - 3))).toThrow();
    expect(() => decodeChunk('hour', 0, Buffer.from('nonsense'))).toThrow();
  });
});

describe('the database of the traffic', () => {
  it('gives a new run what the last one had', () => {
    const rings = new TrafficRings({ now: 0, wall: WALL });
    fill(rings, 3, 0, 2000, WALL);
    const core = new TrafficCore(directory);
    expect(core.open()).toEqual({ chunks: [] });
    const place = rings.place(WALL + 1_999_000);
    expect(core.flush(place, rings.changes(), '{"wear":1}')).toMatchObject({ ok: true });
    core.close();
    expect(statSync(join(directory, 'traffic.db')).mode & 0o077).toBe(0);
    const opened = new TrafficCore(directory).open();
    expect(opened.wear).toBe('{"wear":1}');
    expect(opened.place).toEqual(place);
    const next = new TrafficRings({ now: 0, wall: WALL + 1_999_000, saved: place });
    next.restore(opened.chunks);
    for (const ring of ['second', 'minute', 'hour'] as const) {
      expect(next.read('l2tp.branch-1.received', ring)).toEqual(rings.read('l2tp.branch-1.received', ring));
    }
  });

  it('keeps no more than the rings hold', () => {
    const database = new TrafficDatabase(join(directory, 'traffic.db'));
    for (let index = 0; index < 12; index += 1) {
      const chunk = { ring: 'second', index, series: new Map([['a', new Float64Array(900).fill(1)]]) } as const;
      database.flush({ second: (index + 1) * 900, wall: 0 }, [chunk], '{}');
    }
    expect(database.load().chunks.map(({ index }) => index)).toEqual([8, 9, 10, 11]);
    database.close();
  });

  it('counts what it writes as the kernel does', () => {
    for (const series of [10, 100]) {
      const core = new TrafficCore(directory);
      core.open();
      const rings = new TrafficRings({ now: 0, wall: WALL });
      fill(rings, series, 0, 900, WALL);
      core.flush(rings.place(WALL), rings.changes(), '{}');
      rings.saved(rings.place(WALL));
      fill(rings, series, 900, 900, WALL);
      const before = writtenByThread();
      const flushed = core.flush(rings.place(WALL), rings.changes(), '{}');
      const octets = flushed.ok ? flushed.octets : 0;
      const kernel = writtenByThread() - before;
      console.log(`a flush of ${series} busy series: ${octets} octets counted, ${kernel} by the kernel`);
      expect(octets).toBeGreaterThan(0);
      expect(Math.abs(octets / kernel - 1)).toBeLessThan(0.05);
      core.close();
    }
  });

  it('that is damaged is kept aside, and a new one begins', () => {
    const path = join(directory, 'traffic.db');
    writeFileSync(path, 'this is no database, and long enough to be seen as none\n'.repeat(100));
    const core = new TrafficCore(directory);
    const { note, chunks } = core.open();
    expect(chunks).toEqual([]);
    expect(note).toMatch(
      /^The history of the traffic was damaged \(.+\): it is kept as .+\.damaged, and a new one begins\.$/,
    );
    expect(readFileSync(`${path}.damaged`, 'utf8')).toMatch(/^this is no database/);
    expect(core.flush({ second: 1, wall: 1 }, [], '{}')).toMatchObject({ ok: true });
    core.close();
  });

  it('is whole after the process was killed while it wrote, and has lost no flush that was finished', async () => {
    const path = join(directory, 'traffic.db');
    const kills = 12;
    let lost = 0;
    for (let round = 0; round < kills; round += 1) {
      const child = spawn(process.execPath, [script('flush-forever'), path], { stdio: ['ignore', 'pipe', 'inherit'] });
      const finished = await killAfter(child, 1 + (round % 4));
      const database = new TrafficDatabase(path);
      const { place, chunks } = database.load();
      database.close();
      const second = place?.second ?? 0;
      lost += Math.max(0, finished - second);
      expect(second).toBeGreaterThanOrEqual(finished);
      for (const { series } of chunks) for (const values of series.values()) expect(values[0]).toBe(second * 1000);
    }
    console.log(`${kills} kills while flushing: ${lost} finished flushes lost, no damage`);
  });

  it('survives a full disk and a read-only directory, and says so', () => {
    const inside = `mount -t tmpfs -o size=1m tmpfs "$1" && "$0" "$2" "$1"`;
    const full = JSON.parse(inOwnMounts(inside, script('narrow-disk')));
    expect(full.results[0].ok).toBe(true);
    expect(full.results.at(-1)).toEqual({
      ok: false,
      reason: 'the disk is full',
      remedy: 'free some space and try it again',
    });
    expect(full.again).toBeUndefined();
    expect(full.chunks).toBeGreaterThan(0);
    const readOnly = JSON.parse(inOwnMounts(inside.replace('size=1m', 'size=1m,ro'), script('narrow-disk')));
    expect(readOnly.note).toMatch(/only in memory: the file system is read-only; check the disk/);
    expect(readOnly.results[0]).toMatchObject({ ok: false, reason: 'the file system is read-only' });
  });

  it('tries again with each flush what could not be opened', () => {
    const path = join(directory, 'state');
    writeFileSync(path, 'in the way');
    const core = new TrafficCore(path);
    expect(core.open().note).toMatch(/only in memory/);
    expect(core.flush({ second: 1, wall: 1 }, [], '{}').ok).toBe(false);
    rmSync(path);
    expect(existsSync(path)).toBe(false);
    execFileSync('mkdir', [path]);
    chmodSync(path, 0o700);
    expect(core.flush({ second: 1, wall: 1 }, [], '{}').ok).toBe(true);
    core.close();
  });
});

/** A mount namespace of its own for `command` ($0: node, $1: the directory, $2: the script). @returns its output. */
function inOwnMounts(command: string, file: string): string {
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const args = [...user, '--mount', '--propagation', 'private', 'sh', '-c', command, process.execPath, directory, file];
  return execFileSync('unshare', args, { encoding: 'utf8' });
}

/** Kills the process once it has printed so many numbers. @returns the last one that it printed. */
async function killAfter(child: ChildProcess, lines: number): Promise<number> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > lines) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const numbers = output.split('\n').slice(0, -1);
  return Number(numbers.at(-1) ?? 0);
}

/** What this thread has handed to write(2) and its like, octets. */
function writtenByThread(): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/thread-self/io', 'utf8'))?.[1]);
}
