import { once } from 'node:events';
import { createServer, type OutgoingHttpHeaders, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigurationClient } from '../../../firmware/api/configuration-client.ts';
import type { CommitResult } from '../../../firmware/api/configuration-control.ts';
import { BACKUP_LIMIT } from '../../../firmware/api/limits.ts';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { FakeConfiguration, HISTORY, COMMITTED as PLAIN, PREVIEW } from './fake-configuration.ts';
import { FakeRouter, makeStateDir, STATUS } from './fake-router.ts';
import { rawCall } from './raw-call.ts';

let stateDir: ReturnType<typeof makeStateDir>;
let config: FakeConfiguration;
let client: ConfigurationClient;
let router: FakeRouter;
let api: ControlApi;
let logged: string[];

beforeEach(async () => {
  stateDir = makeStateDir();
  config = new FakeConfiguration();
  router = new FakeRouter();
  client = new ConfigurationClient(stateDir.path);
  logged = [];
  const logger = createLogger({
    level: 'debug',
    secrets: () => [],
    destination: { write: (line) => logged.push(line) },
  });
  api = await startControlApi({ socketPath: controlSocketPath(stateDir.path), control: router, config, logger });
});

afterEach(async () => {
  await api.close();
  stateDir.remove();
});

const AUTHOR = { who: 'alice', via: 'cli' } as const;
const COMMIT = { ...AUTHOR, comment: '' };

const call = (method: string, path: string, body?: string, contentType?: string, headers?: OutgoingHttpHeaders) =>
  rawCall(stateDir.path, method, path, body, contentType, headers);

const BY = 'who=alice&via=cli';
const COMMITTED: CommitResult = { ...PLAIN, ...PREVIEW, confirmBy: 1_700_000_020_000, failures: ['x'] };
const WRONG = {
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
} as const;
const CONFLICT = { ok: false, reason: 'revision 6 waits for its confirmation', remedy: 'confirm it first' } as const;

