import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CandidateAnswer, CandidateMatch } from '../../../../firmware/config/store/store-types.ts';
import { ALICE, BOB, named, StoreBench } from './store-bench.ts';

let bench: StoreBench;
beforeEach(async () => {
  bench = new StoreBench();
  await bench.start();
  await bench.commit(named('a'));
});
afterEach(() => bench.end());

interface Change {
  readonly author?: typeof ALICE | typeof BOB;
  readonly takeover?: boolean;
  readonly match?: CandidateMatch;
  readonly patch?: boolean;
}

const edit = (text: string, { author = ALICE, takeover = false, ...rest }: Change = {}): Promise<CandidateAnswer> =>
  bench.store.editCandidate({ text, fileName: 'draft.json', takeover, ...rest }, author, 1, 5);

function tagOf(answer: CandidateAnswer): string {
  const etag = answer.ok ? answer.candidate?.etag : undefined;
  expect(etag).toMatch(/^"[A-Za-z0-9_-]{22}"$/);
  return etag ?? '';
}

async function hostname(): Promise<unknown> {
  const found = await bench.store.candidate();
  return found.ok && found.candidate !== undefined ? JSON.parse(found.candidate.text).system.hostname : undefined;
}

const commit = (match?: CandidateMatch) =>
  bench.desk.commit({ kind: 'candidate', ...(match === undefined ? {} : { match }) }, { ...ALICE, comment: '' });

describe('the entity tag of the draft', () => {
  it('is another one after each change, also when nothing is different', async () => {
    const one = tagOf(await edit(named('b')));
    expect(tagOf(await bench.store.candidate())).toBe(one);
    const two = tagOf(await edit(named('b')));
    expect(two).not.toBe(one);
    await bench.restart();
    expect(tagOf(await bench.store.candidate())).toBe(two);
  });

  it('lets the one change who has seen the last, and refuses the other with who was faster', async () => {
    const seen = tagOf(await edit(named('b')));
    expect(await edit(named('c'), { author: BOB, takeover: true, match: [seen] })).toMatchObject({ ok: true });
    const refused = {
      ok: false,
      stale: true,
      reason: 'bob changed the candidate over web meanwhile, at 1970-01-01T00:00:00.005Z',
      remedy: expect.stringContaining('get it again'),
    };
    expect(await edit(named('d'), { takeover: true, match: [seen] })).toEqual(refused);
    expect(await edit('{"system": null}', { takeover: true, match: [seen], patch: true })).toEqual(refused);
    expect(await bench.store.discardCandidate(ALICE, true, [seen])).toEqual(refused);
    expect(await commit([seen])).toEqual(refused);
    expect(await hostname()).toBe('c');
    expect(bench.desk.state().revision).toBe(1);
  });

  it('fits when it is one of several, and any draft fits a star', async () => {
    const seen = tagOf(await edit(named('b')));
    const next = tagOf(await edit(named('c'), { match: ['"other"', seen] }));
    expect(await edit(named('d'), { match: '*' })).toMatchObject({ ok: true });
    expect(await edit(named('e'), { match: [next] })).toMatchObject({ ok: false, stale: true });
    expect(await edit(named('e'), { match: [] })).toMatchObject({ ok: false, stale: true });
    expect(await commit('*')).toMatchObject({ ok: true, revision: 2 });
    expect(bench.inForce).toBe('d');
  });

  it('is missed where there is no draft any more', async () => {
    const seen = tagOf(await edit(named('b')));
    expect(await commit([seen])).toMatchObject({ ok: true });
    const gone = { ok: false, stale: true, reason: expect.stringContaining('there is no candidate any more') };
    for (const match of [[seen], '*'] as const) {
      expect(await edit(named('c'), { match })).toMatchObject(gone);
      expect(await bench.store.discardCandidate(ALICE, false, match)).toMatchObject(gone);
      expect(await commit(match)).toMatchObject(gone);
    }
    expect(await bench.store.candidate()).toEqual({ ok: true });
  });

  it('is not asked for by those who do not care', async () => {
    await edit(named('b'));
    expect(await edit(named('c'))).toMatchObject({ ok: true });
    expect(await bench.store.discardCandidate(ALICE, false)).toEqual({ ok: true });
    expect(await bench.store.discardCandidate(ALICE, false)).toEqual({ ok: true });
  });
});

