import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlClient } from '../../../firmware/api/client.ts';
import { ConfigurationClient } from '../../../firmware/api/configuration-client.ts';
import { BODY_LIMIT } from '../../../firmware/api/limits.ts';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { createLogger, type Logger } from '../../../firmware/log/logger.ts';
import { COMMITTED, FakeConfiguration } from './fake-configuration.ts';
import { FakeRouter, IPSEC_STATUS, makeStateDir, STATUS } from './fake-router.ts';
import { rawCall } from './raw-call.ts';

let stateDir: ReturnType<typeof makeStateDir>;
let router: FakeRouter;
let client: ControlClient;
let config: FakeConfiguration;
let configurations: ConfigurationClient;
let api: ControlApi | undefined;
let logged: string[];
let logger: Logger;

beforeEach(() => {
  stateDir = makeStateDir();
  router = new FakeRouter();
  client = new ControlClient(stateDir.path);
  config = new FakeConfiguration();
  configurations = new ConfigurationClient(stateDir.path);
  logged = [];
  logger = createLogger({ secrets: () => ['hunter22'], destination: { write: (line) => logged.push(line) } });
});

afterEach(async () => {
  await api?.close();
  api = undefined;
  stateDir.remove();
});

async function start(): Promise<void> {
  api = await startControlApi({ socketPath: controlSocketPath(stateDir.path), control: router, config, logger });
}

const call = (method: string, path: string, body?: string | Buffer, contentType?: string) =>
  rawCall(stateDir.path, method, path, body, contentType);

describe('keys of IPsec', () => {
  const KEY = 'c0ffee'.repeat(6);

  it('come by a request of their own, with POST and no other method, and are not logged', async () => {
    router.keysResult = { ok: true, keys: [{ connection: 'hq', table: 'esp_sa', line: KEY }] };
    await start();
    expect(await client.ipsecKeys('hq')).toEqual([{ connection: 'hq', table: 'esp_sa', line: KEY }]);
    expect(router.askedKeys).toEqual(['hq']);
    expect((await call('GET', '/v1/ipsec/keys')).status).toBe(404);
    expect((await call('GET', '/v1/ipsec/keys?name=hq')).status).toBe(404);
    expect(router.askedKeys).toEqual(['hq']);
    expect(logged.join('')).not.toContain(KEY);
  });

  it('of a connection that does not exist are refused with the names that do', async () => {
    router.keysResult = { ok: false, reason: 'there is no IPsec connection "x"', notFound: ['hq'] };
    await start();
    expect(await call('POST', '/v1/ipsec/keys?name=x')).toMatchObject({ status: 404, body: { names: ['hq'] } });
    expect((await call('POST', `/v1/ipsec/keys?name=${'x'.repeat(300)}`)).status).toBe(400);
  });
});

