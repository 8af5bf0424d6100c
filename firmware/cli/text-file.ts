/** Files that commands read whole and write. */
import { constants } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorText } from './system-error-text.ts';

/** A file cannot be used. The message says which one, why and what to do, one sentence without a full stop. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/**
 * @param limit octets.
 * @param kind what the file should be: `configuration`.
 * @throws FileError
 */
export async function readTextFile(file: string, limit: number, kind: string): Promise<string> {
  const octets = await readWholeFile(file, limit, kind);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** The same with octets of any kind. @throws FileError */
export async function readWholeFile(file: string, limit: number, kind: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > limit) throw tooLarge(file, limit, kind);
    const octets = await readFile(file);
    // A pipe does not say its size before it is read.
    if (octets.length > limit) throw tooLarge(file, limit, kind);
    return octets;
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw unreadable(file, error);
  }
}

/** @throws FileError when the file is there already. */
export async function refuseExisting(file: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there !== undefined) throw existing(file);
}

/**
 * For its owner only, and on the disk when the promise is fulfilled.
 * @param force also in place of a file that is there; until the new one is whole, that stays.
 * @throws FileError; what was there stays.
 */
export async function writeTextFile(file: string, text: string | Uint8Array, force: boolean): Promise<void> {
  const path = force ? join(dirname(file), `.${basename(file)}.${process.pid}.tmp`) : file;
  let made = false;
  try {
    const handle = await open(path, 'wx', 0o600);
    made = true;
    try {
      await handle.writeFile(text, 'utf8');
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (force) await rename(path, file);
    await syncDirectory(dirname(file));
  } catch (error) {
    if (made) await rm(path, { force: true }).catch(() => undefined);
    if (!force && error instanceof Error && 'code' in error && error.code === 'EEXIST') throw existing(file);
    throw new FileError(`${file} cannot be written, ${causeOf(error)}: choose another place`);
  }
}

/** So that a power cut does not take the name away; not every file system of a stick can do that. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync().catch(() => undefined);
  } finally {
    await handle.close();
  }
}

function tooLarge(file: string, limit: number, kind: string): FileError {
  const mebibytes = limit / (1024 * 1024);
  const size = mebibytes >= 1 ? `${mebibytes} MiB` : `${limit} octets`;
  return new FileError(`${file} is larger than ${size} and no ${kind}: check that it is the right file`);
}

function unreadable(file: string, error: unknown): FileError {
  return new FileError(`${file} cannot be read, ${causeOf(error)}: check its name and its permissions`);
}

/** What is said of a file that is not to be written over. */
export function existing(file: string): FileError {
  return new FileError(`${file} is there already and stays as it is: name another file, or replace it with --force`);
}

function causeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8 text';
  return systemErrorText(error) ?? (error instanceof Error ? error.message : 'for an unknown reason');
}
