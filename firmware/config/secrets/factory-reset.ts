/** Forgetting everything, the device key first: what a power cut leaves of the rest can be read by nobody. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeStateFile, writeStateFile } from '../state-file.ts';
import { destroyDeviceKey } from './device-key.ts';

/** Stands while a reset is under way: the next start completes it. */
const MARKER = 'factory-reset';

/**
 * Everything that Culvert writes into its state directory, but for the journal of what it changed on the machine's network:
 * that is needed to take it back, and holds nothing else.
 */
const FILES: readonly RegExp[] = [
  /^configuration\.db/,
  /^traffic\.db/,
  /^last-good\.json$/,
  /^configuration\.json$/,
  /^resolved-names\.json$/,
  /^ipsec-crash-secret$/,
  /^ipsec-offers\.json$/,
  /^wall-clock$/,
  /^dns$/,
];

export interface StatePlaces {
  readonly stateDirectory: string;
  readonly keyDirectory: string;
}

/** From here on there is no way back: the key is destroyed. @throws Error when that could not be written. */
export async function beginFactoryReset({ stateDirectory, keyDirectory }: StatePlaces): Promise<void> {
  await writeStateFile(join(stateDirectory, MARKER), 'This router is being reset to its factory state.\n');
  await destroyDeviceKey(keyDirectory);
}

/** Whether a reset was begun and not completed. */
export async function factoryResetPending(stateDirectory: string): Promise<boolean> {
  try {
    return (await stat(join(stateDirectory, MARKER))).isFile();
  } catch {
    return false;
  }
}

/** The whole of it, or the rest of one that was interrupted. Nothing may write there meanwhile. @returns what was removed. */
export async function eraseState(places: StatePlaces): Promise<{ readonly removed: readonly string[] }> {
  const { stateDirectory } = places;
  await beginFactoryReset(places);
  const removed: string[] = [];
  for (const name of await readdir(stateDirectory)) {
    if (!FILES.some((pattern) => pattern.test(name))) continue;
    await rm(join(stateDirectory, name), { recursive: true, force: true });
    removed.push(name);
  }
  await removeStateFile(join(stateDirectory, MARKER));
  return { removed };
}
