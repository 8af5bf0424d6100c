/** Small files in the state directory, written so that a power cut leaves the old text or the new one, never half. */
import { constants } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** For the owner only: state holds secrets. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** Writes to one path wait for each other: they share the temporary name. */
const writing = new Map<string, Promise<void>>();

/** Creates the directory, with mode 0700, where it is missing. @throws Error in words when it cannot be. */
export async function ensureStateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
    if (!(await stat(directory)).isDirectory()) throw new Error('it is not a directory');
  } catch (error) {
    throw new Error(`The state directory ${directory} cannot be used: ${reasonOf(error)}; choose another one.`);
  }
}

/**
 * Replaces the file whole: temporary file beside it, fsync, rename, fsync of the directory. Mode 0600. When the
 * returned promise is fulfilled the text survives a power cut.
 * @throws Error in words; the old text is then still there.
 */
export async function writeStateFile(path: string, text: string): Promise<void> {
  const previous = writing.get(path) ?? Promise.resolve();
  const next = previous.catch(() => undefined).then(() => replaceFile(path, text));
  writing.set(path, next);
  try {
    await next;
  } finally {
    if (writing.get(path) === next) writing.delete(path);
  }
}

/** The text; `undefined` when there is no such file. @throws Error in words when it is too large or cannot be read. */
export async function readStateFile(path: string, maxOctets: number): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { size } = await file.stat();
      if (size > maxOctets) throw new Error(`it has ${size} octets, and at most ${maxOctets} are read`);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Error(`${path} cannot be read: ${reasonOf(error)}.`);
  }
}

/** Removes the file durably; harmless when it is not there. */
export async function removeStateFile(path: string): Promise<void> {
  await writing.get(path)?.catch(() => undefined);
  await rm(path, { force: true });
  await syncDirectory(dirname(path)).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}

async function replaceFile(path: string, text: string): Promise<void> {
  const directory = dirname(path);
  await ensureStateDirectory(directory);
  const temporary = join(directory, `.${path.slice(directory.length + 1)}.tmp`);
  try {
    // A left-over of a crash is removed, not followed or reused: it might be a link or have another mode.
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', FILE_MODE);
    try {
      await file.writeFile(text, 'utf8');
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(directory);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new Error(`${path} cannot be written: ${reasonOf(error)}; is the disk full or read-only?`);
  }
}

/** Names that were made, changed or removed in the directory survive a power cut when this is fulfilled. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The message of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name of whatever was thrown, `ENOENT` for example; `undefined` where it has none. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
