import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { COMMITTED, FakeConfiguration, HISTORY, PREVIEW } from '../api/fake-configuration.ts';
import { FakeRouter, makeStateDir, STATUS } from '../api/fake-router.ts';
import { culvert, type Finished } from './culvert.ts';
import { type Typist, typist } from './typist.ts';

const AUTHOR = { who: userInfo().username, via: 'cli' };
const PASSPHRASE = 'correct horse battery';
const NO_TERMINAL = new PassThrough();

let stateDir: ReturnType<typeof makeStateDir>;
let folder: string;
let file: string;
let passphraseFile: string;
let router: FakeRouter;
let config: FakeConfiguration;
let api: ControlApi;

beforeAll(async () => {
  stateDir = makeStateDir();
  folder = mkdtempSync(join(tmpdir(), 'cv-cli-'));
  file = join(folder, 'branch.json');
  passphraseFile = join(folder, 'passphrase');
  writeFileSync(file, '{}');
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`);
});

beforeEach(async () => {
  router = new FakeRouter();
  config = new FakeConfiguration();
  const logger = createLogger({ level: 'silent', secrets: () => [] });
  api = await startControlApi({ socketPath: controlSocketPath(stateDir.path), control: router, config, logger });
  return () => api.close();
});

afterAll(() => {
  stateDir.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Without a process of its own, and without a terminal unless somebody sits there. */
async function run(words: readonly string[], at?: Typist): Promise<Finished> {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = at?.output ?? new PassThrough({ encoding: 'utf8' });
  vi.stubEnv('CULVERT_STATE_DIR', stateDir.path);
  try {
    const code = await runCommandLine(words, stdout, stderr, at?.input ?? NO_TERMINAL);
    return { code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
  } finally {
    vi.unstubAllEnvs();
  }
}

const CONFLICT = { ok: false, reason: 'revision 6 waits for its confirmation', remedy: 'confirm it first' } as const;
const WRONG = {
  ok: false,
  problems: [
    {
      severity: 'error',
      rule: 'unknown-key',
      path: 'systm',
      found: 'an unknown key',
      allowed: 'system',
      suggestion: 'system',
    },
    { severity: 'error', rule: 'type', path: 'routes', found: '1', allowed: 'a list' },
  ],
} as const;

describe('apply', () => {
  it('says who commits, and every word about it', async () => {
    const words = ['apply', file, '--confirm-within', '20', '--check', '--comment', 'neuer Server'];
    expect((await run(words)).code).toBe(0);
    expect(config.applied).toEqual([
      {
        text: '{}',
        fileName: 'branch.json',
        request: { ...AUTHOR, comment: 'neuer Server', confirmWithin: 20, check: true },
      },
    ]);
  });

  it('prints the diff, then what happens to connections, and says how to keep it', async () => {
    config.commitResult = { ...COMMITTED, ...PREVIEW, warnings: ['w'], failures: ['f'], confirmBy: 1 };
    expect(await culvert(['apply', file, '--confirm-within', '20'], stateDir.path)).toEqual({
      code: 0,
      stdout:
        '~ system.hostname: "a" -> "b"\nL2TP client "hq" starts anew\n' +
        'revision 7 is in force for 20 s; keep it with "culvert confirm"\n',
      stderr: 'culvert: warning: w\nculvert: warning: f\n',
    });
    const { stdout } = await run(['apply', file, '--confirm-within', '20', '--check']);
    expect(stdout).toContain('it stays when every connection that was up is up again by then');
  });

  it('with --dry-run prints what would be done in the words of ip, and asks for no more', async () => {
    const { code, stdout } = await run(['apply', file, '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      '~ system.hostname: "a" -> "b"\nL2TP client "hq" starts anew\nip address add 192.168.13.1/24 dev lan0\n',
    );
    expect(config.applied).toEqual([]);
    expect(config.asked).toEqual([['preview', '{}', 'branch.json']]);
  });

  it('with --json prints the whole answer, of a refusal, too', async () => {
    config.commitResult = { ...COMMITTED, ...PREVIEW, confirmBy: 1 };
    expect(JSON.parse((await run(['apply', file, '--json'])).stdout)).toEqual(config.commitResult);
    expect(JSON.parse((await run(['apply', file, '--dry-run', '--json'])).stdout)).toEqual(PREVIEW);
    config.commitResult = WRONG;
    const { code, stdout, stderr } = await run(['apply', file, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual(WRONG);
    expect(stderr).toMatch(/^culvert: [^\n]+ it has 2 problems[^\n]+\n$/);
  });

  it('says of a refused one what would have been a warning only after its errors', async () => {
    const warning = {
      severity: 'warning',
      rule: 'weak',
      path: 'ipsec',
      found: 'a short PSK',
      allowed: 'more',
    } as const;
    config.commitResult = { ok: false, problems: [...WRONG.problems.slice(0, 1), warning] };
    const { stderr } = await run(['apply', file]);
    expect(stderr).toBe(
      `culvert: ${file} is refused and nothing was changed: at systm found an unknown key, allowed: system; ` +
        'did you mean "system"?\nculvert: warning: at ipsec found a short PSK, allowed: more\n',
    );
  });

  it('says why it was not tried', async () => {
    config.commitResult = CONFLICT;
    expect(await run(['apply', file])).toEqual({
      code: 1,
      stdout: '',
      stderr: `culvert: ${file} is not in force: revision 6 waits for its confirmation; confirm it first\n`,
    });
  });

  it.each([
    [['--confirm-within', '4'], '--confirm-within needs whole seconds, 5 to 86400, and not "4"'],
    [['--confirm-within', '86401'], 'and not "86401"'],
    [['--confirm-within', '20s'], 'and not "20s"'],
    [['--check'], '--check needs a time within which it passes'],
    [['--comment', 'x'.repeat(257)], '--comment takes up to 256 characters'],
    [['--comment', 'two\nlines'], '--comment takes a single line'],
  ])('refuses %j as wrong usage', async (options, sentence) => {
    const { code, stderr } = await run(['apply', file, ...options]);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
    expect(config.applied).toEqual([]);
  });
});

describe('confirm and revert', () => {
  it('say what is in force then', async () => {
    expect(await run(['confirm'])).toEqual({ code: 0, stdout: 'revision 7 is confirmed\n', stderr: '' });
    expect(await run(['revert'])).toEqual({ code: 0, stdout: 'revision 7 is in force again\n', stderr: '' });
    expect(config.asked).toEqual([
      ['confirm', AUTHOR],
      ['revert', AUTHOR],
    ]);
    expect(JSON.parse((await run(['confirm', '--json'])).stdout)).toEqual(HISTORY.state);
    config.historyNow = { ...HISTORY, state: { revision: 0, state: 'factory' } };
    expect((await run(['revert'])).stdout).toBe('the factory configuration is in force again\n');
  });

  it('say that nothing waits', async () => {
    config.commandResult = {
      ok: false,
      reason: 'no configuration waits for its confirmation',
      remedy: 'see the history',
    };
    const sentence = 'no configuration waits for its confirmation; see the history\n';
    expect(await run(['confirm'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `culvert: nothing was confirmed: ${sentence}`,
    });
    expect((await run(['revert'])).stderr).toBe(`culvert: nothing was taken back: ${sentence}`);
  });
});

describe('rollback', () => {
  it('commits an earlier revision', async () => {
    config.commitResult = { ...COMMITTED, diff: ['- routes[0]'], confirmBy: 1 };
    const { code, stdout } = await run(['rollback', '5', '--confirm-within', '60', '--comment', 'back']);
    expect(code).toBe(0);
    expect(stdout).toBe('- routes[0]\nrevision 7 is in force for 60 s; keep it with "culvert confirm"\n');
    expect(config.asked).toEqual([['rollback', 5, { ...AUTHOR, comment: 'back', confirmWithin: 60 }]]);
  });

  it('with --dry-run compares it with what is in force', async () => {
    expect((await run(['rollback', '5', '--dry-run'])).stdout).toContain('ip address add');
    expect(config.asked).toEqual([['compare', 'running', 5]]);
  });

  it.each(['0', '-1', 'x', '1e3', '99999999999'])('refuses %s as wrong usage', async (word) => {
    const { code, stderr } = await run(['rollback', '--', word]);
    expect(code).toBe(2);
    expect(stderr).toContain(`"${word}" is no number of a revision: choose one of "culvert show history"`);
  });
});

describe('compare', () => {
  it.each([
    [[], 5, 'running'],
    [['3'], 3, 'running'],
    [['3', '4'], 3, 4],
    [['running', 'candidate'], 'running', 'candidate'],
  ])('of %j is of the right two', async (words, from, to) => {
    const { code, stdout } = await run(['compare', ...words]);
    expect(code).toBe(0);
    expect(stdout).toContain('~ system.hostname: "a" -> "b"\n');
    expect(config.asked).toEqual([['compare', from, to]]);
  });

  it('says when there is no difference, and why it could not be made', async () => {
    config.previewResult = { ...PREVIEW, diff: [], connections: [], network: [] };
    expect((await run(['compare', '3'])).stdout).toBe('revision 3 and what is in force are the same\n');
    config.previewResult = { ok: false, reason: 'there is no revision 99', remedy: 'see the history' };
    expect((await run(['compare', '99'])).stderr).toBe(
      'culvert: nothing was compared: there is no revision 99; see the history\n',
    );
  });

  it('has nothing to compare the first with', async () => {
    config.historyNow = { ...HISTORY, state: { revision: 5, state: 'confirmed' } };
    expect((await run(['compare'])).stdout).toContain('revision 5 is the first');
    config.historyNow = { ...HISTORY, revisions: [], state: { revision: 0, state: 'factory' } };
    const { code, stdout } = await run(['compare']);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no configuration is in force'),
    });
    expect(config.asked).toEqual([]);
  });

  it('refuses another word', async () => {
    const { code, stderr } = await run(['compare', 'runing']);
    expect(code).toBe(2);
    expect(stderr).toContain('"runing" is no revision');
    expect(stderr).toContain('did you mean "running"?');
  });
});

describe('show history', () => {
  it('is a table that marks the one in force', async () => {
    const { code, stdout } = await run(['show', 'history']);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      '   REVISION  WHEN                     WHO    VIA  STATE      COMMENT',
      '*  7         2026-11-26 00:00:00 UTC  alice  cli  confirmed  new server',
      '   6         2026-11-26 00:00:00 UTC  alice  cli  reverted   [nobody confirmed it in time]',
      '   5         2026-11-26 00:00:00 UTC  alice  cli  confirmed',
      '',
    ]);
    expect(JSON.parse((await run(['show', 'history', '--json'])).stdout)).toEqual(HISTORY);
  });

  it('says that there is none', async () => {
    config.historyNow = { revisions: [], events: [], state: { revision: 0, state: 'factory' } };
    expect((await run(['show', 'history'])).stdout).toBe(
      'no configuration is in force yet: "configure" or "culvert apply FILE" gives one\n',
    );
  });
});

describe('show status', () => {
  it.each([
    [
      { revision: 7, state: 'pending', secondsLeft: 72, parent: 6, who: 'alice' },
      'revision 7 of alice waits for its confirmation: revision 6 comes back in 1 min 12 s; keep it with "culvert confirm"',
    ],
    [
      { revision: 1, state: 'pending', secondsLeft: 5, parent: 0 },
      'revision 1 waits for its confirmation: the factory configuration comes back in 5 s; keep it with "culvert confirm"',
    ],
    [
      { revision: 5, state: 'recovered', reason: 'the store was damaged', remedy: 'compare it' },
      'the configuration was recovered: the store was damaged; compare it',
    ],
    [
      { revision: 0, state: 'factory' },
      'no configuration is in force yet: "configure" or "culvert apply FILE" gives one',
    ],
    [
      { revision: 0, state: 'failsafe', reason: 'there is no export', remedy: 'apply one' },
      'FAILSAFE, the router serves its LAN only: there is no export; apply one',
    ],
  ] as const)('begins with what has to be known of %j', async (configuration, line) => {
    router.statusNow = async () => ({ ...STATUS, configuration });
    expect((await run(['show', 'status'])).stdout.split('\n')[0]).toBe(line);
  });

  it('says nothing of a configuration that is confirmed', async () => {
    expect((await run(['show', 'status'])).stdout).toMatch(/^branch-12: culvert /);
  });
});

describe('backup', () => {
  const target = () => join(mkdtempSync(join(folder, 'b-')), 'backup.json');

  it('asks for a new passphrase twice, and writes a file that only its owner may read', async () => {
    const at = typist(`${PASSPHRASE}\r`, `${PASSPHRASE}\r`);
    const path = target();
    const { code, stdout, stderr } = await run(['backup', path], at);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Passphrase: \nThe same once more: \n' });
    expect(at.echoed).toEqual([false, false]);
    expect(stdout).toContain(path);
    expect(readFileSync(path, 'utf8')).toBe('{"kind":"backup"}');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(config.asked).toEqual([['backup', PASSPHRASE]]);
  });

  it('takes the passphrase from a file, without the end of its line', async () => {
    const path = target();
    const words = ['backup', path, '--passphrase-file', passphraseFile, '--json'];
    const { code, stdout, stderr } = await culvert(words, stateDir.path);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ file: path, octets: 17 });
    expect(config.asked).toEqual([['backup', PASSPHRASE]]);
  });

  it('never writes over a file, unless that is wanted', async () => {
    const path = target();
    writeFileSync(path, 'precious');
    const words = ['backup', path, '--passphrase-file', passphraseFile];
    const { code, stderr } = await run(words);
    expect(code).toBe(1);
    expect(stderr).toContain('is there already and stays as it is');
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(config.asked).toEqual([]);
    expect((await run([...words, '--force'])).code).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('{"kind":"backup"}');
  });

  it('without a terminal and a file says where the passphrase may come from', async () => {
    const { code, stderr } = await culvert(['backup', target()], stateDir.path);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^culvert: [^\n]+ name a file that holds it with --passphrase-file FILE\n$/);
    expect(config.asked).toEqual([]);
  });

  it.each([
    ['two that differ', [`${PASSPHRASE}\r`, 'another one\r'], 1, 'the two passphrases are not the same'],
    ['an empty one', ['\r', '\r'], 2, 'the passphrase is empty'],
    ['Ctrl-C', ['\u0003'], 1, 'broken off'],
  ])('refuses %s and writes nothing', async (_what, answers, exitCode, sentence) => {
    const { code, stderr } = await run(['backup', target()], typist(...answers));
    expect(code).toBe(exitCode);
    expect(stderr).toContain(sentence);
    expect(config.asked).toEqual([]);
  });

  it('refuses a file of several lines, without quoting it', async () => {
    const several = join(folder, 'several');
    writeFileSync(several, 'one secret\nanother\n');
    const { code, stderr } = await run(['backup', target(), '--passphrase-file', several]);
    expect(code).toBe(2);
    expect(stderr).toContain('has several lines');
    expect(stderr).not.toContain('secret');
  });

  it('says why there is none', async () => {
    config.backupResult = { ok: false, reason: 'the passphrase is too short', remedy: 'choose another one' };
    const { code, stderr } = await run(['backup', target(), '--passphrase-file', passphraseFile]);
    expect(code).toBe(1);
    expect(stderr).toBe('culvert: no backup was made: the passphrase is too short; choose another one\n');
  });
});

describe('restore', () => {
  it('asks once, and commits', async () => {
    config.commitResult = { ...COMMITTED, diff: ['- routes[0]'] };
    const { code, stdout } = await run(['restore', file, '--comment', 'new board'], typist(`${PASSPHRASE}\r`));
    expect({ code, stdout }).toEqual({ code: 0, stdout: '- routes[0]\n' });
    expect(config.asked).toEqual([['restore', '{}', PASSPHRASE, { ...AUTHOR, comment: 'new board' }]]);
  });

  it('with --dry-run shows what it would change', async () => {
    const { code, stdout } = await run(['restore', file, '--dry-run', '--passphrase-file', passphraseFile]);
    expect(code).toBe(0);
    expect(stdout).toContain('ip address add');
    expect(config.asked).toEqual([['previewRestore', '{}', PASSPHRASE]]);
  });

  it('says that the passphrase is wrong', async () => {
    config.commitResult = { ok: false, reason: 'the passphrase is wrong', remedy: 'take the right one' };
    const { code, stderr } = await run(['restore', file, '--passphrase-file', passphraseFile]);
    expect(code).toBe(1);
    expect(stderr).toBe(`culvert: ${file} is not in force: the passphrase is wrong; take the right one\n`);
  });

  it('reads the file before it asks', async () => {
    const { code, stderr } = await run(['restore', join(folder, 'missing')], typist());
    expect(code).toBe(1);
    expect(stderr).not.toContain('Passphrase');
  });
});

describe('factory-reset', () => {
  it('is done when the word is typed, or with --yes', async () => {
    const { code, stdout } = await run(['factory-reset'], typist('reset\n'));
    expect(code).toBe(0);
    expect(stdout).toBe('the router has forgotten everything and ends: its next start is its first\n');
    expect((await run(['factory-reset', '--yes'])).code).toBe(0);
    expect(config.asked).toEqual([
      ['factoryReset', AUTHOR],
      ['factoryReset', AUTHOR],
    ]);
  });

  it('is not done for any other word', async () => {
    const { code, stderr } = await run(['factory-reset'], typist('yes\n'));
    expect(code).toBe(1);
    expect(stderr).toContain('the router was not reset');
    expect(config.asked).toEqual([]);
  });

  it('is not done without a terminal unless --yes says so', async () => {
    const { code, stderr } = await run(['factory-reset']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^culvert: [^\n]+ say so with --yes\n$/);
    expect(config.asked).toEqual([]);
  });
});
