/** What a migration is, and every one that there is. */

/**
 * The versions of the stored document's shape that this program writes, by module: the configuration's top-level keys. One
 * goes up by one when a document that was stored before would be refused or would mean something else now. A new key that
 * has a default, or that may be left out, needs no new version.
 */
export const CURRENT_VERSIONS = {
  system: 1,
  interfaces: 1,
  modems: 1,
  uplinks: 1,
  l2tp: 1,
  ipsec: 1,
  routes: 1,
  users: 1,
} as const;

export type ModuleName = keyof typeof CURRENT_VERSIONS;

/** From one version of a module to the next one. */
export interface Migration {
  readonly module: ModuleName;
  readonly from: number;
  /** `from` + 1. */
  readonly to: number;
  /** What it does, one sentence without a full stop, for the log. */
  readonly words: string;
  /**
   * Pure: neither argument is changed, and the same arguments always give the same result.
   * @param moduleDocument what stands under the module's key; `undefined` where nothing does. Secrets are plain text.
   * @param wholeDocument the document as the migrations before this one have left it, to look things up in.
   * @returns what shall stand under the key instead; `undefined` removes it.
   * @throws Error in words, without secrets, when the document cannot be brought over.
   */
  readonly migrate: (moduleDocument: unknown, wholeDocument: Readonly<Record<string, unknown>>) => unknown;
}

/**
 * Every migration, the oldest first, whatever its module; none yet. New ones go to the end: what a program of some day
 * stored has passed through the beginning of this list, so that each migration finds the whole document as it expects it.
 */
export const MIGRATIONS: readonly Migration[] = [];
