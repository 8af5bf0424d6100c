/** `configuration.json`, in which versions before the database kept the configuration, secrets in clear. */
import { join } from 'node:path';
import { checkStoredConfiguration, MAX_CONFIGURATION_OCTETS, parseConfiguration } from '../parse.ts';
import { formatProblem } from '../problem.ts';
import type { Configuration } from '../schema.ts';
import { eraseFile } from '../secrets/erase-file.ts';
import { readStateFile, reasonOf } from '../state-file.ts';

const FILE_NAME = 'configuration.json';

/** Defaults made the stored text longer than the one that was applied. */
const MAX_OCTETS = 8 * MAX_CONFIGURATION_OCTETS;

type Old = { readonly ok: true; readonly configuration: Configuration } | { readonly ok: false; readonly why: string };

/** `undefined`: there is none. */
export async function oldConfiguration(stateDirectory: string): Promise<Old | undefined> {
  const path = join(stateDirectory, FILE_NAME);
  try {
    const text = await readStateFile(path, MAX_OCTETS);
    if (text === undefined) return undefined;
    const parsed = parseConfiguration(text, FILE_NAME, MAX_OCTETS, checkStoredConfiguration);
    if (parsed.ok) return parsed;
    const [first] = parsed.problems;
    const what = first === undefined ? 'no reason is known' : formatProblem(first);
    return { ok: false, why: `${path} of an earlier version is refused: ${what}; apply a configuration again` };
  } catch (error) {
    return { ok: false, why: `${path} of an earlier version is not taken over: ${reasonOf(error)}` };
  }
}

/** Overwritten, too, since its secrets are in clear. */
export async function removeOldConfiguration(stateDirectory: string): Promise<void> {
  await eraseFile(join(stateDirectory, FILE_NAME));
}
