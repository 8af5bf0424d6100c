/** `culvert provision` on one pseudo-terminal, a router's console on another, and a cable between them that can be pulled. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boardConsole } from '../../../firmware/cli/board-console.ts';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import type { SerialConsole } from '../../../firmware/serial/serial-console.ts';
import { LinuxClock } from '../../../hal/linux/clock.ts';
import { LinuxEntropy } from '../../../hal/linux/entropy.ts';
import { LinuxSerialPorts } from '../../../hal/linux/serial-port.ts';
import { Pty } from '../../../scripts/lab/pty.ts';
import { FakeAccounts } from '../../support/fake-accounts.ts';
import { named } from '../config/store/store-bench.ts';
import { culvert, type Finished } from './culvert.ts';
import { ConsoleBench } from './shell/console.ts';

const enrolment = generateKeyPairSync('ed25519');

let folder: string;
let bench: ConsoleBench;
let router: Pty;
let laptop: Pty;
let console: SerialConsole;
/** As the banner shows them. */
let desk: { readonly device: string; readonly code: string };
let accounts: FakeAccounts;
/** Octets that the cable carries towards the router before it is pulled. */
let carries: number;
let open: Promise<void>;

const file = (name: string) => join(folder, name);

/** The command within this process: each of its own takes a second to start. */
async function run(words: readonly string[]): Promise<Finished> {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  const code = await runCommandLine(words, stdout, stderr);
  return { code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
}

const make = (bundle: string, ...options: readonly string[]) =>
  run(['provision', 'make-bundle', file('branch.json'), file(bundle), `--device-key=${desk.device}`, ...options]);
const byCode = (bundle: string, code = desk.code) => make(bundle, `--code=${code}`);
const provision = (bundle: string, ...options: readonly string[]) =>
  run(['provision', laptop.path, file(bundle), ...options]);

function plugIn(): void {
  carries = Number.POSITIVE_INFINITY;
  router.onOctets = (octets) => {
    if (carries > 0) laptop.send(octets);
  };
  laptop.onOctets = (octets) => {
    carries -= octets.length;
    if (carries > 0) router.send(octets);
    else laptop.close();
  };
}

/** What a technician reads who presses a key. */
async function readBanner(): Promise<{ readonly device: string; readonly code: string }> {
  const both = router.onOctets;
  const { promise, resolve } = Promise.withResolvers<string>();
  let shown = '';
  router.onOctets = (octets) => {
    shown += Buffer.from(octets).toString();
    if (shown.endsWith('login: ')) resolve(shown);
  };
  router.send('\r');
  const [, device = '', code = ''] = /device key (\S+)\s+Provisioning: code (\S+)/.exec(await promise) ?? [];
  router.onOctets = both;
  return { device, code };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-provision-'));
  writeFileSync(file('branch.json'), named('branch-12', 'x'.repeat(60)));
  writeFileSync(file('enrolment.key'), enrolment.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  bench = await new ConsoleBench().start();
  [router, laptop] = [new Pty(), new Pty()];
  plugIn();
  accounts = new FakeAccounts({ admin: { password: 'printed-once', role: 'admin', initial: true } });
  writeFileSync(file('enrolment.pub'), enrolment.publicKey.export({ format: 'pem', type: 'spki' }));
  const opened = Promise.withResolvers<void>();
  open = opened.promise;
  const made = await boardConsole({
    board: { consoleDevice: router.path, enrolmentKey: file('enrolment.pub') },
    ports: new LinuxSerialPorts(),
    clock: new LinuxClock(),
    accounts,
    random: new LinuxEntropy(),
    config: bench.config,
    keyDirectory: join(bench.store.directory, 'key'),
    stateDirectory: bench.store.directory,
    inForce: () => bench.store.desk.inForce,
    log: () => opened.resolve(),
  });
  if (made === undefined) throw new Error('the board has a console');
  console = made;
  console.start();
  await open;
  desk = await readBanner();
});
afterEach(async () => {
  await console.stop();
  router.close();
  laptop.close();
  await bench.end();
  rmSync(folder, { recursive: true });
});

describe('a factory-fresh router', () => {
  it('gets its configuration and the password of admin from a bundle with its code, and nothing twice', async () => {
    writeFileSync(file('password'), 'long enough by far\n');
    const made = await make('b.json', `--code=${desk.code}`, `--admin-password-file=${file('password')}`);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(statSync(file('b.json')).mode & 0o077).toBe(0);
    expect(readFileSync(file('b.json'), 'utf8')).not.toContain('branch-12');
    let shown = '';
    const asked = Promise.withResolvers<void>();
    const toLaptop = router.onOctets;
    router.onOctets = (octets) => {
      shown = (shown + Buffer.from(octets).toString()).slice(-1000);
      if (/\r\nbranch-12 login: $/.test(shown)) asked.resolve();
      toLaptop?.(octets);
    };
    const done = await culvert(['provision', laptop.path, file('b.json')]);
    // The router has another name now.
    await asked.promise;
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toMatch(
      /culvert answers, with Culvert 0\.1\.0\n.*100 % is acknowledged\nrevision 1 is in force\n/s,
    );
    expect(done.stdout).toContain('the password of admin is set');
    expect(bench.store.inForce).toBe('branch-12');
    expect(accounts.initialPassword()).toBeUndefined();
    const again = await provision('b.json');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('log in on its console as an administrator');
  });

  it('takes one that the enrolment key has signed', async () => {
    expect(await make('b.json', `--enrolment-key=${file('enrolment.key')}`)).toMatchObject({ code: 0 });
    const done = await provision('b.json', '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ ok: true, lines: ['revision 1 is in force'] });
    expect(bench.store.inForce).toBe('branch-12');
  });

  it('is as it was when the cable is pulled, and takes the same bundle afterwards', async () => {
    await byCode('b.json');
    const size = statSync(file('b.json')).size;
    // In the middle: base64 makes a third more of it, and the frames some.
    carries = size;
    const cut = await provision('b.json');
    expect(cut.code).toBe(1);
    expect(cut.stderr).toMatch(/the cable was pulled .*, and nothing was changed: plug it in/);
    expect(bench.store.desk.state().state).toBe('factory');
    expect(bench.store.inForce).not.toBe('branch-12');
    laptop = new Pty();
    plugIn();
    expect(await provision('b.json')).toMatchObject({ code: 0 });
    expect(bench.store.inForce).toBe('branch-12');
  });

  it('refuses a wrong code and a wrong configuration in words', async () => {
    await byCode('b.json', '0000-0000');
    const wrong = await provision('b.json');
    expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining('answers') });
    expect(wrong.stderr).toContain('the code is wrong');
    expect(bench.store.desk.state().state).toBe('factory');
  });

  it('shows key and code to whoever types the mark, and goes on when they break it off', async () => {
    let shown = '';
    const { promise, resolve } = Promise.withResolvers<void>();
    router.onOctets = (octets) => {
      shown += Buffer.from(octets).toString();
      if (shown.includes(':R0000')) router.send('\u0003');
      if (/it was broken off.*login: $/s.test(shown)) resolve();
    };
    router.send('\rculvert-provision/1\r');
    await promise;
    expect(shown).toContain(`Provisioning: device key ${desk.device}\r\nProvisioning: code ${desk.code}\r\n`);
  });
});

