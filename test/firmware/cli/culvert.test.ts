import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { COMMITTED, FakeConfiguration } from '../api/fake-configuration.ts';
import { BOARD, FakeRouter, makeStateDir, STATUS } from '../api/fake-router.ts';
import { culvert, type Finished } from './culvert.ts';

let stateDir: ReturnType<typeof makeStateDir>;
let router: FakeRouter;
let config: FakeConfiguration;
let api: ControlApi;

beforeAll(async () => {
  stateDir = makeStateDir();
  router = new FakeRouter();
  config = new FakeConfiguration();
  const logger = createLogger({ level: 'silent', secrets: () => [] });
  api = await startControlApi({ socketPath: controlSocketPath(stateDir.path), control: router, config, logger });
});

beforeEach(() => {
  config.commitResult = COMMITTED;
  router.disconnectResult = { ok: true };
  router.onConnect = async () => ({ ok: true });
  config.applied.length = 0;
  router.lines = [];
});

afterAll(async () => {
  await api.close();
  stateDir.remove();
});

const run = (...words: string[]) => culvert(words, stateDir.path);

/** The same without a process of its own: for what differs in words only. */
async function runHere(...words: string[]): Promise<Finished> {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  vi.stubEnv('CULVERT_STATE_DIR', stateDir.path);
  try {
    const code = await runCommandLine(words, stdout, stderr);
    return { code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
  } finally {
    vi.unstubAllEnvs();
  }
}

describe('wrong usage', () => {
  it.each([
    [['sohw', 'status'], 'there is no command "sohw": try "culvert help"; did you mean "show"?'],
    [['show', 'statsu'], 'did you mean "status"?'],
    [['show', 'status', '--jsn'], 'there is no option "--jsn": try "culvert help"; did you mean "--json"?'],
    [['apply', 'x', '--confirm-within', 'soon'], '--confirm-within needs whole seconds'],
    [[], 'no command is given: try "culvert help"'],
  ])('%j ends with 2 and one line that says what to do', async (words, sentence) => {
    const { code, stdout, stderr } = await run(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/^culvert: [^\n]+\n$/);
  });
});

describe('show ipsec --keys', () => {
  const KEYS = [
    { connection: 'hq', table: 'ikev2_decryption_table', line: '01,02' },
    { connection: 'hq', table: 'esp_sa', line: '"IPv4","out"' },
    { connection: 'plant', table: 'esp_sa', line: '"IPv4","in"' },
  ] as const;

  it('prints the lines of each table together, and warns on stderr', async () => {
    router.keysResult = { ok: true, keys: KEYS };
    const { code, stdout, stderr } = await runHere('show', 'ipsec', '--keys');
    expect(code).toBe(0);
    expect(stdout).toBe('# esp_sa\n"IPv4","out"\n"IPv4","in"\n# ikev2_decryption_table\n01,02\n');
    expect(stderr).toMatch(/^culvert: whoever has these keys reads what these connections carry: [^\n]+\n$/);
    expect(router.askedKeys.at(-1)).toBeUndefined();
  });

  it('asks for those of one connection, and prints JSON', async () => {
    router.keysResult = { ok: true, keys: KEYS };
    const { stdout } = await runHere('show', 'ipsec', '--keys', 'hq', '--json');
    expect(JSON.parse(stdout)).toEqual(KEYS);
    expect(router.askedKeys.at(-1)).toBe('hq');
  });

  it('says that there are none, and that a connection does not exist', async () => {
    router.keysResult = { ok: true, keys: [] };
    expect((await runHere('show', 'ipsec', '--keys')).stderr).toContain('it has to be up');
    router.keysResult = {
      ok: false,
      reason: 'there is no IPsec connection "x"',
      remedy: 'choose one of hq',
      notFound: [],
    };
    const { code, stderr } = await runHere('show', 'ipsec', '--keys', 'x');
    expect(code).toBe(1);
    expect(stderr).toContain('there is no IPsec connection "x": choose one of hq');
  });

  it('is refused for anything else', async () => {
    const { code, stderr } = await runHere('show', 'status', '--keys');
    expect(code).toBe(2);
    expect(stderr).toContain('"show status" has no keys: write "culvert show ipsec --keys"');
  });
});

describe('a router that is not there', () => {
  it('ends with 1 and says how to start it', async () => {
    const elsewhere = join(stateDir.path, 'nothing');
    const { code, stderr } = await run('show', 'status', '--state-dir', elsewhere);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `culvert: no culvert is running with state directory ${elsewhere}: ` +
        'start it with "culvert run", or name the right directory with --state-dir\n',
    );
  });

  it('is looked for in /var/lib/culvert when nobody says otherwise', async () => {
    const { stderr } = await culvert(['connect', 'hq', '--state-dir=']);
    expect(stderr).toContain('--state-dir needs a value');
    expect((await culvert(['help', 'show'])).stdout).toContain('/var/lib/culvert');
  });
});

