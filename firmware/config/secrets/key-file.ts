/**
 * `device.key`: 32 random octets as one line of text, with a check that tells damage. It appears whole or not at all, whoever
 * else makes one at the same time and whenever the power goes.
 */
import { hkdfSync } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RandomSource } from '../../protocol/machine.ts';
import { codeOf, syncDirectory } from '../state-file.ts';
import { eraseFile } from './erase-file.ts';

export const KEY_OCTETS = 32;

const FILE_NAME = 'device.key';
/** Nobody writes it twice. */
const FILE_MODE = 0o400;
const DIRECTORY_MODE = 0o700;

/** Bits of a mode: others than the owner can do anything with a file, or can put another one into a directory. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

/** Octets of the longest file that is read; the right one has 103. */
const MAX_FILE_OCTETS = 256;
const CHECK_OCTETS = 8;
const LINE = /^culvert device key 1 ([0-9a-f]{64}) ([0-9a-f]{16})\n?$/;

/** Names of files that become the key by a link; one that a crash left is removed at the next start. */
const DRAFT = /^\.device\.key\.[0-9a-f]{16}$/;
const DRAFT_NAME_OCTETS = 8;

/** Each further attempt takes another process that takes the key away just after one was made. */
const MAX_ATTEMPTS = 5;

/** The key file cannot be used; sentences without a full stop. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(reason);
    this.remedy = remedy;
  }
}

export function keyFilePath(directory: string): string {
  return join(directory, FILE_NAME);
}

/** @returns the 32 octets; `undefined` when there is no file. @throws KeyFileError, or the system's error. */
export async function readKeyFile(directory: string): Promise<Uint8Array | undefined> {
  const path = keyFilePath(directory);
  let file: FileHandle;
  try {
    // A pipe of that name must not be waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) !== 'ELOOP') throw error;
    throw new KeyFileError(`${path} is a link`, 'put the key file itself there, or name its folder with --key-dir');
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new KeyFileError(`${path} is no regular file`, putBack(path));
    checkOwner(path, found.uid);
    if ((found.mode & OTHERS) !== 0) {
      const remedy = `set its mode ("chmod 400 ${path}"), and change the passwords if somebody may have read it`;
      throw new KeyFileError(`${path} can be read by others than its owner`, remedy);
    }
    await checkDirectory(directory);
    const raw = found.size > MAX_FILE_OCTETS ? undefined : keyOf(await file.readFile('latin1'));
    if (raw === undefined) throw new KeyFileError(`${path} is damaged`, putBack(path));
    // Made by a process that may have died before this; what is sealed from now on needs the file after a power cut.
    await syncDirectory(directory).catch(() => undefined);
    if (found.nlink > 1) await removeDrafts(directory).catch(() => undefined);
    return raw;
  } finally {
    await file.close();
  }
}

/** Makes a key, unless another process is faster: then that one's is the key. Durable. */
export async function createKeyFile(directory: string, random: RandomSource): Promise<Uint8Array> {
  await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
  for (let attempt = 1; ; attempt += 1) {
    await place(directory, random);
    const raw = await readKeyFile(directory);
    if (raw !== undefined) {
      await removeDrafts(directory);
      return raw;
    }
    if (attempt === MAX_ATTEMPTS) {
      throw new KeyFileError(`${keyFilePath(directory)} is taken away as soon as it is there`, 'find out by what');
    }
  }
}

/** Overwritten, removed, durably gone; a draft of one, too. Harmless when there is none. */
export async function eraseKeyFile(directory: string): Promise<void> {
  await eraseFile(keyFilePath(directory));
  await removeDrafts(directory);
}

/** Under another name first, then by link(2), which replaces nothing: half a key is never seen. */
async function place(directory: string, random: RandomSource): Promise<void> {
  const draft = join(directory, `.${FILE_NAME}.${Buffer.from(random.bytes(DRAFT_NAME_OCTETS)).toString('hex')}`);
  const raw = random.bytes(KEY_OCTETS);
  const file = await open(draft, 'wx', FILE_MODE);
  try {
    await file.writeFile(lineOf(raw), 'latin1');
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, keyFilePath(directory));
  } catch (error) {
    // EEXIST: another process was faster. ENOENT: it was, and has cleared up our draft as well.
    if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOENT') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(directory);
}

async function removeDrafts(directory: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Not overwritten: it may be a second name of the key.
  const drafts = names.filter((name) => DRAFT.test(name));
  for (const name of drafts) await rm(join(directory, name), { force: true });
  if (drafts.length > 0) await syncDirectory(directory);
}

function lineOf(raw: Uint8Array): string {
  return `culvert device key 1 ${Buffer.from(raw).toString('hex')} ${checkOf(raw)}\n`;
}

function keyOf(text: string): Uint8Array | undefined {
  const [, hex, check] = LINE.exec(text) ?? [];
  if (hex === undefined) return undefined;
  const raw = new Uint8Array(Buffer.from(hex, 'hex'));
  return check === checkOf(raw) ? raw : undefined;
}

/** Derived, so that it tells nothing of the key. */
function checkOf(raw: Uint8Array): string {
  return Buffer.from(hkdfSync('sha256', raw, new Uint8Array(), 'culvert key file', CHECK_OCTETS)).toString('hex');
}

function checkOwner(path: string, uid: number): void {
  const own = process.geteuid?.();
  if (uid === 0 || own === undefined || uid === own) return;
  const remedy = `give it to the user that runs Culvert ("chown ${own} ${path}") if that one has made it`;
  throw new KeyFileError(`${path} belongs to user ${uid}, who could put another one there`, remedy);
}

async function checkDirectory(directory: string): Promise<void> {
  if (((await stat(directory)).mode & OTHERS_WRITE) === 0) return;
  throw new KeyFileError(
    `others than the owner can replace the key in ${directory}`,
    `set the folder's mode ("chmod 700 ${directory}")`,
  );
}

function putBack(path: string): string {
  return `put a good copy of ${path} back, or begin anew with "culvert factory-reset" and restore a backup`;
}
