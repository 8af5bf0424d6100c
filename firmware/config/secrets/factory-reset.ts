/** Forgetting everything, the device key first: what a power cut leaves of the secrets can be read by nobody. */
import { lstat, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, ensureStateDirectory, reasonOf, removeStateFile, writeStateFile } from '../state-file.ts';
import { destroyDeviceKey } from './device-key.ts';
import { eraseFile } from './erase-file.ts';

/** Stands while a reset is under way: the next start completes it. */
export const RESET_MARKER = 'factory-reset';

/**
 * The files that Culvert writes into its state directory. Not among them is the journal of what it changed on the machine's
 * network: that is needed to take it back at the next start, which empties it; and the control socket, which is in use.
 */
export const STATE_FILES = [
  'configuration.json',
  'last-good.json',
  'resolved-names.json',
  'ipsec-crash-secret',
  'ipsec-offers.json',
  'pppoe-sessions',
  'wall-clock',
] as const;

/** The databases; SQLite has further files beside each, and damaged ones are kept aside under longer names. */
export const STATE_DATABASES = ['configuration.db', 'traffic.db', 'accounts.db'] as const;

/** Folders, with the ending of the files in them that are ours. */
export const STATE_FOLDERS = { dns: '.conf', dhcp: '.json' } as const;

/** What is remembered of each modem, by its name in the configuration: PINs that were tried, octets of the month. */
export const MODEM_FILE = /^modem-[A-Za-z0-9_-]{1,32}-(?:pins|data)\.json$/;

const DATABASE = new RegExp(
  `^(${STATE_DATABASES.join('|').replaceAll('.', '\\.')})(\\.damaged-[0-9TZ-]+)?(-wal|-shm|-journal)?$`,
);

export interface StatePlaces {
  readonly stateDirectory: string;
  readonly keyDirectory: string;
  /** Called before each step that changes the storage, for tests that end the program there. */
  readonly onStep?: (what: string) => void;
}

/** From here on there is no way back: the key is destroyed. Durable. @throws Error in words when that could not be written. */
export async function beginFactoryReset({ stateDirectory, keyDirectory, onStep }: StatePlaces): Promise<void> {
  await ensureStateDirectory(stateDirectory);
  onStep?.('marker');
  await writeStateFile(join(stateDirectory, RESET_MARKER), 'This router is being reset to its factory state.\n');
  onStep?.('key');
  try {
    await destroyDeviceKey(keyDirectory);
  } catch (error) {
    throw new Error(`The device key in ${keyDirectory} cannot be destroyed: ${reasonOf(error)}; is it read-only?`);
  }
}

/** Whether a reset was begun and not completed: {@link eraseState} has to be called before anything else is read. */
export async function factoryResetPending(stateDirectory: string): Promise<boolean> {
  try {
    return (await lstat(join(stateDirectory, RESET_MARKER))).isFile();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/**
 * The whole of it, or the rest of one that was interrupted. Each step is durable before the next. Nothing may write there
 * meanwhile. What is unknown stays, and so does a folder where Culvert would have a file.
 * @returns what was removed, relative to the state directory.
 * @throws Error in words when something could not be removed; everything else is gone then, and the next call tries again.
 */
export async function eraseState(places: StatePlaces): Promise<{ readonly removed: readonly string[] }> {
  const { stateDirectory, onStep } = places;
  await beginFactoryReset(places);
  const removed: string[] = [];
  const failures: string[] = [];
  for (const name of await stateFiles(stateDirectory)) {
    onStep?.(name);
    try {
      if (await eraseFile(join(stateDirectory, name))) removed.push(name);
    } catch (error) {
      failures.push(reasonOf(error));
    }
  }
  for (const folder of Object.keys(STATE_FOLDERS)) {
    onStep?.(folder);
    // One with something unknown in it stays.
    await rmdir(join(stateDirectory, folder)).catch(() => undefined);
  }
  const [first] = failures;
  if (first !== undefined) {
    const more = failures.length > 1 ? `, and ${failures.length - 1} more` : '';
    throw new Error(
      `The device key is destroyed, but not everything in ${stateDirectory} can be removed: ${first}${more}; ` +
        'see whether the disk is read-only or damaged, and start again.',
    );
  }
  onStep?.('end');
  await removeStateFile(join(stateDirectory, RESET_MARKER));
  return { removed };
}

/** Those of ours that are there, relative to the directory; links by such names are among them. */
async function stateFiles(directory: string): Promise<readonly string[]> {
  const found = (await filesOf(directory)).filter(isStateFile);
  for (const [folder, ending] of Object.entries(STATE_FOLDERS)) {
    const path = join(directory, folder);
    if ((await lstat(path).catch(() => undefined))?.isDirectory() !== true) continue;
    const names = await filesOf(path);
    found.push(...names.filter((name) => written(name).endsWith(ending)).map((name) => join(folder, name)));
  }
  return found;
}

async function filesOf(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map(({ name }) => name);
}

function isStateFile(name: string): boolean {
  return STATE_FILES.some((file) => file === written(name)) || DATABASE.test(name) || MODEM_FILE.test(written(name));
}

/** The name for which a temporary file was made, `.NAME.tmp`, which a power cut may have left; else the name itself. */
function written(name: string): string {
  return /^\.(.+)\.tmp$/.exec(name)?.[1] ?? name;
}
