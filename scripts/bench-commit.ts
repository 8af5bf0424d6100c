/**
 * What a commit costs: the store and the desk alone, beside a plain write of the same text to the same disk, and then a
 * whole router in a namespace. Printed are medians, and the longest time for which the control loop was held up.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigurationClient } from '../firmware/api/configuration-client.ts';
import { CommitDesk } from '../firmware/config/commit/commit-desk.ts';
import { EMPTY_CONFIGURATION } from '../firmware/config/empty.ts';
import { ConfigurationStore } from '../firmware/config/store/configuration-store.ts';
import { runRouter } from '../firmware/main.ts';
import { LinuxClock } from '../hal/linux/clock.ts';
import { largeDocument } from './lab/large-document.ts';
import { createNamespace } from './lab/namespaces.ts';
import { waitFor } from './lab/wait.ts';

const ROUNDS = 9;
const TICK_MS = 1;
const AUTHOR = { who: 'bench', via: 'cli', comment: '' } as const;
const INSIDE = '--inside';

const args = process.argv.slice(2);
const inside = args.includes(INSIDE);
const entries = inside ? 500 : Number(args[0] ?? 500);

/** The configuration of a round: every tenth password is another one than in the round before. */
function text(round: number): string {
  const document = largeDocument(entries);
  for (const [index, user] of Object.values(document.l2tp.servers.office.users).entries()) {
    if (index % 10 === 0) Object.assign(user, { password: `a secret of a good length, round ${round}` });
  }
  return JSON.stringify(document);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

/** How long the loop of this thread is held up. On a busy machine that is also the time for which it gets no processor. */
class LoopWatch {
  #delay = 0;
  #work = 0;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    let last = performance.now();
    let cpu = process.threadCpuUsage();
    this.#timer = setInterval(() => {
      const now = performance.now();
      const { user, system } = process.threadCpuUsage(cpu);
      this.#delay = Math.max(this.#delay, now - last - TICK_MS);
      this.#work = Math.max(this.#work, (user + system) / 1000);
      last = now;
      cpu = process.threadCpuUsage();
    }, TICK_MS);
  }

  /** The longest times since this was asked last, ms: between two turns, and of processor time between two turns. */
  take(): Held {
    const held = { delay: this.#delay, work: this.#work };
    this.#delay = 0;
    this.#work = 0;
    return held;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

interface Held {
  readonly delay: number;
  readonly work: number;
}

const heldText = ({ delay, work }: Held): string =>
  `control loop held up for ${ms(delay)} at most, and busy for ${ms(work)} at most`;

/** Runs rounds of something while the loop is watched. */
async function rounds(task: (round: number) => Promise<unknown>): Promise<{ median: number; loop: Held }> {
  const times: number[] = [];
  await task(0);
  const watch = new LoopWatch();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const began = performance.now();
    await task(round);
    times.push(performance.now() - began);
  }
  watch.stop();
  return { median: median(times), loop: watch.take() };
}

async function desk(directory: string): Promise<void> {
  const store = new ConfigurationStore({
    stateDirectory: directory,
    keyDirectory: join(directory, 'key'),
    factory: EMPTY_CONFIGURATION,
    at: Date.now(),
  });
  let enforcing = 0;
  const commits = new CommitDesk({
    store,
    clock: new LinuxClock(),
    factory: EMPTY_CONFIGURATION,
    enforce: async () => {
      enforcing += 1;
      return { changes: [], failures: [] };
    },
    up: () => [],
    log: (line) => (line.includes('is in force') ? undefined : console.log(line)),
  });
  await commits.start();
  const plain = await rounds(async (round) => {
    const file = openSync(join(directory, 'plain'), 'w');
    writeSync(file, text(round));
    fsyncSync(file);
    closeSync(file);
  });
  const whole = await rounds(async (round) => {
    const outcome = await commits.commit({ kind: 'text', text: text(round), fileName: 'bench.json' }, AUTHOR);
    if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  });
  await commits.close();
  console.log(`${entries} entries, ${Buffer.byteLength(text(1))} octets of JSON, ${enforcing - 1} commits`);
  console.log(`commit without the network: ${ms(whole.median)}; ${heldText(whole.loop)}`);
  console.log(
    `  beside one plain write and fsync of the text: ${ms(plain.median)}, ratio ${(whole.median / plain.median).toFixed(1)}`,
  );
}

/** In the namespace, a process of its own: a router, and how long its loop was held up since it was last asked. */
async function router(directory: string): Promise<void> {
  const watch = new LoopWatch();
  process.stdin.on('data', () => console.log(JSON.stringify(watch.take())));
  await runRouter({ stateDir: directory, board: 'simulated' });
}

/** Commits to a router from outside, so that nothing but the router is in its loop. */
async function commitsFromOutside(directory: string): Promise<void> {
  const namespace = await createNamespace('bench');
  await namespace.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far');
  await namespace.ip('link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'farlan');
  for (const device of ['far', 'farlan']) await namespace.ip('link', 'set', device, 'up');
  const options = ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)];
  const [program, ...words] = namespace.command(process.execPath, ...options, INSIDE, directory);
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'] });
  const held = async (): Promise<Held> => {
    const answer = once(child.stdout, 'data');
    child.stdin.write('now');
    return JSON.parse(String((await answer)[0])) as Held;
  };
  const client = new ConfigurationClient(directory);
  await waitFor('the router', async () => (await client.state().catch(() => undefined))?.state === 'factory');
  const commit = async (round: number): Promise<number> => {
    const changed = text(round);
    const began = performance.now();
    const outcome = await client.commit(changed, 'bench.json', AUTHOR);
    if (!outcome.ok) throw new Error(JSON.stringify(outcome));
    return performance.now() - began;
  };
  await held();
  const first = await commit(0);
  console.log(`router, first commit: ${ms(first)}; ${heldText(await held())}`);
  const times: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) times.push(await commit(round));
  console.log(`router, further commits: ${ms(median(times))}; ${heldText(await held())}`);
  child.kill('SIGTERM');
  await once(child, 'exit');
  namespace.delete();
}

const directory = mkdtempSync(join(tmpdir(), 'culvert-bench-'));
try {
  const place = args[args.indexOf(INSIDE) + 1];
  if (inside && place !== undefined) await router(place);
  else {
    await desk(directory);
    await commitsFromOutside(join(directory, 'router'));
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit();
