import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { FakeAccounts, TOKEN } from '../api/fake-accounts.ts';
import { FakeConfiguration } from '../api/fake-configuration.ts';
import { FakeRouter, makeStateDir } from '../api/fake-router.ts';
import type { Finished } from './culvert.ts';
import { type Typist, typist } from './typist.ts';

let stateDir: ReturnType<typeof makeStateDir>;
let accounts: FakeAccounts;
let config: FakeConfiguration;

beforeAll(() => {
  stateDir = makeStateDir();
});
afterAll(() => stateDir.remove());

beforeEach(async () => {
  [accounts, config] = [new FakeAccounts(), new FakeConfiguration()];
  const logger = createLogger({ level: 'silent', secrets: () => [] });
  const socketPath = controlSocketPath(stateDir.path);
  const api = await startControlApi({ socketPath, control: new FakeRouter(), config, accounts, logger });
  return () => api.close();
});

const run = (...words: string[]): Promise<Finished> => runAt(undefined, ...words);

async function runAt(person: Typist | undefined, ...words: string[]): Promise<Finished> {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = person?.output ?? new PassThrough({ encoding: 'utf8' });
  vi.stubEnv('CULVERT_STATE_DIR', stateDir.path);
  try {
    const code = await runCommandLine(words, stdout, stderr, person?.input ?? new PassThrough());
    return { code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
  } finally {
    vi.unstubAllEnvs();
  }
}

describe('culvert user', () => {
  it('lists who may log in, and says who does where there is nobody', async () => {
    expect((await run('user', 'list')).stdout).toMatch(/there is no user.*initial password that the console shows/);
    const users = {
      anna: { role: 'admin', password: '********', totp: '********', disabled: false },
      otto: { role: 'operator', password: '********', disabled: true },
    };
    vi.spyOn(config, 'running').mockReturnValue({ users });
    expect((await run('user', 'list')).stdout).toBe(
      'NAME  ROLE      SECOND FACTOR\nanna  admin     yes\notto  operator  no             disabled\n',
    );
    expect(JSON.parse((await run('user', 'list', '--json')).stdout)).toEqual([
      { name: 'anna', role: 'admin', disabled: false, secondFactor: true },
      { name: 'otto', role: 'operator', disabled: true, secondFactor: false },
    ]);
  });

  it('lists and ends sessions', async () => {
    expect((await run('user', 'sessions')).stdout).toMatch(
      /^ID +USER .*\n0{16} +anna +admin +web +192\.0\.2\.7 +1970-01-01 00:00:00 UTC +2 s\n$/,
    );
    expect(await run('user', 'revoke', '0'.repeat(16))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ended'),
    });
    const gone = await run('user', 'revoke', '1'.repeat(16));
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no session 1111') });
  });

  it('makes a token, whose secret stands alone on stdout, lists and revokes it', async () => {
    const made = await run('user', 'token', 'create', 'anna', '--name', 'backup', '--role', 'operator', '--days', '7');
    expect(made).toMatchObject({ code: 0, stdout: 'culvert_secret\n', stderr: expect.stringContaining('this once') });
    await run('user', 'token', 'create', 'anna', '--name', 'x');
    expect((await run('user', 'token', 'list')).stdout).toContain('backup');
    expect((await run('user', 'token', 'revoke', TOKEN.id)).code).toBe(0);
    expect(accounts.asked).toEqual([
      ['createToken', { user: 'anna', name: 'backup', role: 'operator', days: 7 }, undefined],
      ['createToken', { user: 'anna', name: 'x', role: 'viewer', days: 90 }, undefined],
      ['tokens', undefined],
      ['revokeToken', TOKEN.id, undefined],
    ]);
    accounts.tokenResult = { ok: false, reason: 'there is no user "eve"', remedy: 'name one who may log in' };
    const refused = await run('user', 'token', 'create', 'eve', '--name', 'x');
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/no user "eve".*name one/) });
  });

  it('sets up a second factor, with a code of the app that shows that it has the secret', async () => {
    const done = await runAt(typist('123 456\n'), 'user', 'totp', 'anna');
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/otpauth:\/\/totp\/x.*anna needs a code/s) });
    expect(accounts.asked).toEqual([
      ['beginTotpFor', 'anna'],
      ['confirmTotpFor', 'anna', '123456', { who: expect.any(String), via: 'cli' }],
    ]);
    expect((await runAt(typist('12\n'), 'user', 'totp', 'anna')).code).toBe(2);
    accounts.doneResult = { ok: false, reason: 'the code is wrong', remedy: 'check the clock' };
    const wrong = await runAt(typist('123456\n'), 'user', 'totp', 'anna');
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('the code is wrong; check the clock') });
    expect(await run('user', 'totp', 'anna')).toMatchObject({ code: 2, stderr: expect.stringContaining('terminal') });
  });

  it.each([
    [['token'], 'choose one of list'],
    [['sesions'], 'did you mean "sessions"'],
    [['revoke'], 'needs ID'],
    [['revoke', 'xyz'], '16 hexadecimal digits'],
    [['list', 'anna'], 'one argument too many'],
    [['revoke', '0'.repeat(16), 'x'], 'one argument too many'],
    [['token', 'create', 'anna'], '--name NAME'],
    [['token', 'create', 'anna', '--name', 'x', '--role', 'root'], 'no role "root"'],
    [['token', 'create', 'anna', '--name', 'x', '--days', '400'], '1 to 366'],
  ])('says what is wrong with %j', async (words, why) => {
    const { code, stderr } = await run('user', ...words);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(why) });
    expect(accounts.asked).toEqual([]);
  });
});

describe('culvert show audit', () => {
  it('prints who did what and what came of it', async () => {
    expect((await run('show', 'audit')).stdout).toMatch(
      /^WHEN +WHO .*\n1970-01-01 00:00:00 UTC +anna +web +192\.0\.2\.7 +PUT \/v1\/config +done\n$/,
    );
    const [entry] = JSON.parse((await run('show', 'audit', '--json')).stdout);
    expect(entry).toMatchObject({ who: 'anna', what: 'PUT /v1/config', result: 'done' });
  });

  it('has what the local administrator changes, by name where one is said', async () => {
    await run('revert');
    await run('disconnect', 'hq');
    expect(accounts.recorded).toMatchObject([
      { who: expect.stringMatching(/./), via: 'cli', from: 'local', what: 'POST /v1/config/revert', result: 'done' },
      { who: 'local', via: 'local', from: 'local', what: 'POST /v1/connections/hq/disconnect', result: 'done' },
    ]);
  });
});
