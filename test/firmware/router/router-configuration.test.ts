import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationClient } from '../../../firmware/api/configuration-client.ts';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { RouterConfiguration } from '../../../firmware/router/router-configuration.ts';
import { FakeRouter } from '../api/fake-router.ts';
import { rawCall } from '../api/raw-call.ts';
import { ALICE, BOB, named, StoreBench } from '../config/store/store-bench.ts';

const PASSPHRASE = 'correct horse battery';
const COMMIT = { ...ALICE, comment: '' };

let bench: StoreBench;
let client: ConfigurationClient;
let api: ControlApi;
let ready: PromiseWithResolvers<void>;

beforeEach(async () => {
  bench = new StoreBench();
  ready = Promise.withResolvers();
  const config = new RouterConfiguration({
    desk: bench.desk,
    store: bench.store,
    clock: bench.clock,
    version: '0.1.0',
    preview: async ({ system }) => [`hostname ${system.hostname}`],
    ready: ready.promise,
    reset: async () => ({ ok: true }),
  });
  client = new ConfigurationClient(bench.directory);
  const logger = createLogger({ secrets: () => [], destination: { write: (line) => bench.log.push(line) } });
  const socketPath = controlSocketPath(bench.directory);
  api = await startControlApi({ socketPath, control: new FakeRouter(), config, logger });
});

afterEach(async () => {
  await api.close();
  await bench.end();
});

async function start(): Promise<void> {
  await bench.start();
  ready.resolve();
}