describe('a router that has a configuration', () => {
  it('takes a bundle in the session of an administrator, who goes on afterwards', async () => {
    await bench.store.commit(named('old'));
    accounts.accounts['admin'] = { password: 'right horse', role: 'admin' };
    await make('b.json', `--enrolment-key=${file('enrolment.key')}`);
    let shown = '';
    let wake: () => void = () => undefined;
    const both = router.onOctets;
    router.onOctets = (octets) => {
      shown += Buffer.from(octets).toString();
      both?.(octets);
      wake();
    };
    const sees = async (what: RegExp) => {
      while (!what.test(shown))
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      shown = '';
    };
    router.send('\radmin\rright horse\r');
    await sees(/old> $/);
    expect(await provision('b.json')).toMatchObject({ code: 0 });
    await sees(/old> $/);
    router.send('show history\r');
    await sees(/admin.*provisioning|provisioning.*admin/);
    expect(bench.store.inForce).toBe('branch-12');
  });
});

describe('an administrator whose session is ended while a bundle is on its way', () => {
  it('gives the router nothing any more', async () => {
    await bench.store.commit(named('old'));
    accounts.accounts['admin'] = { password: 'right horse', role: 'admin' };
    await make('b.json', `--enrolment-key=${file('enrolment.key')}`);
    const [fromRouter, fromLaptop] = [router.onOctets, laptop.onOctets];
    await new Promise<void>((resolve) => {
      router.onOctets = (octets) => {
        if (/old> $/.test(Buffer.from(octets).toString())) resolve();
      };
      router.send('\radmin\rright horse\r');
    });
    router.onOctets = fromRouter;
    laptop.onOctets = (octets) => {
      if (Buffer.from(octets).includes(':D0001'))
        for (const token of accounts.sessions.keys()) void accounts.logout(token);
      fromLaptop?.(octets);
    };
    const refused = await provision('b.json');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('log in on its console') });
    expect(bench.store.inForce).toBe('old');
  });
});

describe('make-bundle', () => {
  it('makes none of a wrong configuration, of stars, for no key, or twice', async () => {
    writeFileSync(file('branch.json'), '{"system":{"hostnmae":"x"}}');
    expect(await byCode('b.json')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('did you mean "hostname"?'),
    });
    writeFileSync(file('branch.json'), named('branch-12', '********'));
    expect(await byCode('b.json')).toMatchObject({ code: 1, stderr: expect.stringContaining('stars') });
    writeFileSync(file('branch.json'), named('branch-12'));
    const withPassword = () => make('b.json', `--code=${desk.code}`, `--admin-password-file=${file('password')}`);
    writeFileSync(file('password'), 'long\n');
    expect(await withPassword()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/password holds a password of less than 10 characters: choose one of/),
    });
    writeFileSync(file('password'), 'nine green lanterns\n');
    const users = { alice: { role: 'admin', password: 'eight red lamps' } };
    writeFileSync(file('branch.json'), JSON.stringify({ ...JSON.parse(named('branch-12')), users }));
    expect(await withPassword()).toMatchObject({ code: 1, stderr: expect.stringContaining('has users, and --admin') });
    writeFileSync(file('branch.json'), named('branch-12'));
    expect(await make('b.json')).toMatchObject({ code: 2, stderr: expect.stringContaining('--code CODE') });
    expect(await byCode('b.json', 'nonsense!')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('7Q3K-9X2M'),
    });
    expect(await byCode('b.json')).toMatchObject({ code: 0 });
    expect(await byCode('b.json')).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
    expect(await make('c.json', `--enrolment-key=${file('branch.json')}`)).toMatchObject({ code: 1 });
  });
});

describe('the command', () => {
  it('is refused where there is no line, and with what is no bundle', async () => {
    await byCode('b.json');
    const none = await run(['provision', '/dev/ttyNONE', file('b.json')]);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('Plug it in') });
    expect(await provision('branch.json')).toMatchObject({ code: 1, stderr: expect.stringContaining('is no bundle') });
    expect(await provision('b.json', '--code=x')).toMatchObject({ code: 2 });
    expect(await run(['provision', laptop.path])).toMatchObject({ code: 2 });
  });
});
