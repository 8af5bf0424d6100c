import { once } from 'node:events';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ControlApi } from '../../../firmware/api/server.ts';
import { webSocketPath } from '../../../firmware/api/socket-path.ts';
import { MAX_WEB_CONNECTIONS, startWebApi } from '../../../firmware/api/web-server.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { FakeAccounts, TOKEN } from './fake-accounts.ts';
import { FakeConfiguration } from './fake-configuration.ts';
import { FakeRouter, makeStateDir } from './fake-router.ts';
import { openWeb, webCall } from './web-call.ts';

let stateDir: ReturnType<typeof makeStateDir>;
let accounts: FakeAccounts;
let config: FakeConfiguration;
let router: FakeRouter;
let api: ControlApi;
let logged: string[];

beforeEach(async () => {
  stateDir = makeStateDir();
  [accounts, config, router, logged] = [new FakeAccounts(), new FakeConfiguration(), new FakeRouter(), []];
  const logger = createLogger({ secrets: () => [], destination: { write: (line) => logged.push(line) } });
  api = await startWebApi({ socketPath: webSocketPath(stateDir.path), control: router, config, accounts, logger });
});
afterEach(async () => {
  await api.close();
  stateDir.remove();
});

const open = (method: string, path: string, token?: string, body?: unknown) =>
  openWeb(webSocketPath(stateDir.path), method, path, body, token);
const call = (method: string, path: string, token?: string, body?: unknown) =>
  webCall(webSocketPath(stateDir.path), method, path, body, token);

