import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readStateFile, removeStateFile, writeStateFile } from '../../../firmware/config/state-file.ts';

let root: string;
let state: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'culvert-store-'));
  state = join(root, 'deep', 'state');
});

afterEach(() => rm(root, { recursive: true, force: true }));

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
