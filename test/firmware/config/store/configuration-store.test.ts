import { chmodSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadDeviceKey } from '../../../../firmware/config/secrets/device-key.ts';
import { hashOf } from '../../../../firmware/config/store/last-good.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { ALICE, BOB, named, StoreBench } from './store-bench.ts';

let bench: StoreBench;
beforeEach(async () => {
  bench = new StoreBench();
  await bench.start();
});
afterEach(() => bench.end());

/** Every file of the state directory but the key, as text. */
function everything(): string {
  return readdirSync(bench.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'latin1'))
    .join('\n');
}

describe('the store', () => {
  it('keeps its files for their owner alone, and no secret in clear', async () => {
    await bench.commit(named('a', 'a very secret word'));
    await bench.store.editCandidate({ text: named('c', 'one for later'), fileName: 'x', takeover: false }, ALICE, 1, 0);
    expect(everything()).toContain('"hostname":"a"');
    await bench.desk.close();
    expect(everything()).not.toContain('a very secret word');
    expect(everything()).not.toContain('one for later');
    for (const name of ['configuration.db', 'last-good.json', 'key/device.key']) {
      expect(statSync(bench.path(name)).mode & 0o077, name).toBe(0);
    }
  });

  it('writes no password of a user down, and takes the one that is in force for no change', async () => {
    const text = (password: string) => JSON.stringify({ users: { alice: { role: 'admin', password } } });
    const first = await bench.commit(text('seven blue lamps'));
    expect(first).toMatchObject({ ok: true, revision: 1, diff: ['+ users.alice.role = "admin"', expect.anything()] });
    expect(await bench.commit(text('seven blue lamps'))).toMatchObject({ ok: true, revision: 1, diff: [] });
    const hash = bench.desk.inForce.users['alice']?.password;
    expect(hash).toMatch(/^\$argon2id\$/);
    const given = { fileName: 'x', takeover: false };
    await bench.store.editCandidate({ ...given, text: text('eight red lamps') }, ALICE, 1, 0);
    const drafted = await bench.desk.commit({ kind: 'candidate' }, { ...ALICE, comment: '' });
    expect(drafted).toMatchObject({ ok: true, revision: 2 });
    expect(bench.desk.inForce.users['alice']?.password).not.toBe(hash);
    await bench.store.editCandidate({ ...given, text: text('short') }, ALICE, 2, 0);
    expect(await bench.desk.commit({ kind: 'candidate' }, { ...ALICE, comment: '' })).toMatchObject({
      ok: false,
      problems: [{ rule: 'user-password-weak' }, { rule: 'weak-secret' }],
    });
    await bench.desk.close();
    expect(everything()).not.toMatch(/lamps|argon2/);
  });

  it('brings no password back by a draft that was begun before it was changed', async () => {
    const alice = (password: string) => ({ alice: { role: 'admin', password } });
    await bench.commit(JSON.stringify({ users: alice('seven blue lamps') }));
    const given = { fileName: 'x', takeover: false };
    const draft = { system: { hostname: 'drafted' }, users: { ...alice('********') } };
    await bench.store.editCandidate({ ...given, text: JSON.stringify(draft) }, ALICE, 1, 0);
    await bench.commit(JSON.stringify({ users: alice('eight red lamps') }));
    const changed = bench.desk.inForce.users['alice']?.password;
    expect(await bench.desk.commit({ kind: 'candidate' }, { ...ALICE, comment: '' })).toMatchObject({ ok: true });
    expect(bench.inForce).toBe('drafted');
    expect(bench.desk.inForce.users['alice']?.password).toBe(changed);
    await bench.store.editCandidate({ ...given, text: JSON.stringify(draft) }, ALICE, 3, 0);
    await bench.commit(JSON.stringify({}));
    expect(await bench.desk.commit({ kind: 'candidate' }, { ...ALICE, comment: '' })).toMatchObject({
      ok: false,
      problems: [{ rule: 'redacted-secret', path: 'users.alice.password' }],
    });
  });

  it('gives back configurations whose free keys name no member of every object', async () => {
    await bench.commit(named('a'));
    await bench.restart();
    expect('constructor' in bench.desk.inForce.l2tp.clients).toBe(false);
  });

  it('takes over the file of an earlier version, once, and removes it with its secrets', async () => {
    await bench.desk.close();
    writeFileSync(bench.path('configuration.json'), named('old', 'in clear'), { mode: 0o600 });
    await bench.restart();
    expect(bench.inForce).toBe('old');
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'confirmed' });
    expect(readdirSync(bench.directory)).not.toContain('configuration.json');
    expect(everything()).not.toContain('in clear');
    await bench.restart();
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'confirmed' });
  });

  it('leaves a configuration in force that a rule of a later version would refuse, and says so', async () => {
    await bench.commit(named('a'));
    await bench.desk.close();
    const database = new Database(bench.path('configuration.db'));
    const document = String(database.prepare('SELECT document FROM revision WHERE id = 1').pluck().get());
    const broken = document.replace('"routes":[],"users"', '"routes":[{"prefix":"10.0.0.0/8"}],"users"');
    expect(broken).not.toBe(document);
    database.prepare('UPDATE revision SET document = ?, hash = ?').run(broken, hashOf(broken));
    database.close();
    await bench.restart();
    expect(bench.inForce).toBe('a');
    expect(bench.desk.inForce.routes).toEqual([{ prefix: '10.0.0.0/8' }]);
    expect(bench.log.join('\n')).toMatch(
      /revision 1 would be refused today, and stays in force: routes\[0\]: found neither/,
    );
  });

  it('keeps a bounded number of revisions, the one in force among them', async () => {
    for (let count = 1; count <= 105; count += 1) await bench.commit(named(`c${count}`));
    const { revisions } = await bench.store.history();
    expect(revisions).toHaveLength(100);
    expect(revisions[0]?.id).toBe(105);
    expect(revisions.at(-1)?.id).toBe(6);
  });
});

