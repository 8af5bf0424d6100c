/** The console as a process of its own: from a file, and on a real terminal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { named } from '../config/store/store-bench.ts';
import { culvert } from './culvert.ts';
import { ConsoleBench } from './shell/console.ts';

const MAIN = fileURLToPath(new URL('../../../firmware/cli/main.ts', import.meta.url));

let bench: ConsoleBench;

beforeAll(async () => {
  bench = await new ConsoleBench().start(named('branch-12'));
});
afterAll(() => bench.end());

const configure = (...lines: readonly string[]) =>
  culvert(['configure'], bench.store.directory, lines.map((line) => `${line}\n`).join(''));

describe('commands from a file', () => {
  it('are carried out one after the other, and say what they say on stdout', async () => {
    const done = await configure(
      '# two changes',
      'set system hostname branch-13',
      'compare',
      'commit comment "from a file"',
    );
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toMatch(/hostname.*branch-13/);
    expect(bench.store.inForce).toBe('branch-13');
    const shown = await culvert(['console'], bench.store.directory, 'show history | match file\n');
    expect(shown.stdout).toContain('from a file');
  });

  it('stop at the first that fails, which is named', async () => {
    const done = await configure('set system hostname branch-14', 'set system hostnmae x', 'commit');
    expect(done.code).toBe(1);
    expect(done.stdout).toContain('did you mean "hostname"?');
    expect(done.stderr).toBe(
      'culvert: line 2 failed, and nothing behind it was done: correct it and give the rest again\n',
    );
    expect(bench.store.inForce).toBe('branch-13');
    expect((await configure('discard')).code).toBe(0);
  });
});

/** The console on a terminal that `script` makes. */
class RealTerminal {
  readonly #child;
  shown = '';
  #wake: () => void = () => undefined;

  constructor(stateDir: string) {
    const command = `stty cols 80 rows 24; exec '${process.execPath}' '${MAIN}' console --state-dir '${stateDir}'`;
    this.#child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null']);
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text;
      this.#wake();
    });
    this.#child.on('close', () => this.#wake());
  }

  async sees(what: RegExp): Promise<void> {
    while (!what.test(this.shown)) {
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.shown}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Types, and forgets what was shown before. */
  type(text: string): void {
    this.shown = '';
    this.#child.stdin.write(text);
  }

  async end(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  hangUp(): void {
    this.#child.kill('SIGKILL');
  }
}

describe('on a terminal', () => {
  it('completes, explains, asks for a secret without showing it, and leaves', async () => {
    const terminal = new RealTerminal(bench.store.directory);
    await terminal.sees(/branch-13> $/);
    terminal.type('sh\tl2\t\r');
    await terminal.sees(/show l2tp .*hq +client.*branch-13> $/s);
    terminal.type('configure\r');
    await terminal.sees(/branch-13# $/);
    terminal.type('set l2tp clients hq ?');
    await terminal.sees(/-- more/);
    terminal.type('q');
    await terminal.sees(/set l2tp clients hq $/);
    terminal.type('secret\r');
    await terminal.sees(/Tunnel secret: $/);
    terminal.type('not to be seen\r');
    await terminal.sees(/once more: $/);
    expect(terminal.shown).not.toContain('not to be');
    terminal.type('not to be seen\r');
    await terminal.sees(/branch-13# $/);
    terminal.type('commit\r');
    await terminal.sees(/l2tp\.clients\.hq\.secret.*branch-13# $/s);
    terminal.type('exit\r');
    await terminal.sees(/branch-13> $/);
    terminal.type('exit\r');
    expect(await terminal.end()).toBe(0);
  });

  it('leaves the draft with the router when the terminal goes', async () => {
    const terminal = new RealTerminal(bench.store.directory);
    await terminal.sees(/> $/);
    terminal.type('configure\r');
    await terminal.sees(/# $/);
    terminal.type('set system hostname branch-15\r');
    await terminal.sees(/# $/);
    terminal.hangUp();
    await terminal.end();
    const kept = await bench.store.store.candidate();
    expect(kept.ok && kept.candidate?.text).toContain('branch-15');
  });
});
