import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { ipv4, pcapFile, udp } from '../../support/capture-builder.ts';
import { EVERY_MESSAGE, SECRET } from '../../support/every-message.ts';
import { culvert } from './culvert.ts';

const MAIN = fileURLToPath(new URL('../../../firmware/cli/main.ts', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'culvert-decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, octets: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, octets);
  return path;
}

const capture = file('every.pcap', pcapFile(EVERY_MESSAGE.map((bytes) => ({ bytes }))));

interface Finished {
  readonly code: number;
  readonly lines: readonly string[];
  readonly stderr: string;
}

async function decode(...words: string[]): Promise<Finished> {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  let text = '';
  stdout.on('data', (chunk: string) => {
    text += chunk;
  });
  const code = await runCommandLine(['decode', ...words], stdout, stderr);
  stdout.end();
  await new Promise((resolve) => stdout.once('end', resolve));
  return { code, lines: text.split('\n').slice(0, -1), stderr: stderr.read() ?? '' };
}

describe('culvert decode', () => {
  it('prints a JSON object per line and message', async () => {
    const { code, lines, stderr } = await decode(capture, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines).toHaveLength(EVERY_MESSAGE.length);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      frame: 1,
      protocol: 'l2tp',
      summary: 'SCCRQ tunnel 0 session 4 Ns 0 Nr 1',
      fields: { messageType: 'SCCRQ', tunnelId: 0, sessionId: 4, ns: 0, nr: 1 },
    });
  });

  it('prints a readable line per message, and its fields below where they are wanted', async () => {
    const { lines } = await decode(capture);
    expect(lines).toHaveLength(EVERY_MESSAGE.length);
    expect(lines[0]).toBe(
      '     1     0.000000  192.0.2.1:1701 > 192.0.2.2:1701  l2tp       SCCRQ tunnel 0 session 4 Ns 0 Nr 1',
    );
    const verbose = await decode(capture, '--verbose');
    expect(verbose.lines.slice(1, 5)).toEqual([
      '    messageType: SCCRQ',
      '    tunnelId: 0',
      '    sessionId: 4',
      '    ns: 0',
    ]);
    expect(verbose.lines).toContain('        Framing Capabilities: 3 = synchronous, asynchronous (mandatory)');
  });

  it('takes secrets from files, and prints them nowhere', async () => {
    const secrets = file('secrets', `a wrong one\n${SECRET}\n`);
    const read = await decode(capture, '--json', '--secret-file', secrets);
    expect(read.lines.join()).not.toContain('hidden: give --secret');
    expect(read.lines.join()).not.toContain('not readable');
    expect(read.lines.join()).not.toContain(SECRET);
    expect((await decode(capture, '--json', '--secret', 'wrong')).lines.join()).toContain(
      'not readable with this secret',
    );
  });

  it('says when a file of secrets or keys cannot be used', async () => {
    const missing = await decode(capture, '--secret-file', join(folder, 'none'));
    expect(missing).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--secret-file cannot be read, it is not there'),
    });
    const keys = await decode(capture, '--keys', join(folder, 'none'));
    expect(keys.code).toBe(1);
    expect(keys.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('tells of a malformed message by an error object, and ends with 0', async () => {
    const broken = file('broken.pcap', pcapFile([{ bytes: ipv4(udp(Uint8Array.of(0xc8, 2, 0, 99))) }]));
    const { code, lines, stderr } = await decode(broken, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      error: { offset: expect.any(Number), field: expect.any(String), reason: expect.any(String) },
    });
  });

  it('prints what it could read of a file that ends early, says so, and ends with 0', async () => {
    const whole = pcapFile(EVERY_MESSAGE.map((bytes) => ({ bytes })));
    const { code, lines, stderr } = await decode(file('short.pcap', whole.subarray(0, -3)));
    expect(lines).toHaveLength(EVERY_MESSAGE.length - 1);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^culvert: \S+ cannot be read to its end, it ends in the middle of a record[^\n]+\n$/);
  });

  it.each([
    ['no-capture.txt', 'this is text', /is no capture, it is neither a pcap nor a pcapng file: give a file/],
    ['empty.pcap', '', /is no capture/],
  ])('ends with 1 and one line where there is nothing to decode: %s', async (name, content, words) => {
    const { code, lines, stderr } = await decode(file(name, content));
    expect({ code, lines }).toEqual({ code: 1, lines: [] });
    expect(stderr).toMatch(words);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('ends with 1 where the file is not there, or is a folder', async () => {
    expect(await decode(join(folder, 'none.pcap'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/cannot be read, it is not there: check its name/),
    });
    expect(await decode(folder)).toMatchObject({ code: 1, stderr: expect.stringContaining('it is a directory') });
  });

  it('runs as a process, and writes JSON to whoever reads it', async () => {
    const { code, stdout } = await culvert(['decode', capture, '--json', '--all']);
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).frame),
    ).toEqual(EVERY_MESSAGE.map((_, at) => at + 1));
  });

  it('ends quietly when its reader goes away', async () => {
    const many = Array.from({ length: 200 }, () => EVERY_MESSAGE).flat();
    const long = file('long.pcap', pcapFile(many.map((bytes) => ({ bytes }))));
    const child = spawn(process.execPath, [MAIN, 'decode', long], { stdio: ['ignore', 'pipe', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    await once(child, 'close');
    expect(complaint).toBe('');
  });
});