describe('committing', () => {
  const REQUEST = { ...AUTHOR, comment: 'neue Straße & mehr', confirmWithin: 20, check: true, base: 2 } as const;

  it('hands over the text, its name and every word about it, and gives back all of the answer', async () => {
    config.commitResult = COMMITTED;
    const text = 'system: { hostname: "bränch" }\n';
    expect(await client.commit(text, 'bränch 1.yaml', REQUEST)).toEqual(COMMITTED);
    expect(config.applied).toEqual([{ text, fileName: 'bränch 1.yaml', request: REQUEST }]);
  });

  it('of a text without a name, a comment or a time is a plain commit', async () => {
    expect((await call('PUT', `/v1/config?${BY}`, '{}', 'application/json')).status).toBe(200);
    expect(config.applied).toEqual([{ text: '{}', fileName: 'the configuration', request: COMMIT }]);
  });

  it('of an earlier revision and of the draft says the same', async () => {
    config.commitResult = COMMITTED;
    expect(await client.rollback(3, REQUEST)).toEqual(COMMITTED);
    expect(await client.commitCandidate(REQUEST)).toEqual(COMMITTED);
    expect(config.asked).toEqual([
      ['rollback', 3, REQUEST],
      ['commitCandidate', REQUEST],
    ]);
  });

  it('gives back every problem of a configuration that is wrong', async () => {
    config.commitResult = WRONG;
    expect(await client.commit('{}', 'x.json', COMMIT)).toEqual(WRONG);
    expect(await call('POST', `/v1/config/rollback?revision=3&${BY}`)).toMatchObject({
      status: 422,
      contentType: expect.stringContaining('application/problem+json'),
      body: { detail: 'revision 3 is refused as a whole', problems: WRONG.problems },
    });
  });

  it('says why it was not tried', async () => {
    config.commitResult = CONFLICT;
    expect(await client.commit('{}', 'x.json', COMMIT)).toEqual(CONFLICT);
    expect((await call('PUT', `/v1/config?${BY}`, '{}', 'text/plain')).status).toBe(409);
  });

  it('is finished when its client goes away', async () => {
    const begun = Promise.withResolvers<void>();
    const { promise, resolve } = Promise.withResolvers<CommitResult>();
    const finished: string[] = [];
    config.commit = async () => {
      begun.resolve();
      const result = await promise;
      finished.push('the commit');
      return result;
    };
    const outgoing = request({
      socketPath: controlSocketPath(stateDir.path),
      method: 'PUT',
      path: `/v1/config?${BY}`,
      agent: false,
      headers: { 'content-type': 'text/plain' },
    });
    outgoing.on('error', () => undefined);
    outgoing.end('{}');
    await begun.promise;
    outgoing.destroy();
    await new Promise((closed) => outgoing.once('close', closed));
    resolve(COMMITTED);
    await vi.waitFor(() => expect(finished).toEqual(['the commit']));
    expect(await client.state()).toEqual(config.state());
    expect(logged.join('')).not.toContain('"level":"error"');
  });

  it.each([
    ['nobody who says it', 'via=cli'],
    ['no way by which it came', 'who=alice'],
    ['a way that there is not', 'who=alice&via=smoke'],
    ['an empty name', 'who=&via=cli'],
    ['a name over 64 characters', `who=${'x'.repeat(65)}&via=cli`],
    ['a name of two lines', 'who=a%0Ab&via=cli'],
    ['a comment over 256 characters', `${BY}&comment=${'x'.repeat(257)}`],
    ['a comment that moves the cursor', `${BY}&comment=%1b%5b2J`],
    ['a window of 4 s', `${BY}&confirmWithin=4`],
    ['a window of more than a day', `${BY}&confirmWithin=86401`],
    ['a window that is no number', `${BY}&confirmWithin=soon`],
    ['a base that is no number', `${BY}&base=-1`],
    ['a file name over 255 characters', `${BY}&name=${'x'.repeat(256)}`],
  ])('is refused with %s', async (_what, query) => {
    expect(await call('PUT', `/v1/config?${query}`, '{}', 'text/plain')).toMatchObject({ status: 400 });
    expect(config.applied).toEqual([]);
  });

  it.each([
    ['PUT', '/v1/config?via=cli', undefined, 'querystring.who'],
    ['PUT', `/v1/config?${BY}&confirmWithin=4`, undefined, 'querystring.confirmWithin'],
    ['GET', `/v1/traffic/${'x'.repeat(10)}`, undefined, 'querystring.ring'],
    ['POST', '/v1/config/backup', '{"passphrase":{"text":"hunter22"}}', 'body.passphrase'],
    ['POST', '/v1/config/backup', '{}', 'body.passphrase'],
  ])('%s %s says where the request is malformed, and what to do', async (method, path, body, where) => {
    const answer = await call(method, path, body, body === undefined ? undefined : 'application/json');
    expect(answer).toMatchObject({ status: 400, body: { path: where, remedy: expect.stringContaining(where) } });
    expect(JSON.stringify(answer.body)).not.toContain('hunter22');
  });

  it('takes a comment of 256 characters, whatever they are', async () => {
    const comment = '😀'.repeat(256);
    expect((await client.commit('{}', 'x.json', { ...COMMIT, comment })).ok).toBe(true);
    expect(config.applied[0]?.request).toEqual({ ...COMMIT, comment });
  });

  it('is refused without a body', async () => {
    expect((await call('PUT', `/v1/config?${BY}`)).status).toBe(400);
    expect((await call('POST', '/v1/config/preview')).status).toBe(400);
    expect((await call('PUT', `/v1/config/candidate?${BY}`)).status).toBe(400);
    expect(config.asked).toEqual([]);
  });
});

