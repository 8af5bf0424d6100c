import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

  it('is for its owner alone, and forgets what is older than a year', () => {
    const database = new TrafficDatabase(directory);
    database.load();
    expect(statSync(join(directory, 'traffic.db')).mode & 0o077).toBe(0);
    const chunk = { name: 'c', ring: 'hour', chunk: 1, data: Uint8Array.of(1) } as const;
    database.flush([chunk], { time: 0, wall: 0, day: 0, octets: 0 });
    expect(database.load().chunks).toHaveLength(1);
    database.flush([], { time: 400 * 86_400_000, wall: 0, day: 0, octets: 0 });
    expect(database.load().chunks).toHaveLength(0);
    database.close();
  });
});
