/** A folder of its own, under the temporary folder, for every part of the lab that keeps files. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTeardown, processExists } from './teardown.ts';

export interface StateFolder {
  /** Absolute path. Mode 0700. */
  readonly path: string;
  /** Removes it with all that is in it. Harmless when it is gone. */
  remove(): void;
}

const NAME = /^culvert-lab-(\d+)-/;

/** Makes an empty folder that is removed at the end of the process at the latest. */
export function createStateFolder(label: string): StateFolder {
  sweepStaleFolders();
  const path = mkdtempSync(join(tmpdir(), `culvert-lab-${process.pid}-${label}-`));
  const undo = onTeardown(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return { path, remove: () => undo.run() };
}

let swept = false;

/** Removes what earlier runs could not remove because they were killed. */
function sweepStaleFolders(): void {
  if (swept) return;
  swept = true;
  for (const name of readdirSync(tmpdir())) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !processExists(Number(pid))) {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}
