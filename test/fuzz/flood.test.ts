import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { FloodReport } from './flood-target.ts';

const run = promisify(execFile);
const RANDOM = 1_000_000;
const REQUESTS = 100_000;
const MEBIBYTE = 1024 * 1024;
const seed = process.env['CULVERT_SEED'] ?? '1';

describe('a server that strangers flood', () => {
  it(`holds no tunnel beyond its limits and no more memory, seed ${seed}`, async () => {
    const target = fileURLToPath(new URL('./flood-target.ts', import.meta.url));
    const program = [process.execPath, '--expose-gc', '--disable-warning=ExperimentalWarning', target];
    const { stdout } = await run('unshare', ['--net', ...program, `${RANDOM}`, `${REQUESTS}`, seed]);
    const report = JSON.parse(stdout) as FloodReport;
    const [before, afterRandom, afterRequests] = report.memory;
    expect(report.randomReceived).toBeGreaterThanOrEqual(RANDOM);
    expect(report.requestsReceived).toBeGreaterThanOrEqual(REQUESTS);
    // Some of the changed requests are still valid ones.
    expect(report.tunnelsAfterRandom).toBeLessThanOrEqual(64);
    expect(report.mostTunnels).toBeGreaterThan(0);
    expect(report.mostTunnels).toBeLessThanOrEqual(64);
    expect(afterRandom - before).toBeLessThan(2 * MEBIBYTE);
    expect(afterRequests - before).toBeLessThan(3 * MEBIBYTE);
    // Answers to unproved addresses are no amplifier.
    expect(report.answersPerRequest).toBeLessThan(0.2);
  });
});
