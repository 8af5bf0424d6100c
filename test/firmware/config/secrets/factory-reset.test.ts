import { spawn } from 'node:child_process';
import {
  existsSync,
  globSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadDeviceKey } from '../../../../firmware/config/secrets/device-key.ts';
import {
  beginFactoryReset,
  eraseState,
  factoryResetPending,
  MODEM_FILE,
  RESET_MARKER,
  STATE_DATABASES,
  STATE_FILES,
  STATE_FOLDERS,
} from '../../../../firmware/config/secrets/factory-reset.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

/** What goes. */
const OURS = [
  ...STATE_FILES,
  ...STATE_DATABASES.flatMap((name) => [name, `${name}-wal`, `${name}-shm`]),
  'configuration.db.damaged-2026-07-01T12-00-00-000Z',
  'configuration.db.damaged-2026-07-01T12-00-00-000Z-wal',
  'dns/hq.conf',
  'dhcp/wan.json',
  '.last-good.json.tmp',
  'dns/.hq.conf.tmp',
];

/** What stays. */
const OTHERS = [
  'network-journal.json',
  'control.sock',
  'notes.txt',
  'configuration.db.txt',
  'old-configuration.json',
  '.notes.txt.tmp',
];

let root: string;
let count = 0;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'culvert-reset-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Places {
  readonly stateDirectory: string;
  readonly keyDirectory: string;
}

/** A state directory with everything in it, and a key. */
async function filled(keyDirectory?: string): Promise<Places> {
  const stateDirectory = join(root, `state-${count++}`);
  for (const folder of Object.keys(STATE_FOLDERS))
    mkdirSync(join(stateDirectory, folder), { recursive: true, mode: 0o700 });
  for (const name of [...OURS, ...OTHERS])
    writeFileSync(join(stateDirectory, name), `text of ${name}`, { mode: 0o600 });
  const places = { stateDirectory, keyDirectory: keyDirectory ?? join(stateDirectory, 'key') };
  await loadDeviceKey({ directory: places.keyDirectory, random: new SeededRandom(count), create: true });
  return places;
}

const keyOf = ({ keyDirectory }: Places) => join(keyDirectory, 'device.key');
const left = ({ stateDirectory }: Places) =>
  [...OURS, ...OTHERS].filter((name) => existsSync(join(stateDirectory, name)));

