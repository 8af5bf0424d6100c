import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eraseState } from '../../../../firmware/config/secrets/factory-reset.ts';
import { TrafficDatabase } from '../../../../firmware/config/traffic/traffic-database.ts';

const FLUSHER = fileURLToPath(new URL('./flush-forever.ts', import.meta.url));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-traffic-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the file of the traffic', () => {
  it('is whole after every kill in the middle of its flushes, and never behind what was acknowledged', async () => {
    for (const flushes of [1, 2, 3, 5, 8]) {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', FLUSHER, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.split('\n').length > flushes) child.kill('SIGKILL');
      });
      await once(child, 'close');
      expect(child.signalCode).toBe('SIGKILL');
      const acknowledged = Number(output.trim().split('\n').at(-1));
      const database = new TrafficDatabase(directory);
      const { mark, chunks, note } = database.load();
      database.close();
      expect(note).toBeUndefined();
      expect(mark?.time).toBeGreaterThanOrEqual(acknowledged);
      expect(chunks.length).toBeGreaterThan(0);
    }
  });

  it('that is damaged is kept aside, and the reset to the factory state knows that name', async () => {
    writeFileSync(join(directory, 'traffic.db'), 'no database'.repeat(500));
    const database = new TrafficDatabase(directory);
    expect(database.load().note).toMatch(/was damaged \(.+\) and is kept as .+traffic\.db\.damaged-1$/);
    database.flush([], { time: 5, wall: 0, day: 0, octets: 0 });
    expect(database.load().mark?.time).toBe(5);
    database.close();
    expect(readFileSync(join(directory, 'traffic.db.damaged-1'), 'utf8')).toMatch(/^no database/);
    await eraseState({ stateDirectory: directory, keyDirectory: join(directory, 'key') });
    expect(readdirSync(directory).filter((name) => name.startsWith('traffic'))).toEqual([]);
  });

  it('of a later version is kept for that version', () => {
    const later = new Database(join(directory, 'traffic.db'));
    later.exec('CREATE TABLE future (x); PRAGMA user_version = 99;');
    later.close();
    const database = new TrafficDatabase(directory);
    expect(database.load().note).toMatch(/it is of a later version of Culvert/);
    database.close();
    const kept = new Database(join(directory, 'traffic.db.damaged-1'));
    expect(kept.pragma('user_version', { simple: true })).toBe(99);
    kept.close();
  });

  it('has a page in it that is damaged: what the rings have is written into a new one', () => {
    const database = new TrafficDatabase(directory);
    const values = new Float64Array(900).map((_, slot) => (slot * 7919) % 65_536);
    const chunks = Array.from(
      { length: 40 },
      (_, index) => ({ name: `c${index}`, ring: 'second', chunk: 0, values }) as const,
    );
    database.flush(chunks, { time: 900_000, wall: 0, day: 0, octets: 0 });
    database.close();
    const path = join(directory, 'traffic.db');
    const octets = readFileSync(path);
    octets.fill(0x55, 4096 * 2, 4096 * 8);
    writeFileSync(path, octets);
    const again = new TrafficDatabase(directory);
    expect(again.load()).toMatchObject({ chunks: [], note: expect.stringContaining('was damaged') });
    again.flush(chunks, { time: 900_000, wall: 0, day: 0, octets: 0 });
    expect(again.load().chunks).toHaveLength(40);
    again.close();
  });

  it('is for its owner alone, and forgets what is older than a year', () => {
    const database = new TrafficDatabase(directory);
    database.load();
    expect(statSync(join(directory, 'traffic.db')).mode & 0o077).toBe(0);
    const chunk = { name: 'c', ring: 'hour', chunk: 1, values: new Float64Array(24).fill(1) } as const;
    database.flush([chunk], { time: 0, wall: 0, day: 0, octets: 0 });
    expect(database.load().chunks).toHaveLength(1);
    database.flush([], { time: 400 * 86_400_000, wall: 0, day: 0, octets: 0 });
    expect(database.load().chunks).toHaveLength(0);
    database.close();
  });
});
