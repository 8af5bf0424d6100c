import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { type Flying, Harness, LEFT, PATH, problems, RIGHT, RIGHT_ADDRESS } from './harness.ts';

const REVERSED = { local: PATH.remote, remote: PATH.local };

/** All messages of a connection that does everything. */
function recording(seed: number): { harness: Harness; messages: Flying[] } {
  const harness = new Harness({ seed, leftOptions: { limits: { fragmentOctets: 160 } } });
  const messages: Flying[] = [];
  const flush = (): void => {
    harness.drain();
    while (harness.flying.length > 0) {
      messages.push(...harness.flying);
      const [first] = harness.flying;
      harness.flying = harness.flying.slice(1);
      if (first) harness.deliver(first);
    }
  };
  harness.initiate();
  flush();
  harness.left.rekeyChild(harness.now, harness.child('left').id);
  flush();
  harness.right.rekeyIke(harness.now, harness.ikeId('right'));
  flush();
  return { harness, messages };
}

describe('a peer that has proved who it is', () => {
  it('gets no more SAs than a few a second, and keeps what it has', () => {
    const harness = new Harness().connect();
    for (let count = 0; count < 22; count += 1) {
      harness.left.rekeyChild(harness.now, [...harness.tables.left.children.keys()].at(-1) ?? 0);
      harness.left.rekeyIke(harness.now, harness.ikeId('left'));
      harness.deliverAll();
      harness.run(10);
    }
    expect(harness.all('right', 'child-up').length + harness.all('right', 'ike-up').length).toBeLessThan(38);
    harness.run(300_000);
    expect(problems(harness)).toEqual([]);
  });

  it('has no more IKE SAs from one address than are allowed', () => {
    const harness = new Harness({ rightOptions: { limits: { ikeSasPerAddress: 4 } } });
    for (let count = 0; count < 8; count += 1) {
      harness.initiate({ ...PATH, local: { ...PATH.local, port: 5000 + count } });
      harness.deliverAll();
    }
    expect(harness.live('right')).toHaveLength(4);
  });

  it('does not lose one connection when it makes another one by another name', () => {
    const harness = new Harness({ left: { localId: { kind: 'fqdn', value: 'left.example' } } });
    const { left, right } = harness;
    const other = { authentication: { kind: 'psk', key: Buffer.from('another key of another name') } } as const;
    left.setConnections([LEFT, { ...LEFT, ...other, name: 'second' }]);
    right.setConnections([RIGHT, { ...RIGHT, ...other, name: 'second branch' }]);
    harness.connect();
    left.initiate(harness.now, 'second', PATH);
    harness.deliverAll();
    expect(harness.live('left')).toHaveLength(2);
    expect(harness.live('right').map(({ connection }) => connection)).toEqual(['branch', 'second branch']);
    const said = harness.all('left', 'trace').filter(({ detail = '' }) => detail.includes('INITIAL_CONTACT'));
    expect(said).toHaveLength(1);
  });
});