describe('eraseState', () => {
  it('removes the key and everything that Culvert wrote, and nothing else', async () => {
    const places = await filled();
    const { removed } = await eraseState(places);
    expect([...removed].sort()).toEqual([...OURS].sort());
    expect(left(places)).toEqual(OTHERS);
    expect(readdirSync(places.stateDirectory).sort()).toEqual([...OTHERS, 'key'].sort());
    expect(existsSync(keyOf(places))).toBe(false);
    expect(await factoryResetPending(places.stateDirectory)).toBe(false);
  });

  it('overwrites what it removes', async () => {
    const places = await filled();
    const second = join(root, 'second name');
    linkSync(join(places.stateDirectory, 'configuration.json'), second);
    const length = readFileSync(second).length;
    await eraseState(places);
    expect(readFileSync(second)).toEqual(Buffer.alloc(length));
  });

  it('destroys a key that is kept elsewhere, and the state behind a link', async () => {
    const places = await filled(join(root, 'other partition'));
    const linked = join(root, 'linked');
    symlinkSync(places.stateDirectory, linked);
    const { removed } = await eraseState({ ...places, stateDirectory: linked });
    expect(removed).toHaveLength(OURS.length);
    expect(existsSync(keyOf(places))).toBe(false);
  });

  it('removes links and not what they point to, and leaves folders that have the name of a file', async () => {
    const stateDirectory = join(root, 'state');
    const bystander = join(root, 'bystander');
    mkdirSync(join(stateDirectory, 'wall-clock'), { recursive: true });
    mkdirSync(bystander);
    writeFileSync(join(bystander, 'x.conf'), 'untouched');
    symlinkSync(join(bystander, 'x.conf'), join(stateDirectory, 'last-good.json'));
    symlinkSync(bystander, join(stateDirectory, 'dns'));
    const { removed } = await eraseState({ stateDirectory, keyDirectory: join(stateDirectory, 'key') });
    expect(removed).toEqual(['last-good.json']);
    expect(readFileSync(join(bystander, 'x.conf'), 'utf8')).toBe('untouched');
    expect(readdirSync(stateDirectory).sort()).toEqual(['dns', 'wall-clock']);
  });

  it('keeps a folder that has something unknown in it', async () => {
    const places = await filled();
    writeFileSync(join(places.stateDirectory, 'dns', 'notes.txt'), '');
    await eraseState(places);
    expect(readdirSync(join(places.stateDirectory, 'dns'))).toEqual(['notes.txt']);
  });

  it('is harmless where nothing is, and a second time', async () => {
    const places = { stateDirectory: join(root, 'new'), keyDirectory: join(root, 'new', 'key') };
    expect(await eraseState(places)).toEqual({ removed: [] });
    expect(await eraseState(places)).toEqual({ removed: [] });
    expect(readdirSync(places.stateDirectory)).toEqual([]);
  });

  it('destroys no configuration while the key cannot be destroyed, and says why', async () => {
    const places = await filled();
    rmSync(keyOf(places));
    mkdirSync(keyOf(places));
    await expect(eraseState(places)).rejects.toThrow(
      /^The device key in .* cannot be destroyed: .*; is it read-only\?$/,
    );
    expect(left(places)).toEqual([...OURS, ...OTHERS]);
    expect(await factoryResetPending(places.stateDirectory)).toBe(true);
  });

  it('is completed after a cut between overwriting the key and removing it', async () => {
    const places = await filled();
    await beginFactoryReset(places);
    mkdirSync(places.keyDirectory, { recursive: true });
    writeFileSync(keyOf(places), Buffer.alloc(103), { mode: 0o400 });
    expect(await factoryResetPending(places.stateDirectory)).toBe(true);
    await eraseState(places);
    expect(existsSync(keyOf(places))).toBe(false);
    expect(left(places)).toEqual(OTHERS);
  });

  it('killed at any step is known to be pending, has lost the key before anything else, and is completed', async () => {
    const steps: string[] = [];
    await eraseState({ ...(await filled()), onStep: (what) => steps.push(what) });
    expect(steps.slice(0, 2)).toEqual(['marker', 'key']);
    expect(steps.at(-1)).toBe('end');
    expect(steps).toHaveLength(OURS.length + 3 + Object.keys(STATE_FOLDERS).length);
    let kills = 0;
    const killAt = async (step: number): Promise<void> => {
      const places = await filled();
      expect(await runUntil(places, step), `step ${step}`).toBe('SIGKILL');
      kills += 1;
      const [pending, remaining] = [await factoryResetPending(places.stateDirectory), left(places)];
      expect(pending, `step ${step}`).toBe(step > 1);
      if (step <= 2) expect(remaining).toEqual([...OURS, ...OTHERS]);
      else expect(existsSync(keyOf(places)), `step ${step}`).toBe(false);
      expect(OURS.filter((name) => !remaining.includes(name)).length).toBe(
        Math.min(Math.max(step - 3, 0), OURS.length),
      );
      await eraseState(places);
      expect(left(places)).toEqual(OTHERS);
      expect(existsSync(keyOf(places))).toBe(false);
      expect(await factoryResetPending(places.stateDirectory)).toBe(false);
    };
    // Two at a time: most of each is the start of a process.
    const numbers = [...steps.keys()].map((index) => index + 1);
    const work = async () => {
      for (let step = numbers.shift(); step !== undefined; step = numbers.shift()) await killAt(step);
    };
    await Promise.all([work(), work()]);
    expect(kills).toBe(steps.length);
    console.log(`a factory reset was killed at each of its ${kills} steps and completed`);
  }, 120_000);
});

