import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { run } from '../../../firmware/cli/capture.ts';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { COMMANDS } from '../../../firmware/cli/commands.ts';
import { WholeBlocks } from '../../../firmware/cli/whole-blocks.ts';
import {
  enhancedPacket,
  interfaceDescription,
  sectionHeader,
} from '../../../firmware/diagnosis/capture/pcapng-writer.ts';
import { CaptureReader } from '../../../firmware/diagnosis/decode/capture-reader.ts';
import { ipv4, udp } from '../../support/capture-builder.ts';
import { CaptureBench } from '../api/capture-bench.ts';
import { culvert } from './culvert.ts';

const MAIN = fileURLToPath(new URL('../../../firmware/cli/main.ts', import.meta.url));
const PING = ipv4(Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 1), {
  protocol: 1,
  source: '10.99.0.2',
  destination: '10.99.0.1',
});

let bench: CaptureBench;
let child: ChildProcess | undefined;
beforeEach(async () => {
  bench = new CaptureBench();
  await bench.start();
});
afterEach(async () => {
  child?.kill('SIGKILL');
  child = undefined;
  await bench.remove();
});

const path = (name: string) => join(bench.stateDir.path, name);

/** The packets of a file that is whole. */
function packetsIn(file: Uint8Array): readonly Uint8Array[] {
  const reader = new CaptureReader();
  const packets = [...reader.push(file)].map(({ bytes }) => bytes.slice());
  reader.end();
  return packets;
}

