/**
 * Bundles a program of this checkout with esbuild. Worker threads are found by the way they are named,
 * `new URL('./worker.ts', import.meta.url)`, and become files of their own beside it. Packages with native parts stay
 * outside: they are loaded from the checkout's node_modules.
 */
import { globSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const NATIVE_PACKAGES = ['@serialport/bindings-cpp', 'better-sqlite3', 'koffi', 'onoff', 'serialport'];
/** A worker's source, named relative to the file that starts it. */
const WORKER = /new URL\('(\.{1,2}\/[^']+)\.ts', import\.meta\.url\)/g;
/** CommonJS packages that were bundled ask for these, which ES modules do not have. */
const BANNER = `import { createRequire as createCommonJsRequire } from 'node:module';
const require = createCommonJsRequire(import.meta.url);
const { filename: __filename, dirname: __dirname } = import.meta;`;

/** The sources of all worker threads, absolute. */
function findWorkers(): string[] {
  const sources = globSync('{firmware,hal}/**/*.ts', { cwd: ROOT }).map((path) => join(ROOT, path));
  return sources.flatMap((source) =>
    [...readFileSync(source, 'utf8').matchAll(WORKER)].map((match) => join(dirname(source), `${match[1]}.ts`)),
  );
}

/** Makes every file that starts a worker look for the bundled one, which lies beside it in the output. */
const workerNames: Plugin = {
  name: 'worker-names',
  setup({ onLoad }) {
    onLoad({ filter: /\/(firmware|hal)\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replaceAll(WORKER, (_, worker: string) => {
        return `new URL('./${basename(worker)}.mjs', import.meta.url)`;
      });
      return { contents, loader: 'ts' };
    });
  },
};

/**
 * @param entry the program's source, absolute. @param output the folder that is made anew; the program is NAME.mjs in it.
 * @returns what was written.
 */
export async function bundleProgram(entry: string, output: string): Promise<Metafile> {
  const fresh = `${output}.new-${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  const { metafile } = await build({
    entryPoints: [entry, ...new Set(findWorkers())].map((source) => ({ in: source, out: basename(source, '.ts') })),
    outdir: fresh,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: NATIVE_PACKAGES,
    plugins: [workerNames],
    banner: { js: BANNER },
    metafile: true,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  await rm(output, { recursive: true, force: true });
  await rename(fresh, output);
  return metafile;
}
