/** Key files for `--keys`: one file with lines of any of the three tables, or a folder with files of their names. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DecodeKeys, EspKeys, Ikev1Keys, Ikev2Keys } from './decode-keys.ts';
import { type KeyLine, OWN_LINE, parseKeyLine } from './key-lines.ts';
import { UatLineError } from './uat-line.ts';

/** A key file cannot be used. The message is one sentence for a person, and never holds a key. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/** Names of Wireshark's files, and what their lines are. */
export const KEY_TABLE_FILES = {
  ikev1_decryption_table: 'ikev1',
  ikev2_decryption_table: 'ikev2',
  esp_sa: 'esp',
} as const satisfies Record<string, KeyLine['table']>;

export type TableFile = keyof typeof KEY_TABLE_FILES;

/** Octets of a key file: a line has some 500, and thousands of SAs are more than a capture has. */
const MAX_FILE_OCTETS = 4 * 1024 * 1024;

/**
 * @param path of a file, or of a folder that holds files with the names of {@link KEY_TABLE_FILES}.
 * @throws KeyFileError when it cannot be read, or for a wrong line with its number and what is wrong with it.
 */
export function readKeyFiles(path: string): DecodeKeys {
  const names = Object.keys(KEY_TABLE_FILES) as readonly TableFile[];
  if (!statsOf(path).isDirectory()) return parseKeyText(readText(path), path, tableOfName(path, names));
  const found = names.filter((name) => statSync(join(path, name), { throwIfNoEntry: false })?.isFile() === true);
  if (found.length === 0) {
    throw new KeyFileError(`the folder ${path} holds none of the key files ${names.join(', ')}: name the file itself`);
  }
  const parts = found.map((name) => {
    const file = join(path, name);
    return parseKeyText(readText(file), file, KEY_TABLE_FILES[name]);
  });
  return {
    ikev1: parts.flatMap(({ ikev1 }) => ikev1),
    ikev2: parts.flatMap(({ ikev2 }) => ikev2),
    esp: parts.flatMap(({ esp }) => esp),
  };
}

/**
 * Empty lines and lines that begin with # are passed over, but for {@link OWN_LINE}.
 * @param file name for what is said of a wrong line.
 * @param table that every line belongs to; absent: the shape of a line tells.
 * @throws KeyFileError
 */
export function parseKeyText(text: string, file: string, table?: KeyLine['table']): DecodeKeys {
  const keys: { readonly ikev1: Ikev1Keys[]; readonly ikev2: Ikev2Keys[]; readonly esp: EspKeys[] } = {
    ikev1: [],
    ikev2: [],
    esp: [],
  };
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim().replace(OWN_LINE, '');
    if (line === '' || line.startsWith('#')) continue;
    const parsed = parseLine(line, `line ${index + 1} of ${file}`, table);
    if (parsed.table === 'ikev1') keys.ikev1.push(parsed.keys);
    else if (parsed.table === 'ikev2') keys.ikev2.push(parsed.keys);
    else keys.esp.push(parsed.keys);
  }
  return keys;
}

function parseLine(line: string, place: string, table: KeyLine['table'] | undefined): KeyLine {
  try {
    return parseKeyLine(line, table);
  } catch (error) {
    if (error instanceof UatLineError) throw new KeyFileError(`${place} cannot be used: ${error.message}`);
    throw error;
  }
}

/** A file with the name of a table holds lines of that table. */
function tableOfName(path: string, names: readonly TableFile[]): KeyLine['table'] | undefined {
  const name = names.find((known) => path === known || path.endsWith(`/${known}`));
  return name === undefined ? undefined : KEY_TABLE_FILES[name];
}

function statsOf(path: string): { isDirectory(): boolean } {
  const stats = attempt(path, () => statSync(path));
  if (stats.isDirectory()) return stats;
  if (!stats.isFile()) throw new KeyFileError(`${path} is neither a file nor a folder: name a file with keys`);
  if (stats.size > MAX_FILE_OCTETS) {
    throw new KeyFileError(`${path} is larger than ${MAX_FILE_OCTETS} octets, which no key file is: name another one`);
  }
  return stats;
}

function readText(path: string): string {
  return attempt(path, () => readFileSync(path, 'utf8'));
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new KeyFileError(`the keys in ${path} cannot be read (${why}): check its name and its permissions`);
  }
}
