import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type DeviceKey,
  destroyDeviceKey,
  deviceKeyFrom,
  loadDeviceKey,
  SealError,
} from '../../../../firmware/config/secrets/device-key.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { anyText } from './any-text.ts';

const RAW = new SeededRandom(1).bytes(32);
const key = deviceKeyFrom(RAW, new SeededRandom(2));

let root: string;
let directory: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'culvert-key-'));
  directory = join(root, 'state', 'key');
  path = join(directory, 'device.key');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

let seed = 10;
const load = (create = true) => loadDeviceKey({ directory, random: new SeededRandom(seed++), create });

async function loaded(create = true): Promise<DeviceKey> {
  const result = await load(create);
  if (result.kind === 'refused') throw new Error(`${result.reason}: ${result.remedy}`);
  return result.key;
}

describe('a device key', () => {
  it('opens what it sealed, for the same context', () => {
    const text = anyText(100);
    fc.assert(
      fc.property(text, text, (plain, context) => {
        return key.open(key.seal(plain, context), context) === plain;
      }),
    );
  });

  it('seals the same text differently each time, in characters that every file and URL bears', () => {
    const texts = Array.from({ length: 50 }, () => key.seal('the same', 'place'));
    expect(new Set(texts).size).toBe(50);
    for (const text of texts) expect(text).toMatch(/^1\.[A-Za-z0-9_-]+$/);
  });

  it.each([
    ['another context', 'a.c', /changed since it was sealed, or was put here from another place/],
    ['a context with the same beginning', 'a.b.c', /another place/],
    ['no context', '', /another place/],
  ])('refuses %s', (_, context, words) => {
    expect(() => key.open(key.seal('word', 'a.b'), context)).toThrow(words);
  });

  it('tells another key from damage', () => {
    const other = deviceKeyFrom(new SeededRandom(3).bytes(32), new SeededRandom(4));
    expect(() => other.open(key.seal('word', 'a'), 'a')).toThrow(/another device key/);
  });

  it('refuses a sealed text in which any one character is another', () => {
    const sealed = key.seal('word', 'a');
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
      expect(() => key.open(changed, 'a'), `character ${at}`).toThrow(SealError);
    }
  });

  it.each([
    '',
    '1.',
    '1.AAAA',
    'word',
    '2.AAAA',
    `1.${'A'.repeat(100)}`,
    `${key.seal('a', 'a')}=`,
    `${key.seal('a', 'a')}.x`,
  ])('refuses %j with words, and shows nothing of it', (text) => {
    expect(() => key.open(text, 'a')).toThrow(SealError);
    expect(() => key.open(text, 'a')).toThrow(/^(This is no text that|It was sealed by another)/);
  });

  it('seals no text that would come back changed', () => {
    expect(() => key.seal('\ud800', 'a')).toThrow(/no well-formed text/);
  });

  it('is named by something that is not part of it, and the same for the same octets', () => {
    expect(key.id).toMatch(/^[0-9a-f]{16}$/);
    expect(Buffer.from(RAW).toString('hex')).not.toContain(key.id);
    expect(deviceKeyFrom(RAW, new SeededRandom(9)).id).toBe(key.id);
    expect(deviceKeyFrom(new SeededRandom(5).bytes(32), new SeededRandom(9)).id).not.toBe(key.id);
  });

  it('has 32 octets and no other number', () => {
    expect(() => deviceKeyFrom(new Uint8Array(31), new SeededRandom(1))).toThrow(/32 octets.*31/);
  });
});

