/** Attributes under /sys, as the drivers of this folder use them; tests hand in a kernel that they made up. */
import { readdir, readFile, writeFile } from 'node:fs/promises';

export interface SysFiles {
  /** Without the line feed at its end. Rejects with the error of the system. */
  read(path: string): Promise<string>;
  /** In one write(2). Rejects likewise. */
  write(path: string, text: string): Promise<void>;
  /** Names in a folder; none where there is no such folder. */
  list(path: string): Promise<readonly string[]>;
}

export const sysFiles: SysFiles = {
  read: async (path) => (await readFile(path, 'latin1')).replace(/\n$/, ''),
  // Nothing is created: an attribute that is not there is an error.
  write: (path, text) => writeFile(path, text, { encoding: 'latin1', flag: 'r+' }),
  list: (path) => readdir(path).catch(() => []),
};

/** The errno name of what was thrown; empty where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
