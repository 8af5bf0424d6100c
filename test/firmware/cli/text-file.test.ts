import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError, readTextFile, refuseExisting, writeTextFile } from '../../../firmware/cli/text-file.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cv-file-'));
  file = join(folder, 'a.json');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('reading a text file', () => {
  it('gives its text, up to the limit', async () => {
    writeFileSync(file, 'ß'.repeat(5));
    expect(await readTextFile(file, 10, 'configuration')).toBe('ßßßßß');
    await expect(readTextFile(file, 9, 'configuration')).rejects.toThrow(
      `${file} is larger than 9 octets and no configuration: check that it is the right file`,
    );
  });

  it('says why it cannot be read', async () => {
    await expect(readTextFile(file, 10, 'backup')).rejects.toThrow(`${file} cannot be read, it is not there`);
    await expect(readTextFile(folder, 1e6, 'backup')).rejects.toThrow('it is a directory');
    writeFileSync(file, Buffer.of(0xff));
    await expect(readTextFile(file, 10, 'backup')).rejects.toThrow('it is not UTF-8 text');
  });
});

describe('writing a text file', () => {
  it('makes one that only its owner may read, whatever the umask is', async () => {
    await writeTextFile(file, 'text', false);
    expect(readFileSync(file, 'utf8')).toBe('text');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('leaves a file that is there alone', async () => {
    writeFileSync(file, 'precious');
    await expect(refuseExisting(file)).rejects.toThrow('is there already and stays as it is');
    await expect(writeTextFile(file, 'text', false)).rejects.toThrow('or replace it with --force');
    expect(readFileSync(file, 'utf8')).toBe('precious');
    await refuseExisting(join(folder, 'b.json'));
  });

  it('replaces it whole where that is wanted, and lets nobody else read the new one', async () => {
    writeFileSync(file, 'precious and long');
    chmodSync(file, 0o644);
    await writeTextFile(file, 'text', true);
    expect(readFileSync(file, 'utf8')).toBe('text');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['a.json']);
  });

  it('says why it cannot, and leaves nothing behind', async () => {
    const nowhere = join(folder, 'missing', 'a.json');
    await expect(writeTextFile(nowhere, 'text', false)).rejects.toThrow(FileError);
    await expect(writeTextFile(nowhere, 'text', true)).rejects.toThrow('it is not there');
    await expect(writeTextFile(folder, 'text', true)).rejects.toThrow(FileError);
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(nowhere)).toBe(false);
  });
});
