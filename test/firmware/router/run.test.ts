import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AccountClient } from '../../../firmware/api/account-client.ts';
import { ControlClient } from '../../../firmware/api/client.ts';
import { createNamespace, type Namespace } from '../../../scripts/lab/namespaces.ts';
import { waitFor } from '../../../scripts/lab/wait.ts';
import { describeWithNamespaces } from '../../lab/needs.ts';
import { webCall } from '../api/web-call.ts';
import { RunProcess } from './run-process.ts';

describeWithNamespaces('culvert run', () => {
  let namespace: Namespace;
  let stateDir: string;
  let runs: RunProcess[];

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

  function run(...options: string[]): RunProcess {
    const started = new RunProcess(namespace, stateDir, ...options);
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

  async function firstRun(...options: string[]): Promise<RunProcess> {
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

  it('lets users in over the web socket, keeps their sessions over a restart, and writes down what they change', async () => {
    const file = configuration('10.20.0.9');
    const users = {
      anna: { role: 'admin', password: 'seven blue lamps' },
      vera: { role: 'viewer', password: 'nine red doors' },
    };
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), users }));
    let socketPath = join(stateDir, 'web.sock');
    const stored = async () =>
      existsSync(socketPath) && (await webCall(socketPath, 'POST', '/v1/sessions', {})).status === 400;
    const login = (user: 'anna' | 'vera') =>
      webCall(socketPath, 'POST', '/v1/sessions', { user, password: users[user].password, address: '192.0.2.7' });
    const first = run('--config', file);
    await waitFor('the first router', stored, { timeoutMs: 60_000 });
    await waitFor('a login', async () => (await login('anna')).status === 200, { timeoutMs: 60_000 });
    const token = String((await login('anna')).body['token']);
    const viewer = String((await login('vera')).body['token']);
    expect((await webCall(socketPath, 'POST', '/v1/connections/hq/disconnect', undefined, viewer)).status).toBe(403);
    expect((await webCall(socketPath, 'POST', '/v1/connections/hq/disconnect', undefined, token)).status).toBe(200);
    const next = { current: users.vera.password, next: 'another one of hers' };
    expect((await webCall(socketPath, 'POST', '/v1/password', next, viewer)).status).toBe(200);
    first.signal('SIGTERM');
    expect(await first.exitCode()).toBe(0);
    expect(existsSync(socketPath)).toBe(false);
    const shared = join(stateDir, 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o2750);
    socketPath = join(shared, 'web.sock');
    const second = run('--web-socket', socketPath);
    await waitFor('the second router', stored, { timeoutMs: 60_000 });
    const status = () => webCall(socketPath, 'GET', '/v1/status', undefined, viewer);
    await waitFor('the sessions', async () => (await status()).status === 200, { timeoutMs: 60_000 });
    expect((await webCall(socketPath, 'GET', '/v1/status')).status).toBe(401);
    expect(statSync(socketPath).mode & 0o777).toBe(0o660);
    expect((await login('vera')).status).toBe(401);
    const entries = await new AccountClient(stateDir).audit();
    const lines = entries.map(({ who, from, what, result }) => [who, from, what, result].join(' '));
    expect(lines).toContain('vera 192.0.2.7 change the password done');
    expect(lines).toContain('anna 192.0.2.7 POST /v1/connections/hq/disconnect done');
    expect(lines).toContain('vera 192.0.2.7 POST /v1/connections/hq/disconnect refused: 403 Forbidden');
    second.signal('SIGTERM');
    expect(await second.exitCode()).toBe(0);
    const everything = [first.stderr, second.stderr, readFileSync(join(stateDir, 'accounts.db'), 'latin1')].join('');
    for (const secret of [token, viewer, 'blue lamps', 'red doors', 'one of hers'])
      expect(everything).not.toContain(secret);
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