describe('the control socket', () => {
  it('is open to its owner only and goes away with the API', async () => {
    await start();
    const path = controlSocketPath(stateDir.path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await api?.close();
    expect(existsSync(path)).toBe(false);
  });

  it('makes a missing state directory that only its owner may enter', async () => {
    const missing = join(stateDir.path, 'a', 'b');
    const nested = await startControlApi({ socketPath: controlSocketPath(missing), control: router, config, logger });
    expect(statSync(missing).mode & 0o777).toBe(0o700);
    await nested.close();
  });

  it('leaves the umask of the process as it was', async () => {
    const before = process.umask();
    await start();
    expect(process.umask()).toBe(before);
  });

  it('refuses to start beside a living router, which stays reachable', async () => {
    await start();
    const second = startControlApi({ socketPath: controlSocketPath(stateDir.path), control: router, config, logger });
    await expect(second).rejects.toThrow('another culvert runs with this state directory');
    expect((await client.status()).hostname).toBe('branch-12');
  });

  it('replaces the socket that a killed router left behind', async () => {
    const path = controlSocketPath(stateDir.path);
    const listen = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('ready'))`;
    const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(path)).toBe(true);
    await start();
    expect((await client.status()).hostname).toBe('branch-12');
  });

  it('does not remove a file that is no socket', async () => {
    writeFileSync(controlSocketPath(stateDir.path), 'precious');
    await expect(start()).rejects.toThrow('is in the way and no socket');
  });

  it('says that a path is too long instead of binding a shortened one', async () => {
    const long = join(stateDir.path, 'x'.repeat(100));
    const attempt = startControlApi({ socketPath: controlSocketPath(long), control: router, config, logger });
    await expect(attempt).rejects.toThrow('too long for a Unix socket');
  });

  it('takes a process that listens but does not speak HTTP for a living router', async () => {
    const other = createServer().listen(controlSocketPath(stateDir.path));
    await once(other, 'listening');
    await expect(start()).rejects.toThrow('another culvert runs');
    other.close();
  });
});

describe('status, configuration and log', () => {
  beforeEach(start);

  it('gives the status with every field that the router told', async () => {
    expect(await client.status()).toEqual(STATUS);
  });

  it('gives every field of IPsec, of the child SAs, too', async () => {
    router.statusNow = async () => ({ ...STATUS, ipsec: [IPSEC_STATUS] });
    expect((await client.status()).ipsec).toEqual([IPSEC_STATUS]);
  });

  it('gives the configuration as the router has it, without its secrets', async () => {
    expect(await configurations.running()).toEqual(config.running());
  });

  it('gives the log lines, oldest first', async () => {
    router.lines = ['{"msg":"first"}', '{"msg":"second"}'];
    expect(await client.log()).toEqual(router.lines);
  });

  it('gives the document of its own routes, once to each who keeps it', async () => {
    const stored = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));
    const { status, body, headers } = await call('GET', '/v1/openapi.json');
    expect({ status, body }).toEqual({ status: 200, body: stored });
    const again = await rawCall(stateDir.path, 'GET', '/v1/openapi.json', undefined, undefined, {
      'if-none-match': headers.etag ?? '',
    });
    expect(again).toMatchObject({ status: 304, body: {} });
  });

  it('answers problem+json for a path that it does not have', async () => {
    const answer = await call('GET', '/v2/nothing');
    expect(answer.status).toBe(404);
    expect(answer.contentType).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: 'about:blank', title: 'Not Found', status: 404 });
  });

  it('answers nothing that the schema of the answer does not have', async () => {
    const more = { ...STATUS, slip: 'hunter22', configuration: { ...STATUS.configuration, slip: 'hunter22' } };
    router.statusNow = async () => more;
    expect((await call('GET', '/v1/status')).body).toEqual(STATUS);
    router.disconnectResult = Object.assign({ ok: false as const, reason: 'it is busy' }, { slip: 'hunter22' });
    const { body } = await call('POST', '/v1/connections/hq/disconnect');
    expect(body).toEqual({ type: 'about:blank', title: 'Conflict', status: 409, detail: 'it is busy' });
  });

  it('keeps the words of an unexpected failure in the log, behind the secret filter, and out of the answer', async () => {
    router.statusNow = async () => {
      throw new Error('engine broke with hunter22');
    };
    const answer = await call('GET', '/v1/status');
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('engine broke');
    expect(logged.join('')).toContain('engine broke with [secret]');
  });
});

const ALICE = { who: 'alice', via: 'cli' } as const;
const WHO = 'who=alice&via=cli';

describe('applying a configuration', () => {
  beforeEach(start);

  it('hands over text, file name and author as they came and gives back diff and warnings', async () => {
    config.commitResult = { ...COMMITTED, diff: ['+ l2tp.clients.hq'], warnings: ['the PSK is short'] };
    const text = 'system: { hostname: "bränch" }\n';
    const request = { ...ALICE, comment: 'für später', confirmWithin: 60, check: true, base: 6 };
    expect(await configurations.commit(text, 'bränch 1.yaml', request)).toEqual(config.commitResult);
    expect(config.applied).toEqual([{ text, fileName: 'bränch 1.yaml', request }]);
  });

  it('leaves the parsing of JSON to the router, so that it can say where an error stands', async () => {
    await call('PUT', `/v1/config?${WHO}`, '{ "broken": ', 'application/json');
    expect(config.applied).toMatchObject([{ text: '{ "broken": ', fileName: 'the configuration' }]);
  });

  it('gives back every problem of a configuration that was refused', async () => {
    config.commitResult = {
      ok: false,
      problems: [
        {
          severity: 'error',
          rule: 'unknown-key',
          path: 'systm',
          found: 'an unknown key',
          allowed: 'system',
          suggestion: 'system',
        },
      ],
    };
    expect(await configurations.commit('{}', 'x.json', { ...ALICE, comment: '' })).toEqual(config.commitResult);
    expect(await call('PUT', `/v1/config?name=x.json&${WHO}`, '{}', 'text/plain')).toMatchObject({
      status: 422,
      body: { detail: 'x.json is refused as a whole' },
    });
  });

  it.each([
    ['a body that is not UTF-8', Buffer.from([0x61, 0xff, 0xfe]), 'text/plain', 400],
    ['another content type', '<a/>', 'text/xml', 415],
    ['no body', undefined, undefined, 400],
  ])('refuses %s and asks nothing of the router', async (_what, body, contentType, status) => {
    const answer = await call('PUT', `/v1/config?${WHO}`, body, contentType);
    expect(answer).toMatchObject({ status, body: { status } });
    expect(config.applied).toEqual([]);
  });

  it('refuses a body over 1 MiB by its announced length, before it came', async () => {
    const socket = connect(controlSocketPath(stateDir.path));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write(
      `PUT /v1/config HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: ${BODY_LIMIT + 1}\r\n\r\n`,
    );
    await vi.waitFor(() => expect(text).toContain('what was sent is larger than 1 MiB'));
    expect(text).toMatch(/^HTTP\/1.1 413 /);
    expect(config.applied).toEqual([]);
    socket.destroy();
  });

  it('takes a body of exactly 1 MiB', async () => {
    expect((await configurations.commit(' '.repeat(BODY_LIMIT), 'big.json', { ...ALICE, comment: '' })).ok).toBe(true);
  });
});

describe('connecting and disconnecting', () => {
  beforeEach(start);

  it('hands over the name as it is, whatever is in it', async () => {
    const names: string[] = [];
    router.onConnect = async (name) => {
      names.push(name);
      return { ok: true };
    };
    expect(await client.connect('head office/2 %')).toEqual({ ok: true });
    expect(names).toEqual(['head office/2 %']);
  });

  it('tells step, reason and remedy of a failure', async () => {
    const failure = { ok: false, step: 'SCCRQ', reason: 'no answer came', remedy: 'check the address' } as const;
    router.onConnect = async () => failure;
    router.disconnectResult = failure;
    expect(await client.connect('hq')).toEqual(failure);
    expect(await client.disconnect('hq')).toEqual(failure);
    expect(await call('POST', '/v1/connections/hq/connect')).toMatchObject({ status: 409 });
  });

  it('tells the names that exist when there is no such connection', async () => {
    const failure = { ok: false, reason: 'there is no connection hx', notFound: ['hq', 'plant'] } as const;
    router.onConnect = async () => failure;
    expect(await client.connect('hx')).toEqual(failure);
    expect(await call('POST', '/v1/connections/hx/connect')).toMatchObject({ status: 404 });
  });

  it('tells the router when the caller went away', async () => {
    const seen = Promise.withResolvers<AbortSignal>();
    router.onConnect = (_name, signal) => {
      seen.resolve(signal);
      return new Promise(() => undefined);
    };
    const end = new AbortController();
    const attempt = client.connect('hq', end.signal);
    const signal = await seen.promise;
    expect(signal.aborted).toBe(false);
    end.abort();
    await expect(attempt).rejects.toThrow();
    if (!signal.aborted) await once(signal, 'abort');
    expect(signal.aborted).toBe(true);
  });

  it('does not signal an abort when the answer was sent', async () => {
    const seen = Promise.withResolvers<AbortSignal>();
    router.onConnect = async (_name, signal) => {
      seen.resolve(signal);
      return { ok: true };
    };
    await client.connect('hq');
    await api?.close();
    expect((await seen.promise).aborted).toBe(false);
  });
});

describe('a client without a router', () => {
  it('says how to start one when there is no socket', async () => {
    await expect(client.status()).rejects.toThrow(
      `no culvert is running with state directory ${stateDir.path}: start it with "culvert run"`,
    );
  });

  it('says that the router ended when it does so before it answers', async () => {
    await start();
    router.onConnect = () => {
      void api?.close();
      return new Promise(() => undefined);
    };
    await expect(client.connect('hq')).rejects.toThrow('the router ended before it answered');
  });
});

describe('traffic', () => {
  beforeEach(start);

  it('is told as totals, and for a counter as values over time', async () => {
    expect(await client.traffic()).toEqual(router.traffic());
    expect(await client.trafficHistory('interface.wan.sent', 'second')).toEqual({
      startMs: 0,
      stepMs: 1_000,
      values: [null, 5],
    });
  });

  it('of a counter that is not there is refused with the names that are', async () => {
    const answer = await call('GET', '/v1/traffic/interface.nix?ring=hour');
    expect(answer).toMatchObject({ status: 404, body: { names: ['interface.wan.sent'] } });
    expect((await call('GET', '/v1/traffic/x?ring=year')).status).toBe(400);
  });
});