describe('what is in force', () => {
  it('is told as the router has it', async () => {
    expect(await client.running()).toEqual(config.running());
  });

  it.each([
    { revision: 0, state: 'factory' },
    { revision: 7, state: 'pending', secondsLeft: 12, parent: 6, who: 'alice' },
    { revision: 5, state: 'recovered', reason: 'the store was damaged', remedy: 'compare it' },
    { revision: 0, state: 'failsafe', reason: 'there is no export', remedy: 'apply one' },
  ] as const)('is told with every member of $state, alone and in the status', async (state) => {
    config.historyNow = { ...HISTORY, state };
    expect(await client.state()).toEqual(state);
    router.statusNow = async () => ({ ...STATUS, configuration: state });
    expect((await call('GET', '/v1/status')).body['configuration']).toEqual(state);
  });

  it('is not sent again to who has it, and is again when it has changed', async () => {
    const first = await call('GET', '/v1/config');
    const etag = first.headers.etag ?? '';
    expect(etag).toMatch(/^"7-[A-Za-z0-9_-]{22}"$/);
    expect(first.headers['cache-control']).toBe('no-cache');
    const again = (tags: string) => call('GET', '/v1/config', undefined, undefined, { 'if-none-match': tags });
    for (const tags of [etag, `"other", W/${etag}`, '*']) {
      expect(await again(tags)).toMatchObject({ status: 304, body: {}, headers: { etag } });
    }
    expect(await again('"other"')).toMatchObject({ status: 200, headers: { etag } });
    expect((await again('x'.repeat(1025))).status).toBe(400);
    config.historyNow = { ...HISTORY, state: { revision: 8, state: 'confirmed' } };
    const next = await again(etag);
    expect(next).toMatchObject({ status: 200, body: first.body });
    config.runningNow = { system: { hostname: 'branch-13' } };
    expect(await again(next.headers.etag ?? '')).toMatchObject({ status: 200, body: config.runningNow });
  });

  it('stays or is taken back in the name of its author', async () => {
    expect(await client.confirm(AUTHOR)).toEqual({ ok: true });
    expect(await client.revert(AUTHOR)).toEqual({ ok: true });
    expect(config.asked).toEqual([
      ['confirm', AUTHOR],
      ['revert', AUTHOR],
    ]);
    config.commandResult = CONFLICT;
    expect(await client.confirm(AUTHOR)).toEqual(CONFLICT);
    expect((await call('POST', '/v1/config/confirm')).status).toBe(400);
    expect((await call('GET', `/v1/config/confirm?${BY}`)).status).toBe(404);
  });

  it('has a history', async () => {
    expect(await client.history()).toEqual(HISTORY);
  });
});

describe('comparing', () => {
  it('previews a text', async () => {
    expect(await client.preview('{}', 'x.json')).toEqual(PREVIEW);
    expect(config.asked).toEqual([['preview', '{}', 'x.json']]);
    config.previewResult = WRONG;
    expect(await client.preview('{}', 'x.json')).toEqual(WRONG);
  });

  it('takes numbers and names of revisions', async () => {
    expect(await client.compare(12, 'running')).toEqual(PREVIEW);
    await client.compare('candidate', 3);
    expect(config.asked).toEqual([
      ['compare', 12, 'running'],
      ['compare', 'candidate', 3],
    ]);
    config.previewResult = { ok: false, reason: 'there is no revision 99', remedy: 'see the history' };
    expect(await client.compare(99, 'running')).toEqual(config.previewResult);
  });

  it.each(['from=1', 'from=0&to=1', 'from=1&to=runing', 'from=1.5&to=2', 'from=1&to=9999999999'])(
    'refuses %s',
    async (query) => {
      expect((await call('GET', `/v1/config/compare?${query}`)).status).toBe(400);
      expect(config.asked).toEqual([]);
    },
  );
});

