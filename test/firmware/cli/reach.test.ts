import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startPing } from '../../../firmware/api/reach-client.ts';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { COMMANDS } from '../../../firmware/cli/commands.ts';
import { run as runPing } from '../../../firmware/cli/ping.ts';
import { MAX_REACHES } from '../../../firmware/router/reach-desk.ts';
import { GATEWAY, HOST, ReachBench } from '../api/reach-bench.ts';
import { icmpError } from '../protocol/icmp/icmp-answers.ts';

let bench: ReachBench;
beforeEach(async () => {
  bench = new ReachBench();
  await bench.start();
});
afterEach(() => bench.remove());

async function culvert(...words: string[]) {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  const code = await runCommandLine([...words, '--state-dir', bench.stateDir.path], stdout, stderr);
  return { code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
}

const two = ['--count', '2', '--interval', '200'];

describe('culvert ping', () => {
  it('tells the answers and what they come to', async () => {
    const { code, stdout, stderr } = await culvert('ping', HOST, ...two);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe(`ping of ${HOST} via tunnel, 56 octets of data in each packet`);
    expect(lines[1]).toMatch(/^ {2}1 {2}10\.99\.0\.10 answers after \d+\.\d+ ms, hop limit 63$/);
    expect(lines[3]).toBe('2 sent, 2 answered, 0 % lost');
    expect(lines[4]).toMatch(/^least .* ms, average .* ms, most .* ms$/);
    expect(bench.router.askedPings).toEqual([
      { host: HOST, via: 'tunnel', count: 2, size: 56, interval: 200, dontFragment: false },
    ]);
    expect(bench.desk.running).toBe(0);
    expect(bench.icmp.running).toBe(0);
  });

  it('prints an object for each with --json', async () => {
    const { stdout } = await culvert('ping', HOST, ...two, '--json', '--via', 'uplink');
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(events.map(({ kind }: { kind: string }) => kind)).toEqual(['began', 'reply', 'reply', 'end']);
    expect(events[0]).toMatchObject({ address: HOST, via: 'uplink', family: 4 });
  });

  it('says the MTU of the path, and fails when nothing gets through', async () => {
    bench.icmp.world = ({ message }) => ({ message: icmpError(4, message, 3, 4, 1400), from: GATEWAY });
    const { code, stdout, stderr } = await culvert('ping', HOST, '--df', '--size', '1400', '--count', '1');
    expect(code).toBe(1);
    expect(stdout).toContain(`${GATEWAY} says: it is too large for the path, whose MTU is 1400 from there on`);
    expect(stdout).toContain('the MTU of the path is 1400: up to --size 1372 goes through in one piece');
    expect(stderr).toMatch(/^culvert: 10\.99\.0\.10 was not reached, it is too large.*\n$/);
    expect(bench.router.askedPings[0]).toMatchObject({ dontFragment: true, size: 1400 });
    expect(bench.icmp.sent[0]?.options.dontFragment).toBe(true);
    expect(bench.icmp.sent[0]?.message).toHaveLength(1408);
  });

  it('ends with a word from the person, and tells what it came to by then', async () => {
    const enough = new AbortController();
    const lines: string[] = [];
    const command = COMMANDS.find(({ name }) => name === 'ping');
    if (command === undefined) throw new Error('there is no ping');
    const code = await runPing({
      command,
      positionals: [HOST],
      options: { 'state-dir': bench.stateDir.path, count: '100' },
      out: (text) => {
        lines.push(text);
        if (text.includes('answers after')) enough.abort();
      },
      drained: async () => undefined,
      complain: (text) => lines.push(text),
      author: { who: 'alice', via: 'console' },
      signal: enough.signal,
    });
    expect(code).toBe(0);
    expect(lines.at(-1)).toContain('1 sent, 1 answered, 0 % lost');
    expect(bench.icmp.running).toBe(0);
  });

  it('refuses what is no host and no number, and says what a refusal of the router means', async () => {
    expect(await culvert('ping', 'a b')).toMatchObject({ code: 2, stderr: expect.stringContaining('"a b"') });
    expect(await culvert('ping', HOST, '--count', '0')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--count is a whole number from 1 to 10000'),
    });
    bench.router.onPing = () => ({ ok: false, reason: 'there is no "hg"', remedy: 'name another', notFound: ['hq'] });
    expect(await culvert('ping', HOST, '--via', 'hg')).toMatchObject({
      code: 1,
      stderr: 'culvert: there is no "hg": name another; did you mean "hq"?\n',
    });
  });

  it('says so when the router ends meanwhile', async () => {
    bench.icmp.world = () => {
      setImmediate(() => void bench.end());
      return undefined;
    };
    expect(await culvert('ping', HOST)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it was cut short, for the router ended'),
    });
  });
});

describe('culvert traceroute', () => {
  it('tells the routers and the host', async () => {
    const { code, stdout } = await culvert('traceroute', HOST);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toContain(`way to ${HOST} via tunnel`);
    expect(lines[1]).toMatch(/^ {2}1 {2}10\.20\.0\.1( {2}\d+\.\d+ ms){3}$/);
    expect(lines[2]).toMatch(/^ {2}2 {2}10\.99\.0\.10( {2}\d+\.\d+ ms){3}$/);
    expect(lines[3]).toBe('it is 2 hops away');
  });

  it('fails where the way ends, and says who ends it', async () => {
    bench.icmp.world = ({ message }) => ({ message: icmpError(4, message, 3, 13), from: GATEWAY });
    expect(await culvert('traceroute', HOST)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/ {2}1 {2}10\.20\.0\.1 says: a packet filter forbids it( {2}[\d.]+ ms){3}\n/),
      stderr: expect.stringContaining('was not reached'),
    });
  });
});

describe('the router', () => {
  it('lets so many run at a time, and ends one whose reader goes', async () => {
    bench.icmp.world = () => undefined;
    const readers = Array.from({ length: MAX_REACHES }, () => new AbortController());
    for (const { signal } of readers) {
      expect(await startPing(bench.stateDir.path, { host: HOST }, signal)).toMatchObject({ ok: true });
    }
    expect(await culvert('ping', HOST)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${MAX_REACHES} pings and traceroutes run already: wait until one ends`),
    });
    for (const reader of readers) reader.abort();
    await vi.waitFor(() => expect(bench.icmp.running).toBe(0));
    expect(bench.desk.running).toBe(0);
  });
});
