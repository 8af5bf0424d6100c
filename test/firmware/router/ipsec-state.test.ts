import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IpsecState, MAX_OFFERS } from '../../../firmware/router/ipsec-state.ts';
import type { WorkingOffer } from '../../../firmware/vpn/ipsec/ipsec-types.ts';
import { SimulatedEntropy } from '../../../hal/simulated/entropy.ts';

const MODERN: WorkingOffer = { offer: 'modern', port: 500, udpEncapsulation: false };
const LEGACY: WorkingOffer = { offer: 'legacy', port: 4500, udpEncapsulation: true };

let root: string;
let directory: string;
let lines: string[];
let seed: number;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'culvert-ipsec-'));
  directory = join(root, 'state');
  lines = [];
  seed = 1;
});

afterEach(() => rm(root, { recursive: true, force: true }));

const secretPath = (): string => join(directory, 'ipsec-crash-secret');
const offersPath = (): string => join(directory, 'ipsec-offers.json');

/** One run of the router, each with other random octets. */
async function run(): Promise<IpsecState> {
  const random = new SimulatedEntropy(seed++);
  const state = new IpsecState({ stateDirectory: directory, random, log: (line) => lines.push(line) });
  await state.load();
  return state;
}

/** A run that finds this text in a file. */
async function runWith(path: string, text: string | Uint8Array): Promise<IpsecState> {
  await mkdir(directory, { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
  return run();
}

describe('the secret of crash detection', () => {
  it('has 32 octets, of the random source, and is the same after a restart', async () => {
    const first = (await run()).quickCrashSecret;
    expect(first).toEqual(new SimulatedEntropy(1).bytes(32));
    expect((await run()).quickCrashSecret).toEqual(first);
    expect(lines).toEqual([]);
  });

  it('is in a file for its owner alone', async () => {
    await run();
    expect((await stat(secretPath())).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['ipsec-crash-secret']);
  });

  it('is there before anything was read', () => {
    const state = new IpsecState({ stateDirectory: directory, random: new SimulatedEntropy(1), log: () => undefined });
    expect(state.quickCrashSecret).toHaveLength(32);
  });

  it.each([
    ['empty', ''],
    ['short', 'ab'.repeat(31)],
    ['long', 'ab'.repeat(33)],
    ['larger than any secret', 'ab'.repeat(100_000)],
    ['of other characters', 'xy'.repeat(32)],
    ['binary', Uint8Array.from({ length: 64 }, (_, index) => index * 7)],
  ])('is a new one when its file is %s, which is said without the secret, and then kept', async (_what, text) => {
    const state = await runWith(secretPath(), text);
    expect(state.quickCrashSecret).toEqual(new SimulatedEntropy(1).bytes(32));
    expect(lines).toEqual([expect.stringMatching(/^The secret of IPsec's crash detection is replaced by a new one: /)]);
    expect(lines.join()).not.toContain('abab');
    expect((await run()).quickCrashSecret).toEqual(state.quickCrashSecret);
    expect(lines).toHaveLength(1);
  });

  it('is a new one when others could read it', async () => {
    const old = (await run()).quickCrashSecret;
    await chmod(secretPath(), 0o644);
    expect((await run()).quickCrashSecret).not.toEqual(old);
    expect(lines).toEqual([expect.stringMatching(/could be read or written by others/)]);
    expect((await stat(secretPath())).mode & 0o777).toBe(0o600);
  });

  it('is not taken from where a link leads, nor written there', async () => {
    await mkdir(directory);
    await writeFile(join(root, 'bait'), 'ab'.repeat(32), { mode: 0o600 });
    await symlink(join(root, 'bait'), secretPath());
    expect((await run()).quickCrashSecret).toEqual(new SimulatedEntropy(1).bytes(32));
    expect(await readFile(join(root, 'bait'), 'utf8')).toBe('ab'.repeat(32));
  });
});

describe('the offers that have worked', () => {
  it('are known at once, and after a restart', async () => {
    const state = await run();
    expect(state.get('office')).toBeUndefined();
    state.set('office', MODERN);
    state.set('branch', LEGACY);
    expect(state.get('office')).toEqual(MODERN);
    await state.flush();
    const next = await run();
    expect([next.get('office'), next.get('branch'), next.get('other')]).toEqual([MODERN, LEGACY, undefined]);
    expect((await stat(offersPath())).mode & 0o777).toBe(0o600);
    expect(lines).toEqual([]);
  });

  it('are those that were set last, also while an earlier one is being written', async () => {
    const state = await run();
    for (let round = 0; round < 20; round++) {
      state.set('office', MODERN);
      state.set(`other-${round}`, LEGACY);
      await Promise.resolve();
      state.set('office', LEGACY);
    }
    await state.flush();
    expect((await run()).get('office')).toEqual(LEGACY);
    expect((await run()).get('other-19')).toEqual(LEGACY);
  });

  it('are not written again when nothing changed', async () => {
    const state = await run();
    state.set('office', MODERN);
    await state.flush();
    const { ino } = await stat(offersPath());
    state.set('office', { ...MODERN });
    await state.flush();
    expect((await stat(offersPath())).ino).toBe(ino);
  });

  it('may be of connections whose names mean something to JavaScript', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '10', '2', 'prototype'];
    const state = await run();
    for (const name of names) expect(state.get(name)).toBeUndefined();
    for (const name of names) state.set(name, LEGACY);
    await state.flush();
    const next = await run();
    for (const name of names) expect(next.get(name)).toEqual(LEGACY);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Partial<WorkingOffer>).offer).toBeUndefined();
  });

  it('are kept of 256 connections, and those that worked longest ago are forgotten', async () => {
    const state = await run();
    for (let count = 0; count < MAX_OFFERS; count++) state.set(`c${count}`, MODERN);
    state.set('c0', MODERN);
    state.set('one-more', LEGACY);
    await state.flush();
    for (const run_ of [state, await run()]) {
      expect(run_.get('c1')).toBeUndefined();
      expect([run_.get('c0'), run_.get('c2'), run_.get('one-more')]).toEqual([MODERN, MODERN, LEGACY]);
    }
    expect(JSON.parse(await readFile(offersPath(), 'utf8'))).toHaveLength(MAX_OFFERS);
  });

  it('can all be read again, however odd the names', async () => {
    const state = await run();
    for (let count = 0; count < MAX_OFFERS; count++) state.set(`${count}`.padEnd(128, '\u0001'), MODERN);
    await state.flush();
    const next = await run();
    expect(next.get('7'.padEnd(128, '\u0001'))).toEqual(MODERN);
    expect(lines).toEqual([]);
  });

  it('are not kept under a name that no connection has', async () => {
    const state = await run();
    for (const name of ['', 'x'.repeat(129)]) {
      state.set(name, MODERN);
      expect(state.get(name)).toBeUndefined();
    }
  });

  it.each([
    ['empty', ''],
    ['cut', '[{"connection":"office","offer":"mod'],
    ['an object', '{"office":{"offer":"modern","port":500,"udpEncapsulation":false}}'],
    ['null', 'null'],
    ['binary', '\0\u0001\u0002'],
    ['huge', `[${' '.repeat(600_000)}]`],
    ['deep', '['.repeat(100_000)],
  ])('are forgotten when their file is %s, which is said, and the file replaced', async (_what, text) => {
    const state = await runWith(offersPath(), text);
    expect(state.get('office')).toBeUndefined();
    expect(lines).toEqual([expect.stringMatching(/^The IPsec offers that have worked are forgotten: .*ipsec-offers/)]);
    expect(await readFile(offersPath(), 'utf8')).toBe('[]\n');
    state.set('office', LEGACY);
    await state.flush();
    expect((await run()).get('office')).toEqual(LEGACY);
  });

  it('are kept as far as they can be read', async () => {
    const good = { connection: 'office', ...MODERN };
    const bad = [
      null,
      7,
      [],
      { ...good, connection: '' },
      { ...good, connection: 7 },
      { ...good, connection: 'x'.repeat(129) },
      { ...good, offer: 'best' },
      { ...good, port: 1701 },
      { ...good, udpEncapsulation: 'no' },
      { connection: 'half' },
    ];
    const more = { ...good, connection: 'branch', later: 'addition' };
    const state = await runWith(offersPath(), JSON.stringify([...bad, good, more]));
    expect(state.get('office')).toEqual(MODERN);
    expect(state.get('branch')).toEqual(MODERN);
    expect(lines).toEqual([`10 of the IPsec offers in ${offersPath()} could not be read and are forgotten.`]);
    lines = [];
    await run();
    expect(lines).toEqual([]);
  });

  it('never fail to load, whatever JSON is in the file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (text) => {
        const state = await runWith(offersPath(), text);
        state.set('office', LEGACY);
        await state.flush();
        expect((await run()).get('office')).toEqual(LEGACY);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a state directory that cannot be used', () => {
  it('is said in the log, and IPsec has a secret and remembers for this run', async () => {
    await writeFile(directory, 'a file where the directory should be');
    const state = await run();
    state.set('office', MODERN);
    await state.flush();
    expect(state.quickCrashSecret).toHaveLength(32);
    expect(state.get('office')).toEqual(MODERN);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^(IPsec cannot remember|The (secret|IPsec offers)).*\.$|\?$/);
  });

  it('may have directories in the place of files', async () => {
    await mkdir(secretPath(), { recursive: true });
    await mkdir(offersPath());
    const state = await run();
    expect(state.quickCrashSecret).toHaveLength(32);
    expect(state.get('office')).toBeUndefined();
    expect(lines).toHaveLength(4);
  });
});
