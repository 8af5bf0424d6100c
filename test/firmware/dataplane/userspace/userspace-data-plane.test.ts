/** The engine in its worker on a real kernel: needs root and /dev/net/tun, and is left out where they are missing. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const LEFT = '192.0.2.1';
const RIGHT = '192.0.2.2';
const LEFT_INNER = '10.99.0.1';
const RIGHT_INNER = '10.99.0.2';

function machineAllowsIt(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    execFileSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A running `worker-host.ts` in a network namespace that vanishes with it. */
class Host {
  readonly #process: ChildProcess;
  readonly exited: Promise<number | null>;

  constructor() {
    const program = fileURLToPath(new URL('./worker-host.ts', import.meta.url));
    this.#process = spawn('unshare', ['-n', process.execPath, program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.exited = new Promise((resolve) => this.#process.once('exit', resolve));
  }

  async ask<Result>(action: string, ...values: readonly unknown[]): Promise<Result> {
    const answer = new Promise<{ result?: Result; error?: string }>((resolve, reject) => {
      this.#process.once('message', (message) => resolve(message as { result?: Result; error?: string }));
      void this.exited.then((code) => reject(new Error(`the host ended with code ${code}`)));
    });
    this.#process.send([action, ...values]);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(error);
    return result as Result;
  }

  /** Runs `ip` in the host's namespace. */
  ip(...args: readonly string[]): void {
    execFileSync('nsenter', ['-t', String(this.#process.pid), '-n', 'ip', ...args]);
  }

  get namespace(): string {
    return String(this.#process.pid);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

interface Counters {
  readonly sessions: readonly { readonly drops: Record<string, number> }[];
  readonly sas: readonly { readonly drops: Record<string, number> }[];
}

const hosts: Host[] = [];

function start(): Host {
  const host = new Host();
  hosts.push(host);
  return host;
}

/** Two hosts with a wire between them. */
async function wiredHosts(): Promise<readonly [Host, Host]> {
  const left = start();
  const right = start();
  // Whoever answers is in its namespace.
  await Promise.all([left.ask('threads'), right.ask('threads')]);
  left.ip('link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'wire', 'netns', right.namespace);
  for (const [host, address] of [
    [left, LEFT],
    [right, RIGHT],
  ] as const) {
    host.ip('address', 'add', `${address}/24`, 'dev', 'wire');
    host.ip('link', 'set', 'wire', 'up');
  }
  return [left, right];
}

/** Two hosts with a tunnel between them. */
async function connectedHosts(): Promise<readonly [Host, Host]> {
  const [left, right] = await wiredHosts();
  expect(await Promise.all([left.ask<number>('open'), right.ask<number>('open')])).toEqual([1701, 1701]);
  const [link] = await Promise.all([
    left.ask('connect', LEFT, RIGHT, LEFT_INNER, RIGHT_INNER),
    right.ask('connect', RIGHT, LEFT, RIGHT_INNER, LEFT_INNER),
  ]);
  expect(link).toMatchObject({ up: true, mtu: 1400 });
  return [left, right];
}

afterEach(async () => {
  for (const host of hosts) host.kill();
  await Promise.all(hosts.map(({ exited }) => exited));
  hosts.length = 0;
});

describe.skipIf(!machineAllowsIt())('UserspaceDataPlane on Linux', () => {
  it('carries UDP and TCP between two machines, hands events over in order, and leaves no thread behind', async () => {
    const [left, right] = await connectedHosts();
    await right.ask('serve', RIGHT_INNER);
    const sizes = [0, 1, 500, 1372, 4000];
    expect(await left.ask('echo', RIGHT_INNER, sizes)).toEqual(sizes);
    expect(await left.ask('stream', RIGHT_INNER, 4_000_000)).toMatchObject({ whole: true });

    await left.ask('sendControl', LEFT, RIGHT, 100);
    const expected = [...Array.from({ length: 100 }, (_, number) => number), 'ppp-frame'];
    expect(await right.ask('events', 101)).toEqual(expected);

    const counters = await left.ask<Counters>('counters');
    expect(counters.sessions[0]?.drops).toMatchObject({ malformed: 0, wrongSource: 0, tooBig: 0 });

    expect(await left.ask<number>('idle', 400)).toBeLessThan(100);
    expect(await left.ask('threads')).toContain('data-plane');
    expect(await left.ask('close')).not.toContain('data-plane');
  });

  it.each(['udp-encapsulation', 'esp'])(
    'carries the same inside ESP, over a path that is too narrow (%s)',
    async (carrier) => {
      const [left, right] = await wiredHosts();
      await Promise.all([
        left.ask('connectProtected', carrier, LEFT, RIGHT, LEFT_INNER, RIGHT_INNER),
        right.ask('connectProtected', carrier, RIGHT, LEFT, RIGHT_INNER, LEFT_INNER),
      ]);
      await right.ask('serve', RIGHT_INNER);
      const sizes = [0, 1, 500, 1300];
      expect(await left.ask('echo', RIGHT_INNER, sizes)).toEqual(sizes);
      expect(await left.ask('stream', RIGHT_INNER, 2_000_000)).toMatchObject({ whole: true });

      for (const host of [left, right]) host.ip('link', 'set', 'wire', 'mtu', '1000');
      // A packet each way is lost over it; TCP sends it again and hears by ICMP from the engine how large it may be.
      expect(await left.ask('stream', RIGHT_INNER, 200_000)).toMatchObject({ whole: true });
      expect(await right.ask('events', 1)).toEqual(['sa-received']);
      const counters = await left.ask<Counters>('counters');
      expect(counters.sas[0]?.drops).toMatchObject({ notAuthentic: 0, selectors: 0, replayed: 0 });
      expect(counters.sas[0]?.drops['sendFailed']).toBeGreaterThan(0);
      expect(counters.sessions[0]?.drops['tooBig']).toBeGreaterThan(0);
      expect(await left.ask('close')).not.toContain('data-plane');
    },
  );

  it('reports a TUN that was deleted from outside as the failure of the engine, and can be closed then', async () => {
    const [left] = await connectedHosts();
    left.ip('link', 'delete', 'l2tp-test');
    expect(await left.ask('events', 1)).toEqual(['engine-failed']);
    await expect(left.ask('counters')).rejects.toThrow('has failed');
    expect(await left.ask('close')).not.toContain('data-plane');
  });

  it('does not keep the process from ending', async () => {
    const host = start();
    await host.ask('open');
    host.ask('exit', 3).catch(() => undefined);
    expect(await host.exited).toBe(3);
  });
});
