/** The console on a line in memory: opened, lost, and opened again. */
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sessionsOf } from '../../../firmware/cli/console-sessions.ts';
import { SerialConsole } from '../../../firmware/serial/serial-console.ts';
import type { ShellLine, ShellSession } from '../../../firmware/serial/shell-port.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { type SimulatedSerialLine, SimulatedSerialPorts } from '../../../hal/simulated/serial-port.ts';
import { FakeAccounts } from '../../support/fake-accounts.ts';

const PATH = '/dev/ttyGS0';

class FakeShell implements ShellSession {
  readonly line: ShellLine;
  readonly #ended = Promise.withResolvers<void>();
  typed = '';
  typedAhead = 0;
  hungUp = false;

  constructor(line: ShellLine) {
    this.line = line;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  feed(octets: Uint8Array): void {
    this.typed += Buffer.from(octets).toString();
  }

  hangUp(): void {
    this.hungUp = true;
    this.end();
  }

  end(): void {
    this.#ended.resolve();
  }
}

let clock: SimulatedClock;
let ports: SimulatedSerialPorts;
let accounts: FakeAccounts;
let shells: FakeShell[];
let log: string[];
let console: SerialConsole;
let line: SimulatedSerialLine;
let shown: string;

/** All that follows without time passing has happened. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

async function type(text: string): Promise<string> {
  shown = '';
  line.send(Buffer.from(text));
  await settle();
  return shown;
}

async function pass(milliseconds: number): Promise<void> {
  clock.advance(milliseconds);
  await settle();
}

function plug(): void {
  line = ports.plug(PATH);
  line.onOctets = (octets) => {
    shown += Buffer.from(octets).toString();
  };
}

beforeEach(() => {
  clock = new SimulatedClock();
  ports = new SimulatedSerialPorts();
  accounts = new FakeAccounts({ admin: { password: 'right horse', role: 'admin' } });
  shells = [];
  log = [];
  shown = '';
  console = new SerialConsole({
    ports,
    path: PATH,
    clock,
    accounts,
    sessions: sessionsOf(accounts),
    idleMs: () => 900_000,
    facts: () => ({ hostname: 'branch-12', version: '0.1.0', state: [] }),
    startShell: (_, shellLine) => {
      const shell = new FakeShell(shellLine);
      shells.push(shell);
      return shell;
    },
    log: (text) => log.push(text),
  });
});
afterEach(() => console.stop());

describe('a line', () => {
  it('is opened at 115200 baud, and logs people in', async () => {
    plug();
    console.start();
    await settle();
    expect(ports.asked).toEqual([{ path: PATH, baud: 115_200 }]);
    expect(await type('\r')).toMatch(/branch-12 login: $/);
    await type('admin\rright horse\rshow version\r');
    expect(shells[0]?.typed).toBe('show version\r');
    shells[0]?.end();
    await settle();
    expect(accounts.sessions.size).toBe(0);
    expect(await type('\r')).toMatch(/login: $/);
  });

  it('that is not there is tried again, and told once', async () => {
    console.start();
    await settle();
    await pass(2000);
    await pass(2000);
    expect(ports.asked).toHaveLength(3);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/there is no console.*Plug it in/);
    plug();
    await pass(2000);
    expect(await type('\r')).toMatch(/login: $/);
    expect(log).toHaveLength(2);
  });

  it('that is unplugged ends the session, and another one is served', async () => {
    plug();
    console.start();
    await settle();
    await type('\radmin\rright horse\r');
    expect(accounts.sessions.size).toBe(1);
    line.pull();
    await settle();
    expect(shells[0]?.hungUp).toBe(true);
    expect(accounts.sessions.size).toBe(0);
    plug();
    await pass(2000);
    expect(await type(' ')).toMatch(/login: $/);
    await type('admin\rright horse\rx');
    expect(shells[1]?.typed).toBe('x');
    expect(shells[0]?.typed).toBe('');
  });

  it('is read no further while too much is typed ahead, and loses nothing', async () => {
    plug();
    console.start();
    await settle();
    await type('\radmin\rright horse\r');
    const [shell] = shells;
    if (shell === undefined) throw new Error('nobody is logged in');
    shell.typedAhead = 1024 * 1024 + 1;
    await type('a');
    await type('b');
    expect(shell.typed).toBe('a');
    shell.line.onRoom();
    await settle();
    expect(shell.typed).toBe('ab');
  });

  it('that takes nothing for ever holds a bounded amount, and ends the session', async () => {
    plug();
    console.start();
    await settle();
    await type('\radmin\rright horse\r');
    line.reads = false;
    for (let kilobytes = 0; kilobytes <= 1024; kilobytes += 1) shells[0]?.line.write('x'.repeat(1024));
    await settle();
    expect(shells[0]?.hungUp).toBe(true);
    expect(accounts.sessions.size).toBe(0);
    expect(log.join('\n')).toContain('takes nothing any more');
  });

  it('is left by a session that is ended elsewhere, and not by one that was ended before', async () => {
    plug();
    console.start();
    await settle();
    await type('\radmin\rright horse\r');
    const [token = ''] = accounts.sessions.keys();
    await accounts.logout(token);
    await settle();
    expect(shells[0]?.hungUp).toBe(true);
    expect(shown).toMatch(/the session was ended elsewhere.*Press Enter to log in\.\r\n$/s);
    await type('\radmin\rright horse\r');
    await accounts.logout(token);
    await settle();
    expect(shells[1]?.hungUp).toBe(false);
  });

  it('is left by a session that was ended while its login was answered', async () => {
    const { login } = accounts;
    accounts.login = async (attempt) => {
      const result = await login.call(accounts, attempt);
      if (result.ok) await accounts.logout(result.session.token);
      return result;
    };
    plug();
    console.start();
    await settle();
    await type('\radmin\rright horse\r');
    expect(shells[0]?.hungUp).toBe(true);
    expect(shown).toContain('the session was ended elsewhere');
  });

  it('says that its session is used whenever somebody types', async () => {
    plug();
    console.start();
    await settle();
    await type('\radmin\rright horse\r');
    const before = accounts.used.length;
    await type('x');
    expect(accounts.used.slice(before)).toEqual([...accounts.sessions.keys()]);
  });

  it('survives accounts that cannot answer', async () => {
    accounts.login = () => Promise.reject(new Error('the disk is full'));
    plug();
    console.start();
    await settle();
    expect(await type('\radmin\rright horse\r')).toMatch(/could not be judged: the log says why.*login: $/s);
    expect(log.join('\n')).toContain('the disk is full');
  });
});

describe('the end of the router', () => {
  it('logs people out, and closes the line', async () => {
    plug();
    console.start();
    await settle();
    await type('\radmin\rright horse\r');
    await console.stop();
    expect(accounts.sessions.size).toBe(0);
    expect(line.inUse).toBe(false);
  });

  it('does not wait for a line that is not there', async () => {
    console.start();
    await settle();
    await console.stop();
    await pass(10_000);
    expect(ports.asked).toHaveLength(1);
  });
});
