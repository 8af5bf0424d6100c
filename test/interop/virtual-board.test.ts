/**
 * The drivers of this machine against a kernel of its own: every contract that runs in a network namespace of the host runs
 * here too, and those of LEDs, GPIO lines, buttons, the watchdog and a modem on USB run nowhere else.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { startVirtualBoard, type VirtualBoard, whyNoVirtualBoard } from '../../scripts/lab/virtual-board.ts';
import { boardSuites } from '../hal/board/board-suites.ts';
import type { Suite } from '../hal/contract/contract.ts';
import { linuxSuites } from '../hal/contract/linux-suites.ts';
import { multipathContract } from '../hal/contract/multipath.ts';

/** Suites that need something which the guest's kernel may be without, by name: the file that proves its presence, and why else. */
const NEEDS: Readonly<Record<string, { readonly file: string; readonly why: string }>> = {
  [multipathContract.name]: {
    file: '/proc/sys/net/ipv4/fib_multipath_hash_policy',
    why: "the guest's kernel has no CONFIG_IP_ROUTE_MULTIPATH; scripts/lab-kernel builds one that has",
  },
};

/** Milliseconds that one suite may take. A process of the guest costs ten times what one of the host does. */
const SUITE_LIMIT = 600_000;

const RUNNERS = [
  { suites: linuxSuites, runner: 'test/hal/contract/linux-runner.ts', before: 'unshare --net' },
  { suites: boardSuites, runner: 'test/hal/board/board-runner.ts', before: '' },
] as const;

const obstacle = await whyNoVirtualBoard();
const title = 'on the virtual board';
describe.skipIf(obstacle !== '')(obstacle === '' ? title : `${title} (skipped: ${obstacle})`, () => {
  let namespace: Namespace;
  let board: VirtualBoard;

  beforeAll(async () => {
    namespace = await createNamespace('board');
    board = await startVirtualBoard({ namespace });
  });

  afterAll(async () => {
    await board?.guest.stop();
    namespace?.delete();
  });

  for (const { suites, runner, before } of RUNNERS) {
    describe.each(suites.map((suite) => ({ suite, name: suite.name })))('$name', ({ suite }) => {
      let results: ReadonlyMap<string, string | undefined>;
      const need = NEEDS[suite.name];
      let lacking: string | undefined;

      beforeAll(async () => {
        if (need !== undefined && (await board.guest.tryExec(`test -e ${need.file}`)).code !== 0) lacking = need.why;
        if (lacking !== undefined) return;
        results = await runInGuest(board, suite, runner, before);
      }, SUITE_LIMIT);

      it.for(suite.cases.map(({ name }) => name))('%s', (name, { skip }) => {
        if (lacking !== undefined) skip(lacking);
        const error = results.has(name) ? results.get(name) : 'the process in the guest ended before this case';
        if (error !== undefined) throw new Error(error);
      });
    });
  }
});

/** By case: what went wrong, `undefined` when nothing did. */
async function runInGuest(
  board: VirtualBoard,
  { name }: Suite,
  runner: string,
  before: string,
): Promise<ReadonlyMap<string, string | undefined>> {
  const result = await board.node(`${runner} '${name}'`, { timeoutMs: SUITE_LIMIT, before });
  const lines = result.stdout.split('\n').filter((line) => line.startsWith('{'));
  if (lines.length === 0)
    throw new Error(`the runner failed in the guest (exit code ${result.code}): ${result.stderr}`);
  const cases = lines.map((line) => JSON.parse(line) as { readonly name: string; readonly error?: string });
  return new Map(cases.map((each) => [each.name, each.error]));
}
