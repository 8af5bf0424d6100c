/** The whole console on a real pseudo-terminal, with a real store behind it. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulated } from '../../../board/simulated.ts';
import { type BoardConsoleParts, boardConsole } from '../../../firmware/cli/board-console.ts';
import { REDACTED } from '../../../firmware/config/redact.ts';
import type { SerialConsole } from '../../../firmware/serial/serial-console.ts';
import { LinuxEntropy } from '../../../hal/linux/entropy.ts';
import { LinuxSerialPorts } from '../../../hal/linux/serial-port.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { Pty } from '../../../scripts/lab/pty.ts';
import { FakeAccounts } from '../../support/fake-accounts.ts';
import { named } from '../config/store/store-bench.ts';
import { ConsoleBench } from './shell/console.ts';

interface Draft {
  readonly l2tp: { readonly clients: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}

let bench: ConsoleBench;
let pty: Pty;
let clock: SimulatedClock;
let console: SerialConsole;
let accounts: FakeAccounts;
let path: string;
let shown: string;
let open: boolean;
let wake: () => void = () => undefined;

function attach(): void {
  pty.onOctets = (octets) => {
    shown += Buffer.from(octets).toString();
    wake();
  };
}

/** Types, and forgets what was shown before. @returns what was shown until it matches. */
async function type(text: string, until: RegExp): Promise<string> {
  shown = '';
  pty.send(text);
  return await sees(until);
}

async function sees(what: RegExp): Promise<string> {
  while (!what.test(shown)) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  return shown;
}