describe('the draft', () => {
  const candidate = { ...AUTHOR, base: 2, at: 1_700_000_000_000, text: '{"system":{}}', etag: '"one"' };

  it('is there or not', async () => {
    expect(await client.candidate()).toEqual({ ok: true });
    config.candidateResult = { ok: true, candidate };
    expect(await client.candidate()).toEqual({ ok: true, candidate });
  });

  it("is replaced and discarded, also when it is somebody else's if that is said", async () => {
    config.candidateResult = { ok: true, candidate };
    expect(await client.editCandidate('{}', 'x.json', AUTHOR, true)).toEqual({ ok: true, candidate });
    await client.discardCandidate(AUTHOR, true);
    await call('PUT', `/v1/config/candidate?${BY}`, '{}', 'text/plain');
    await call('DELETE', `/v1/config/candidate?${BY}`);
    expect(config.asked).toEqual([
      ['editCandidate', '{}', 'x.json', AUTHOR, true],
      ['discardCandidate', AUTHOR, true],
      ['editCandidate', '{}', 'the configuration', AUTHOR, false],
      ['discardCandidate', AUTHOR, false],
    ]);
  });

  it('is changed by who says which one he has seen', async () => {
    config.candidateResult = { ok: true, candidate };
    expect((await call('GET', '/v1/config/candidate')).headers.etag).toBe(candidate.etag);
    const got = await call('GET', '/v1/config/candidate', undefined, undefined, { 'if-none-match': candidate.etag });
    expect(got).toMatchObject({ status: 304, body: {} });
    const match = ['"one"', '"two"'];
    expect(await client.editCandidate('{}', 'x.json', AUTHOR, false, match)).toEqual({ ok: true, candidate });
    expect(await client.patchCandidate('{}', AUTHOR, true, match)).toEqual({ ok: true, candidate });
    expect(await client.discardCandidate(AUTHOR, false, '*')).toEqual({ ok: true });
    await client.commitCandidate(COMMIT, match);
    expect(config.asked).toEqual([
      ['editCandidate', '{}', 'x.json', AUTHOR, false, match],
      ['patchCandidate', '{}', AUTHOR, true, match],
      ['discardCandidate', AUTHOR, false, '*'],
      ['commitCandidate', COMMIT, match],
    ]);
  });

  it('that is another one by now is not changed, and the answer says why and what to do', async () => {
    const stale = { ok: false, stale: true, reason: 'bob changed it meanwhile', remedy: 'get it again' } as const;
    config.candidateResult = stale;
    config.commitResult = stale;
    const match = ['"one"'];
    expect(await client.editCandidate('{}', 'x.json', AUTHOR, false, match)).toEqual(stale);
    expect(await client.patchCandidate('{}', AUTHOR, false, match)).toEqual(stale);
    expect(await client.discardCandidate(AUTHOR, false, match)).toEqual(stale);
    expect(await client.commitCandidate(COMMIT, match)).toEqual(stale);
    const headers = { 'if-match': '"one"' };
    expect(await call('POST', `/v1/config/candidate/commit?${BY}`, undefined, undefined, headers)).toMatchObject({
      status: 412,
      contentType: expect.stringContaining('application/problem+json'),
      body: { title: 'Precondition Failed', detail: stale.reason, remedy: stale.remedy },
    });
  });

  it.each(['one', '"one', '"one" "two"', '*, "one"', '"a\u00e4"', '', ', "one"'])(
    'is not changed with the tag %s, which is none',
    async (tag) => {
      const headers = { 'if-match': Buffer.from(tag).toString('latin1') };
      for (const [method, path, body, type] of [
        ['PUT', '/v1/config/candidate', '{}', 'text/plain'],
        ['PATCH', '/v1/config/candidate', '{}', 'application/merge-patch+json'],
        ['DELETE', '/v1/config/candidate'],
        ['POST', '/v1/config/candidate/commit'],
      ] as const) {
        expect(await call(method, `${path}?${BY}`, body, type, headers)).toMatchObject({
          status: 400,
          body: { detail: expect.stringContaining('If-Match'), remedy: expect.stringContaining('quotes') },
        });
      }
      expect(config.asked).toEqual([]);
    },
  );

  it('has no weak tag, so that one never fits', async () => {
    const headers = { 'if-match': 'W/"one"' };
    await call('DELETE', `/v1/config/candidate?${BY}`, undefined, undefined, headers);
    expect(config.asked).toEqual([['discardCandidate', AUTHOR, false, []]]);
  });

  it('takes a patch as what it is, and nothing else for one', async () => {
    config.candidateResult = { ok: true, candidate };
    const patch = '{"system":{"hostname":null}}';
    expect(await client.patchCandidate(patch, AUTHOR, false)).toEqual({ ok: true, candidate });
    expect(config.asked).toEqual([['patchCandidate', patch, AUTHOR, false]]);
    for (const type of ['application/json', 'text/plain']) {
      expect(await call('PATCH', `/v1/config/candidate?${BY}`, patch, type)).toMatchObject({
        status: 415,
        body: { detail: 'a patch has to come as application/merge-patch+json' },
      });
    }
    const type = 'application/merge-patch+json';
    expect((await call('PUT', `/v1/config/candidate?${BY}`, patch, type)).status).toBe(415);
    expect((await call('PUT', `/v1/config?${BY}`, patch, type)).status).toBe(415);
    expect((await call('PATCH', `/v1/config/candidate?${BY}`)).status).toBe(400);
    expect((await call('PATCH', '/v1/config/candidate', patch, type)).status).toBe(400);
    const large = `{"a":"${'x'.repeat(1024 * 1024)}"}`;
    await expect(client.patchCandidate(large, AUTHOR, false)).rejects.toThrow('larger than 1 MiB');
    expect(config.asked).toHaveLength(1);
  });

  it('of somebody else is in the way, and the answer says whose it is', async () => {
    config.candidateResult = { ...CONFLICT, owner: { who: 'bob', via: 'web' } };
    expect(await client.editCandidate('{}', 'x.json', AUTHOR, false)).toEqual(config.candidateResult);
  });
});

