/** The simulated board of a router that runs: LEDs that are watched and a button that is pressed, as files. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlClient } from '../../../firmware/api/client.ts';
import { createNamespace, type Namespace } from '../../../scripts/lab/namespaces.ts';
import { waitFor } from '../../../scripts/lab/wait.ts';
import { describeWithNamespaces } from '../../lab/needs.ts';
import { RunProcess } from './run-process.ts';

describeWithNamespaces('the simulated board', () => {
  let namespace: Namespace;
  let stateDir: string;
  let runs: RunProcess[];

  beforeEach(async () => {
    namespace = await createNamespace('board');
    await namespace.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far');
    stateDir = mkdtempSync(join(tmpdir(), 'culvert-board-'));
    runs = [];
  });
  afterEach(async () => {
    for (const run of runs) run.signal('SIGKILL');
    await Promise.all(runs.map((run) => run.exitCode()));
    namespace.delete();
    rmSync(stateDir, { recursive: true, force: true });
  });

  const led = (name: string): string => {
    const file = join(stateDir, 'board/leds', name);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  };
  const shows = (name: string, what: string) =>
    waitFor(`${name} to show ${what}`, async () => led(name) === what, { timeoutMs: 60_000, intervalMs: 5 });
  const press = (pressed: boolean) => writeFileSync(join(stateDir, 'board/buttons/reset'), pressed ? '1\n' : '0\n');

  function run(...options: string[]): RunProcess {
    const started = new RunProcess(namespace, stateDir, '--board', 'simulated', ...options);
    runs.push(started);
    return started;
  }

  /** A router with a WAN, and a client whose server nobody is. */
  function configured(): RunProcess {
    const file = join(stateDir, 'given.json');
    const wan = { device: 'eth0', zone: 'wan', ipv4: { method: 'static', address: '10.20.0.9/24' } };
    const hq = { server: '10.20.0.77', user: 'alice', password: 'alice-pw' };
    writeFileSync(file, JSON.stringify({ interfaces: { wan }, l2tp: { clients: { hq } } }));
    return run('--config', file);
  }

  it('shows the start, the link and the state of the tunnel, and at the end what it was', async () => {
    const router = configured();
    await shows('power', 'timer 100 100');
    await shows('power', 'steady 1');
    expect(led('wan')).toBe('steady 0');
    await namespace.ip('link', 'set', 'far', 'up');
    await shows('wan', 'steady 1');
    const client = new ControlClient(stateDir);
    const failed = async () =>
      (await client.board()).leds.find(({ purpose }) => purpose === 'vpn')?.shows.startsWith('flashes');
    await waitFor('a tunnel that fails', failed, { timeoutMs: 60_000 });
    expect(await client.identify(60)).toEqual({ ok: true });
    for (const name of ['power', 'wan', 'vpn', 'lte', 'lan']) await shows(name, 'timer 250 250');
    router.signal('SIGTERM');
    expect(await router.exitCode()).toBe(0);
    for (const name of ['power', 'wan', 'vpn', 'lte', 'lan']) expect(led(name)).toBe('steady 0');
  });

  it('is started anew by a short press, and in failsafe when the button is held at the start', async () => {
    const client = new ControlClient(stateDir);
    const first = configured();
    await shows('power', 'steady 1');
    let ended = false;
    void first.exitCode().then(() => {
      ended = true;
    });
    const seen = async () => (await client.board().catch(() => undefined))?.buttons[0]?.state;
    // On a machine that is busy it may take longer than a short press until one is seen: then that was none.
    while (!ended) {
      press(true);
      await waitFor('the press to be seen', async () => ended || (await seen()) === 'held', { intervalMs: 5 });
      press(false);
      await waitFor('its end to be seen', async () => ended || (await seen()) === 'free', { timeoutMs: 30_000 });
    }
    expect(await first.exitCode()).toBe(0);
    expect(first.stderr).toContain('reset button (router) has asked for it: the router ends, to be started again');
    press(true);
    const second = run();
    await shows('power', 'timer 50 50');
    press(false);
    const state = async () => (await client.status().catch(() => undefined))?.configuration;
    await waitFor('failsafe', async () => (await state())?.state === 'failsafe', { timeoutMs: 60_000 });
    expect((await client.status()).interfaces).toEqual([]);
    await shows('power', 'timer 50 50');
    second.signal('SIGTERM');
    await second.exitCode();
    run();
    await waitFor('what was stored', async () => (await state())?.state === 'confirmed', { timeoutMs: 60_000 });
    expect((await client.status()).interfaces).toMatchObject([{ name: 'wan' }]);
  });

  it('forgets everything when the button is held for more than 5 s', async () => {
    const router = configured();
    await shows('power', 'steady 1');
    press(true);
    const beats = new Set<string>();
    const armed = async () => beats.add(led('lan')).has('steady 1');
    await waitFor('the end of the countdown', armed, { timeoutMs: 60_000, intervalMs: 5 });
    expect(beats).toContain('timer 80 80');
    press(false);
    expect(await router.exitCode()).toBe(0);
    expect(router.stderr).toContain('reset button (router) resets this router to its factory state');
    expect(existsSync(join(stateDir, 'configuration.db'))).toBe(false);
  });
});