describe('a draft that is changed while it is committed', () => {
  it('stays as it was changed, and the one of the beginning is in force', async () => {
    await edit(named('b'));
    bench.onEnforce = async () => {
      await edit(named('c'));
      return { changes: [], failures: [] };
    };
    expect(await commit()).toMatchObject({ ok: true, revision: 2 });
    expect(bench.inForce).toBe('b');
    expect(await hostname()).toBe('c');
    bench.onEnforce = async () => ({ changes: [], failures: [] });
    expect(await commit()).toMatchObject({ ok: true, revision: 3 });
    expect(bench.inForce).toBe('c');
    expect(await bench.store.candidate()).toEqual({ ok: true });
  });
});

describe('a merge patch of the draft', () => {
  const patch = (value: unknown, change: Change = {}) => edit(JSON.stringify(value), { ...change, patch: true });

  it('begins it with what is in force, secrets included', async () => {
    const begun = await patch({ system: { hostname: 'b' } });
    expect(begun).toMatchObject({ ok: true, candidate: { ...ALICE, base: 1 } });
    expect(begun.ok && begun.candidate?.text).not.toContain('password of a');
    expect(await commit()).toMatchObject({ ok: true, diff: ['~ system.hostname: "a" -> "b"'] });
    expect(bench.desk.inForce.l2tp.clients['hq']?.password).toBe('password of a');
  });

  it('replaces, removes and adds members, and leaves the rest', async () => {
    await edit(named('b', 'new word'));
    await patch({
      l2tp: { clients: { hq: { server: '10.20.0.9' }, plant: { server: 'p', user: 'u', password: 'pw pw pw' } } },
    });
    await patch({ l2tp: { clients: { plant: { password: '********', user: 'w' } } } });
    await patch({ system: null });
    expect(await commit()).toMatchObject({ ok: true });
    const { clients } = bench.desk.inForce.l2tp;
    expect(clients['hq']).toMatchObject({ server: '10.20.0.9', user: 'alice', password: 'new word' });
    expect(clients['plant']).toMatchObject({ user: 'w', password: 'pw pw pw' });
    expect(bench.inForce).toBe('culvert');
    await patch({ l2tp: { clients: { hq: null } } });
    expect(await commit()).toMatchObject({ ok: true });
    expect(Object.keys(bench.desk.inForce.l2tp.clients)).toEqual(['plant']);
  });

  it.each([
    ['[]', 'the patch is no JSON object'],
    ['null', 'the patch is no JSON object'],
    ['"text"', 'the patch is no JSON object'],
    ['system: {hostname: b}', 'line 1'],
    ['{"system": {"hostname": "b"', 'line 1'],
    ['{"system": {"hostname": 5}}', 'system.hostname'],
    ['{"systm": {}}', 'systm'],
    ['{"__proto__": {"system": {}}}', '__proto__'],
    [`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`, 'nest'],
  ])('that is %s is refused, and the draft stays', async (text, why) => {
    await edit(named('b'));
    const before = await bench.store.candidate();
    const answer = await edit(text, { patch: true });
    expect(answer).toMatchObject({ ok: false, reason: expect.stringContaining(why) });
    expect(await bench.store.candidate()).toEqual(before);
  });

  it('that is too large is refused, and so is a draft that many small ones have made too large', async () => {
    expect(await edit(`{"a":"${'x'.repeat(1024 * 1024)}"}`, { patch: true })).toMatchObject({ ok: false });
    const user = (index: number) => [`user${String(index).padStart(4, '0')}`, { password: 'x'.repeat(120) }] as const;
    const users = Object.fromEntries(Array.from({ length: 4096 }, (_, index) => user(index)));
    expect(await patch({ l2tp: { servers: { s0: { users } } } })).toMatchObject({ ok: true });
    let refused: CandidateAnswer = { ok: true };
    for (let server = 1; server < 20 && refused.ok; server++) {
      refused = await patch({ l2tp: { servers: { [`s${server}`]: { users } } } });
    }
    expect(refused).toMatchObject({ ok: false, reason: expect.stringContaining('4194304 octets') });
  });
});