describe('configurations over the control API', () => {
  it('are committed, looked at before that, compared and rolled back', async () => {
    await start();
    expect(await client.state()).toEqual({ revision: 0, state: 'factory' });
    expect(await client.preview(named('one'), 'x.json')).toMatchObject({
      ok: true,
      connections: ['L2TP client "hq" starts'],
      network: ['hostname one'],
    });
    expect(bench.inForce).toBe('culvert');
    expect(await client.commit(named('one'), 'x.json', COMMIT)).toMatchObject({ ok: true, revision: 1 });
    expect(await client.commit(named('two'), 'x.json', COMMIT)).toMatchObject({
      ok: true,
      revision: 2,
      diff: expect.arrayContaining(['~ system.hostname: "one" -> "two"']),
    });
    expect(await client.compare(1, 'running')).toMatchObject({ ok: true, network: [] });
    expect(await client.compare(1, 3)).toMatchObject({ ok: false, reason: 'there is no revision 3' });
    expect(await client.rollback(1, { ...COMMIT, comment: 'back' })).toMatchObject({ ok: true, revision: 3 });
    expect(bench.inForce).toBe('one');
    const { revisions, state } = await client.history();
    expect(state).toEqual({ revision: 3, state: 'confirmed' });
    expect(revisions.map(({ id, parent, comment }) => [id, parent, comment])).toEqual([
      [3, 2, 'back'],
      [2, 1, ''],
      [1, undefined, ''],
    ]);
  });

  it('wait for their confirmation, and come back without one', async () => {
    await start();
    await client.commit(named('one'), 'x.json', COMMIT);
    const waiting = await client.commit(named('two'), 'x.json', { ...COMMIT, confirmWithin: 20 });
    expect(waiting).toMatchObject({ ok: true, revision: 2, confirmBy: bench.clock.wall() + 20_000 });
    expect(await client.state()).toEqual({ revision: 2, state: 'pending', secondsLeft: 20, parent: 1, who: 'alice' });
    expect(await client.commit(named('three'), 'x.json', COMMIT)).toMatchObject({
      ok: false,
      reason: 'revision 2 of alice waits for its confirmation',
    });
    expect(await client.revert(BOB)).toEqual({ ok: true });
    expect(bench.inForce).toBe('one');
    expect(await client.confirm(BOB)).toMatchObject({ ok: false, reason: expect.stringContaining('waits') });
    await client.commit(named('two'), 'x.json', { ...COMMIT, confirmWithin: 20 });
    expect(await client.confirm(BOB)).toEqual({ ok: true });
    expect(await client.state()).toEqual({ revision: 3, state: 'confirmed' });
  });

  it('are refused when somebody else was faster', async () => {
    await start();
    await client.commit(named('one'), 'x.json', COMMIT);
    expect(await client.commit(named('two'), 'x.json', { ...COMMIT, base: 0 })).toMatchObject({
      ok: false,
      reason: 'revision 1 is in force by now, and the change was made for revision 0',
    });
    expect(bench.inForce).toBe('one');
  });

  it('have one draft, which somebody else takes over only on purpose', async () => {
    await start();
    await client.commit(named('one'), 'x.json', COMMIT);
    const draft = named('two', '********');
    expect(await client.editCandidate(draft, 'x.json', ALICE, false)).toMatchObject({
      ok: true,
      candidate: { ...ALICE, base: 1 },
    });
    expect(await client.editCandidate(named('three'), 'x.json', BOB, false)).toMatchObject({ ok: false, owner: ALICE });
    expect(await client.compare('running', 'candidate')).toMatchObject({
      ok: true,
      diff: ['~ system.hostname: "one" -> "two"'],
    });
    expect(await client.commitCandidate(COMMIT)).toMatchObject({ ok: true, revision: 2 });
    expect(bench.inForce).toBe('two');
    expect(await client.candidate()).toEqual({ ok: true });
  });

  it('have a draft that two can change without losing what the other did', async () => {
    await start();
    await client.commit(named('one'), 'x.json', COMMIT);
    const begun = await client.patchCandidate('{"system":{"hostname":"two"}}', ALICE, false);
    const seen = begun.ok ? (begun.candidate?.etag ?? '') : '';
    const next = await client.patchCandidate('{"system":{"hostname":"three"}}', ALICE, false, [seen]);
    expect(next).toMatchObject({ ok: true, candidate: { base: 1 } });
    expect(await client.commitCandidate(COMMIT, [seen])).toMatchObject({ ok: false, stale: true });
    expect(bench.inForce).toBe('one');
    const now = next.ok ? (next.candidate?.etag ?? '') : '';
    expect(await client.commitCandidate(COMMIT, [now])).toMatchObject({ ok: true, revision: 2 });
    expect(bench.inForce).toBe('three');
  });

  it('are shown with a tag that changes with every revision, also with one that changes a secret alone', async () => {
    await start();
    await client.commit(named('one', 'the first password'), 'x.json', COMMIT);
    const tag = async () => (await rawCall(bench.directory, 'GET', '/v1/config')).headers.etag;
    const first = await tag();
    expect(await tag()).toBe(first);
    await client.commit(named('one', 'another password'), 'x.json', COMMIT);
    expect(await tag()).not.toBe(first);
  });

  it('are backed up and restored', async () => {
    await start();
    await client.commit(named('one'), 'x.json', COMMIT);
    expect(await client.backup('short')).toMatchObject({ ok: false, reason: expect.stringMatching(/^the passphrase/) });
    const backup = await client.backup(PASSPHRASE);
    if (!backup.ok) throw new Error(JSON.stringify(backup));
    await client.commit(named('two'), 'x.json', COMMIT);
    expect(await client.previewRestore(backup.text, 'another one')).toMatchObject({
      ok: false,
      reason: 'the passphrase is wrong',
    });
    const preview = await client.previewRestore(backup.text, PASSPHRASE);
    expect(preview).toMatchObject({ ok: true, network: ['hostname one'] });
    expect(bench.inForce).toBe('two');
    expect(await client.restore(backup.text, PASSPHRASE, COMMIT)).toMatchObject({ ok: true, revision: 3 });
    expect(bench.inForce).toBe('one');
    expect(await client.compare(1, 'running')).toMatchObject({ ok: true, diff: [] });
  });

  it('are not told before the router knows what was stored', async () => {
    await bench.start(named('one'));
    await bench.restart();
    const answered: string[] = [];
    const asked = [client.history(), client.backup(PASSPHRASE), client.preview('{}', 'x.json'), client.compare(1, 1)];
    for (const answer of asked) void answer.catch(() => undefined).then(() => answered.push('an answer'));
    expect(await client.state()).toBeDefined();
    expect(answered).toEqual([]);
    ready.resolve();
    await Promise.allSettled(asked);
  });
});

