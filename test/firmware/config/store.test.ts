import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readStateFile, removeStateFile, writeStateFile } from '../../../firmware/config/state-file.ts';
import { ConfigurationStore } from '../../../firmware/config/store.ts';
import { exampleConfiguration } from './example.ts';

let root: string;
let state: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'culvert-store-'));
  state = join(root, 'deep', 'state');
});

afterEach(() => rm(root, { recursive: true, force: true }));

const mode = async (path: string) => (await stat(path)).mode & 0o777;

describe('ConfigurationStore', () => {
  it('creates the state directory for its owner alone, and has nothing at first', async () => {
    expect(await new ConfigurationStore(state).load()).toEqual({ kind: 'none' });
    expect(await mode(state)).toBe(0o700);
  });

  it('gives back what was saved, from a file for its owner alone', async () => {
    await new ConfigurationStore(state).save(exampleConfiguration());
    expect(await new ConfigurationStore(state).load()).toMatchObject({
      kind: 'loaded',
      configuration: exampleConfiguration(),
    });
    expect(await mode(join(state, 'configuration.json'))).toBe(0o600);
    expect(await readdir(state)).toEqual(['configuration.json']);
  });

  it('leaves the mode of a directory that was there before', async () => {
    await mkdir(state, { recursive: true });
    await chmod(state, 0o755);
    await new ConfigurationStore(state).load();
    expect(await mode(state)).toBe(0o755);
  });

  it.each([
    ['half a file', '{"system": {"hostname": "a"', /damaged or of another version/],
    ['an empty file', '', /damaged or of another version/],
    ['a key of another version', '{"turnips": {}}', /unknown key "turnips"/],
  ])('refuses %s with words', async (_, text, reason) => {
    await mkdir(state, { recursive: true });
    await writeFile(join(state, 'configuration.json'), text);
    const stored = await new ConfigurationStore(state).load();
    expect(stored).toMatchObject({ kind: 'refused', remedy: expect.stringContaining('apply a configuration again') });
    expect(stored.kind === 'refused' && stored.reason).toMatch(reason);
  });

  it('says so when the state directory is a file', async () => {
    await writeFile(join(root, 'deep'), '');
    await expect(new ConfigurationStore(state).load()).rejects.toThrow(/cannot be used.*choose another one/s);
  });
});

describe('writeStateFile', () => {
  it('replaces the file whole and leaves nothing beside it, even after a crashed write', async () => {
    await mkdir(state, { recursive: true });
    const path = join(state, 'x.json');
    const bystander = join(root, 'bystander');
    await writeFile(bystander, 'untouched');
    await symlink(bystander, join(state, '.x.json.tmp'));
    await writeStateFile(path, 'one');
    await Promise.all([writeStateFile(path, 'two'), writeStateFile(path, 'three'), writeStateFile(path, 'four')]);
    expect(await readFile(path, 'utf8')).toBe('four');
    expect(await readdir(state)).toEqual(['x.json']);
    expect(await readFile(bystander, 'utf8')).toBe('untouched');
  });

  it('keeps the old text when the new one cannot be written', async () => {
    const path = join(state, 'x.json');
    await writeStateFile(path, 'old');
    await mkdir(join(state, '.x.json.tmp'));
    await writeFile(join(state, '.x.json.tmp', 'in-the-way'), '');
    await expect(writeStateFile(path, 'new')).rejects.toThrow(/cannot be written/);
    expect(await readFile(path, 'utf8')).toBe('old');
  });
});

describe('readStateFile', () => {
  it('gives undefined for a missing file and refuses a large one', async () => {
    const path = join(state, 'x.json');
    expect(await readStateFile(path, 10)).toBeUndefined();
    await writeStateFile(path, '12345678901');
    await expect(readStateFile(path, 10)).rejects.toThrow(/11 octets/);
    await removeStateFile(path);
    await removeStateFile(path);
    expect(await readStateFile(path, 10)).toBeUndefined();
  });
});