describe('web.sock', () => {
  it('is open to its owner only where nothing else is said', () => {
    expect(statSync(webSocketPath(stateDir.path)).mode & 0o777).toBe(0o600);
  });

  it('is open to the group of its directory where that has the set-group-ID bit', async () => {
    const directory = join(stateDir.path, 'web');
    mkdirSync(directory);
    chmodSync(directory, 0o2750);
    const logger = createLogger({ secrets: () => [], destination: { write: () => undefined } });
    const socketPath = join(directory, 'web.sock');
    const shared = await startWebApi({ socketPath, control: router, config, accounts, logger });
    expect(statSync(socketPath).mode & 0o777).toBe(0o660);
    expect(statSync(socketPath).gid).toBe(statSync(directory).gid);
    await shared.close();
  });

  it('tells nobody anything who is not logged in, not even which requests there are', async () => {
    for (const path of ['/v1/status', '/v1/nothing', '/', '/v1/sessions/current']) {
      const answer = await call('GET', path);
      expect(answer).toMatchObject({ status: 401, body: { remedy: expect.stringContaining('log in') } });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    expect((await call('GET', '/v1/nothing', 'viewer')).status).toBe(404);
    expect((await call('GET', '/v1/status', 'x'.repeat(300))).status).toBe(401);
  });

  it('puts the user of the session in the place of whatever the request says of who asks', async () => {
    await call('PUT', '/v1/config?who=root&via=cli&comment=x', 'admin', '{}');
    expect(config.applied[0]?.request).toEqual({ who: 'anna', via: 'web', comment: 'x' });
    await call('POST', '/v1/config/confirm', 'admin');
    await call('POST', '/v1/config/rollback?revision=3&who=a&who=b&via=console', 'admin');
    expect(config.asked).toEqual([
      ['confirm', { who: 'anna', via: 'web' }],
      ['rollback', 3, { who: 'anna', via: 'web', comment: '' }],
    ]);
  });

  it('reads no body of whoever may not send one', async () => {
    const answer = await call('PUT', '/v1/config', 'operator', '{"broken');
    expect(answer).toMatchObject({ status: 403, body: { detail: 'the role "operator" may not do that' } });
    expect(config.applied).toEqual([]);
  });

  it('takes a bounded number of connections', async () => {
    const sockets = Array.from({ length: MAX_WEB_CONNECTIONS + 3 }, () => connect(webSocketPath(stateDir.path)));
    const outcomes = sockets.map((socket) => {
      const { promise, resolve } = Promise.withResolvers<'answered' | 'closed'>();
      socket
        .on('error', () => undefined)
        .on('data', () => resolve('answered'))
        .on('close', () => resolve('closed'));
      socket.write('GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n');
      return promise;
    });
    const answered = (await Promise.all(outcomes)).filter((outcome) => outcome === 'answered');
    expect(answered).toHaveLength(MAX_WEB_CONNECTIONS);
    const gone = sockets.map((socket) => (socket.closed ? undefined : once(socket, 'close')));
    for (const socket of sockets) socket.destroy();
    await Promise.all(gone);
    expect((await call('GET', '/v1/status', 'viewer')).status).toBe(200);
  });

  it('ends streams with the session', async () => {
    const stream = await open('GET', '/v1/events', 'viewer');
    await once(stream, 'data');
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    stream.on('error', () => undefined).on('close', resolve);
    for (const listener of accounts.listeners) listener();
    await closed;
    expect(stream.complete).toBe(false);
  });
});

describe('a login', () => {
  it('gives the token, with the address that the web process names', async () => {
    const session = { token: 't', user: 'anna', role: 'admin', mustChangePassword: false } as const;
    accounts.loginResult = { ok: true, session };
    const body = { user: 'anna', password: 'p', address: '2001:db8::7' };
    const answer = await call('POST', '/v1/sessions', undefined, body);
    expect(answer).toMatchObject({ status: 200, body: session });
    expect(answer.headers['cache-control']).toBe('no-store');
    await call('POST', '/v1/sessions', undefined, { user: 'anna', password: 'p', code: '123456' });
    expect(accounts.asked).toEqual([
      ['login', { user: 'anna', password: 'p', from: '2001:db8::7' }],
      ['login', { user: 'anna', password: 'p', from: 'web', code: '123456' }],
    ]);
  });

  it('cannot be one on the console, and is refused unread where it is too large', async () => {
    for (const address of ['console', 'web', '1.2.3'])
      expect((await call('POST', '/v1/sessions', undefined, { user: 'a', password: 'p', address })).status).toBe(400);
    expect((await call('POST', '/v1/sessions', undefined, { user: 'a', password: 'p'.repeat(300) })).status).toBe(400);
    expect((await call('POST', '/v1/sessions', undefined, { user: 'a', password: 'p'.repeat(5000) })).status).toBe(413);
    expect(accounts.asked).toEqual([]);
  });

  it('that fails says what is missing and how long to wait, and leaves no password in the log', async () => {
    const body = { user: 'anna', password: 'my password' };
    expect(await call('POST', '/v1/sessions', undefined, body)).toMatchObject({
      status: 401,
      body: { detail: 'wrong' },
    });
    accounts.loginResult = { ok: false, needs: 'code' };
    expect(await call('POST', '/v1/sessions', undefined, body)).toMatchObject({ status: 401, body: { needs: 'code' } });
    accounts.loginResult = { ok: false, reason: 'too early', retryAfterSeconds: 8 };
    const early = await call('POST', '/v1/sessions', undefined, body);
    expect(early).toMatchObject({ status: 429, headers: { 'retry-after': '8' }, body: { retryAfterSeconds: 8 } });
    expect(logged.join('')).not.toContain('my password');
  });
});

describe('what somebody does about themselves', () => {
  it('goes by their own session', async () => {
    expect((await call('GET', '/v1/sessions/current', 'viewer')).body).toEqual({
      ...{ user: 'vera', role: 'viewer', kind: 'session', mustChangePassword: false },
    });
    await call('POST', '/v1/password', 'initial', { current: 'a', next: 'b' });
    await call('POST', '/v1/totp', 'viewer', { password: 'a' });
    await call('POST', '/v1/totp/confirm', 'viewer', { code: '123456' });
    await call('POST', '/v1/totp/end', 'viewer', { password: 'a' });
    await call('POST', '/v1/tokens', 'viewer', { name: 'n', role: 'viewer', days: 3, password: 'a', user: 'anna' });
    await call('DELETE', '/v1/sessions/current', 'viewer');
    expect(accounts.asked).toEqual([
      ['changePassword', 'initial', 'a', 'b'],
      ['beginTotp', 'viewer', 'a'],
      ['confirmTotp', 'viewer', '123456'],
      ['endTotp', 'viewer', 'a'],
      ['createToken', { user: 'vera', name: 'n', role: 'viewer', days: 3 }, { password: 'a', from: '192.0.2.7' }],
      ['logout', 'viewer'],
    ]);
  });

  it('is refused in words', async () => {
    accounts.words = 'the name, the password or the code is wrong: try again';
    const answer = await call('POST', '/v1/password', 'viewer', { current: 'a', next: 'b' });
    expect(answer).toMatchObject({ status: 409, body: { detail: accounts.words } });
    accounts.tokenResult = { ok: false, reason: 'too many', remedy: 'wait', retryAfterSeconds: 4 };
    const token = { name: 'n', role: 'viewer', days: 3, password: 'a' };
    expect(await call('POST', '/v1/tokens', 'viewer', token)).toMatchObject({
      status: 429,
      headers: { 'retry-after': '4' },
    });
    expect((await call('POST', '/v1/tokens', 'viewer', { ...token, days: 0 })).status).toBe(400);
  });

  it('reaches the tokens of others only for an administrator', async () => {
    await call('GET', '/v1/tokens', 'operator');
    await call('DELETE', `/v1/tokens/${TOKEN.id}`, 'operator');
    await call('GET', '/v1/tokens', 'admin');
    expect((await call('DELETE', `/v1/tokens/${'b'.repeat(16)}`, 'admin')).status).toBe(404);
    expect(accounts.asked).toEqual([
      ['tokens', 'otto'],
      ['revokeToken', TOKEN.id, 'otto'],
      ['tokens', undefined],
      ['revokeToken', 'b'.repeat(16), undefined],
    ]);
  });
});

describe('the audit log', () => {
  it('has every change with who made it and what came of it, and no body, query or login', async () => {
    await call('PUT', '/v1/config?comment=secret-comment', 'admin', '{"secret": 1}');
    await call('POST', '/v1/connections/hq/disconnect', 'operator');
    await call('POST', '/v1/config/backup', 'viewer', { passphrase: 'secret' });
    await call('DELETE', `/v1/sessions/${'9'.repeat(16)}`, 'admin');
    await call('GET', '/v1/status', 'admin');
    await call('POST', '/v1/config/preview', 'admin', '{}');
    await call('POST', '/v1/sessions', undefined, { user: 'anna', password: 'p' });
    await call('POST', '/v1/connections/hq/disconnect');
    const anna = { who: 'anna', via: 'web', from: '192.0.2.7' };
    expect(accounts.recorded).toEqual([
      { kind: 'change', ...anna, what: 'PUT /v1/config', result: 'done' },
      { kind: 'change', ...anna, who: 'otto', what: 'POST /v1/connections/hq/disconnect', result: 'done' },
      { kind: 'login', ...anna, who: 'vera', what: 'POST /v1/config/backup', result: 'refused: 403 Forbidden' },
      { kind: 'change', ...anna, what: `DELETE /v1/sessions/${'9'.repeat(16)}`, result: 'refused: 404 Not Found' },
    ]);
  });

  it('is read by administrators, in a bounded number of lines', async () => {
    const answer = await call('GET', '/v1/audit?count=5', 'admin');
    expect(answer.body).toMatchObject({ entries: [{ who: 'anna', what: 'PUT /v1/config', result: 'done' }] });
    await call('GET', '/v1/audit', 'admin');
    expect(accounts.asked).toEqual([
      ['audit', 5],
      ['audit', 200],
    ]);
    expect((await call('GET', '/v1/audit?count=9999', 'admin')).status).toBe(400);
  });
});