describe('secrets', () => {
  const SECRETS = ['client-password', 'tunnel-secret', 'user-password', 'radius-secret', 'psk-of-plant-7163'];
  const [password, secret, user, radius, psk] = SECRETS;

  const configuration = (hostname: string) => ({
    system: { hostname },
    interfaces: { wan: { device: 'eth0', zone: 'wan', ipv4: { method: 'static', address: '10.20.0.9/24' } } },
    l2tp: {
      clients: { hq: { server: '10.20.0.2', user: 'alice', password, secret } },
      servers: {
        office: {
          listen: '10.20.0.9',
          localAddress: '10.98.0.1',
          pool: '10.98.0.10-10.98.0.20',
          users: { bob: { password: user } },
          radius: { servers: [{ address: '10.20.0.5', secret: radius }] },
        },
      },
    },
    ipsec: { connections: { plant: { version: 2, remote: '10.20.0.8', mode: 'transport', psk } } },
  });

  it('of a configuration stand in no answer and no log line, but sealed in a backup', async () => {
    await start();
    const answers: string[] = [];
    const ask = async (method: string, path: string, body?: unknown): Promise<void> => {
      const type = body === undefined ? undefined : 'application/json';
      const answer = await rawCall(
        bench.directory,
        method,
        `/v1/config${path}`,
        body === undefined ? undefined : JSON.stringify(body),
        type,
      );
      answers.push(`${answer.status} ${method} ${path} ${JSON.stringify(answer.body)}`);
    };
    const by = 'who=alice&via=cli';
    const one = configuration('one');
    await ask('PUT', `?${by}`, one);
    await ask('PUT', `?${by}&confirmWithin=60`, configuration('two'));
    await ask('POST', `/confirm?${by}`);
    await ask('POST', '/preview', { ...one, ipsec: { connections: {} } });
    await ask('PUT', `?${by}`, { ...one, l2tp: { clients: { hq: { ...one.l2tp.clients.hq, pasword: password } } } });
    await ask('POST', '/preview', { ...one, routes: psk });
    await ask('GET', '');
    await ask('GET', '/state');
    await ask('GET', '/history');
    await ask('GET', '/compare?from=1&to=running');
    await ask('POST', `/rollback?revision=1&${by}`);
    await ask('PUT', `/candidate?${by}`, { ...one, system: { hostname: 'draft' } });
    await ask('GET', '/candidate');
    await ask('GET', '/compare?from=running&to=candidate');
    await ask('PUT', `/candidate?who=bob&via=web`, one);
    await ask('POST', `/candidate/commit?${by}`);
    await ask('POST', '/backup', { passphrase: PASSPHRASE });
    const backup = await client.backup(PASSPHRASE);
    const text = backup.ok ? backup.text : '';
    await ask('POST', '/restore/preview', { passphrase: PASSPHRASE, text });
    await ask('POST', '/restore/preview', { passphrase: `${PASSPHRASE}!`, text });
    await ask('POST', `/restore?${by}`, { passphrase: PASSPHRASE, text });
    const refused = answers.filter((answer) => !answer.startsWith('200 '));
    expect(refused).toEqual([
      expect.stringMatching(/^422 PUT \?/),
      expect.stringMatching(/^422 POST \/preview/),
      expect.stringMatching(/^409 PUT \/candidate/),
      expect.stringMatching(/^409 POST \/restore\/preview/),
    ]);
    const all = [...answers, ...bench.log].join('\n');
    for (const word of [...SECRETS, PASSPHRASE]) expect(all).not.toContain(word);
  });
});
