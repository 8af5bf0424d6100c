/** A modem with the whole stack above it: AT, PPP in RFC 1662 framing in the data plane, a TUN of the kernel, pings of its own tools. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LinkView } from '../../firmware/uplink/uplink-types.ts';
import { createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { readPings } from './ipsec-support.ts';
import type { ModemHostCommand, ModemHostReport } from './modem-uplink-host.ts';
import { ping } from './site-pair.ts';

const DEVICE = 'ppp-lte';
const CARRIER = '100.64.7.1';

class Host {
  readonly #process: ChildProcess;
  readonly reports: ModemHostReport[] = [];
  readonly #exited: Promise<void>;

  constructor(namespace: Namespace, stateDirectory: string) {
    const program = join(import.meta.dirname, 'modem-uplink-host.ts');
    const [command = '', ...words] = namespace.command(process.execPath, program, stateDirectory);
    this.#process = spawn(command, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process.on('message', (message) => void this.reports.push(message as ModemHostReport));
    this.#exited = new Promise((resolve) => this.#process.once('exit', () => resolve()));
  }

  async tell(command: ModemHostCommand): Promise<void> {
    await waitFor('the host to be ready', () => this.reports.some(({ kind }) => kind === 'ready'));
    this.#process.send(command);
  }

  get view(): LinkView | undefined {
    return this.reports.findLast((report) => report.kind === 'view')?.view;
  }

  /** Waits for a view after the `from`th report. */
  async until(what: string, condition: (view: LinkView) => boolean, from = 0): Promise<LinkView> {
    const found = () =>
      this.reports
        .slice(from)
        .flatMap((report) => (report.kind === 'view' && condition(report.view) ? [report.view] : []))[0];
    return await waitFor(what, found, { timeoutMs: 40_000 }).catch((error: unknown) => {
      throw new Error(
        `${String(error)}\n${this.reports
          .slice(-25)
          .map((one) => JSON.stringify(one))
          .join('\n')}`,
      );
    });
  }

  up(from = 0): Promise<LinkView> {
    return this.until('the uplink to come up', ({ state }) => state === 'up', from);
  }

  async end(): Promise<void> {
    if (this.#process.connected) await this.tell({ kind: 'stop' });
    await this.#exited;
  }
}

describe('an uplink by a modem', { timeout: 120_000 }, () => {
  let namespace: Namespace;
  let host: Host;
  const state = mkdtempSync(join(tmpdir(), 'culvert-modem-'));

  beforeAll(async () => {
    namespace = await createNamespace('branch');
  });
  afterEach(() => host.end());
  afterAll(() => {
    namespace?.delete();
    rmSync(state, { recursive: true });
  });

  async function pingThrough(): Promise<void> {
    await namespace.ip('route', 'replace', `${CARRIER}/32`, 'dev', DEVICE);
    await waitFor('an answer through the modem', () => ping(namespace, CARRIER, '-s', '1400'));
  }

  async function dial(lines: readonly number[]): Promise<void> {
    host = new Host(namespace, state);
    const started = performance.now();
    await host.tell({ kind: 'start', device: DEVICE, lines });
    const { addressing } = await host.up();
    console.log(`a modem on ${lines.length} lines: up after ${Math.round(performance.now() - started)} ms`);
    expect(addressing).toMatchObject({ device: DEVICE, address: '100.64.7.2/32', dns: ['9.9.9.9'] });
    await pingThrough();
  }

  it.each([[[2, 3]], [[2]]])('on the lines %j: up, pings of any octets, hang up, gone', async (lines) => {
    await dial(lines);
    const many = await namespace.run(
      'ping',
      '-n',
      '-i',
      '0.002',
      '-c',
      '300',
      '-p',
      '7e7d1103ff',
      '-s',
      '1400',
      CARRIER,
    );
    // ping may end before the last answer has come.
    const { received, lost } = readPings(many);
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThanOrEqual(299);
    await host.end();
    expect(await namespace.ip('link')).not.toContain(DEVICE);
  });

  it.each([[[2, 3]], [[2]]])('on the lines %j comes back after the network has dropped the call', async (lines) => {
    await dial(lines);
    const from = host.reports.length;
    const dropped = performance.now();
    await host.tell({ kind: 'drop' });
    const { failure } = await host.until('the uplink to fail', (view) => view.failure !== undefined, from);
    console.log(`the loss of the carrier was told after ${Math.round(performance.now() - dropped)} ms`);
    expect(failure?.reason).toContain('NO CARRIER');
    await host.up(host.reports.length);
    await pingThrough();
  });

  it('comes back after the module began anew, and after it was pulled and put in under other names', async () => {
    await dial([2, 3]);
    await host.tell({ kind: 'restart' });
    await host.until('the uplink to fail', ({ failure }) => failure?.reason.includes('began anew') === true);
    await host.up(host.reports.length);
    await pingThrough();
    const from = host.reports.length;
    await host.tell({ kind: 'unplug' });
    await host.until('the uplink to fail', ({ failure }) => failure !== undefined, from);
    await host.tell({ kind: 'plug' });
    await host.up(host.reports.length);
    await pingThrough();
  });
});
