import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { parseCommandLine } from '../../../firmware/cli/arguments.ts';
import { newLines } from '../../../firmware/cli/log-tail.ts';
import { run } from '../../../firmware/cli/monitor.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { FakeConfiguration } from '../api/fake-configuration.ts';
import { FakeRouter, IPSEC_STATUS, makeStateDir, STATUS } from '../api/fake-router.ts';

const stateDir = makeStateDir();
let router: FakeRouter;
let api: ControlApi;
beforeEach(async () => {
  router = new FakeRouter();
  api = await startControlApi({
    socketPath: controlSocketPath(stateDir.path),
    control: router,
    config: new FakeConfiguration(),
    logger: createLogger({ level: 'silent', secrets: () => [] }),
  });
});
afterEach(async () => {
  await api.close();
  stateDir.remove();
});

/** @param looks what happens between two looks at the router; behind the last of them somebody has had enough. */
function monitoring(words: readonly string[], looks: readonly (() => void)[] = []) {
  const enough = new AbortController();
  const lines: string[] = [];
  const left = [...looks];
  const invocation = parseCommandLine(['monitor', ...words, '--state-dir', stateDir.path]);
  const code = run(
    {
      ...invocation,
      out: (text) => lines.push(text),
      drained: async () => undefined,
      complain: (text) => lines.push(`! ${text}`),
      author: { who: 'alice', via: 'console' },
      signal: enough.signal,
    },
    async () => {
      const next = left.shift();
      if (next === undefined) enough.abort();
      else next();
    },
  );
  return { code, lines, enough };
}

const entry = (msg: string, level = 'info') => JSON.stringify({ level, msg });

describe('culvert monitor log', () => {
  it('tells the last lines, and then each that comes, once', async () => {
    router.lines = Array.from({ length: 30 }, (_, at) => entry(`line ${at}`));
    const { code, lines } = monitoring(
      ['log'],
      [() => router.lines.push(entry('new')), () => undefined, () => router.lines.push(entry('new'), entry('last'))],
    );
    expect(await code).toBe(0);
    expect(lines.map((line) => line.replace(/^info +/, ''))).toEqual([
      ...Array.from({ length: 10 }, (_, at) => `line ${at + 20}`),
      'new',
      'new',
      'last',
    ]);
  });

  it('tells those with a text alone, and the objects themselves with --json', async () => {
    router.lines = [entry('one hq'), entry('two')];
    const { code, lines } = monitoring(
      ['log', 'HQ', '--json'],
      [() => router.lines.push(entry('three'), entry('hq up'))],
    );
    expect(await code).toBe(0);
    expect(lines).toEqual([entry('one hq'), entry('hq up')]);
  });

  it('knows what is new in a ring from which lines have gone', () => {
    expect(newLines(['a', 'b'], ['a', 'b'])).toEqual([]);
    expect(newLines(['a', 'b', 'c'], ['b', 'c', 'd'])).toEqual(['d']);
    expect(newLines(['x', 'x', 'x'], ['x', 'x', 'y'])).toEqual(['y']);
    expect(newLines(['a'], ['b', 'c'])).toEqual(['b', 'c']);
    expect(newLines([], ['b'])).toEqual(['b']);
    expect(newLines(['a', 'b'], [])).toEqual([]);
  });
});

describe('culvert monitor state', () => {
  it('tells how it stands, and each change with its reason, but not the steps', async () => {
    router.statusNow = async () => ({ ...STATUS, ipsec: [IPSEC_STATUS] });
    const { code, lines, enough } = monitoring(['state']);
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    expect(lines.map((line) => line.replace(/^[\d:]{8}/, ''))).toEqual(['  hq  up', '  plant  failed']);
    router.emit({ at: 0, connection: 'hq', kind: 'step', step: 'SCCRQ', direction: 'sent' });
    router.emit({ at: 3_723_000, connection: 'hq', kind: 'state', state: 'failed', detail: 'LCP: nobody answers' });
    await vi.waitFor(() => expect(lines).toHaveLength(3));
    expect(lines[2]).toBe('01:02:03  hq  failed (LCP: nobody answers)');
    enough.abort();
    expect(await code).toBe(0);
  });

  it('tells objects with --json, and fails when the router ends', async () => {
    const { code, lines } = monitoring(['state', '--json']);
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { connection: 'hq', kind: 'state', state: 'up' },
      { connection: 'plant', state: 'failed' },
    ]);
    await api.close();
    expect(await code).toBe(1);
    expect(lines.at(-1)).toContain('! the router has ended');
  });
});

const rates = (...named: readonly (readonly [string, number])[]) => {
  router.trafficNow = () => named.map(([name, second]) => ({ name, second, minute: 0, hour: 0, day: 0 }));
};

describe('culvert monitor traffic', () => {
  it('tells what passed in each second, both ways', async () => {
    rates(['interface.wan.received', 125], ['interface.wan.sent', 250_000], ['l2tp.hq.received', 0]);
    const { code, lines } = monitoring(['traffic'], [() => rates(['interface.wan.received', 0])]);
    expect(await code).toBe(0);
    expect(lines.map((line) => line.replace(/^[\d:]{8}/, 'TIME'))).toEqual([
      'TIME',
      '  interface.wan  received 1.0 kbit/s  sent 2.0 Mbit/s',
      '  l2tp.hq        received 0 bit/s     sent 0 bit/s',
      'TIME  interface.wan  received 0 bit/s  sent 0 bit/s',
    ]);
  });

  it('tells of one alone by its name, and as objects', async () => {
    rates(['interface.hq.sent', 1], ['l2tp.hq.sent', 2], ['ipsec.plant.received', 3]);
    const both = monitoring(['traffic', 'hq', '--json']);
    expect(await both.code).toBe(0);
    expect(both.lines.map((line) => JSON.parse(line))).toEqual([
      { at: expect.any(Number), name: 'interface.hq', received: 0, sent: 1 },
      { at: expect.any(Number), name: 'l2tp.hq', received: 0, sent: 2 },
    ]);
    const one = monitoring(['traffic', 'l2tp.hq']);
    await one.code;
    expect(one.lines).toHaveLength(1);
    const none = monitoring(['traffic', 'ipsec.plnt']);
    expect(await none.code).toBe(1);
    expect(none.lines).toEqual([expect.stringMatching(/^! no traffic of "ipsec.plnt".*did you mean "ipsec.plant"\?$/)]);
  });

  it('is refused for what is not to be followed', async () => {
    await expect(monitoring(['lgo']).code).rejects.toThrow('choose one of log, state, traffic; did you mean "log"?');
    await expect(monitoring(['state', 'hq']).code).rejects.toThrow('one argument too many');
  });
});
