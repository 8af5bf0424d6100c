/** Removing files that hold secrets in clear. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, syncDirectory } from '../state-file.ts';

/** Octets that are overwritten at a time. */
const CHUNK_OCTETS = 64 * 1024;

/**
 * Overwrites a regular file with zeros, removes it, and is fulfilled when a power cut does not bring it back. Of a link the
 * link goes, and what it points to is left alone. Flash storage may keep the old octets in cells that it took out of use:
 * only somebody who reads the chips finds them there.
 * @returns whether there was something to remove. @throws the system's error, also for a directory.
 */
export async function eraseFile(path: string): Promise<boolean> {
  const found = await statsOf(path);
  if (found === undefined) return false;
  if (found.isFile()) await overwrite(path);
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
  return true;
}

async function overwrite(path: string): Promise<void> {
  await makeWritable(path);
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    const zeros = new Uint8Array(Math.min(size, CHUNK_OCTETS));
    for (let at = 0; at < size; at += zeros.length) await writeAll(file, zeros.subarray(0, size - at), at);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The key file has mode 0400. The mode is set by the opened file, since chmod(2) of a name follows links. */
async function makeWritable(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await file.chmod(0o600);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, octets: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < octets.length)
    done += (await file.write(octets, done, octets.length - done, position + done)).bytesWritten;
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