describe('the key file', () => {
  it('is made once, for its owner to read alone, and is the same at the next start', async () => {
    const first = await load();
    expect(first.kind).toBe('created');
    expect(statSync(path).mode & 0o777).toBe(0o400);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory)).toEqual(['device.key']);
    const second = await load(false);
    expect(second.kind).toBe('loaded');
    expect((await loaded()).id).toBe(first.kind === 'refused' ? '' : first.key.id);
  });

  it('is not made unless that is asked for', async () => {
    expect(await load(false)).toEqual({
      kind: 'refused',
      reason: `the device key ${path} is missing`,
      remedy: expect.stringMatching(/put .*device\.key back.*factory-reset.*restore a backup/),
    });
    expect(readdirSync(root)).toEqual([]);
  });

  it('is one, when many make one at once', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await loaded()).id));
    expect(new Set(ids).size).toBe(1);
    expect(readdirSync(directory)).toEqual(['device.key']);
  });

  it('is one, when several processes make one at once, and is whole when they are killed meanwhile', async () => {
    const ended = await Promise.all([run(), run(), run({ kill: true }), run({ kill: true })]);
    const ids = ended.filter((id) => id !== '');
    expect(ids.length).toBeGreaterThanOrEqual(2);
    expect(new Set([...ids, (await loaded(false)).id]).size).toBe(1);
  });

  it('of a process that was faster by a moment is the key, and stays', async () => {
    const { id } = await loaded();
    const faster = join(root, 'faster');
    renameSync(path, faster);
    const random = new SeededRandom(77);
    const bytes = (length: number): Uint8Array => {
      // We have found none and are making one.
      if (!existsSync(path)) renameSync(faster, path);
      return random.bytes(length);
    };
    const result = await loadDeviceKey({ directory, random: { bytes }, create: true });
    expect(result.kind !== 'refused' && result.key.id).toBe(id);
    expect((await loaded(false)).id).toBe(id);
    expect(readdirSync(directory)).toEqual(['device.key']);
  });

  it('survives a crash between its two names, and no draft stays', async () => {
    const { id } = await loaded();
    linkSync(path, join(directory, '.device.key.0123456789abcdef'));
    expect((await loaded(false)).id).toBe(id);
    expect(readdirSync(directory)).toEqual(['device.key']);
  });

  it('is made anew beside a draft that a crash left half written', async () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, '.device.key.0123456789abcdef'), 'culvert dev', { mode: 0o400 });
    await loaded();
    expect(readdirSync(directory)).toEqual(['device.key']);
  });

  it.each([0o440, 0o404, 0o620, 0o444])('is refused with mode %o, with the command that helps', async (mode) => {
    await loaded();
    chmodSync(path, mode);
    const result = await load();
    expect(result).toMatchObject({
      kind: 'refused',
      reason: expect.stringMatching(/device\.key can be read by others/),
    });
    expect(result).toMatchObject({ remedy: expect.stringContaining(`chmod 400 ${path}`) });
  });

  it('is refused in a folder in which others could replace it', async () => {
    await loaded();
    chmodSync(directory, 0o770);
    expect(await load()).toMatchObject({ kind: 'refused', remedy: expect.stringContaining(`chmod 700 ${directory}`) });
  });

  it('is refused with any octet changed, cut short or longer, and stays as it is', async () => {
    await loaded();
    chmodSync(path, 0o600);
    const good = readFileSync(path);
    const bad = [...good.keys()].slice(0, -1).map((at) => good.with(at, (good[at] ?? 0) ^ 1));
    bad.push(good.subarray(0, 50), new Uint8Array(), Buffer.concat([good, good]), Buffer.alloc(100_000, 'a'));
    for (const octets of bad) {
      writeFileSync(path, octets);
      expect(await load()).toMatchObject({
        kind: 'refused',
        reason: `the device key cannot be used: ${path} is damaged`,
        remedy: expect.stringMatching(/put a good copy of .* back/),
      });
      expect(readFileSync(path).equals(octets)).toBe(true);
    }
  });

  it('is refused as a link or a folder', async () => {
    await loaded();
    const elsewhere = join(root, 'elsewhere');
    writeFileSync(elsewhere, readFileSync(path), { mode: 0o400 });
    rmSync(path);
    symlinkSync(elsewhere, path);
    expect(await load()).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/device\.key is a link/) });
    rmSync(path);
    mkdirSync(path);
    expect(await load()).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/is no regular file/) });
  });

  it('is refused in words where no folder can be', async () => {
    writeFileSync(join(root, 'state'), '');
    expect(await load()).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/device key cannot be used/) });
  });
});

describe('destroying it', () => {
  it('overwrites it before its name goes, and leaves no draft', async () => {
    await loaded();
    const other = join(root, 'same file');
    linkSync(path, other);
    writeFileSync(join(directory, '.device.key.0123456789abcdef'), 'half', { mode: 0o400 });
    await destroyDeviceKey(directory);
    expect(readdirSync(directory)).toEqual([]);
    expect(readFileSync(other).every((octet) => octet === 0)).toBe(true);
  });

  it('leaves alone what a link in its place points to', async () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(root, 'bystander'), 'untouched');
    symlinkSync(join(root, 'bystander'), path);
    await destroyDeviceKey(directory);
    expect(readdirSync(directory)).toEqual([]);
    expect(readFileSync(join(root, 'bystander'), 'utf8')).toBe('untouched');
  });

  it('is harmless without a key and without a folder', async () => {
    await destroyDeviceKey(directory);
    await loaded();
    await destroyDeviceKey(directory);
    await destroyDeviceKey(directory);
    expect((await load(false)).kind).toBe('refused');
  });
});

/** A process that loads the key; `kill` ends it as soon as the folder is there. @returns the id, empty when it was killed. */
async function run({ kill = false } = {}): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'load-key-child.ts'), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let id = '';
  child.stdout?.on('data', (data: Buffer) => {
    const text = data.toString();
    if (kill && text.includes('begin')) child.kill('SIGKILL');
    id += text.replace('begin\n', '');
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('close', () => resolve());
  await promise;
  return id.trim();
}
