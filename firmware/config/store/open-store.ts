/** Opening the store, whatever state it is in: what is damaged is kept aside, and the last good export takes its place. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { RandomSource } from '../../protocol/machine.ts';
import { type DeviceKey, loadDeviceKey } from '../secrets/device-key.ts';
import { ensureStateDirectory, reasonOf } from '../state-file.ts';
import { readLastGood } from './last-good.ts';
import { DamagedDatabaseError, StoreDatabase, type StoredRevision } from './store-database.ts';
import type { Recovery } from './store-types.ts';
import { writeTrouble } from './write-trouble.ts';

const FILE_NAME = 'configuration.db';

export interface OpenStoreOptions {
  readonly stateDirectory: string;
  readonly keyDirectory: string;
  readonly random: RandomSource;
  /** Wall clock, ms since 1970. */
  readonly at: number;
}

export interface OpenedStore {
  /** Absent: it cannot be opened at present (full disk, read-only file system). */
  readonly database?: StoreDatabase;
  /** Absent: it cannot be read, and no secret with it. */
  readonly key?: DeviceKey;
  /** What was confirmed last, as far as it is known. Not checked yet. */
  readonly confirmed?: StoredRevision;
  readonly recovery?: Recovery;
  /** For the log. */
  readonly notes: readonly string[];
}

/** @throws Error in words when there can be no state directory, or the store is of a later version. */
export async function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  const { stateDirectory, keyDirectory, random } = options;
  await ensureStateDirectory(stateDirectory);
  const opened = await openDatabase(options);
  const confirmed = opened.confirmed ?? undefined;
  // A new key where documents are sealed by an old one would only hide that the old one is missing.
  const create = confirmed === undefined && (opened.database?.revisions().length ?? 0) === 0;
  const loaded = await loadDeviceKey({ directory: keyDirectory, random, create });
  if (loaded.kind !== 'refused') return { ...opened, key: loaded.key };
  const { reason, remedy } = loaded;
  return { ...opened, recovery: opened.recovery ?? { kind: 'failsafe', reason, remedy } };
}

/** Puts a database aside that is damaged, and begins a new one with the last good export. */
export async function replaceDatabase(
  database: StoreDatabase | undefined,
  why: string,
  { stateDirectory, at }: OpenStoreOptions,
): Promise<Omit<OpenedStore, 'key'>> {
  database?.close();
  const path = join(stateDirectory, FILE_NAME);
  const aside = `${path}.damaged-${new Date(at).toISOString().replaceAll(/[:.]/g, '-')}`;
  for (const ending of ['', '-wal', '-shm']) await moveAside(`${path}${ending}`, `${aside}${ending}`);
  const lastGood = await readLastGood(stateDirectory);
  const damage = `the configuration database was damaged (${why}) and is kept as ${aside}`;
  const recovery: Recovery =
    lastGood === undefined
      ? {
          kind: 'failsafe',
          reason: `${damage}; there is no good export beside it either`,
          remedy: 'restore a backup or apply a configuration',
        }
      : {
          kind: 'recovered',
          reason: `${damage}; revision ${lastGood.id} of ${new Date(lastGood.at).toISOString()} is in force from the last good export`,
          remedy: 'check that it is the right one, and apply or confirm a configuration; check the disk',
        };
  const fresh = new StoreDatabase(path);
  fresh.adopt(lastGood, JSON.stringify(recovery), { at, text: recovery.reason });
  return { database: fresh, ...(lastGood === undefined ? {} : { confirmed: lastGood }), recovery, notes: [] };
}

async function openDatabase(options: OpenStoreOptions): Promise<Omit<OpenedStore, 'key'>> {
  try {
    const database = new StoreDatabase(join(options.stateDirectory, FILE_NAME));
    const { confirmed: id, recovery } = database.head();
    const confirmed = id === undefined ? undefined : database.revision(id);
    return {
      database,
      ...(confirmed === undefined ? {} : { confirmed }),
      ...(recovery === undefined ? {} : { recovery: JSON.parse(recovery) as Recovery }),
      notes: [],
    };
  } catch (error) {
    if (error instanceof DamagedDatabaseError) return await replaceDatabase(undefined, error.message, options);
    if (!(error instanceof Error && 'code' in error)) throw error;
    const { reason, remedy } = writeTrouble(error);
    const lastGood = await readLastGood(options.stateDirectory);
    const cannot = `the configuration database cannot be opened: ${reason}`;
    if (lastGood === undefined) return { recovery: { kind: 'failsafe', reason: cannot, remedy }, notes: [] };
    const from = `${cannot}; revision ${lastGood.id} is in force from the last good export`;
    return { confirmed: lastGood, recovery: { kind: 'recovered', reason: from, remedy }, notes: [] };
  }
}

async function moveAside(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw new Error(`${from} is damaged and cannot be put aside: ${reasonOf(error)}; move it elsewhere.`);
    }
  }
}
