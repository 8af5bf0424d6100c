import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { IpsecFloodReport } from './ipsec-flood-target.ts';

const run = promisify(execFile);
const JUNK = 1_000_000;
const REQUESTS = 50_000;
const MEBIBYTE = 1024 * 1024;
/** Half-open exchanges that each version allows, both in all. */
const HALF_OPEN = 2 * 256;
const seed = process.env['CULVERT_SEED'] ?? '1';

describe('a router that takes IPsec calls and is flooded', () => {
  it(`holds no SA beyond its limits and no more memory, seed ${seed}`, async () => {
    const target = fileURLToPath(new URL('./ipsec-flood-target.ts', import.meta.url));
    const program = [process.execPath, '--expose-gc', '--disable-warning=ExperimentalWarning', target];
    const { stdout } = await run('unshare', ['--net', ...program, `${JUNK}`, `${REQUESTS}`, seed]);
    const report = JSON.parse(stdout) as IpsecFloodReport;
    const [before, afterJunk, afterRequests] = report.memory;
    expect(report.junkReceived).toBeGreaterThanOrEqual(JUNK);
    expect(report.requestsReceived).toBeGreaterThanOrEqual(REQUESTS);
    expect(report.mostIkeSas).toBeGreaterThan(0);
    expect(report.mostIkeSas).toBeLessThanOrEqual(HALF_OPEN);
    expect(afterJunk - before).toBeLessThan(4 * MEBIBYTE);
    expect(afterRequests - before).toBeLessThan(8 * MEBIBYTE);
    // Answers to unproved addresses are no amplifier.
    expect(report.octetsBackPerOctet).toBeLessThan(1);
  });
});
