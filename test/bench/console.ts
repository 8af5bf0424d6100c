/**
 * How long the console on a serial line takes, with a configuration of 500 entries in force: from the key to the whole answer,
 * or its first page, on the terminal. In turns with an ordinary key that is only shown, so that the ratios hold even where the
 * times do not; a pseudo-terminal knows no baud, and is read every 2 ms. Run it through scripts/bench.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simulated } from '../../board/simulated.ts';
import { ConfigurationClient } from '../../firmware/api/configuration-client.ts';
import { SHOW_TOPIC_HELP } from '../../firmware/cli/show-topics.ts';
import { runRouter } from '../../firmware/main.ts';
import { largeDocument } from '../../scripts/lab/large-document.ts';
import { createNamespace } from '../../scripts/lab/namespaces.ts';
import { Pty } from '../../scripts/lab/pty.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { ConsoleTypist, MORE } from '../support/console-typist.ts';

const ENTRIES = 500;
/** Keys that count, and those before that do not. */
const ROUNDS = 100;
const WARM_UP = 10;
/** What an answer may take, ms. */
const TARGET_MS = 50;
const PASSWORD = 'a password for the bench';
const INSIDE = '--inside';
const KILL_LINE = '\u0015';

/** Something that is typed, and the key behind it that asks for an answer. */
type Question =
  | { readonly typed: string; readonly key: '?' | '\r' }
  /** What Tab makes of it. */
  | { readonly typed: string; readonly key: '\t'; readonly whole: string };

const asks = (typed: string): Question => ({ typed, key: '?' });
const enters = (typed: string): Question => ({ typed, key: '\r' });
const completes = (typed: string, whole: string): Question => ({ typed, key: '\t', whole });

const OPERATIONAL: readonly Question[] = [
  asks(''),
  asks('show '),
  asks('connect '),
  asks('rollback '),
  completes('sh', 'show'),
  completes('connect si', 'connect site'),
  completes('disc', 'disconnect'),
  ...Object.keys(SHOW_TOPIC_HELP).map((topic) => enters(`show ${topic}`)),
];

const CONFIGURATION: readonly Question[] = [
  asks('set '),
  asks('set interfaces wan device '),
  asks('set l2tp clients '),
  asks('set l2tp clients site7 '),
  asks('set l2tp clients site7 ipsec '),
  asks('set l2tp servers office users '),
  asks('set ipsec connections link1 '),
  completes('set l2tp cl', 'set l2tp clients'),
  completes('set l2tp clients site7 mas', 'set l2tp clients site7 masquerade'),
  completes('set l2tp servers office users user199', 'set l2tp servers office users user199@branch.example'),
  enters('show'),
  enters('show l2tp clients site7'),
  enters('show ipsec'),
  enters('compare'),
];

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

class Bench {
  readonly #typist: ConsoleTypist;

  constructor(typist: ConsoleTypist) {
    this.#typist = typist;
  }

  async logIn(): Promise<void> {
    const { screen } = this.#typist;
    await this.#typist.press('\r', (row) => row.endsWith('login:'));
    await this.#typist.press('admin\r', (row) => row === 'Password:');
    await this.#typist.press(`${PASSWORD}\r`, () => screen.row.endsWith('>'));
  }

  async command(line: string): Promise<void> {
    const { screen } = this.#typist;
    const { length } = screen.rows;
    await this.#typist.press(`${line}\r`, (row) => screen.rows.length > length && /^\S+[>#]$/.test(row));
  }

  async measure(question: Question): Promise<void> {
    const [times, keys]: [number[], number[]] = [[], []];
    for (let round = -WARM_UP; round < ROUNDS; round += 1) {
      const key = await this.#key();
      const took = await this.#ask(question);
      if (round < 0) continue;
      keys.push(key);
      times.push(took);
    }
    const [median, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
    const columns = [median, p99].map((value) => value.toFixed(2));
    columns.push((median / quantile(keys, 0.5)).toFixed(1));
    const name = `${question.typed}${{ '?': '?', '\t': '<Tab>', '\r': '<Enter>' }[question.key]}`;
    const verdict = median < TARGET_MS ? '' : `  over ${TARGET_MS} ms`;
    console.log(`${name.padEnd(50)}${columns.map((column) => column.padStart(9)).join('')}${verdict}`);
  }

  /** Of a key that is only shown, and taken away again. */
  async #key(): Promise<number> {
    const prompt = this.#typist.screen.row;
    const took = await this.#timed('x', (row) => row === `${prompt} x`);
    await this.#typist.press('\u007f', (row) => row === prompt);
    return took;
  }

  async #ask(question: Question): Promise<number> {
    const { typed, key } = question;
    const { screen } = this.#typist;
    const prompt = screen.row;
    const line = `${prompt} ${typed}`.trimEnd();
    if (typed !== '') await this.#typist.press(typed, (row) => row === line);
    const { length } = screen.rows;
    const after = key === '\t' ? `${prompt} ${question.whole}` : key === '?' ? line : prompt;
    const least = key === '\t' ? length : length + 1;
    const took = await this.#timed(key, (row) => screen.rows.length >= least && (row === after || row === MORE));
    if (screen.row === MORE) await this.#typist.press('q', (row) => row === after);
    if (key !== '\r') await this.#typist.press(KILL_LINE, (row) => row === prompt);
    return took;
  }

  async #timed(keys: string, wanted: (row: string) => boolean): Promise<number> {
    const began = performance.now();
    await this.#typist.press(keys, wanted);
    return performance.now() - began;
  }
}

async function measureAll(directory: string): Promise<void> {
  const namespace = await createNamespace('bench');
  await namespace.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far');
  await namespace.ip('link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'farlan');
  for (const device of ['far', 'farlan']) await namespace.ip('link', 'set', device, 'up');
  const pty = new Pty();
  const board = join(directory, 'board.json');
  writeFileSync(board, JSON.stringify({ ...simulated, consoleDevice: pty.path }));
  const state = join(directory, 'state');
  const options = ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)];
  const [program, ...words] = namespace.command(process.execPath, ...options, INSIDE, state, board);
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'ignore'] });
  try {
    const client = new ConfigurationClient(state);
    await waitFor('the router', async () => (await client.state().catch(() => undefined))?.state === 'factory');
    const text = JSON.stringify({ ...largeDocument(ENTRIES), users: { admin: { role: 'admin', password: PASSWORD } } });
    const committed = await client.commit(text, 'bench.json', { who: 'bench', via: 'cli', comment: '' });
    if (!committed.ok) throw new Error(JSON.stringify(committed));
    const bench = new Bench(new ConsoleTypist(pty));
    await bench.logIn();
    console.log(
      `${ENTRIES} entries, ${ROUNDS} times each; ms to the whole answer or its first page, the ratio to a key`,
    );
    console.log(`${''.padEnd(50)}${['median', 'p99', 'ratio'].map((word) => word.padStart(9)).join('')}`);
    for (const question of OPERATIONAL) await bench.measure(question);
    await bench.command('configure');
    await bench.command('set system hostname branch-501');
    console.log('in configuration mode');
    for (const question of CONFIGURATION) await bench.measure(question);
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    pty.close();
    namespace.delete();
  }
}

const args = process.argv.slice(2);
const [stateDir, board] = args.slice(args.indexOf(INSIDE) + 1);
if (args.includes(INSIDE) && stateDir !== undefined && board !== undefined) await runRouter({ stateDir, board });
else {
  const made = mkdtempSync(join(tmpdir(), 'culvert-bench-'));
  try {
    await measureAll(made);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
process.exit();