describe('factoryResetPending', () => {
  it('is true from the beginning on, and false where there is no directory', async () => {
    const places = await filled();
    expect(await factoryResetPending(places.stateDirectory)).toBe(false);
    expect(await factoryResetPending(join(root, 'nowhere'))).toBe(false);
    await beginFactoryReset(places);
    expect(await factoryResetPending(places.stateDirectory)).toBe(true);
    expect(existsSync(keyOf(places))).toBe(false);
    expect(left(places)).toEqual([...OURS, ...OTHERS]);
  });
});

/** Sources that write into the state directory, and the names under which they do. */
const WRITERS: Readonly<Record<string, readonly string[]>> = {
  'firmware/config/secrets/factory-reset.ts': [RESET_MARKER],
  'firmware/config/store/last-good.ts': ['last-good.json'],
  'firmware/network/journal.ts': ['network-journal.json'],
  'firmware/network/resolved-names.ts': ['resolved-names.json'],
  'firmware/network/session-dns.ts': ['dns', '.conf'],
  'firmware/router/ipsec-state.ts': ['ipsec-crash-secret', 'ipsec-offers.json'],
  'firmware/router/wall-clock-floor.ts': ['wall-clock'],
  'firmware/uplink/dhcp/lease-file.ts': ['dhcp', '.json'],
  // Whose names have the modem's in them.
  'firmware/uplink/modem/data-meter.ts': [],
  'firmware/uplink/modem/pin-guard.ts': [],
  'firmware/uplink/ppp/pppoe-memory.ts': ['pppoe-sessions'],
};

const KNOWN: readonly string[] = [
  ...STATE_FILES,
  ...Object.entries(STATE_FOLDERS).flat(),
  ...OTHERS.filter((name) => name === 'network-journal.json'),
  RESET_MARKER,
];

describe('the table of state files', () => {
  const sources = globSync('firmware/**/*.ts').map((path) => ({ path, text: readFileSync(path, 'utf8') }));

  it('knows every source that writes one', () => {
    const writers = sources.filter(({ text }) => /\bwriteStateFile\(join|await writeStateFile\(/.test(text));
    const paths = writers.map(({ path }) => path).filter((path) => path !== 'firmware/config/state-file.ts');
    // A new one: add its file to STATE_FILES, and then here.
    expect(paths.sort()).toEqual(Object.keys(WRITERS));
    for (const { path, text } of writers) {
      for (const name of WRITERS[path] ?? []) {
        expect(text, path).toContain(`'${name}'`);
        expect(KNOWN, path).toContain(name);
      }
    }
  });

  it('knows the files of a modem', () => {
    for (const ending of ['pins', 'data']) expect(MODEM_FILE.test(`modem-lte-${ending}.json`)).toBe(true);
    expect(sources.some(({ text }) => text.includes('-pins.json'))).toBe(true);
    expect(sources.some(({ text }) => text.includes('-data.json'))).toBe(true);
  });

  it('knows every database', () => {
    const names = sources.flatMap(({ text }) => [...text.matchAll(/'([a-z-]+\.db)'/g)].map(([, name]) => name));
    expect(names).toContain('configuration.db');
    for (const name of names) expect(STATE_DATABASES).toContain(name);
  });
});

/** Erases in a process that kills itself before its n-th step. @returns the signal that ended it. */
async function runUntil({ stateDirectory, keyDirectory }: Places, step: number): Promise<string | null> {
  const child = join(import.meta.dirname, 'erase-state-child.ts');
  const { promise, resolve } = Promise.withResolvers<string | null>();
  spawn(process.execPath, [child, stateDirectory, keyDirectory, String(step)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  }).once('close', (_code, signal) => resolve(signal));
  return await promise;
}
