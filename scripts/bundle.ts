/** Bundles the `culvert` command into build/culvert; see `bundler.ts`. */
import { join, resolve } from 'node:path';
import { bundleProgram } from './bundler.ts';

const ROOT = resolve(import.meta.dirname, '..');
const OUTPUT = join(ROOT, 'build/culvert');

const metafile = await bundleProgram(join(ROOT, 'firmware/cli/main.ts'), OUTPUT);
const sizes = Object.values(metafile.outputs).map((output) => output.bytes);
const kib = Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024);
console.log(`bundle: ${join(OUTPUT, 'main.mjs')}, ${sizes.length} files, ${kib} KiB`);