describe('what strangers send', () => {
  it('never makes the endpoint throw nor keep anything: 100,000 datagrams, made up or spoiled', () => {
    const { harness, messages } = recording(1);
    const random = new SeededRandom(99);
    for (let count = 0; count < 100_000; count += 1) {
      const template = messages[random.int(messages.length)]?.datagram ?? new Uint8Array(0);
      const datagram = random.int(4) === 0 ? random.bytes(random.int(120)) : template.slice();
      for (let change = random.int(4); change > 0; change -= 1) {
        const at = random.int(Math.max(1, datagram.length));
        if (datagram.length > 0) datagram[at] = random.int(256);
      }
      const cut = random.int(8) === 0 ? datagram.subarray(0, random.int(datagram.length + 1)) : datagram;
      const path = random.int(2) === 0 ? PATH : REVERSED;
      (random.int(2) === 0 ? harness.left : harness.right).receive(harness.now, cut, path);
      if (count % 100 === 0) {
        harness.drain();
        harness.flying = [];
        for (const side of ['left', 'right'] as const) harness.events[side].length = 0;
      }
    }
    harness.drain();
    expect(harness.right.views().filter(({ state }) => state === 'half-open').length).toBeLessThanOrEqual(32);
    harness.flying = [];
    harness.run(200_000);
    expect(problems(harness)).toEqual([]);
    expect(harness.left.views().length + harness.right.views().length).toBe(2);
  });

  it('may be a message of ours cut short: the whole one counts nevertheless', () => {
    const random = new SeededRandom(5);
    const harness = new Harness().connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.drain();
    const one = harness.take('left');
    for (let count = 0; count < 300; count += 1) {
      const cut = one.datagram.slice(0, 28 + random.int(one.datagram.length - 28));
      new DataView(cut.buffer).setUint32(24, cut.length);
      harness.right.receive(harness.now, cut, REVERSED);
    }
    harness.deliver(one);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  });

  it('opens few half-open SAs before every further caller is asked for a COOKIE', () => {
    const harness = new Harness({
      rightOptions: { limits: { cookieThreshold: 4, halfOpen: 8, halfOpenPerAddress: 6 } },
    });
    for (let count = 0; count < 100; count += 1) {
      harness.left.initiate(harness.now, 'office', PATH);
      harness.drain();
      const [first] = harness.flying;
      harness.flying = [];
      if (first) harness.deliver({ ...first, path: { ...PATH, local: { ...PATH.local, port: 10_000 + count } } });
      harness.flying = [];
    }
    expect(harness.right.views()).toHaveLength(4);
    expect(harness.right.counters.cookieSent).toBe(96);
    harness.faults = { loss: 1 };
    harness.run(60_000);
    expect(harness.right.views()).toEqual([]);
  });

  it('holds the limit per address even with good COOKIEs', () => {
    const harness = new Harness({
      rightOptions: { limits: { cookieThreshold: 0, halfOpen: 8, halfOpenPerAddress: 3 } },
    });
    for (let count = 0; count < 10; count += 1) {
      harness.left.initiate(harness.now, 'office', { ...PATH, local: { ...PATH.local, port: 10_000 + count } });
      harness.drain();
      harness.pass('left', 'IKE_SA_INIT');
      harness.pass('right', 'IKE_SA_INIT');
      harness.pass('left', 'IKE_SA_INIT');
      harness.flying = [];
    }
    expect(harness.right.views()).toHaveLength(3);
    expect(harness.right.counters.halfOpenLimit).toBe(7);
  });

  it('does not make refusals fill a log', () => {
    const harness = new Harness({
      right: { ikeProposals: [{ encryption: 'aes256', integrity: 'sha256', prf: 'sha256', group: 'x25519' }] },
    });
    for (let count = 0; count < 200; count += 1) {
      harness.left.initiate(harness.now, 'office', PATH);
      harness.drain();
      harness.pass('left', 'IKE_SA_INIT');
      harness.flying = [];
    }
    expect(harness.right.counters.noProposalChosen).toBe(200);
    expect(harness.all('right', 'ike-down').length).toBeLessThanOrEqual(20);
  });
});

describe('replays', () => {
  it('of every message change nothing', () => {
    const { harness, messages } = recording(2);
    const before = [harness.child('left'), harness.child('right'), harness.ikeId('left')];
    for (let round = 0; round < 3; round += 1) for (const message of messages) harness.deliver(message);
    harness.flying = [];
    expect([harness.child('left'), harness.child('right'), harness.ikeId('left')]).toEqual(before);
    harness.run(100_000);
    expect(problems(harness)).toEqual([]);
  });

  it('are answered from the cache octet for octet, to where they come from, and not for ever', () => {
    const harness = new Harness().connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.drain();
    const request = harness.pass('left');
    const reply = harness.take('right');
    for (let count = 0; count < 100; count += 1) harness.deliver(request);
    expect(harness.flying.length).toBe(32);
    for (const { datagram } of harness.flying) expect(datagram).toEqual(reply.datagram);
    harness.flying = [];
    harness.deliver(reply);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  });

  it('of fragments are answered only for the first one', () => {
    const harness = new Harness({ leftOptions: { limits: { fragmentOctets: 130 } } }).connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.drain();
    const requests = [...harness.flying];
    expect(requests.length).toBeGreaterThan(1);
    harness.flying = [];
    for (const request of requests) harness.deliver(request);
    harness.flying = [];
    for (const request of requests) harness.deliver(request);
    expect(harness.flying).toHaveLength(1);
    expect(harness.right.counters.duplicate).toBe(1);
  });
});

describe('many peers', () => {
  it('are told apart by their SPIs', () => {
    const harness = new Harness({ rightOptions: { limits: { halfOpenPerAddress: 100 } } });
    for (let count = 0; count < 50; count += 1) {
      const local = { ...PATH.local, port: 20_000 + count };
      harness.left.initiate(harness.now, 'office', { ...PATH, local });
      harness.drain();
    }
    harness.deliverAll();
    expect(harness.live('left')).toHaveLength(50);
    expect(harness.live('right')).toHaveLength(50);
    const spis = [...harness.tables.right.children.values()].map(({ inboundSpi }) => inboundSpi);
    expect(new Set(spis).size).toBe(50);
    expect(harness.right.views().every(({ path }) => path.local.address === RIGHT_ADDRESS)).toBe(true);
  });
});