describe('a damaged database', () => {
  const damages: readonly (readonly [string, () => void])[] = [
    ['is no database', () => writeFileSync(bench.path('configuration.db'), 'x'.repeat(5000))],
    ['is cut short', () => truncateSync(bench.path('configuration.db'), 4096 + 100)],
    [
      'has other octets in a page',
      () => {
        const octets = readFileSync(bench.path('configuration.db'));
        octets.fill(0xa5, 4096, octets.length);
        writeFileSync(bench.path('configuration.db'), octets);
      },
    ],
    [
      'has a document that was changed',
      () => {
        const octets = readFileSync(bench.path('configuration.db'));
        const at = octets.lastIndexOf('"hostname":"b"');
        expect(at).toBeGreaterThan(0);
        octets.write('"hostname":"x"', at, 'latin1');
        writeFileSync(bench.path('configuration.db'), octets);
      },
    ],
  ];

  it.each(damages)('that %s is kept aside, and the last good export is in force', async (_what, damage) => {
    await bench.commit(named('a'));
    await bench.commit(named('b'));
    await bench.desk.close();
    damage();
    await bench.restart();
    expect(bench.inForce).toBe('b');
    expect(bench.desk.inForce.l2tp.clients['hq']?.password).toBe('password of b');
    const state = bench.desk.state();
    expect(state).toMatchObject({ revision: 2, state: 'recovered' });
    expect(state.reason).toMatch(/damaged.*kept as .*configuration\.db\.damaged-.*revision 2 of .* last good export/);
    expect(readdirSync(bench.directory).filter((name) => name.startsWith('configuration.db.damaged-'))).not.toEqual([]);
    // It says so until somebody has looked at it: a commit is that.
    await bench.restart();
    expect(bench.desk.state().state).toBe('recovered');
    expect(await bench.commit(named('b'))).toMatchObject({ ok: true, revision: 3 });
    expect(bench.desk.state()).toEqual({ revision: 3, state: 'confirmed' });
    await bench.restart();
    expect(bench.desk.state()).toEqual({ revision: 3, state: 'confirmed' });
  });

  it('without a good export leaves the factory configuration, and says so', async () => {
    await bench.commit(named('a'));
    await bench.desk.close();
    writeFileSync(bench.path('configuration.db'), 'x'.repeat(5000));
    writeFileSync(bench.path('last-good.json'), '{"revision": 1}');
    await bench.restart();
    expect(bench.inForce).toBe('culvert');
    expect(bench.desk.state()).toMatchObject({ revision: 0, state: 'failsafe' });
    expect(bench.log.join('\n')).toMatch(/no good export beside it either; restore a backup or apply a configuration/);
    expect(await bench.commit(named('c'))).toMatchObject({ ok: true });
    expect(bench.desk.state().state).toBe('confirmed');
  });
});

