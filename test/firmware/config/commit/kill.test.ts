import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleProgram } from '../../../../scripts/bundler.ts';
import { ChurnModel } from '../../../support/churn-model.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const CHURN = fileURLToPath(new URL('../../../support/commit-churn.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const LONG = process.env['CULVERT_LONG_TESTS'] !== undefined;
const KILLS = LONG ? 1000 : 40;
const SEED = Number(process.env['CULVERT_SEED'] ?? 1);

/** Steps of a commit within which a run is ended, and milliseconds after its start. */
const STEPS = 60;
const WITHIN_MS = 120;
/** Milliseconds from the start of a program until it has found its store, and some more. */
const START_MS = 500;

let folder: string;
let program: string;

beforeAll(async () => {
  // Inside the checkout, where packages with native parts are found.
  program = join(ROOT, 'build', `churn-${process.pid}`);
  await bundleProgram(CHURN, program);
  folder = mkdtempSync(join(tmpdir(), 'culvert-kill-'));
});

afterAll(() => {
  for (const path of [folder, program]) rmSync(path, { recursive: true, force: true });
});

/**
 * Runs the program until it ends.
 * @param killAfter ms after it has found its store. @param killStarting ms after it was started. Without: it ends itself.
 */
async function churn(
  args: readonly string[],
  killAfter?: number,
  killStarting?: number,
): Promise<{ output: string; signal: string | null }> {
  const child = spawn(process.execPath, [join(program, 'commit-churn.mjs'), folder, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  if (killStarting !== undefined) timer = setTimeout(() => child.kill('SIGKILL'), killStarting);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (killAfter !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), killAfter);
  });
  await once(child, 'close');
  clearTimeout(timer);
  return { output, signal: child.signalCode };
}

describe('a program that is killed while it changes configurations', () => {
  it(`finds exactly one whole revision in force, and loses none that was confirmed, ${KILLS} times`, {
    timeout: KILLS * 3_000,
  }, async () => {
    const random = new SeededRandom(SEED);
    const model = new ChurnModel();
    let killed = 0;
    for (let run = 1; run <= KILLS; run += 1) {
      const seed = String(random.int(2 ** 31));
      // By turns: inside a named step of a commit, at any moment of its changes, and in the middle of its start.
      const step = run % 3 === 0 ? [String(1 + random.int(STEPS))] : [];
      const after = run % 3 === 1 ? random.next() * WITHIN_MS : undefined;
      const starting = run % 3 === 2 ? random.next() * START_MS : undefined;
      const { output, signal } = await churn([String(run), seed, ...step], after, starting);
      expect(model.run(output), `seed ${SEED}, run ${run}`).toEqual([]);
      if (signal === 'SIGKILL') killed += 1;
    }
    const { starts, operations, kept, completed } = model.counts;
    console.log(
      `kill test (seed ${SEED}): ${killed} kills, ${starts} starts, ${operations} operations, ` +
        `${kept} times what was confirmed, ${completed} times what was being confirmed`,
    );
    expect(killed).toBe(KILLS);
    expect(completed).toBeGreaterThan(0);
  });
});
