/**
 * How long the control API takes to answer, with a configuration of 500 entries in force and as many in the draft: every GET
 * of the OpenAPI document, in turns with a route of a bare Fastify in the same process, so that the ratios hold even where
 * the times do not.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fastify } from 'fastify';
import openapi from '../docs/openapi.json' with { type: 'json' };
import { ConfigurationClient } from '../firmware/api/configuration-client.ts';
import { controlSocketPath } from '../firmware/api/socket-path.ts';
import { runRouter } from '../firmware/main.ts';
import { largeDocument } from './lab/large-document.ts';
import { createNamespace } from './lab/namespaces.ts';
import { waitFor } from './lab/wait.ts';

const ENTRIES = 500;
/** Questions to each route that count, and those before that do not. */
const ROUNDS = 200;
const WARM_UP = 20;
/** What an answer may take, ms. */
const TARGET_MS = 20;
const AUTHOR = { who: 'bench', via: 'cli' } as const;
const INSIDE = '--inside';

/** What goes behind a path of the document. A stream has no end that could be waited for. */
const FILLED: Readonly<Record<string, string | undefined>> = {
  // Of whoever has logged in over the other socket.
  '/v1/sessions/current': undefined,
  '/v1/traffic/{name}': '/v1/traffic/interface.wan.received?ring=hour',
  '/v1/config/compare': '/v1/config/compare?from=1&to=running',
  '/v1/events': undefined,
};

interface Answer {
  readonly ms: number;
  readonly status: number | undefined;
  readonly octets: number;
  readonly etag: string | undefined;
}

/** One client with one connection, as a page of the web UI has. */
class Asker {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async get(path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    const began = performance.now();
    const outgoing = request({ socketPath: this.#socketPath, path, headers, agent: this.#agent });
    outgoing.end();
    const [response] = await once(outgoing, 'response');
    let octets = 0;
    for await (const chunk of response) octets += chunk.length;
    const { statusCode: status } = response;
    return { ms: performance.now() - began, status, octets, etag: response.headers.etag };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** @param part 0..1. */
function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

async function measure(
  name: string,
  path: string,
  headers: OutgoingHttpHeaders,
  api: Asker,
  bare: Asker,
): Promise<void> {
  const [times, others]: [number[], number[]] = [[], []];
  let last: Answer | undefined;
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const other = await bare.get('/');
    last = await api.get(path, headers);
    if (last.status !== 200 && last.status !== 304) throw new Error(`${path} answers ${last.status}`);
    if (round < 0) continue;
    times.push(last.ms);
    others.push(other.ms);
  }
  const [median, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
  const columns = [
    median.toFixed(2),
    p99.toFixed(2),
    (median / quantile(others, 0.5)).toFixed(1),
    String(last?.octets),
  ];
  const verdict = median < TARGET_MS ? '' : `  over ${TARGET_MS} ms`;
  console.log(`${name.padEnd(34)}${columns.map((column) => column.padStart(10)).join('')}${verdict}`);
}

/** In the namespace, a process of its own: the router, and a Fastify that does nothing. */
async function router(directory: string): Promise<void> {
  const bare = fastify();
  bare.get('/', () => ({ ok: true }));
  await bare.listen({ path: join(directory, 'bare.sock') });
  await runRouter({ stateDir: directory, board: 'simulated' });
}

async function measureAll(directory: string): Promise<void> {
  const namespace = await createNamespace('bench');
  await namespace.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far');
  await namespace.ip('link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'farlan');
  for (const device of ['far', 'farlan']) await namespace.ip('link', 'set', device, 'up');
  const options = ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)];
  const [program, ...words] = namespace.command(process.execPath, ...options, INSIDE, directory);
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'ignore'] });
  const [api, bare] = [new Asker(controlSocketPath(directory)), new Asker(join(directory, 'bare.sock'))];
  try {
    const client = new ConfigurationClient(directory);
    await waitFor('the router', async () => (await client.state().catch(() => undefined))?.state === 'factory');
    const text = JSON.stringify(largeDocument(ENTRIES));
    const committed = await client.commit(text, 'bench.json', { ...AUTHOR, comment: '' });
    if (!committed.ok) throw new Error(JSON.stringify(committed));
    const draft = await client.editCandidate(text, 'bench.json', AUTHOR, false);
    if (!draft.ok) throw new Error(draft.reason);
    const recorded = async () => (await api.get('/v1/traffic/interface.wan.received?ring=hour')).status === 200;
    await waitFor('a first sample of traffic', recorded);
    console.log(
      `${ENTRIES} entries, ${ROUNDS} requests each; ms, the ratio to a bare route of Fastify, octets of the answer`,
    );
    console.log(`${'GET'.padEnd(34)}${['median', 'p99', 'ratio', 'octets'].map((word) => word.padStart(10)).join('')}`);
    for (const [path, item] of Object.entries(openapi.paths)) {
      const filled = path in FILLED ? FILLED[path] : path;
      if ('get' in item && filled !== undefined) await measure(path, filled, {}, api, bare);
    }
    for (const path of ['/v1/config', '/v1/config/candidate']) {
      const { etag } = await api.get(path);
      if (etag !== undefined) await measure(`${path}, unchanged`, path, { 'if-none-match': etag }, api, bare);
    }
  } finally {
    api.close();
    bare.close();
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    namespace.delete();
  }
}

const args = process.argv.slice(2);
const directory = args[args.indexOf(INSIDE) + 1];
if (args.includes(INSIDE) && directory !== undefined) await router(directory);
else {
  const made = mkdtempSync(join(tmpdir(), 'culvert-bench-'));
  try {
    await measureAll(made);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
process.exit();
