import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RouterEvent } from '../../../firmware/api/router-control.ts';
import { RouterBench } from './router-bench.ts';

let bench: RouterBench;
let events: RouterEvent[];
beforeEach(async () => {
  bench = new RouterBench();
  events = [];
  bench.router.onEvent((event) => events.push(event));
  await bench.network.recover();
});
afterEach(() => bench.end());

const waiting = new AbortController().signal;
const HQ = { version: 1, remote: '10.20.0.2', psk: 'long enough', mode: 'transport' };
const ALL = { remote: 'any', psk: 'long enough', mode: 'transport' };
const PLANT = {
  remote: '10.20.0.8',
  psk: 'long enough',
  localSubnets: ['10.20.0.0/24'],
  remoteSubnets: ['10.88.0.0/24'],
  ike: ['aes256-sha256-modp2048'],
  localId: 'cl.lab',
};
const FAILURE = { step: 'IKE_AUTH', reason: 'the keys differ', remedy: 'compare them' };

async function enforce(...entries: Parameters<RouterBench['configuration']>): Promise<void> {
  await bench.during(bench.router.enforce(bench.configuration(...entries)));
}

/** Lets what has been begun come to where it waits. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((done) => setImmediate(done));
}

describe('the IPsec of a router', () => {
  it('is not made before a configuration wants it, and then once', async () => {
    await enforce({ plain: { start: 'manual' } });
    expect(bench.ipsec.made).toBe(0);
    await enforce({}, {}, { plant: PLANT });
    await enforce({}, {}, { plant: PLANT, other: { ...PLANT, remoteSubnets: ['10.89.0.0/24'] } });
    expect(bench.ipsec.made).toBe(1);
    expect(bench.ipsec.calls).toEqual(['set plant', 'set plant other']);
  });

  it('is told what the configuration says, with parsed algorithms and identities, and the TUN', async () => {
    await enforce({}, {}, { plant: PLANT });
    expect(bench.ipsec.settings).toEqual([
      {
        name: 'plant',
        version: 2,
        remote: '10.20.0.8',
        authentication: { kind: 'psk', psk: 'long enough' },
        localId: { kind: 'fqdn', value: 'cl.lab' },
        mode: 'tunnel',
        profile: 'auto',
        ikeProposals: [{ encryption: 'aes256', integrity: 'sha256', prf: 'sha256', group: 'modp2048' }],
        encapsulation: 'auto',
        dpdSeconds: 10,
        tunnel: {
          device: 'ipsec-plant',
          localSubnets: ['10.20.0.0/24'],
          remoteSubnets: ['10.88.0.0/24'],
          // 1500 less IP, UDP and ESP at its widest is 1416: whole blocks, and two octets of each last one are taken.
          mtu: 1406,
          routing: 'policy',
          start: 'boot',
          idleSeconds: 0,
        },
      },
    ]);
  });

  it('is told of AH, with its algorithms and an MTU for its headers', async () => {
    await enforce({}, {}, { plant: { ...PLANT, protocol: 'ah', ah: ['sha512-x25519'] } });
    expect(bench.ipsec.settings).toMatchObject([
      {
        protocol: 'ah',
        espProposals: [{ encryption: 'none', integrity: 'sha512', group: 'x25519', esn: false }],
        // 1500 less IP, 12 octets, and the longest ICV.
        tunnel: { mtu: 1436 },
      },
    ]);
  });

  it('knows its connections before servers and clients begin, and ends after them', async () => {
    await enforce({ hq: { ipsec: 'hq' } }, { office: { ipsec: 'all' } }, { hq: HQ, all: ALL });
    await settle();
    expect(bench.ipsec.calls).toEqual(['set hq all', 'serve all', 'dial hq']);
    await bench.during(bench.router.stop());
    const { calls } = bench.ipsec;
    expect(calls.at(-1)).toBe('stop');
    expect(calls.slice(3, -1).sort()).toEqual(['close hq', 'unserve all']);
    expect(bench.dataPlane.leftovers).toBe(0);
  });

  it('restarts those who are inside a connection that changed, and nobody else', async () => {
    const clients = { hq: { ipsec: 'hq' }, two: { ipsec: 'two' } };
    await enforce(clients, {}, { hq: HQ, two: HQ });
    await settle();
    bench.ipsec.calls.length = 0;
    await enforce(clients, {}, { hq: { ...HQ, psk: 'another key' }, two: HQ });
    await settle();
    expect(bench.ipsec.calls).toEqual(['close hq', 'set hq two', 'dial hq']);
  });

  it('opens no socket in clear for what is protected', async () => {
    await enforce({ hq: { ipsec: 'hq' } }, { office: { ipsec: 'all' } }, { hq: HQ, all: ALL });
    await settle();
    const purposes = [...bench.dataPlane.sockets.values()].map(({ purpose }) => purpose);
    expect(purposes).toEqual(['protected-l2tp', 'protected-l2tp']);
  });

  it('that cannot be made leaves what is not protected alone, and the status says why', async () => {
    bench.ipsec.refused = 'the state directory is read-only';
    await enforce({ hq: { ipsec: 'hq' }, plain: { server: '10.20.0.3' } }, {}, { hq: HQ });
    await settle();
    const { l2tp, ipsec } = await bench.router.status();
    expect(ipsec).toMatchObject([{ name: 'hq', state: 'failed', reason: expect.stringMatching(/read-only/) }]);
    expect(l2tp).toMatchObject([
      { name: 'hq', reason: expect.stringMatching(/no IPsec service/) },
      { name: 'plain', state: 'connecting' },
    ]);
    bench.ipsec.refused = undefined;
    await enforce({ hq: { ipsec: 'hq' } }, {}, { hq: HQ });
    await settle();
    expect((await bench.router.status()).ipsec).toMatchObject([{ name: 'hq', state: 'down' }]);
    expect(bench.ipsec.calls).toEqual(['set hq', 'dial hq']);
  });

  it('finds the address to leave from as its marked packets do', async () => {
    await enforce({}, {}, { plant: PLANT });
    expect(await bench.ipsec.surroundings?.sourceAddress('10.20.0.8', 'plant')).toBe('10.20.0.9');
    expect(bench.ipsec.surroundings?.mark).toBe(0xc1);
    expect(await bench.ipsec.surroundings?.resolve('10.20.0.8')).toEqual(['10.20.0.8']);
  });
});

describe('the steps of IKE', () => {
  it("are told under the name of the one L2TP client inside, and its own states are not mistaken for the client's", async () => {
    await enforce({ north: { ipsec: 'hq', start: 'manual' } }, {}, { hq: HQ });
    bench.ipsec.surroundings?.onStep('hq', { direction: 'sent', step: 'Main Mode 1' });
    bench.ipsec.say('hq', 'up');
    expect(events).toMatchObject([{ connection: 'north', kind: 'step', direction: 'sent', step: 'Main Mode 1' }]);
    expect(bench.router.log().at(-1)).toMatch(/"north".*sent Main Mode 1/);
  });

  it.each([
    ['two clients are inside', { a: { ipsec: 'hq', start: 'manual' }, b: { ipsec: 'hq', start: 'manual' } }, {}],
    ['a server is inside', {}, { office: { ipsec: 'hq' } }],
  ])('are told under their own name when %s', async (_, clients, servers) => {
    await enforce(clients, servers, { hq: HQ });
    events.length = 0;
    bench.ipsec.surroundings?.onStep('hq', { step: 'IKE_SA_INIT request' });
    bench.ipsec.say('hq', 'failed', FAILURE);
    expect(events).toMatchObject([
      { connection: 'hq', kind: 'step' },
      { connection: 'hq', kind: 'state', state: 'failed', detail: expect.stringMatching(/the keys differ/) },
    ]);
  });
});

describe('connect and disconnect', () => {
  it('bring an IPsec connection in tunnel mode up, and take it down', async () => {
    await enforce({}, {}, { plant: { ...PLANT, start: 'manual' } });
    const answer = bench.router.connect('plant', waiting);
    await settle();
    bench.ipsec.say('plant', 'up');
    expect(await answer).toEqual({ ok: true });
    expect((await bench.router.status()).ipsec).toMatchObject([{ name: 'plant', state: 'up', children: [] }]);
    expect(await bench.during(bench.router.disconnect('plant'))).toEqual({ ok: true });
    expect(bench.ipsec.calls).toEqual(['set plant', 'connect plant', 'disconnect plant']);
  });

  it('say why it failed', async () => {
    await enforce({}, {}, { plant: PLANT });
    const answer = bench.router.connect('plant', waiting);
    await settle();
    bench.ipsec.say('plant', 'failed', FAILURE);
    expect(await answer).toEqual({ ok: false, ...FAILURE });
  });

  it('are answered when the connection changes meanwhile', async () => {
    await enforce({}, {}, { plant: PLANT });
    const answer = bench.router.connect('plant', waiting);
    await settle();
    await enforce({}, {}, { plant: { ...PLANT, psk: 'another key' } });
    expect(await bench.during(answer)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/configuration was changed/),
    });
  });

  it('mean the L2TP client where a tunnel has the same name', async () => {
    await enforce({ plant: { start: 'manual', server: '10.20.0.3' } }, {}, { plant: PLANT });
    await bench.during(bench.router.disconnect('plant'));
    expect(bench.ipsec.calls).toEqual(['set plant']);
  });

  it('say which L2TP client to connect, for a connection in transport mode', async () => {
    await enforce({ north: { ipsec: 'hq', start: 'manual' } }, { office: { ipsec: 'all' } }, { hq: HQ, all: ALL });
    const ofClient = await bench.router.connect('hq', waiting);
    expect(ofClient).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/transport mode/),
      remedy: 'connect the L2TP client north',
    });
    const ofServer = await bench.router.disconnect('all');
    expect(ofServer).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/server office/),
      remedy: 'disconnect the client at the other end',
    });
  });

  it('let one that waits for callers take calls, and end that', async () => {
    await enforce({}, {}, { plant: { ...PLANT, remote: 'any', start: 'manual' } });
    const answer = bench.router.connect('plant', waiting);
    await settle();
    bench.ipsec.say('plant', 'up');
    expect(await answer).toEqual({ ok: true });
  });

  it('say that IPsec is not there when it could not be started', async () => {
    bench.ipsec.refused = 'the state directory is read-only';
    await enforce({}, {}, { plant: PLANT });
    const answer = await bench.router.connect('plant', waiting);
    expect(answer).toMatchObject({ ok: false, reason: expect.stringMatching(/needs IPsec/) });
  });

  it('name tunnels among the names there are', async () => {
    await enforce({ north: { ipsec: 'hq', start: 'manual' } }, {}, { hq: HQ, plant: PLANT });
    expect(await bench.router.connect('plont', waiting)).toMatchObject({ ok: false, notFound: ['north', 'plant'] });
  });
});

describe('the counters of the status', () => {
  it('have the drops of all policies together', async () => {
    await enforce({}, {}, { plant: PLANT });
    const counters = await bench.dataPlane.counters();
    bench.dataPlane.counters = async () => ({
      ...counters,
      policies: [
        { key: 1, drops: { noSa: 3 } },
        { key: 2, drops: { noSa: 4, tooBig: 1 } },
      ],
    });
    expect((await bench.router.status()).counters).toMatchObject({
      'ipsec.dropped.noSa': 7,
      'ipsec.dropped.tooBig': 1,
    });
  });
});
