/** Brings a stored configuration document to the shape that this program reads. */
import { isObject } from '../schema-node.ts';
import { reasonOf } from '../state-file.ts';
import { CURRENT_VERSIONS as CURRENT, MIGRATIONS, type Migration } from './migration.ts';

/** Which version each module of a stored document has: whole numbers from 1, by the module's key. */
export type ModuleVersions = Readonly<Record<string, number>>;

/** What is stored beside a document that this program writes. */
export const CURRENT_VERSIONS: ModuleVersions = CURRENT;

export type MigratedDocument =
  | {
      readonly ok: true;
      /** The very document that was handed in, where there was nothing to do. */
      readonly document: unknown;
      readonly versions: ModuleVersions;
      /** What was done, in order, as `l2tp 1 to 2: what it did`. */
      readonly steps: readonly string[];
    }
  /** One sentence each, without a full stop. */
  | { readonly ok: false; readonly reason: string; readonly remedy: string };

/** What this program knows; tests hand in another one. */
export interface KnownMigrations {
  readonly current: ModuleVersions;
  /** The oldest first. */
  readonly migrations: readonly Migration[];
}

/**
 * Runs what is missing between `versions` and the current ones, in order. The result still has to be held against schema
 * and rules. Never changes `document`, never throws.
 * @param document with its secrets in plain text.
 * @param versions as stored beside it. A module that it does not name has nothing in the document.
 */
export function migrateDocument(
  document: unknown,
  versions: ModuleVersions,
  known: KnownMigrations = { current: CURRENT_VERSIONS, migrations: MIGRATIONS },
): MigratedDocument {
  if (!isObject(document)) return damaged('it is not an object');
  // They were read from storage, whatever their type says.
  if (!isObject(versions)) return damaged('its versions are missing');
  const doubt = doubtAbout(document, versions, known.current);
  if (doubt !== undefined) return doubt;
  const reached: Record<string, number> = { ...known.current, ...versions };
  const steps: string[] = [];
  let migrated: Readonly<Record<string, unknown>> = document;
  for (const { module, from, to, words, migrate } of known.migrations) {
    if (reached[module] !== from) continue;
    // A copy, so that a migration which writes to what it was given spoils nothing.
    if (steps.length === 0) migrated = structuredClone(document);
    try {
      const { [module]: before, ...others } = migrated;
      const after = migrate(before, migrated);
      migrated = after === undefined ? others : { ...migrated, [module]: after };
    } catch (error) {
      return notBrought(module, `${from} to ${to}: ${reasonOf(error)}`);
    }
    reached[module] = to;
    steps.push(`${module} ${from} to ${to}: ${words}`);
  }
  const behind = Object.keys(known.current).find((module) => reached[module] !== known.current[module]);
  if (behind === undefined) return { ok: true, document: migrated, versions: known.current, steps };
  return notBrought(behind, `${reached[behind]} to ${known.current[behind]}: this program has lost the way`);
}

/** What is wrong with the versions before anything is done. */
function doubtAbout(
  document: Readonly<Record<string, unknown>>,
  versions: ModuleVersions,
  current: ModuleVersions,
): MigratedDocument | undefined {
  for (const [module, version] of Object.entries(versions)) {
    if (!Number.isInteger(version) || version < 1) return damaged(`its part "${module}" has no version`);
    const newest = Object.hasOwn(current, module) ? current[module] : undefined;
    if (newest === undefined) return newer(`has a part "${module}", which this program does not know`);
    if (version > newest) {
      return newer(`has version ${version} of the part "${module}", and this program knows ${newest} at most`);
    }
  }
  const nameless = Object.keys(document).find((module) => !Object.hasOwn(versions, module));
  return nameless === undefined ? undefined : damaged(`its part ${JSON.stringify(nameless)} has no version`);
}

function newer(what: string): MigratedDocument {
  return {
    ok: false,
    reason: `the stored configuration is from a newer program: it ${what}`,
    remedy: 'start the newer program again, or apply a configuration from a file or a backup',
  };
}

function damaged(what: string): MigratedDocument {
  return {
    ok: false,
    reason: `the stored configuration is damaged: ${what}`,
    remedy: 'go back to another revision, or apply a configuration from a file or a backup',
  };
}

function notBrought(module: string, why: string): MigratedDocument {
  return {
    ok: false,
    reason: `the part "${module}" of the stored configuration cannot be brought from version ${why}`,
    remedy: 'apply a configuration from a file in the form of this version; the stored one is left as it is',
  };
}
