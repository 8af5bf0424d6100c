import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ALICE, BOB, named, StoreBench } from '../store/store-bench.ts';

let bench: StoreBench;
beforeEach(async () => {
  bench = new StoreBench();
  await bench.start();
});
afterEach(() => bench.end());

/** Waits for what happens in the store's thread. */
const settled = (state: string) => vi.waitFor(() => expect(bench.desk.state().state).toBe(state));

describe('a commit', () => {
  it('is in force and confirmed at once, and told in the history', async () => {
    const outcome = await bench.commit(named('a'), { comment: 'the first' });
    expect(outcome).toMatchObject({ ok: true, revision: 1, failures: [] });
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'confirmed' });
    expect(bench.enforced).toEqual(['culvert', 'a']);
    const { revisions, events } = await bench.store.history();
    expect(revisions).toMatchObject([{ id: 1, who: 'alice', via: 'cli', comment: 'the first', state: 'confirmed' }]);
    expect(events.map(({ text }) => text)).toEqual([
      'revision 1 of alice (cli) is in force',
      'revision 1: alice (cli) puts a configuration in force',
    ]);
    await bench.restart();
    expect(bench.inForce).toBe('a');
    expect(bench.desk.inForce.l2tp.clients['hq']?.password).toBe('password of a');
  });

  it('says what changed, without secrets', async () => {
    await bench.commit(named('a'));
    const outcome = await bench.commit(named('b', 'another password'));
    expect(outcome).toMatchObject({
      diff: ['~ system.hostname: "a" -> "b"', '~ l2tp.clients.hq.password (changed)'],
    });
  });

  it('that changes nothing makes no revision', async () => {
    await bench.commit(named('a'));
    expect(await bench.commit(named('a'))).toMatchObject({ ok: true, revision: 1, diff: [] });
    expect((await bench.store.history()).revisions).toHaveLength(1);
    expect(bench.enforced).toEqual(['culvert', 'a']);
  });

  it('of a wrong configuration changes nothing and names every problem', async () => {
    await bench.commit(named('a'));
    const outcome = await bench.commit('{"systm": {}, "l2tp": {"clients": {"hq": {}}}}');
    expect(outcome.ok).toBe(false);
    expect('problems' in outcome && outcome.problems.map(({ path }) => path)).toEqual([
      'systm',
      'l2tp.clients.hq.server',
      'l2tp.clients.hq.user',
      'l2tp.clients.hq.password',
    ]);
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'confirmed' });
    expect(bench.inForce).toBe('a');
  });

  it('whose author saw another revision is refused', async () => {
    await bench.commit(named('a'));
    await bench.commit(named('b'));
    const reason = 'revision 2 is in force by now, and the change was made for revision 1';
    expect(await bench.commit(named('c'), { base: 1 })).toMatchObject({ ok: false, reason });
    expect(await bench.commit(named('c'), { base: 2 })).toMatchObject({ ok: true, revision: 3 });
  });

  it('that cannot be put in force for a fault of the program is taken back', async () => {
    await bench.commit(named('a'));
    bench.onEnforce = async ({ system }) => {
      if (system.hostname === 'b') throw new Error('the planner lost its way');
      return { changes: [], failures: [] };
    };
    const reason = 'putting it in force failed: the planner lost its way';
    expect(await bench.commit(named('b'))).toMatchObject({ ok: false, reason });
    expect(bench.enforced).toEqual(['culvert', 'a', 'b', 'a']);
    expect((await bench.store.history()).revisions[0]).toMatchObject({ id: 2, state: 'reverted', reason });
  });

  it('tells what could not be set', async () => {
    bench.onEnforce = async () => ({ changes: ['eth0 set up'], failures: ['the device lan0 does not exist'] });
    const told = { ok: true, changes: ['eth0 set up'], failures: ['the device lan0 does not exist'] };
    expect(await bench.commit(named('a'))).toMatchObject(told);
  });
});