/** Somebody reads the line: what was typed before that is lost. */
async function opened(): Promise<void> {
  while (!open) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

/** The cable is pulled, and another one plugged in. */
async function replug(): Promise<void> {
  pty.close();
  pty = new Pty();
  ({ path } = pty);
  attach();
  while (clock.nextTimer !== clock.now() + 2000) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(2000);
}

async function logIn(user = 'admin'): Promise<void> {
  await opened();
  await type('\r', /login: $/);
  await type(`${user}\r`, /Password: $/);
  await type('right horse\r', /branch-12> $/);
}

beforeEach(async ({ onTestFailed }) => {
  onTestFailed(() => {
    process.stderr.write(`${JSON.stringify(shown.slice(-1000))}\n`);
  });
  [shown, open] = ['', false];
  bench = await new ConsoleBench().start(named('branch-12'));
  pty = new Pty();
  ({ path } = pty);
  attach();
  clock = new SimulatedClock();
  accounts = new FakeAccounts({
    admin: { password: 'right horse', role: 'admin' },
    oscar: { password: 'right horse', role: 'operator' },
    vera: { password: 'right horse', role: 'viewer' },
  });
  const made = await boardConsole({
    // Resolved anew each time it is opened: what is plugged in again may be another device.
    board: { ...simulated, consoleDevice: '/dev/culvert-console' },
    ports: { open: ({ baud }) => new LinuxSerialPorts().open({ path, baud }) },
    clock,
    accounts,
    stateDirectory: bench.store.directory,
    inForce: () => bench.store.desk.inForce,
    config: bench.config,
    random: new LinuxEntropy(),
    keyDirectory: join(bench.store.directory, 'key'),
    log: (line) => {
      open = line.startsWith('the console is on');
      wake();
    },
  });
  if (made === undefined) throw new Error('the board has a console');
  console = made;
  console.start();
});
afterEach(async () => {
  await console.stop();
  pty.close();
  await bench.end();
});

describe('a session on a pseudo-terminal', () => {
  it('logs in, completes, explains, configures under its name, and leaves', async () => {
    await logIn();
    await type('sh\tl2\t\r', /show l2tp .*branch-12> $/s);
    await type('configure\r', /branch-12# $/);
    await type('set system console idleMinutes ?', /idleMinutes $/);
    await type('30\r', /branch-12# $/);
    await type('commit comment "by cable"\r', /branch-12# $/);
    await type('exit\r', /branch-12> $/);
    const history = await type('show history\r', /branch-12> $/);
    expect(history).toMatch(/admin.*console|console.*admin/);
    expect(history).toContain('by cable');
    await type('exit\r', /Logged out\.\r\nPress Enter to log in\.\r\n$/);
    expect(accounts.sessions.size).toBe(0);
  });

  it('takes 2,000 pasted lines without loss', async () => {
    await logIn();
    await type('configure\r', /branch-12# $/);
    // Eight each of 250 clients, for there may be no more than 256.
    const wanted = (index: number) => ({
      server: `10.99.0.${index}`,
      port: 1701 + index,
      user: `branch-${index}`,
      password: `"password ${index}"`,
      secret: `secret-${index}`,
      mru: 1200 + index,
      start: 'manual',
      idleSeconds: 600 + index,
    });
    const lines = Array.from({ length: 250 }, (_, index) =>
      Object.entries(wanted(index)).map(([key, value]) => `set l2tp clients c${index} ${key} ${value}`),
    ).flat();
    expect(lines).toHaveLength(2000);
    await type(`${lines.join('\r')}\r# the end\r`, /# the end\r\nbranch-12# $/);
    expect(shown).not.toMatch(/there is no|did you mean|^.*is not/m);
    const answer = await bench.store.store.candidate();
    const draft = JSON.parse((answer.ok && answer.candidate?.text) || '{}') as Draft;
    for (let index = 0; index < 250; index += 1) {
      const { password, secret, ...seen } = draft.l2tp.clients[`c${index}`] ?? {};
      const { password: _, secret: __, ...expected } = wanted(index);
      expect(seen).toEqual(expected);
      // Stars.
      expect([password, secret]).toEqual([REDACTED, REDACTED]);
    }
  }, 60_000);

  it('ends when it is unplugged, keeps the draft and nothing else, and begins anew on what is plugged in', async () => {
    await logIn();
    await type('configure\r', /branch-12# $/);
    await type('set system hostname branch-13\r', /branch-12# $/);
    await replug();
    expect(accounts.sessions.size).toBe(0);
    expect(bench.store.inForce).toBe('branch-12');
    await logIn();
    await type('configure\r', /a draft is there already.*branch-12# $/s);
    await type('compare\r', /branch-13.*branch-12# $/s);
  });

  it.each([
    ['a question for a secret', ['configure\r', 'set l2tp clients hq password\r'], /Password: $/],
    ['the second of the two', ['configure\r', 'set l2tp clients hq password\r', 'x\r'], /once more: $/],
    ['a page', ['show config\r'], /-- more/],
    ['a configuration that is pasted', ['configure\r', 'load json\r{"system":\r'], /load json\r\n/],
    ['a command at work', ['connect hq\r'], /connect hq\r\n/],
    ['the prompt', ['show conf'], /show conf$/],
  ] as const)('ends at %s when it is unplugged, and changes nothing', async (_, typed, until) => {
    bench.router.connect = () => new Promise(() => undefined);
    await logIn();
    for (const [index, text] of typed.entries()) await type(text, index === typed.length - 1 ? until : /[#:] $/);
    await replug();
    expect(accounts.sessions.size).toBe(0);
    expect(bench.store.inForce).toBe('branch-12');
    const { candidate } = (await bench.store.store.candidate()) as { readonly candidate?: { readonly text: string } };
    expect(candidate).toBeUndefined();
    await logIn();
  });

  it('logs out whoever does not type, also in the middle of a page', async () => {
    await logIn();
    await type('show config\r', /-- more/);
    const minutes = bench.store.desk.inForce.system.console.idleMinutes;
    expect(minutes).toBe(15);
    clock.advance(minutes * 60_000 - 1);
    expect(accounts.sessions.size).toBe(1);
    clock.advance(1);
    await sees(/nobody has typed for too long/);
    expect(accounts.sessions.size).toBe(0);
  });

  it('ends a command with ^C and goes on', async () => {
    await logIn();
    bench.router.connect = () => new Promise(() => undefined);
    await type('connect hq\r', /connect hq\r\n/);
    await type('\u0003', /\^C.*branch-12> $/s);
  });
});

describe('on the console', () => {
  it('a viewer looks, and changes nothing', async () => {
    await logIn('vera');
    expect(await type('show history\r', /branch-12> $/)).toContain('confirmed');
    for (const command of [
      'configure',
      'connect hq',
      'diagnose hq',
      'rollback 1',
      'factory-reset',
      'capture lan',
      'confirm',
      'ping 192.0.2.1',
      'user list',
      'reboot --yes',
      'restart firmware --yes',
    ])
      expect(await type(`${command}\r`, /branch-12> $/)).toContain('there is no command');
    for (const command of ['show ipsec --keys', 'show audit', 'show aud'])
      expect(await type(`${command}\r`, /branch-12> $/)).toMatch(
        /is for administrators, and you are viewer|there is no "aud"/,
      );
    expect(await type('?', /branch-12> $/)).not.toContain('configure');
  });

  it('an operator connects and disconnects, and configures nothing', async () => {
    await logIn('oscar');
    expect(await type('connect hq\r', /branch-12> $/)).not.toContain('there is no command');
    expect(await type('show audit\r', /branch-12> $/)).toContain('is for administrators');
    for (const command of ['configure', 'rollback 1', 'factory-reset', 'capture lan', 'poweroff --yes', 'user list'])
      expect(await type(`${command}\r`, /branch-12> $/)).toContain('there is no command');
  });
});

describe('a board', () => {
  /** @returns whether there is a console, and what is said in the log. */
  async function made(board: BoardConsoleParts['board'], keyDirectory = join(bench.store.directory, 'key')) {
    const log: string[] = [];
    const console = await boardConsole({
      board,
      ports: { open: () => Promise.reject(new Error('never')) },
      clock,
      accounts,
      random: new LinuxEntropy(),
      config: bench.config,
      inForce: () => bench.store.desk.inForce,
      stateDirectory: bench.store.directory,
      keyDirectory,
      log: (line) => log.push(line),
    });
    return { console, log: log.join() };
  }

  it('without a console device has no console', async () => {
    expect(await made(simulated)).toEqual({ console: undefined, log: '' });
  });

  it('whose device key or enrolment key cannot be used has one, and says what it does not take', async () => {
    const [consoleDevice, enrolmentKey] = ['/dev/ttyS0', join(bench.store.directory, 'absent.pem')];
    const keyless = await made({ consoleDevice }, join(bench.store.directory, 'absent'));
    expect(keyless.console).toBeDefined();
    expect(keyless.log).toContain('the console takes no bundles');
    const unsigned = await made({ consoleDevice, enrolmentKey });
    expect(unsigned.console).toBeDefined();
    expect(unsigned.log).toMatch(/absent\.pem is no Ed25519 public key in PEM: bundles need a code/);
  });
});
