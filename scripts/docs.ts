/** Writes what is made from the sources: docs/configuration.md and docs/openapi.json. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { configurationReference, REFERENCE_PATH } from '../firmware/config/reference/reference.ts';
import { OPENAPI_PATH, openApiText } from './openapi-document.ts';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const pages = [
  [REFERENCE_PATH, configurationReference()],
  [OPENAPI_PATH, await openApiText()],
] as const;
for (const [name, text] of pages) {
  const path = resolve(import.meta.dirname, '..', name);
  const before = await readFile(path, 'utf8').catch(() => '');
  if (before === text) console.log(`docs: ${name} is current.`);
  else if (values.check) {
    console.error(`docs: ${name} is not what the sources say: run scripts/docs and commit it.`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    console.log(`docs: ${name} is written.`);
  }
}