describe('failsafe that somebody asked for', () => {
  const [reason, remedy] = ['the button was held', 'start it again'];
  const FAILSAFE = { kind: 'failsafe', reason, remedy } as const;

  it('puts the factory configuration in force, touches nothing that is stored, and lasts until something is committed', async () => {
    await bench.commit(named('a'));
    await bench.restart(undefined, FAILSAFE);
    expect(bench.inForce).toBe('culvert');
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'failsafe', reason, remedy });
    await bench.restart();
    expect(bench.inForce).toBe('a');
    await bench.restart(named('b'), FAILSAFE);
    expect(bench.inForce).toBe('culvert');
    // What was in force before is a change now.
    expect(await bench.commit(named('a'))).toMatchObject({ ok: true, revision: 2 });
    expect(bench.desk.state()).toEqual({ revision: 2, state: 'confirmed' });
    expect(bench.inForce).toBe('a');
  });
});

describe('a commit with a window', () => {
  beforeEach(async () => {
    await bench.commit(named('a'));
  });

  it('waits, and reverts by itself when nobody confirms it', async () => {
    const outcome = await bench.commit(named('b'), { confirmWithin: 20 });
    expect(outcome).toMatchObject({ ok: true, revision: 2, confirmBy: bench.clock.wall() + 20_000 });
    expect(bench.desk.state()).toMatchObject({ revision: 2, state: 'pending', secondsLeft: 20, parent: 1 });
    bench.clock.advance(19_000);
    expect(bench.desk.state()).toMatchObject({ state: 'pending', secondsLeft: 1, who: 'alice' });
    bench.clock.advance(1_000);
    await settled('confirmed');
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'confirmed' });
    expect(bench.enforced).toEqual(['culvert', 'a', 'b', 'a']);
    await bench.restart();
    const { revisions } = await bench.store.history();
    expect(revisions[0]).toMatchObject({ id: 2, state: 'reverted', reason: 'nobody confirmed it in time' });
    expect(bench.inForce).toBe('a');
  });

  it('stays when it is confirmed, by whomever', async () => {
    await bench.commit(named('b'), { confirmWithin: 20 });
    expect(await bench.desk.confirm(BOB)).toEqual({ ok: true });
    bench.clock.advance(60_000);
    expect(bench.desk.state()).toEqual({ revision: 2, state: 'confirmed' });
    expect(bench.clock.nextTimer).toBeUndefined();
    await bench.restart();
    expect(bench.inForce).toBe('b');
    expect((await bench.store.history()).events[0]?.text).toBe('revision 2 was confirmed by bob (web)');
  });

  it('is taken back at once when somebody says so', async () => {
    await bench.commit(named('b'), { confirmWithin: 20 });
    expect(await bench.desk.revert(BOB)).toEqual({ ok: true });
    expect(bench.inForce).toBe('a');
    expect((await bench.store.history()).revisions[0]).toMatchObject({ reason: 'bob (web) took it back' });
    const nothing = { ok: false, reason: 'no configuration waits for its confirmation' };
    expect(await bench.desk.confirm(ALICE)).toMatchObject(nothing);
    expect(await bench.desk.revert(ALICE)).toMatchObject(nothing);
  });

  it('keeps others from committing meanwhile', async () => {
    await bench.commit(named('b'), { confirmWithin: 20 });
    const reason = 'revision 2 of alice waits for its confirmation';
    expect(await bench.commit(named('c'), BOB)).toMatchObject({ ok: false, reason });
    expect(bench.inForce).toBe('b');
  });

  it('reverts after a restart in the window, whatever the clock says then', async () => {
    await bench.commit(named('b'), { confirmWithin: 20 });
    await bench.restart();
    expect(bench.inForce).toBe('a');
    expect(bench.desk.state()).toEqual({ revision: 1, state: 'confirmed' });
    expect(bench.log).toEqual(['revision 2 of alice was reverted: the router was restarted before it was confirmed']);
  });

  it('counts its time by the monotonic clock: a wall clock that jumps years changes nothing', async () => {
    await bench.commit(named('b'), { confirmWithin: 20 });
    bench.clock.setWall(bench.clock.wall() + 20 * 365 * 86_400_000);
    bench.clock.advance(10_000);
    expect(bench.desk.state()).toMatchObject({ state: 'pending', secondsLeft: 10 });
    bench.clock.setWall(0);
    bench.clock.advance(10_000);
    await settled('confirmed');
    expect(bench.inForce).toBe('a');
  });
});

