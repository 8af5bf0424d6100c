import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RouterBench } from './router-bench.ts';

let bench: RouterBench;
beforeEach(async () => {
  bench = new RouterBench();
  await bench.network.recover();
});
afterEach(() => bench.end());

const waiting = new AbortController().signal;

describe('a command that waits for a connection', () => {
  it('is answered when the connection is removed from the configuration', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: { start: 'manual' } })));
    const answer = bench.router.connect('hq', waiting);
    await new Promise((done) => setImmediate(done));
    await bench.during(bench.router.enforce(bench.configuration({})));
    expect(await bench.during(answer)).toEqual({ ok: false, reason: 'the configuration was changed meanwhile' });
  });

  it('is answered when another connection takes the name', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: { start: 'manual' } })));
    const answer = bench.router.connect('hq', waiting);
    await new Promise((done) => setImmediate(done));
    const other = bench.configuration({ hq: { start: 'manual', server: '10.20.0.3' } });
    await bench.during(bench.router.enforce(other));
    expect(await bench.during(answer)).toMatchObject({ ok: false });
    expect((await bench.router.status()).l2tp).toMatchObject([{ name: 'hq', state: 'down', peer: '10.20.0.3' }]);
  });

  it('is answered with the reason when nobody answers, and says it again in the status', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: { start: 'manual' } })));
    const answer = await bench.during(bench.router.connect('hq', waiting));
    expect(answer).toMatchObject({ ok: false, step: 'SCCRQ' });
    const { l2tp, ppp } = await bench.router.status();
    const reason = expect.stringMatching(/^SCCRQ: /);
    expect(l2tp).toMatchObject([{ name: 'hq', role: 'client', state: 'failed', reason }]);
    expect(ppp).toMatchObject([{ name: 'hq', state: 'failed', reason, interface: '', authentication: '', dns: [] }]);
    expect(await bench.during(bench.router.disconnect('hq'))).toEqual({ ok: true });
    const after = (await bench.router.status()).l2tp[0];
    expect(after).toMatchObject({ state: 'down' });
    expect(after).not.toHaveProperty('reason');
  });

  it('is refused while the router ends', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: { start: 'manual' } })));
    const stopping = bench.router.stop();
    expect(await bench.during(bench.router.connect('hq', waiting))).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/ending/),
    });
    await bench.during(stopping);
    expect(bench.dataPlane.leftovers).toBe(0);
  });
});

describe('a configuration that is applied', () => {
  it('is not put in force when it cannot be stored', async () => {
    mkdirSync(join(bench.stateDir, 'key'));
    writeFileSync(join(bench.stateDir, 'key', 'device.key'), 'short', { mode: 0o600 });
    await bench.during(bench.desk.start());
    await bench.during(bench.router.enforce(bench.configuration({ hq: {} })));
    const reason = expect.stringMatching(/device key/);
    expect(await bench.commit(bench.file({ other: {} }))).toMatchObject({ ok: false, reason });
    expect((await bench.router.status()).l2tp).toMatchObject([{ name: 'hq' }]);
  });

  it('is refused while the router ends, and changes neither the store nor the network', async () => {
    await bench.during(bench.desk.start());
    const stopping = Promise.all([bench.router.stop(), bench.desk.close()]);
    expect(await bench.commit(bench.file({ hq: {} }))).toMatchObject({ ok: false, reason: 'the router is ending' });
    await bench.during(stopping);
    expect(readdirSync(bench.stateDir)).not.toContain('last-good.json');
    expect(bench.dataPlane.leftovers).toBe(0);
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('does not wait for a server whose address is not there; its status says what is wrong', async () => {
    bench.dataPlane.refused.set('openSocket', '10.20.0.9 is not an address of this machine');
    await bench.during(bench.desk.start());
    const result = await bench.commit(bench.file({}, { office: {} }));
    expect(result).toMatchObject({ ok: true });
    const { l2tp } = await bench.router.status();
    const reason = expect.stringMatching(/^listen: .*10\.20\.0\.9 is not an address/);
    expect(l2tp).toMatchObject([{ name: 'office', role: 'server', state: 'failed', reason, sessions: [] }]);
    bench.dataPlane.refused.clear();
    bench.clock.advance(4_000);
    await new Promise((done) => setTimeout(done, 50));
    expect((await bench.router.status()).l2tp).toMatchObject([{ name: 'office', state: 'up' }]);
  });

  it('starts both anew when a new name takes the device of an old one', async () => {
    const long = 'headquarters-b';
    await bench.during(bench.router.enforce(bench.configuration({ [long]: {} })));
    const before = [...bench.dataPlane.sockets.keys()];
    await bench.during(bench.router.enforce(bench.configuration({ 'headquarters-a': {}, [long]: {} })));
    expect(bench.dataPlane.sockets.size).toBe(2);
    for (const id of before) expect(bench.dataPlane.sockets.has(id)).toBe(false);
  });

  it('keeps a client and a server of the same name apart', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ x: { start: 'manual' } }, { x: {} })));
    expect((await bench.router.status()).l2tp).toMatchObject([
      { name: 'x', role: 'client', state: 'down' },
      { name: 'x', role: 'server', state: 'up' },
    ]);
    await bench.during(bench.router.enforce(bench.configuration({}, { x: {} })));
    expect((await bench.router.status()).l2tp).toMatchObject([{ name: 'x', role: 'server', state: 'up' }]);
  });
});

describe('a router whose data plane has failed', () => {
  it('still tells its status, and restores the network when it stops', async () => {
    await bench.during(bench.router.enforce(bench.configuration({ hq: {} }, { office: {} })));
    expect((await bench.links.addresses()).map(({ address }) => address)).toContain('10.20.0.9/24');
    bench.dataPlane.fail();
    expect(await bench.router.status()).toMatchObject({ l2tp: [{ name: 'hq' }, { name: 'office' }] });
    await bench.during(bench.router.stop());
    expect((await bench.links.addresses()).map(({ address }) => address)).not.toContain('10.20.0.9/24');
  });
});

describe('the event stream', () => {
  it('goes on for the others when one listener throws', async () => {
    const heard: string[] = [];
    bench.router.onEvent(() => {
      throw new Error('gone');
    });
    bench.router.onEvent((event) => heard.push(`${event.connection} ${event.kind} ${event.state ?? event.step}`));
    await bench.during(bench.router.enforce(bench.configuration({ hq: {} })));
    await new Promise((done) => setImmediate(done));
    expect(heard).toContain('hq state connecting');
    expect(heard).toContain('hq step SCCRQ');
  });
});
