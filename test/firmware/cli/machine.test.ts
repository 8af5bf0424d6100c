import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { runsAgain } from '../../../firmware/cli/until-again.ts';
import { IPSEC_STATUS, STATUS } from '../api/fake-router.ts';
import { named } from '../config/store/store-bench.ts';
import { Console, ConsoleBench } from './shell/console.ts';

let bench: ConsoleBench;
beforeEach(async () => {
  bench = await new ConsoleBench().start(named('branch-12'));
});
afterEach(() => bench.end());

async function culvert(...words: string[]) {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  // No terminal: a script.
  const code = await runCommandLine(
    [...words, '--state-dir', bench.store.directory],
    stdout,
    stderr,
    new PassThrough(),
  );
  return { code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
}

const author = expect.objectContaining({ via: 'cli' });

describe.each(['reboot', 'poweroff'] as const)('culvert %s', (action) => {
  it('is meant where a script says --yes, and asks for nothing without it', async () => {
    expect(await culvert(action)).toMatchObject({ code: 2, stderr: expect.stringContaining('say so with --yes') });
    expect(bench.router.askedMachine).toEqual([]);
    expect(await culvert(action, '--yes')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^the machine /) });
    expect(bench.router.askedMachine).toEqual([{ action, author, minutes: 0, evenPending: true }]);
  });

  it('comes later, and is taken back', async () => {
    const said = await culvert(action, '--yes', '--in', '10');
    expect(said.stdout).toBe(
      `in 10 min the machine ${action === 'reboot' ? 'reboots' : 'powers off'}; "culvert ${action} --cancel" takes that back\n`,
    );
    expect(bench.router.askedMachine).toMatchObject([{ minutes: 10 }]);
    expect(await culvert(action, '--cancel')).toMatchObject({
      code: 0,
      stdout: 'it is taken back: the router runs on\n',
    });
    bench.router.cancelResult = { ok: false, reason: 'nothing is to come', remedy: 'nothing has to be done' };
    expect(await culvert(action, '--cancel')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing is to come'),
    });
    expect(await culvert(action, '--in', '2000')).toMatchObject({ code: 2 });
    expect(await culvert(action, '--in', '2', '--cancel')).toMatchObject({ code: 2 });
  });

  it('says what the machine says against it', async () => {
    bench.router.machineResult = { ok: false, reason: 'it is forbidden', remedy: 'run culvert as root' };
    expect(await culvert(action, '--yes', '--json')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'culvert: the router runs on: it is forbidden; run culvert as root\n',
    });
  });

  it('is asked for at the console, by its word', async () => {
    const console = new Console(bench);
    expect(await console.said(`${action}\r`)).toContain(`Type "${action}" to go on:`);
    expect(await console.said('yes\r')).toContain('nothing was done, and the router runs on');
    expect(bench.router.askedMachine).toEqual([]);
    await console.type(`${action}\r`);
    expect(await console.said(`${action}\r`)).toContain('the machine');
    expect(bench.router.askedMachine).toMatchObject([{ action, author: { who: 'alice' }, evenPending: false }]);
  });

  it('does not even ask while a configuration waits for its confirmation: the router says what would become of it', async () => {
    const console = new Console(bench);
    await console.type('configure\rset system hostname branch-13\r');
    await console.type('commit confirm 60\r');
    await console.type('exit\r');
    bench.router.machineResult = { ok: false, reason: 'revision 2 waits for its confirmation', remedy: 'confirm it' };
    const said = await console.said(`${action}\r`);
    expect(said).toContain('revision 2 waits for its confirmation');
    expect(said).not.toContain('Type');
    expect(bench.router.askedMachine).toMatchObject([{ evenPending: false }]);
    expect(await culvert(action)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('waits for its confirmation'),
    });
  });
});

describe('culvert restart', () => {
  it('ends a connection and begins it anew', async () => {
    const asked: string[] = [];
    bench.router.onConnect = async (name) => {
      asked.push(name);
      return { ok: true };
    };
    expect(await culvert('restart', 'hq')).toEqual({ code: 0, stdout: 'hq is down\nhq is up\n', stderr: '' });
    expect(asked).toEqual(['hq']);
    expect((await culvert('restart', 'hq', '--json')).stdout).toBe(
      '{"name":"hq","state":"down"}\n{"name":"hq","state":"up"}\n',
    );
    bench.router.disconnectResult = { ok: false, reason: 'no', notFound: ['hq'] };
    expect(await culvert('restart', 'hg')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('did you mean "hq"?'),
    });
    expect(await culvert('restart', 'hq', '--in', '2')).toMatchObject({ code: 2 });
  });

  it('of a kind takes all that this router calls and that are not down', async () => {
    const asked: string[] = [];
    bench.router.onConnect = async (name) => {
      asked.push(name);
      return name === 'plant' ? { ok: false, reason: 'nobody answers', remedy: 'look there' } : { ok: true };
    };
    const said = await culvert('restart', 'l2tp');
    expect(said).toMatchObject({ code: 1, stderr: expect.stringContaining('plant was not connected') });
    expect(said.stdout).toContain('hq is up');
    expect(asked.sort()).toEqual(['hq', 'plant']);
    const site = { ...IPSEC_STATUS, name: 'site', mode: 'tunnel' as const };
    bench.router.statusNow = async () => ({
      ...STATUS,
      ipsec: [IPSEC_STATUS, site, { ...site, name: 'idle', state: 'down' }],
    });
    asked.length = 0;
    expect(await culvert('restart', 'ipsec')).toMatchObject({ code: 0 });
    expect(asked).toEqual(['site']);
    bench.router.statusNow = async () => STATUS;
    expect(await culvert('restart', 'ipsec')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no IPsec connection'),
    });
  });

  it('of the firmware waits until it runs again', async () => {
    let uptime = 500;
    bench.router.statusNow = async () => ({ ...STATUS, uptimeSeconds: uptime });
    bench.router.machineResult = { ok: true };
    const machine = bench.router.machine.bind(bench.router);
    bench.router.machine = async (request) => {
      uptime = 0;
      return await machine(request);
    };
    expect(await culvert('restart', 'firmware', '--yes')).toEqual({
      code: 0,
      stdout: 'the firmware ends, to be started again\nit runs again\n',
      stderr: '',
    });
    expect(bench.router.askedMachine).toMatchObject([{ action: 'restart', evenPending: true }]);
    expect(await culvert('restart', 'firmware')).toMatchObject({ code: 2 });
  });
});

describe('waiting for the next run', () => {
  const over = (answers: readonly (number | undefined)[]) => {
    let now = 0;
    const left = [...answers];
    return {
      look: async () => (left.length > 1 ? left.shift() : left[0]),
      now: () => now,
      pause: async () => {
        now += 250;
      },
    };
  };

  it('knows another run by its uptime, or by the gap before it', async () => {
    expect(await runsAgain(500, over([500, 501, 0]))).toBe(true);
    expect(await runsAgain(0, over([0, undefined, 0]))).toBe(true);
  });

  it('gives up where the old one runs on, or none comes', async () => {
    expect(await runsAgain(500, over([501]))).toBe(false);
    expect(await runsAgain(500, over([undefined]))).toBe(false);
  });
});
