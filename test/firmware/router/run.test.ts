import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlClient } from '../../../firmware/api/client.ts';
import { createNamespace, type Namespace } from '../../../scripts/lab/namespaces.ts';
import { waitFor } from '../../../scripts/lab/wait.ts';
import { describeWithNamespaces } from '../../lab/needs.ts';

const MAIN = fileURLToPath(new URL('../../../firmware/cli/main.ts', import.meta.url));

/** A router process in a namespace of its own. */
class Run {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  stderr = '';

  constructor(namespace: Namespace, stateDir: string, ...options: string[]) {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, 'run', '--state-dir', stateDir];
    const [program, ...args] = namespace.command('setpriv', '--pdeathsig=KILL', ...node, ...options);
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#exit = once(this.#child, 'exit');
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async exitCode(): Promise<number | null> {
    await this.#exit;
    return this.#child.exitCode;
  }
}

describeWithNamespaces('culvert run', () => {
  let namespace: Namespace;
  let stateDir: string;
  let runs: Run[];

  beforeEach(async () => {
    namespace = await createNamespace('run');
    await namespace.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far');
    stateDir = mkdtempSync(join(tmpdir(), 'culvert-run-'));
    runs = [];
  });

  afterEach(async () => {
    for (const run of runs) run.signal('SIGKILL');
    await Promise.all(runs.map((run) => run.exitCode()));
    namespace.delete();
    rmSync(stateDir, { recursive: true, force: true });
  });

  function run(...options: string[]): Run {
    const started = new Run(namespace, stateDir, ...options);
    runs.push(started);
    return started;
  }

  function configuration(address: string): string {
    const file = join(stateDir, `given-${address}.json`);
    const wan = { device: 'eth0', zone: 'wan', ipv4: { method: 'static', address: `${address}/24` } };
    const hq = { server: '10.20.0.77', user: 'alice', password: 'alice-pw' };
    writeFileSync(
      file,
      JSON.stringify({ system: { hostname: 'run' }, interfaces: { wan }, l2tp: { clients: { hq } } }),
    );
    return file;
  }

  async function firstRun(...options: string[]): Promise<Run> {
    const first = run('--config', configuration('10.20.0.9'), ...options);
    const client = new ControlClient(stateDir);
    const stored = async () => (await client.status().catch(() => undefined))?.configuration.state === 'confirmed';
    // The first start of all loads every source from the disk.
    await waitFor('the first router', stored, { timeoutMs: 60_000 });
    return first;
  }

  it('leaves the network and the configuration of a router that runs already alone', async () => {
    const first = await firstRun();
    const stored = readFileSync(join(stateDir, 'last-good.json'), 'utf8');
    const before = await namespace.ip('address');
    const second = run('--config', configuration('10.20.0.10'));
    expect(await second.exitCode()).toBe(1);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect(second.stderr).toMatch(/another culvert/);
    expect(readFileSync(join(stateDir, 'last-good.json'), 'utf8')).toBe(stored);
    expect(await namespace.ip('address')).toBe(before);
    first.signal('SIGTERM');
    expect(await first.exitCode()).toBe(0);
    expect(await namespace.ip('address')).not.toContain('10.20.0.9');
  });

  it('ends in good order when SIGTERM comes in the middle of the start, and again', async () => {
    const before = await namespace.ip('address', 'show', 'eth0');
    const early = run('--config', configuration('10.20.0.9'));
    await waitFor('the control socket', async () => existsSync(join(stateDir, 'control.sock')), { intervalMs: 2 });
    early.signal('SIGTERM');
    await waitFor('the first word about it', async () => early.stderr.includes('SIGTERM'), { intervalMs: 2 });
    early.signal('SIGTERM');
    expect(await early.exitCode()).toBe(0);
    expect(await namespace.ip('address', 'show', 'eth0')).toBe(before);
    expect(existsSync(join(stateDir, 'network-journal.json'))).toBe(false);
  });

  it('says in one line what is wrong with a state directory, and touches nothing', async () => {
    rmSync(stateDir, { recursive: true });
    writeFileSync(stateDir, 'a file');
    const refused = run();
    expect(await refused.exitCode()).toBe(1);
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
    expect(refused.stderr).toContain(stateDir);
  });

  it('logs and tells no time before that of the last run, though the clock of the board stands there', async () => {
    const last = Date.UTC(2050, 0, 1);
    writeFileSync(join(stateDir, 'wall-clock'), `${new Date(last).toISOString()}\n`, { mode: 0o600 });
    const first = await firstRun();
    const lines = first.stderr.trim().split('\n');
    const times = lines.map((line) => Date.parse(String(JSON.parse(line).time)));
    const known = lines.findIndex((line) => line.includes('the router runs'));
    expect(known).toBeGreaterThanOrEqual(0);
    expect(times.slice(known).filter((time) => time < last)).toEqual([]);
    const { l2tp } = await new ControlClient(stateDir).status();
    expect(l2tp[0]?.since).toBeGreaterThanOrEqual(last);
    first.signal('SIGTERM');
    expect(await first.exitCode()).toBe(0);
  });

  it('removes its socket when it ends, and has its device key where it was told', async () => {
    const keyDir = join(stateDir, 'elsewhere');
    const first = await firstRun('--key-dir', keyDir);
    expect(readdirSync(keyDir)).toHaveLength(1);
    expect(existsSync(join(stateDir, 'key'))).toBe(false);
    expect(existsSync(join(stateDir, 'control.sock'))).toBe(true);
    first.signal('SIGINT');
    expect(await first.exitCode()).toBe(0);
    expect(existsSync(join(stateDir, 'control.sock'))).toBe(false);
  });
});
