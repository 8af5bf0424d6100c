import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { RouterConfiguration } from '../../../firmware/router/router-configuration.ts';
import { StoreBench } from '../config/store/store-bench.ts';
import { FakeRouter } from './fake-router.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CLIENT = `${ROOT}test/openapi-client`;
const GENERATED = `${ROOT}build/openapi-client`;

const run = promisify(execFile);

/** A program of the client's own packages, under the Node that runs this test. @returns what it says. */
async function tool(script: string, ...words: string[]): Promise<string> {
  try {
    const { stdout } = await run(process.execPath, [script, ...words], { cwd: CLIENT });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${script} failed:\n${stdout}${stderr}`);
  }
}

let bench: StoreBench;
let router: FakeRouter;
let api: ControlApi;

beforeAll(async () => {
  expect(existsSync(`${CLIENT}/node_modules`), 'the packages of the client are missing: run scripts/setup test').toBe(
    true,
  );
  mkdirSync(GENERATED, { recursive: true });
  const [generator, document, types] = [
    'openapi-typescript/bin/cli.js',
    `${ROOT}docs/openapi.json`,
    `${GENERATED}/api.d.ts`,
  ];
  await tool(`${CLIENT}/node_modules/${generator}`, document, '-o', types, '--default-non-nullable=false');
  bench = new StoreBench();
  router = new FakeRouter();
  await bench.start();
  const config = new RouterConfiguration({
    desk: bench.desk,
    store: bench.store,
    clock: bench.clock,
    version: '0.1.0',
    preview: async () => [],
    ready: Promise.resolve(),
    reset: async () => ({ ok: true }),
  });
  const logger = createLogger({ level: 'silent', secrets: () => [] });
  api = await startControlApi({ socketPath: controlSocketPath(bench.directory), control: router, config, logger });
});

afterAll(async () => {
  await api?.close();
  await bench?.end();
});

describe('a client that is generated from docs/openapi.json', () => {
  it('compiles, under strict rules', async () => {
    expect(await tool(`${CLIENT}/node_modules/typescript/bin/tsc`, '-p', '.')).toBe('');
  });

  it('reads, edits with If-Match, commits, and is told in words what is refused', async () => {
    router.lines = ['{"level":"info","msg":"the router runs"}'];
    router.onConnect = async (name) => ({ ok: false, reason: `there is no connection ${name}`, notFound: ['hq'] });
    const report = JSON.parse(await tool(`${CLIENT}/drive.ts`, controlSocketPath(bench.directory)));
    expect(report).toEqual({
      hostname: 'branch-12',
      tunnels: ['hq up 1', 'plant failed 0'],
      lines: router.lines,
      traffic: [null, 5],
      begun: 'generated',
      refused: {
        status: 412,
        detail: expect.stringMatching(/^generated changed the candidate over web meanwhile/),
        remedy: expect.stringContaining('get it again'),
      },
      committed: { revision: 1, diff: expect.arrayContaining(['~ system.hostname: "culvert" -> "patched"']) },
      running: { hostname: 'patched', password: '********' },
      again: 304,
      wrong: ['systm unknown-key'],
      nowhere: { status: 404, detail: 'there is no connection nowhere', names: ['hq'] },
      comments: ['by a generated client'],
      openapi: '3.1.0',
    });
    expect(bench.inForce).toBe('patched');
  });
});
