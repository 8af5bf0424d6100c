/** Starting and ending the worker thread: works without any privilege. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { afterEach, describe, expect, it } from 'vitest';
import { UserspaceDataPlane } from '../../../../firmware/dataplane/userspace/userspace-data-plane.ts';
import { SimulatedLinks } from '../../../../hal/simulated/links.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const SOURCES = join(ROOT, 'firmware/dataplane/userspace');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('the worker thread', () => {
  it('starts, answers and ends', async () => {
    const dataPlane = new UserspaceDataPlane({ links: new SimulatedLinks() });
    expect((await dataPlane.counters()).sessions).toEqual([]);
    await dataPlane.close();
    await expect(dataPlane.counters()).rejects.toThrow('closed');
  });

  it('ends when it is closed before it is ready, and requests under way fail in words', async () => {
    const dataPlane = new UserspaceDataPlane({ links: new SimulatedLinks() });
    const request = dataPlane.counters();
    const closed = dataPlane.close();
    await expect(request).rejects.toThrow('The data plane is closed.');
    await closed;
  });

  it('does not keep a process from ending that never closed it, however far it has come', () => {
    const module = JSON.stringify(pathToFileURL(join(SOURCES, 'userspace-data-plane.ts')).href);
    for (const wait of [
      '',
      'await dataPlane.start();',
      'setTimeout(() => process.exit(7), 5); await dataPlane.counters();',
    ]) {
      const program = `
        const { UserspaceDataPlane } = await import(${module});
        const dataPlane = new UserspaceDataPlane({ links: {} });
        void dataPlane.start();
        ${wait}
        process.exit(7);
      `;
      const args = ['--input-type=module', '-e', program];
      expect(spawnSync(process.execPath, args, { timeout: 20_000 }).status, wait).toBe(7);
    }
  });

  it('need not have been started to be closed', async () => {
    await new UserspaceDataPlane({ links: new SimulatedLinks() }).close();
  });

  it('that cannot start is told of in words, as the failure of the request and as an event', async () => {
    const workerUrl = pathToFileURL(join(SOURCES, 'missing.ts'));
    const dataPlane = new UserspaceDataPlane({ links: new SimulatedLinks(), workerUrl });
    const events: unknown[] = [];
    dataPlane.onEvent((event) => events.push(event));
    await expect(dataPlane.counters()).rejects.toThrow(/thread does not start .*missing\.ts/);
    expect(events).toMatchObject([{ kind: 'engine-failed' }]);
    await dataPlane.close();
  });

  it('runs from a bundle too', () => {
    // Inside node_modules, so that the packages that stay outside the bundle are found.
    const cache = join(ROOT, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    const outdir = mkdtempSync(join(cache, 'culvert-worker-'));
    folders.push(outdir);
    buildSync({
      entryPoints: [join(SOURCES, 'userspace-data-plane.ts'), join(SOURCES, 'worker.ts')],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      packages: 'external',
      outdir,
    });
    const program = `
      const { UserspaceDataPlane } = await import(${JSON.stringify(join(outdir, 'userspace-data-plane.mjs'))});
      const workerUrl = new URL(${JSON.stringify(pathToFileURL(join(outdir, 'worker.mjs')).href)});
      const dataPlane = new UserspaceDataPlane({ links: {}, workerUrl });
      console.log(JSON.stringify(await dataPlane.counters()));
      await dataPlane.close();
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(JSON.parse(output)).toMatchObject({ sessions: [] });
  });
});
