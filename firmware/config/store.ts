/** The committed configuration in the state directory: one JSON file, replaced whole. */
import { join } from 'node:path';
import { MAX_CONFIGURATION_OCTETS, parseConfiguration } from './parse.ts';
import { formatProblem, type Problem } from './problem.ts';
import type { Configuration } from './schema.ts';
import { ensureStateDirectory, readStateFile, reasonOf, writeStateFile } from './state-file.ts';

const FILE_NAME = 'configuration.json';

/** Defaults make the stored text longer than the one that was applied. */
const MAX_STORED_OCTETS = 8 * MAX_CONFIGURATION_OCTETS;

export type StoredConfiguration =
  /** Nothing was ever committed. */
  | { readonly kind: 'none' }
  | { readonly kind: 'loaded'; readonly configuration: Configuration; readonly warnings: readonly Problem[] }
  /**
   * There is a file and it cannot be used; the router starts without a configuration. One sentence without a full stop.
   */
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string };

export class ConfigurationStore {
  readonly #path: string;
  readonly #directory: string;

  constructor(stateDirectory: string) {
    this.#directory = stateDirectory;
    this.#path = join(stateDirectory, FILE_NAME);
  }

  /** Creates the state directory where it is missing. @throws Error in words when that is not possible. */
  async load(): Promise<StoredConfiguration> {
    await ensureStateDirectory(this.#directory);
    const remedy = `apply a configuration again, which replaces ${this.#path}`;
    try {
      const text = await readStateFile(this.#path, MAX_STORED_OCTETS);
      if (text === undefined) return { kind: 'none' };
      const parsed = parseConfiguration(text, FILE_NAME, MAX_STORED_OCTETS);
      if (parsed.ok) return { kind: 'loaded', configuration: parsed.configuration, warnings: parsed.warnings };
      const [first] = parsed.problems;
      const more = parsed.problems.length > 1 ? `, and ${parsed.problems.length - 1} more` : '';
      const what = first === undefined ? 'no reason is known' : `${formatProblem(first)}${more}`;
      return { kind: 'refused', reason: `the stored configuration is damaged or of another version: ${what}`, remedy };
    } catch (error) {
      return { kind: 'refused', reason: `the stored configuration is unreadable: ${reasonOf(error)}`, remedy };
    }
  }

  /** Durable when fulfilled. @throws Error in words; what was stored before is then still stored. */
  async save(configuration: Configuration): Promise<void> {
    await ensureStateDirectory(this.#directory);
    await writeStateFile(this.#path, `${JSON.stringify(configuration, undefined, 2)}\n`);
  }
}