/** The command as a process, which is told to end by signals. */
function start(...words: string[]) {
  const started = spawn(process.execPath, [MAIN, 'capture', ...words, '--state-dir', bench.stateDir.path], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = started;
  const output: Buffer[] = [];
  const said = { stderr: '' };
  started.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  started.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  const running = () => vi.waitFor(() => expect(said.stderr).toMatch(/traffic/), { timeout: 20_000 });
  return { process: started, running, said, stdout: () => Buffer.concat(output) };
}

describe('culvert capture', () => {
  it('writes a file for its owner only until Ctrl-C, and the file is whole', async () => {
    const file = path('a.pcapng');
    const { process: command, running, said, stdout } = start('eth0', '--file', file);
    await running();
    for (let octet = 1; octet <= 4; octet += 1) bench.captures.pass('eth0', new Uint8Array(60).fill(octet));
    await vi.waitFor(() => expect(bench.captures.taken('eth0')).toBe(4));
    command.kill('SIGINT');
    const [code] = await once(command, 'close');
    expect({ code, stdout: stdout().length }).toEqual({ code: 0, stdout: 0 });
    expect(packetsIn(readFileSync(file)).map(([octet]) => octet)).toEqual([1, 2, 3, 4]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(said.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^culvert: whoever sees this capture sees the traffic.*keep it to yourself$/),
      'culvert: the capture of eth0 has ended, it was stopped: 4 packets',
    ]);
    expect(bench.captures.running).toBe(0);
  });

  it('writes the same to a stdout that is no terminal, and ends with the limit', async () => {
    const { process: command, running, said, stdout } = start('hq', '--packets', '2');
    await running();
    for (let count = 0; count < 3; count += 1) bench.captures.pass('l2tp-hq', PING);
    const [code] = await once(command, 'close');
    expect(code).toBe(0);
    expect(packetsIn(stdout())).toEqual([PING, PING]);
    expect(said.stderr).toMatch(/has ended, that was as many packets as were wanted: 2 packets$/m);
  });

  it('ends at once when whoever reads its stdout goes', async () => {
    const { process: command, running } = start('hq');
    await running();
    command.stdout?.destroy();
    // It notices by writing: packets come until it has.
    await vi.waitFor(
      () => {
        bench.captures.pass('l2tp-hq', PING);
        expect(bench.captures.running).toBe(0);
      },
      { timeout: 20_000 },
    );
  });

  it('leaves a whole file, and says so, when the router goes first', async () => {
    const file = path('b.pcapng');
    const { process: command, running, said } = start('eth0', '--file', file);
    await running();
    bench.captures.pass('eth0', new Uint8Array(60).fill(9));
    await vi.waitFor(() => expect(packetsIn(readFileSync(file))).toHaveLength(1));
    await bench.end();
    const [code] = await once(command, 'close');
    expect(code).toBe(1);
    expect(packetsIn(readFileSync(file))).toHaveLength(1);
    expect(said.stderr).toMatch(/was cut short, for the router ended: what there is of it is whole$/m);
  });

  it('leaves a whole file when the router is killed in the middle of a block', async () => {
    await bench.end();
    const beginning = [
      sectionHeader('test'),
      interfaceDescription({ link: 'ip', snapLength: 100, name: 'x', description: 'x' }),
      enhancedPacket({ interfaceId: 0, time: 0n, originalLength: PING.length, direction: 'inbound' }, PING),
    ];
    const half = Buffer.concat([...beginning, (beginning[2] ?? PING).subarray(0, 21)]);
    let dying: ServerResponse | undefined;
    const router = createServer((_request, response) => {
      dying = response;
      response.writeHead(200);
      response.write(half);
    });
    router.listen(controlSocketPath(bench.stateDir.path));
    await once(router, 'listening');
    try {
      const file = path('e.pcapng');
      const ended = culvert(['capture', 'hq', '--file', file], bench.stateDir.path);
      // It has read what there is, half a block included.
      await vi.waitFor(() => expect(statSync(file).size).toBeGreaterThan(0), { timeout: 20_000 });
      dying?.destroy();
      expect(await ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/what there is of it is whole/) });
      expect(packetsIn(readFileSync(file))).toEqual([PING]);
    } finally {
      router.close();
    }
  });

  it('ends as it should when the console has had enough', async () => {
    const command = COMMANDS.find(({ name }) => name === 'capture');
    if (command === undefined) throw new Error('there is no capture');
    const enough = new AbortController();
    const [said, complaints]: [string[], string[]] = [[], []];
    const code = run({
      command,
      positionals: ['hq'],
      options: { 'state-dir': bench.stateDir.path },
      author: { who: 'tech', via: 'console' },
      out: (text) => said.push(text),
      drained: async () => undefined,
      complain: (text) => complaints.push(text),
      signal: enough.signal,
    });
    await vi.waitFor(() => expect(bench.captures.running).toBe(1));
    bench.captures.pass('l2tp-hq', PING);
    await vi.waitFor(() => expect(said).toHaveLength(1));
    enough.abort();
    expect(await code).toBe(0);
    expect(complaints.at(-1)).toBe('the capture of hq has ended, it was stopped: 1 packet');
    expect(process.listenerCount('SIGINT')).toBe(0);
  });

  it('shows a line for each message on a terminal', async () => {
    const stdout = Object.assign(new PassThrough(), { isTTY: true });
    const stderr = new PassThrough();
    let text = '';
    stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    stderr.resume();
    const words = ['capture', 'hq', '--packets', '3', '--state-dir', bench.stateDir.path];
    const code = runCommandLine(words, stdout, stderr);
    await vi.waitFor(() => expect(bench.captures.running).toBe(1));
    bench.captures.pass('l2tp-hq', PING);
    // The line is there while the capture goes on.
    await vi.waitFor(() => expect(text).toMatch(/^ +1 +0\.000000 {2}10\.99\.0\.2 > 10\.99\.0\.1 .*ICMP.*\n$/i));
    bench.captures.pass('l2tp-hq', ipv4(udp(new Uint8Array(4), 40_000, 53)));
    bench.captures.pass('l2tp-hq', PING);
    expect(await code).toBe(0);
    expect(text.trim().split('\n')).toHaveLength(3);
  });

  it('does not write over a file, unless it is told to', async () => {
    const file = path('c.pcapng');
    writeFileSync(file, 'mine');
    const refused = await culvert(['capture', 'eth0', '--file', file], bench.stateDir.path);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/is there already and stays as it is/) });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    const forced = await culvert(['capture', 'eth0', '--file', file, '--force', '--seconds', '1'], bench.stateDir.path);
    expect(forced).toMatchObject({ code: 0, stderr: expect.stringMatching(/the time is over: 0 packets/) });
    expect(packetsIn(readFileSync(file))).toEqual([]);
  });

  it('of what cannot be captured makes no file, and says why', async () => {
    const file = path('d.pcapng');
    const { code, stderr } = await culvert(['capture', 'eth7', '--file', file], bench.stateDir.path);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/no network device eth7/) });
    expect(existsSync(file)).toBe(false);
    const nowhere = join(path('none'), 'x.pcapng');
    const lost = await culvert(['capture', 'eth0', '--file', nowhere], bench.stateDir.path);
    expect(lost).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be written.*choose another place/) });
    await vi.waitFor(() => expect(bench.captures.running).toBe(0));
  });

  it.each([
    [['--seconds', '0'], /--seconds is a whole number from 1 to 86400/],
    [['--packets', 'many'], /--packets is a whole number/],
    [['--octets', '12.5'], /--octets is a whole number/],
    [['--snap', '99999999'], /--snap is a whole number from 64/],
    [['--force'], /--force is for --file/],
  ])('%j is wrong usage', async (words, sentence) => {
    const { code, stderr } = await culvert(['capture', 'eth0', ...words], bench.stateDir.path);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(sentence) });
  });
});

describe('a file that is written block by block', () => {
  it('is whole after every chunk, however the chunks are cut', () => {
    const block = (length: number) => {
      const bytes = Buffer.alloc(length, 7);
      bytes.writeUInt32LE(length, 4);
      bytes.writeUInt32LE(length, length - 4);
      return bytes;
    };
    const file = Buffer.concat([block(28), block(12), block(400), block(32)]);
    for (let size = 1; size <= file.length; size += 3) {
      const blocks = new WholeBlocks();
      let written = 0;
      for (let at = 0; at < file.length; at += size) {
        for (const whole of blocks.push(file.subarray(at, at + size))) written += whole.length;
        expect([0, 28, 40, 440, 472]).toContain(written);
      }
      expect(written).toBe(file.length);
    }
  });
});
