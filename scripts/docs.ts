/** Writes what is made from the sources: docs/configuration.md. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { configurationReference, REFERENCE_PATH } from '../firmware/config/reference/reference.ts';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const path = resolve(import.meta.dirname, '..', REFERENCE_PATH);
const text = configurationReference();
const before = await readFile(path, 'utf8').catch(() => '');
if (before === text) console.log(`docs: ${REFERENCE_PATH} is current.`);
else if (values.check) {
  console.error(`docs: ${REFERENCE_PATH} is not what the schema says: run scripts/docs and commit the page.`);
  process.exitCode = 1;
} else {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  console.log(`docs: ${REFERENCE_PATH} is written.`);
}
