import { describe, expect, it } from 'vitest';
import { MAX_AHEAD, PROMPT_IDLE_MS } from '../../../firmware/serial/console-machine.ts';
import { FakeAccounts } from '../../support/fake-accounts.ts';
import { IDLE_MS, MachineBench } from './console-bench.ts';

function bench(): MachineBench & { readonly accounts: FakeAccounts } {
  const accounts = new FakeAccounts({
    admin: { password: 'right horse', role: 'admin' },
    carol: { password: 'battery staple', role: 'admin', code: '123456' },
    first: { password: 'printed-once', role: 'admin', initial: true },
  });
  return new MachineBench(accounts) as MachineBench & { readonly accounts: FakeAccounts };
}

/** A factory-fresh router has no other account than the first. */
function fresh(others: FakeAccounts['accounts'] = {}) {
  const admin = { password: 'printed-once', role: 'admin', initial: true } as const;
  return new MachineBench(new FakeAccounts({ admin, ...others }));
}

describe('who is there', () => {
  it('is asked after the first key, and not before', async () => {
    const console = bench();
    expect(await console.settle()).toBe('');
    expect(console.machine.nextDeadline()).toBeUndefined();
    // Noise of a plug is no key.
    expect(await console.type('\u0000')).toBe('');
    const shown = await console.type('\r');
    expect(shown).toMatch(/Culvert 0\.1\.0 on branch-12\r\nno configuration yet\r\n/);
    expect(shown).toMatch(/branch-12 login: $/);
  });

  it('is told what there is to know in rows that a terminal of 80 columns has', async () => {
    const console = bench();
    console.state = [`a state that takes ${'so many words '.repeat(10)}`, 'x'.repeat(100)];
    const rows = (await console.type('\r')).split('\r\n');
    expect(rows.length).toBeGreaterThan(6);
    expect(rows.filter(({ length }) => length > 79)).toEqual([]);
  });

  it('logs in with name and password, and shows no password', async () => {
    const console = bench();
    await console.type('\r');
    expect(await console.type('admin\r')).toBe('admin\r\nPassword: ');
    expect(await console.type('right horse')).toBe('');
    expect(await console.type('\r')).toBe('\r\n');
    expect(console.shell).toEqual([]);
    expect(console.accounts.attempts).toEqual([{ user: 'admin', password: 'right horse', from: 'console' }]);
    await console.type('show version\r');
    expect(console.shell).toEqual(['show version\r']);
  });

  it('asks for the code of the second factor where there is one, and does not show it', async () => {
    const console = bench();
    await console.type('\r');
    await console.type('carol\r');
    expect(await console.type('battery staple\r')).toBe('\r\nCode of the second factor: ');
    expect(await console.type('123 456\r')).toBe('\r\n');
    expect(console.shell).toEqual([]);
  });

  it('is refused in the words of the accounts, and falls silent after five', async () => {
    const console = bench();
    await console.type('\r');
    for (let time = 1; time <= 5; time += 1) {
      await console.type('admin\r');
      const shown = await console.type('wrong\r');
      expect(shown).toContain('The user or the password is wrong.');
      expect(shown.endsWith('login: ')).toBe(time < 5);
    }
    expect(await console.type('\r')).toContain('login: ');
  });

  it('takes nothing while the back-off lasts, and asks again afterwards', async () => {
    const console = bench();
    console.accounts.retryAfterSeconds = 8;
    await console.type('\r');
    await console.type('admin\r');
    expect(await console.type('wrong\radmin\rright horse\r')).not.toContain('login: ');
    expect(await console.type('admin\rright horse\r')).toBe('');
    expect(await console.pass(7_999)).toBe('');
    expect(await console.pass(1)).toMatch(/login: $/);
    expect(console.accounts.attempts).toHaveLength(1);
  });

  it('may be pasted as a whole, with commands behind it', async () => {
    const console = bench();
    await console.type('\radmin\rright horse\rshow version\rexit\r');
    expect(console.shell).toEqual(['show version\rexit\r']);
  });

  it('keeps no more ahead of a judgement than its bound', async () => {
    const console = bench();
    console.machine.octets(Buffer.from(`\radmin\rright horse\r${'x'.repeat(MAX_AHEAD + 5)}`), 0);
    console.machine.octets(Buffer.from('y'.repeat(10)), 0);
    await console.settle();
    expect(console.shell?.join('')).toBe('x'.repeat(MAX_AHEAD));
  });
});

describe('the first login', () => {
  it('finds the initial password in the banner, must change it, and goes on', async () => {
    const console = fresh();
    expect(await console.type('\r')).toContain('First login: user admin, password printed-once');
    await console.type('admin\r');
    expect(await console.type('printed-once\r')).toMatch(/has to be changed.*\r\nNew password: $/);
    expect(await console.type('short\rshort\r')).toMatch(/It was not changed: it is shorter.*\r\nNew password: $/s);
    expect(await console.type('long enough\rsomething else\r')).toMatch(/not the same.*New password: $/s);
    expect(console.shell).toBeUndefined();
    const shown = await console.type('long enough\rlong enough\r');
    expect(shown).toContain('The password is changed.');
    expect(shown).not.toContain('long enough');
    expect(console.shell).toEqual([]);
    await console.endShell();
    expect(await console.type('\r')).not.toContain('First login');
  });
});

