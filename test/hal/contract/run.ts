/** Shows every case of a contract as a test of its own, for the simulated and for the Linux implementation. */
import { execFile, spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';
import { type Contract, suiteOf, type WorldMaker } from './contract.ts';

/** Milliseconds that a whole suite in its namespace may take. */
const SUITE_LIMIT = 60_000;

interface Result {
  readonly name: string;
  /** `undefined`: it held. */
  readonly error?: string;
}

export function describeSimulated<World>(contract: Contract<World>, makeWorld: WorldMaker<World>): void {
  describe(`${contract.name}, simulated`, () => {
    for (const { name, run } of suiteOf(contract, makeWorld).cases) it(name, run);
  });
}

/** @param suite its name in linux-suites.ts. */
export function describeOnLinux<World>(contract: Contract<World>, suite = contract.name): void {
  const obstacle = whyNoNamespace();
  describe(obstacle === '' ? `${contract.name}, Linux` : `${contract.name}, Linux (not run: ${obstacle})`, () => {
    let results: Promise<ReadonlyMap<string, Result>> | undefined;
    for (const { name } of contract.cases) {
      it.skipIf(obstacle !== '')(name, { timeout: SUITE_LIMIT }, async () => {
        results ??= runInNamespace(suite);
        const result = (await results).get(name);
        if (!result) throw new Error('the process in the network namespace ended before this case');
        if (result.error !== undefined) throw new Error(result.error);
      });
    }
  });
}

/** Why no network namespace can be made here; empty when it can. */
function whyNoNamespace(): string {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.geteuid?.() !== 0) return 'it needs root';
  const tried = spawnSync('unshare', ['--net', 'true'], { encoding: 'utf8' });
  return tried.status === 0 ? '' : `unshare fails: ${tried.stderr?.trim() || 'not installed'}`;
}

function runInNamespace(suite: string): Promise<ReadonlyMap<string, Result>> {
  const runner = new URL('./linux-runner.ts', import.meta.url).pathname;
  return new Promise((resolve, reject) => {
    const options = { timeout: SUITE_LIMIT, killSignal: 'SIGKILL' as const, maxBuffer: 16 * 1024 * 1024 };
    execFile('unshare', ['--net', process.execPath, runner, suite], options, (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
      const results = lines.map((line) => JSON.parse(line) as Result);
      if (error && results.length === 0) reject(new Error(`the runner failed: ${stderr || error.message}`));
      else resolve(new Map(results.map((result) => [result.name, result])));
    });
  });
}