describe('backup and restore', () => {
  const PASSPHRASE = 'correct horse battery';

  it('have the passphrase in the body', async () => {
    config.commitResult = COMMITTED;
    expect(await client.backup(PASSPHRASE)).toEqual(config.backupResult);
    expect(await client.previewRestore('{}', PASSPHRASE)).toEqual(PREVIEW);
    expect(await client.restore('{}', PASSPHRASE, { ...COMMIT, confirmWithin: 30 })).toEqual(COMMITTED);
    expect(config.asked).toEqual([
      ['backup', PASSPHRASE],
      ['previewRestore', '{}', PASSPHRASE],
      ['restore', '{}', PASSPHRASE, { ...COMMIT, confirmWithin: 30 }],
    ]);
  });

  it('say why not', async () => {
    config.backupResult = CONFLICT;
    config.previewResult = { ok: false, reason: 'the passphrase is wrong', remedy: 'give the right one' };
    config.commitResult = WRONG;
    expect(await client.backup(PASSPHRASE)).toEqual(CONFLICT);
    expect(await client.previewRestore('{}', PASSPHRASE)).toEqual(config.previewResult);
    expect(await client.restore('{}', PASSPHRASE, COMMIT)).toEqual(WRONG);
  });

  it.each([
    ['no JSON', `{ "passphrase": "${PASSPHRASE}", `],
    ['a passphrase that is no text', `{ "passphrase": { "text": "${PASSPHRASE}" } }`],
    ['no passphrase', `{ "password": "${PASSPHRASE}" }`],
    ['a passphrase over 1024 characters', JSON.stringify({ passphrase: PASSPHRASE.repeat(50) })],
  ])('refuse %s and never quote what came', async (_what, body) => {
    const answer = await call('POST', '/v1/config/backup', body, 'application/json');
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).not.toContain('horse');
    expect(logged.join('')).not.toContain('horse');
    expect(config.asked).toEqual([]);
  });

  it('refuse a passphrase in the address', async () => {
    expect((await call('POST', `/v1/config/backup?passphrase=x`)).status).toBe(400);
    expect(config.asked).toEqual([]);
  });

  it('take a backup that is larger than a configuration may be, up to a bound', async () => {
    const large = 'x'.repeat(4 * 1024 * 1024);
    expect((await client.previewRestore(large, PASSPHRASE)).ok).toBe(true);
    await expect(client.previewRestore('x'.repeat(BACKUP_LIMIT), PASSPHRASE)).rejects.toThrow('larger than 16 MiB');
  });
});

describe('the factory reset', () => {
  it("is asked for in somebody's name", async () => {
    expect(await client.factoryReset(AUTHOR)).toEqual({ ok: true });
    expect(config.asked).toEqual([['factoryReset', AUTHOR]]);
    expect((await call('POST', '/v1/config/factory-reset')).status).toBe(400);
  });
});

describe('a router that does not know a request', () => {
  it('is said to be of another version', async () => {
    const elsewhere = makeStateDir();
    const old = createServer((_request, response) => response.writeHead(404).end('{"detail":"there is none"}'));
    old.listen(controlSocketPath(elsewhere.path));
    await once(old, 'listening');
    try {
      await expect(new ConfigurationClient(elsewhere.path).history()).rejects.toThrow('of another version');
    } finally {
      old.close();
      elsewhere.remove();
    }
  });
});