const PROMPTS: readonly (readonly [prompt: string, typed: readonly string[]])[] = [
  ['login:', ['\r']],
  ['Password:', ['\r', 'admin\r']],
  ['Password:, half typed', ['\r', 'admin\r', 'printed-']],
  ['Code of the second factor:', ['\r', 'carol\r', 'battery staple\r']],
  ['Code of the second factor:, half typed', ['\r', 'carol\r', 'battery staple\r', '123 4']],
  ['New password:', ['\r', 'admin\r', 'printed-once\r']],
  ['The same once more:', ['\r', 'admin\r', 'printed-once\r', 'long enough\r']],
];

describe.each(PROMPTS)('at %s', (_, typed) => {
  async function there() {
    const console = fresh({ carol: { password: 'battery staple', role: 'admin', code: '123456' } });
    for (const text of typed) await console.type(text);
    return console;
  }

  function nobody({ accounts, shell }: MachineBench): void {
    expect((accounts as FakeAccounts).sessions.size).toBe(0);
    expect((accounts as FakeAccounts).accounts['admin']?.password).toBe('printed-once');
    expect(shell).toBeUndefined();
  }

  it('a hang-up leaves nobody logged in and nothing to wait for', async () => {
    const console = await there();
    await console.unplug();
    nobody(console);
    expect(console.machine.nextDeadline()).toBeUndefined();
    expect(await console.type('admin\rprinted-once\r')).toBe('');
  });

  it('silence ends it', async () => {
    const console = await there();
    expect(await console.pass(PROMPT_IDLE_MS - 1)).toBe('');
    expect(await console.pass(1)).toContain('Nobody has typed for too long.');
    nobody(console);
    expect(await console.type('x')).toMatch(/login: $/);
  });

  it('^C breaks it off, and somebody can log in again', async () => {
    const console = await there();
    await console.type('\u0003');
    nobody(console);
    expect(await console.type('\r')).toMatch(/login: $/);
  });

  it('^D on an empty line ends it', async () => {
    const console = await there();
    await console.type('\u0015');
    expect(await console.type('\u0004')).toContain('Press Enter to log in.');
    nobody(console);
  });
});

describe('the shell', () => {
  async function loggedIn() {
    const console = bench();
    await console.type('\radmin\rright horse\r');
    return console;
  }

  it('gets every octet, ^C and ^D too, and its end logs out', async () => {
    const console = await loggedIn();
    await console.type('\u0003\u0004é');
    expect(console.shell).toEqual(['\u0003\u0004é']);
    expect(console.accounts.sessions.size).toBe(1);
    expect(await console.endShell()).toContain('Logged out.');
    expect(console.accounts.sessions.size).toBe(0);
    expect(await console.type('\r')).toMatch(/login: $/);
  });

  it('is hung up when nobody types for the idle time; keys put that off', async () => {
    const console = await loggedIn();
    await console.pass(IDLE_MS - 1);
    await console.type('x');
    await console.pass(IDLE_MS - 1);
    expect(console.shell).toEqual(['x']);
    await console.pass(1);
    await console.type('too late');
    expect(console.shell).toEqual(['x', 'hang-up']);
    expect(await console.endShell()).toContain('nobody has typed for too long');
    expect(console.accounts.sessions.size).toBe(0);
  });

  it('is hung up when the line is unplugged, and the session ends at once', async () => {
    const console = await loggedIn();
    await console.unplug();
    expect(console.shell).toEqual(['hang-up']);
    expect(console.accounts.sessions.size).toBe(0);
    expect(await console.endShell()).toBe('');
  });
});

describe('a session that is ended elsewhere', () => {
  it('ends the shell, says so, and lets somebody log in again', async () => {
    const console = bench();
    await console.type('\radmin\rright horse\r');
    expect(await console.revoke()).toBe('');
    expect(console.shell).toEqual(['hang-up']);
    expect(console.machine.session).toBeUndefined();
    await console.type('reboot --yes\r');
    expect(console.shell).toEqual(['hang-up']);
    expect(await console.endShell()).toMatch(/the session was ended elsewhere.*Log in again\.\r\nPress Enter/s);
    await console.type('\radmin\rright horse\r');
    expect(console.shell).toEqual([]);
  });

  it.each([
    ['New password:', []],
    ['The same once more:', ['long enough\r']],
  ] as const)('ends the change of the initial password at %s', async (_, typed) => {
    const console = fresh();
    for (const text of ['\r', 'admin\r', 'printed-once\r', ...typed]) await console.type(text);
    expect(await console.revoke()).toContain('the session was ended elsewhere');
    expect(await console.type('\r')).toMatch(/login: $/);
    expect((console.accounts as FakeAccounts).accounts['admin']?.password).toBe('printed-once');
  });

  it('is none of its business when it is not the one on the line', async () => {
    const console = bench();
    await console.type('\radmin\rright horse\r');
    console.machine.sessionEnded('token 77');
    expect(await console.settle()).toBe('');
    expect(console.shell).toEqual([]);
  });
});

describe('an answer that comes when the line is gone', () => {
  it('is no session that anybody could use', async () => {
    const console = bench();
    console.machine.octets(Buffer.from('\radmin\rright horse\r'), 0);
    console.machine.unplugged();
    await console.settle();
    expect(console.accounts.attempts).toHaveLength(1);
    expect(console.accounts.sessions.size).toBe(0);
    expect(console.shell).toBeUndefined();
  });
});