describe('a commit that is checked', () => {
  beforeEach(async () => {
    await bench.commit(named('a'));
  });

  /** Lets half a second after half a second pass until the desk has come to a state. */
  const pass = async (state: string, most: number) => {
    for (let half = 0; half < most && bench.desk.state().state !== state; half += 1) {
      bench.clock.advance(500);
      for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
      await bench.store.history();
    }
    expect(bench.desk.state().state).toBe(state);
  };

  it('is confirmed by itself when what was up is up again', async () => {
    bench.up = ['hq'];
    await bench.commit(named('b'), { confirmWithin: 60, check: true });
    bench.up = [];
    bench.clock.advance(5_000);
    expect(bench.desk.state().state).toBe('pending');
    bench.up = ['hq', 'other'];
    await pass('confirmed', 4);
    expect(bench.desk.state().revision).toBe(2);
    expect(bench.inForce).toBe('b');
  });

  it('reverts when it does not come up again in time, and says what did not', async () => {
    bench.up = ['hq'];
    await bench.commit(named('b'), { confirmWithin: 10, check: true });
    bench.up = [];
    await pass('confirmed', 25);
    expect(bench.inForce).toBe('a');
    const [first] = (await bench.store.history()).revisions;
    expect(first).toMatchObject({ state: 'reverted', reason: 'hq did not come up again in time' });
  });

  it('does not count a connection that is not configured any more, unless none is left', async () => {
    bench.up = ['hq', 'gone'];
    await bench.commit(named('b'), { confirmWithin: 10, check: true });
    bench.up = ['hq'];
    await pass('confirmed', 4);
    expect(bench.desk.state().revision).toBe(2);
    await bench.commit('{"system": {"hostname": "cut-off"}}', { confirmWithin: 10, check: true });
    bench.up = [];
    await pass('confirmed', 25);
    expect(bench.desk.state().revision).toBe(2);
    expect(bench.inForce).toBe('b');
  });

  it('needs a window, and a connection that is up', async () => {
    bench.up = ['hq'];
    expect(await bench.commit(named('b'), { check: true })).toMatchObject({ ok: false });
    bench.up = [];
    const reason = 'no connection is up by which the new configuration could be judged';
    expect(await bench.commit(named('b'), { check: true, confirmWithin: 20 })).toMatchObject({ ok: false, reason });
  });
});

describe('earlier revisions', () => {
  it('come back by their number, as new ones', async () => {
    await bench.commit(named('a'));
    await bench.commit(named('b'));
    const options = { ...ALICE, comment: 'b was wrong' };
    expect(await bench.desk.commit({ kind: 'revision', revision: 1 }, options)).toMatchObject({
      ok: true,
      revision: 3,
    });
    expect(bench.inForce).toBe('a');
    const missing = { ok: false, reason: 'there is no revision 9', remedy: 'name one that is kept: there are 1 to 3' };
    expect(await bench.desk.commit({ kind: 'revision', revision: 9 }, options)).toMatchObject(missing);
  });

  it('are compared with each other and with what is in force', async () => {
    await bench.commit(named('a'));
    await bench.commit(named('b', 'the same'));
    await bench.commit(named('c', 'the same'));
    expect(await bench.store.compare(1, 2)).toMatchObject({
      ok: true,
      diff: ['~ system.hostname: "a" -> "b"', '~ l2tp.clients.hq.password (changed)'],
    });
    expect(await bench.store.compare('running', 2)).toMatchObject({ diff: ['~ system.hostname: "c" -> "b"'] });
    expect(await bench.store.compare(1, 'candidate')).toMatchObject({ ok: false, reason: 'there is no candidate' });
  });
});

describe('a configuration that is given at the start', () => {
  it('is committed where it says something else, and makes no revision where it does not', async () => {
    await bench.commit(named('a'));
    await bench.desk.close();
    const again = new StoreBench(bench.directory);
    await again.start(named('b'));
    expect(again.enforced).toEqual(['b']);
    expect(again.desk.state()).toEqual({ revision: 2, state: 'confirmed' });
    await again.desk.close();
    const third = new StoreBench(bench.directory);
    await third.start(named('b'));
    expect(third.enforced).toEqual(['b']);
    expect(third.desk.state()).toEqual({ revision: 2, state: 'confirmed' });
    expect((await third.store.history()).revisions[0]).toMatchObject({ via: 'file', who: 'culvert' });
    await third.desk.close();
  });
});
