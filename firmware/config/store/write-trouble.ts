/** What a failed write of the store says to a person. */
import { reasonOf } from '../state-file.ts';

interface Trouble {
  readonly reason: string;
  readonly remedy: string;
}

const OTHER: Trouble = { reason: 'it cannot be written down', remedy: 'see the log and try it again' };

/** By the beginning of SQLite's or the system's code. */
const TROUBLES: readonly (readonly [RegExp, Trouble])[] = [
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)/, { reason: 'the disk is full', remedy: 'free some space and try it again' }],
  [
    /^(SQLITE_READONLY|EROFS)/,
    { reason: 'the file system is read-only', remedy: 'check the disk and mount it for writing, then try it again' },
  ],
  [
    /^(SQLITE_CANTOPEN|SQLITE_PERM|SQLITE_AUTH|EACCES|EPERM)/,
    { reason: 'the state directory cannot be written', remedy: 'give it to the user that runs culvert' },
  ],
  [
    /^(SQLITE_CORRUPT|SQLITE_NOTADB)/,
    {
      reason: 'the configuration database is damaged',
      remedy: 'restart the router: it puts the database aside and starts from the last good export',
    },
  ],
  [/^(SQLITE_BUSY|SQLITE_LOCKED)/, { reason: 'another program holds the configuration database', remedy: 'end that' }],
  [
    /^(SQLITE_IOERR|EIO)/,
    { reason: 'the disk reports an error', remedy: 'save a backup, check the disk, and replace it if need be' },
  ],
];

/** One sentence each, without a full stop. */
export function writeTrouble(error: unknown): Trouble {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = TROUBLES.find(([pattern]) => pattern.test(code))?.[1];
  return known ?? { ...OTHER, reason: `${OTHER.reason}: ${reasonOf(error).replace(/\.$/, '')}` };
}