describe('show', () => {
  it('prints the status as JSON, field for field', async () => {
    const { code, stdout, stderr } = await run('show', 'status', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(STATUS);
  });

  it('takes the state directory from the option before the environment, and options before the command', async () => {
    const { code } = await culvert(['--state-dir', stateDir.path, 'show', 'l2tp'], join(stateDir.path, 'nothing'));
    expect(code).toBe(0);
  });

  it.each([
    ['interfaces', STATUS.interfaces],
    ['uplinks', []],
    ['l2tp', STATUS.l2tp],
    ['ppp', STATUS.ppp],
    ['ipsec', []],
    ['leds', BOARD],
    ['modems', []],
  ])('%s --json prints that list alone', async (topic, list) => {
    const { code, stdout } = await runHere('show', topic, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(list);
  });

  it('prints aligned tables for people, with reason and remedy of what failed', async () => {
    const { code, stdout } = await runHere('show', 'l2tp');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'NAME   ROLE    STATE   TUNNEL  PEER TUNNEL  PEER',
        'hq     client  up      4711    12           10.20.0.2:1701',
        'plant  client  failed  -       -            10.20.0.8:1701',
        'plant: SCCRQ was not answered; check that the server runs',
        '',
        'SESSION OF  STATE  SESSION  PEER SESSION  INTERFACE  RECEIVED      SENT       ORDER  DROPS',
        'hq          up     100      200           l2tp-hq    12 (15.3 KB)  9 (900 B)  -      wrongSource 2',
        '',
      ].join('\n'),
    );
  });

  it('prints the configuration that is in force', async () => {
    const { code, stdout } = await runHere('show', 'config');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(config.running());
  });

  it('prints the log for people, and as it is with --json', async () => {
    router.lines = [
      JSON.stringify({
        level: 'info',
        time: '2025-01-31T12:00:00.000Z',
        connection: 'hq',
        msg: 'the tunnel is up',
        id: 7,
      }),
      JSON.stringify({ level: 'warn', time: '2025-01-31T12:00:01.000Z', msg: 'two\nlines' }),
    ];
    expect((await runHere('show', 'log')).stdout).toBe(
      '2025-01-31T12:00:00.000Z info  hq: the tunnel is up (id 7)\n2025-01-31T12:00:01.000Z warn  two\\nlines\n',
    );
    expect((await runHere('show', 'log', '--json')).stdout).toBe(`${router.lines.join('\n')}\n`);
  });

  it('lets nothing through that moves the cursor of a terminal or hides text', async () => {
    router.lines = [JSON.stringify({ msg: 'evil \u001b[2J\u009b2J \u202e' })];
    const { stdout } = await runHere('show', 'log');
    expect(stdout).toBe('evil \\u001b[2J\\u009b2J \\u202e\n');
  });

  it('ends quietly when the reader of its output has gone', async () => {
    router.lines = Array.from({ length: 1000 }, (_, index) => JSON.stringify({ msg: `${index} ${'x'.repeat(1000)}` }));
    const main = fileURLToPath(new URL('../../../firmware/cli/main.ts', import.meta.url));
    const child = spawn(process.execPath, [main, 'show', 'log', '--state-dir', stateDir.path], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const [code, signal] = await once(child, 'close');
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  });
});

describe('apply', () => {
  it('hands the file over, prints the diff on stdout and warnings on stderr', async () => {
    const file = join(stateDir.path, 'branch.json');
    writeFileSync(file, '{ "system": { "hostname": "b" } }');
    config.commitResult = {
      ...COMMITTED,
      diff: ['~ system.hostname: "a" -> "b"'],
      warnings: ['the PSK of hq is short'],
    };
    expect(await run('apply', file)).toEqual({
      code: 0,
      stdout: '~ system.hostname: "a" -> "b"\n',
      stderr: 'culvert: warning: the PSK of hq is short\n',
    });
    expect(config.applied).toMatchObject([{ text: '{ "system": { "hostname": "b" } }', fileName: 'branch.json' }]);
  });

  it('ends with 1 and says where, what was found, what is allowed and what was meant', async () => {
    const file = join(stateDir.path, 'wrong.json');
    writeFileSync(file, '{}');
    const problem = {
      severity: 'error',
      rule: 'unknown-key',
      path: 'l2tp.clients.hq',
      found: 'key "sevrer"',
      allowed: 'server, user',
      suggestion: 'server',
    } as const;
    config.commitResult = { ok: false, problems: [problem] };
    expect(await run('apply', file)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `culvert: ${file} is refused and nothing was changed: ` +
        'at l2tp.clients.hq found key "sevrer", allowed: server, user; did you mean "server"?\n',
    });
  });

  it.each([
    ['is not there', (directory: string) => join(directory, 'missing.json')],
    ['is a directory', (directory: string) => directory],
  ])('ends with 1 when the file %s', async (why, file) => {
    const { code, stderr } = await runHere('apply', file(stateDir.path));
    expect(code).toBe(1);
    expect(stderr).toContain(`it ${why}`);
    expect(config.applied).toEqual([]);
  });

  it('does not send a file over 1 MiB', async () => {
    const file = join(stateDir.path, 'big.json');
    writeFileSync(file, ' '.repeat(1024 * 1024 + 1));
    const { code, stderr } = await run('apply', file);
    expect(code).toBe(1);
    expect(stderr).toContain('larger than 1 MiB');
  });
});

