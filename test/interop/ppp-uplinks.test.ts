/** Uplinks with PPP before real parts: rp-pppoe's server and pppd in a guest, over a cable and over a serial line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LinkView } from '../../firmware/uplink/uplink-types.ts';
import type { Step } from '../../firmware/vpn/steps.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { addTap, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { startPppdLine } from '../../scripts/lab/pppd-line.ts';
import { type PppoeServer, type PppoeServerOptions, startPppoeServer } from '../../scripts/lab/pppoe-server.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { expectAgreement } from './decode-agrees.ts';
import { readPings } from './ipsec-support.ts';
import type { HostCommand, HostReport } from './ppp-uplink-host.ts';
import { Recording } from './recording.ts';
import { ping } from './site-pair.ts';

const CARD = 'dsl';
const DEVICE = 'ppp-adsl';
const HOST_ADDRESS = '10.20.0.1';
const GUEST_ADDRESS = '10.20.0.2';
const PORT = 9000;
const users = [{ name: 'alice', password: 'alice-pw' }];
const ALICE = { authenticatee: { user: 'alice', password: 'alice-pw' } };

/** The program with the uplink. */
class Host {
  readonly #process: ChildProcess;
  readonly reports: HostReport[] = [];
  readonly exited: Promise<void>;