describe('a device key', () => {
  it('that is missing leaves the router in failsafe, and no new one takes its place', async () => {
    await bench.commit(named('a'));
    await bench.desk.close();
    const key = readFileSync(bench.path('key/device.key'));
    chmodSync(bench.path('key/device.key'), 0o600);
    truncateSync(bench.path('key/device.key'), 0);
    await bench.restart();
    expect(bench.inForce).toBe('culvert');
    expect(bench.desk.state()).toMatchObject({ state: 'failsafe', reason: expect.stringContaining('device.key') });
    expect(await bench.commit(named('b'))).toMatchObject({ ok: false, reason: expect.stringContaining('device key') });
    await bench.desk.close();
    writeFileSync(bench.path('key/device.key'), key);
    await bench.restart();
    expect(bench.inForce).toBe('a');
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'confirmed' });
  });

  it('of another device does not open what is stored, and says so', async () => {
    await bench.commit(named('a'));
    await bench.desk.close();
    rmSync(bench.path('key'), { recursive: true });
    await loadDeviceKey({ directory: bench.path('key'), random: new SeededRandom(7), create: true });
    await bench.restart();
    expect(bench.desk.state()).toMatchObject({
      state: 'failsafe',
      reason: expect.stringMatching(/another device key/),
    });
  });
});

describe('the candidate', () => {
  const edit = (text: string, author = ALICE as typeof ALICE | typeof BOB, takeover = false) =>
    bench.store.editCandidate({ text, fileName: 'draft.json', takeover }, author, 1, 5);

  it('may be incomplete, shows stars for secrets, and takes stars for the secret that was there', async () => {
    await bench.commit(named('a'));
    const begun = await edit('{"l2tp": {"clients": {"hq": {"password": "new word"}}}}');
    expect(begun).toMatchObject({ ok: true, candidate: { who: 'alice', via: 'cli', base: 1, at: 5 } });
    const text = begun.ok ? (begun.candidate?.text ?? '') : '';
    expect(JSON.parse(text)).toEqual({ l2tp: { clients: { hq: { password: '********' } } } });
    await edit(named('c', '********'));
    await bench.restart();
    expect(await bench.desk.commit({ kind: 'candidate' }, { ...ALICE, comment: '' })).toMatchObject({ ok: true });
    expect(bench.desk.inForce.l2tp.clients['hq']?.password).toBe('new word');
    expect(await bench.store.candidate()).toEqual({ ok: true });
  });

  it('that is refused leaves the one before as it was', async () => {
    await edit(named('c'));
    const refused = await edit('{"system": {"hostname": 5}}');
    expect(refused).toMatchObject({ ok: false, reason: expect.stringContaining('system.hostname') });
    const kept = await bench.store.candidate();
    expect(kept.ok && kept.candidate?.text).toContain('"hostname": "c"');
  });

  it('belongs to one author until another takes it over', async () => {
    await edit(named('c'));
    const reason = expect.stringMatching(/^alice works on the candidate over cli/);
    expect(await edit(named('d'), BOB)).toMatchObject({ ok: false, reason, owner: ALICE });
    expect(await bench.store.discardCandidate(BOB, false)).toMatchObject({ ok: false });
    expect(await edit(named('d'), BOB, true)).toMatchObject({ ok: true, candidate: BOB });
    expect(await bench.store.discardCandidate(ALICE, false)).toMatchObject({ ok: false });
    expect(await bench.store.discardCandidate(BOB, false)).toEqual({ ok: true });
    expect(await bench.store.candidate()).toEqual({ ok: true });
  });

  it('that breaks a rule stays a draft when it is committed', async () => {
    await edit('{"system": {"hostname": "x"}, "routes": [{"prefix": "10.0.0.0/8"}]}');
    const outcome = await bench.desk.commit({ kind: 'candidate' }, { ...ALICE, comment: '' });
    expect(outcome).toMatchObject({ ok: false });
    const kept = await bench.store.candidate();
    expect(kept.ok && kept.candidate?.text).toContain('10.0.0.0/8');
  });
});