describe('connect and disconnect', () => {
  it('prints the steps while it waits, of that connection alone, and ends with 0 when it is up', async () => {
    router.onConnect = async () => {
      router.emit({ at: 1, connection: 'hq', kind: 'step', direction: 'sent', step: 'SCCRQ', sinceStartMs: 42 });
      router.emit({ at: 1, connection: 'plant', kind: 'step', direction: 'sent', step: 'SCCRQ' });
      return { ok: true };
    };
    const { code, stdout, stderr } = await run('connect', 'hq');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('   0.042 s  sent SCCRQ\nhq is up\n');
  });

  it('ends with 1 and names step, reason and remedy when it failed', async () => {
    router.onConnect = async () => ({
      ok: false,
      step: 'SCCRQ',
      reason: 'no answer came',
      remedy: 'check the address',
    });
    const { code, stderr } = await run('connect', 'hq');
    expect(code).toBe(1);
    expect(stderr).toBe('culvert: hq was not connected, it failed at SCCRQ: no answer came; check the address\n');
  });

  it('names the connections that exist and the one that was probably meant', async () => {
    router.onConnect = async () => ({ ok: false, reason: 'not there', notFound: ['hq', 'plant'] });
    const { code, stderr } = await runHere('connect', 'plnat');
    expect(code).toBe(1);
    expect(stderr).toBe('culvert: there is no connection "plnat": there is hq, plant; did you mean "plant"?\n');
  });

  it('disconnects, and says why not when it cannot', async () => {
    expect(await runHere('disconnect', 'hq')).toEqual({ code: 0, stdout: 'hq is down\n', stderr: '' });
    router.disconnectResult = { ok: false, reason: 'it is a server', remedy: 'remove it from the configuration' };
    const { code, stderr } = await runHere('disconnect', 'office');
    expect(code).toBe(1);
    expect(stderr).toContain('it is a server; remove it from the configuration');
  });
});

describe('diagnose', () => {
  it('prints what the router found out', async () => {
    const finding = { id: 'x', step: 'lcp', seen: 'a thing', cause: 'a cause', remedy: 'a remedy' } as const;
    const steps = [{ step: 'lcp', state: 'failed', evidence: ['a thing'] }] as const;
    const diagnosis = { name: 'hq', state: 'failed', steps, findings: [finding] } as const;
    router.onDiagnose = () => ({ ok: true, diagnosis });
    const { code, stdout } = await runHere('diagnose', 'hq');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^hq: failed\n[\s\S]*LCP +FAILED\n[\s\S]*Remedy: a remedy\.\n$/);
    expect(JSON.parse((await runHere('diagnose', 'hq', '--json')).stdout)).toEqual(diagnosis);
  });

  it('knows no connection that is not there', async () => {
    router.onDiagnose = () => ({ ok: false, reason: 'there is none', notFound: ['hq'] });
    const { code, stderr } = await runHere('diagnose', 'qh');
    expect(code).toBe(1);
    expect(stderr).toContain('there is no connection "qh": there is hq');
  });
});