  constructor(namespace: Namespace, stateDirectory: string) {
    const program = join(import.meta.dirname, 'ppp-uplink-host.ts');
    const [command = '', ...words] = namespace.command(process.execPath, program, stateDirectory);
    this.#process = spawn(command, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process.on('message', (report) => void this.reports.push(report as HostReport));
    this.exited = new Promise((resolve) => this.#process.once('exit', () => resolve()));
  }

  /** Once it is ready. */
  async tell(command: HostCommand): Promise<void> {
    await this.hears('ready');
    this.#process.send(command);
  }

  async hears(kind: HostReport['kind']): Promise<void> {
    await waitFor(`the host to say ${kind}`, () => this.reports.some((report) => report.kind === kind));
  }

  get view(): LinkView | undefined {
    return this.reports.findLast((report) => report.kind === 'view')?.view;
  }

  get authentication(): string | undefined {
    return this.reports.findLast((report) => report.kind === 'view')?.authentication;
  }

  get steps(): Step[] {
    return this.reports.flatMap((report) => (report.kind === 'step' ? [report.step] : []));
  }

  async until(what: string, condition: (view: LinkView) => boolean, timeoutMs = 30_000): Promise<LinkView> {
    try {
      return await waitFor(what, () => this.view !== undefined && condition(this.view) && this.view, { timeoutMs });
    } catch (error) {
      const story = this.steps
        .slice(-20)
        .map(({ direction = '', step, detail = '' }) => `${direction} ${step} ${detail}`);
      throw new Error(`${String(error)}: ${JSON.stringify(this.view)}\n${story.join('\n')}`);
    }
  }

  up(): Promise<LinkView> {
    return this.until('the uplink to come up', ({ state }) => state === 'up');
  }

  /** It may be dialling again by the time this is noticed. */
  failed(): Promise<LinkView> {
    return this.until('the uplink to fail', ({ failure }) => failure !== undefined);
  }

  async stop(): Promise<void> {
    if (this.#process.connected) await this.tell({ kind: 'stop' });
    await this.exited;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited;
  }
}

describe('uplinks with PPP', () => {
  let namespace: Namespace;
  let guest: Guest;
  let host: Host | undefined;
  let server: PppoeServer | undefined;
  const recording = new Recording();
  const state = mkdtempSync(join(tmpdir(), 'culvert-pppoe-'));

  beforeAll(async () => {
    namespace = await createNamespace('branch');
    await addTap({ namespace, device: CARD, addresses: [`${HOST_ADDRESS}/24`] });
    await recording.start(namespace, CARD, 'ether proto 0x8863 or ether proto 0x8864');
    guest = await startGuest({
      name: 'carrier',
      namespace,
      cards: [{ tap: CARD, addresses: [`${GUEST_ADDRESS}/24`] }],
    });
  }, 120_000);
  afterEach(async () => {
    await host?.kill();
    host = undefined;
    await server?.kill();
    server = undefined;
    await guest.exec('pkill -KILL pppd; true');
  });
  afterAll(async () => {
    await recording.remove();
    await guest?.stop();
    namespace?.delete();
    rmSync(state, { recursive: true });
  });

  /** @returns milliseconds until it was up. */
  async function dial(line = {}, uplink = ALICE): Promise<Host> {
    host = new Host(namespace, state);
    await host.tell({ kind: 'pppoe', device: DEVICE, line: { name: 'adsl', device: CARD, ...line }, uplink });
    return host;
  }

  async function serve(options: Partial<PppoeServerOptions> = {}): Promise<PppoeServer> {
    server = await startPppoeServer(guest, { users, ...options });
    return server;
  }

  /** pppd sets its device up only after it has sent its last word of IPCP. */
  async function pingThrough(inside: string): Promise<void> {
    await namespace.ip('route', 'replace', `${inside}/32`, 'dev', DEVICE);
    await waitFor('an answer through the uplink', () => ping(namespace, inside));
  }

  /** The user packets that the peer answers, of the size. */
  async function carries(inside: string, packet: number): Promise<boolean> {
    return ping(namespace, inside, '-M', 'do', '-s', `${packet - 28}`);
  }

  it.each(['pap', 'chap', 'mschapv2'] as const)('meet pppoe-server with %s: up, ping, goodbye', async (method) => {
    const { insideAddress } = await serve({ authentication: method });
    const uplink = await dial();
    const started = performance.now();
    const { addressing } = await uplink.up();
    const took = performance.now() - started;
    expect(addressing).toMatchObject({ device: DEVICE, dns: [insideAddress], mtu: 1492, assign: false });
    expect(addressing?.address).toMatch(/^100\.64\.7\.\d+\/32$/);
    expect(uplink.authentication).toBe(method);
    await pingThrough(insideAddress);
    expect(await carries(insideAddress, 1492)).toBe(true);
    console.log(`pppoe-server, ${method}: up after ${Math.round(took)} ms`);
    await uplink.stop();
    await waitFor('pppd to hear the goodbye', () => server?.log().includes('LCP TermReq'));
    expect(await namespace.ip('link')).not.toContain(DEVICE);
  });

  it('tell in words what stands in the way', async () => {
    await serve({ name: 'ac1', services: ['internet'] });
    const wrongPassword = await dial({}, { authenticatee: { user: 'alice', password: 'wrong' } });
    expect((await wrongPassword.failed()).failure).toMatchObject({ step: 'authentication' });
    expect(wrongPassword.view?.failure?.reason).toContain('alice');
    await wrongPassword.kill();
    const wrongService = await dial({ serviceName: 'television' });
    expect((await wrongService.failed()).failure?.step).toMatch(/^PAD/);
    await wrongService.kill();
    const wrongConcentrator = await dial({ accessConcentrator: 'ac2' });
    expect((await wrongConcentrator.failed()).failure?.reason).toContain('"ac1" is not the access concentrator "ac2"');
    await wrongConcentrator.kill();
    const right = await dial({ serviceName: 'internet', accessConcentrator: 'ac1' });
    await right.up();
  });

  it('come back after the server has hung up, and after it was killed and started again', async () => {
    const { insideAddress } = await serve();
    const uplink = await dial();
    await uplink.up();
    await server?.hangUp();
    expect((await uplink.failed()).failure?.step).toMatch(/^(PADT|terminated|LCP)$/);
    await uplink.up();
    await pingThrough(insideAddress);
    await server?.kill();
    const { failure } = await uplink.failed();
    expect(failure?.step).toBe('echo');
    await serve();
    await uplink.tell({ kind: 'parent-returned' });
    await uplink.up();
    await pingThrough(insideAddress);
  });

  it('end the session of a program that was killed before they ask for a new one', async () => {
    const { insideAddress } = await serve({ sessionsPerClient: 1 });
    const first = await dial();
    await first.up();
    await waitFor(
      'the session to be remembered',
      async () => (await namespace.run('cat', join(state, 'pppoe-sessions'))) !== '',
    );
    await first.kill();
    const second = await dial();
    await second.up();
    expect(second.steps[0]).toMatchObject({ direction: 'sent', step: 'PADT' });
    await pingThrough(insideAddress);
  });

  it('ask for 1500 octets (RFC 4638), and are content with what the server says', async () => {
    await namespace.ip('link', 'set', CARD, 'mtu', '1508');
    const { insideAddress } = await serve({ mtu: 1500 });
    const uplink = await dial({ mtu: 1500 });
    const { addressing } = await uplink.up();
    console.log(`pppoe-server agrees on ${addressing?.mtu} octets of 1500`);
    await pingThrough(insideAddress);
    await uplink.stop();
    await namespace.ip('link', 'set', CARD, 'mtu', '1500');
  });

  it.each([
    ['chap', '0'],
    ['pap', 'ffffffff'],
    ['mschapv2', 'a0000'],
    [undefined, '0'],
  ] as const)(
    'meet pppd on a serial line, with %s and the ACCM %s: up, ping, goodbye',
    async (authentication, asyncmap) => {
      host = new Host(namespace, state);
      await host.tell({ kind: 'serial', device: DEVICE, port: PORT, uplink: ALICE });
      await host.hears('listening');
      const started = performance.now();
      const line = await startPppdLine(guest, `${HOST_ADDRESS}:${PORT}`, {
        users,
        asyncmap,
        ...(authentication === undefined ? {} : { authentication }),
      });
      const { addressing } = await host.up();
      console.log(`pppd on a serial line: up after ${Math.round(performance.now() - started)} ms, its start included`);
      expect(addressing).toMatchObject({ address: '100.64.7.1/32', dns: [line.insideAddress], mtu: 1500 });
      await pingThrough(line.insideAddress);
      expect(await carries(line.insideAddress, 1500)).toBe(true);
      // Every octet in the packets, and many of them.
      expect(await ping(namespace, line.insideAddress, '-p', '7e7d1103ff', '-s', '1400')).toBe(true);
      const many = await namespace.run('ping', '-n', '-i', '0.002', '-c', '500', '-s', '1400', line.insideAddress);
      // ping ends without the last answer when TCP, which carries the line here, holds that back for its acknowledgement.
      const { received, lost } = readPings(many);
      expect(lost).toEqual([]);
      expect(received).toBeGreaterThanOrEqual(499);
      await host.stop();
      await waitFor('pppd to hear the goodbye', () => line.log().includes('LCP TermReq'));
    },
  );

  it('tell that a serial line was hung up or unplugged, and use the next one', async () => {
    host = new Host(namespace, state);
    await host.tell({ kind: 'serial', device: DEVICE, port: PORT, uplink: ALICE });
    await host.hears('listening');
    const at = `${HOST_ADDRESS}:${PORT}`;
    const line = await startPppdLine(guest, at, { users });
    await host.up();
    await line.hangUp();
    expect((await host.failed()).failure?.reason).toMatch(/peer|closed/);
    await host.until('the line to wait again', ({ doing }) => doing === 'dialling');
    await startPppdLine(guest, at, { users });
    await host.up();
    await host.tell({ kind: 'unplug' });
    expect((await host.failed()).failure?.reason).toMatch(/hung up/);
  });

  it('are decoded as tshark does', async () => {
    const codes = ['PADI', 'PADO', 'PADR', 'PADS', 'PADT'].map((code) => `pppoe-discovery ${code}`);
    await expectAgreement(recording, [...codes, 'ppp-lcp Configure-Request', 'ppp-ipcp Configure-Ack']);
  });
});
