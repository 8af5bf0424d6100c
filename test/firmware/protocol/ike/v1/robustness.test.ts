import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../../../firmware/protocol/ike/v1/endpoint-types.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { type Host, Network } from './network.ts';
import { branch, CLIENT, connect, headOffice, l2tpClient, l2tpServer, makePair, range, SERVER } from './setup.ts';

/** Datagrams of a good connection, to be spoiled. */
function samples(): Uint8Array[] {
  const plain = connect();
  const nat = connect({ clientBehindNat: true });
  return [...plain.network.sent, ...nat.network.sent].map(({ datagram }) => datagram);
}

function spoil(random: SeededRandom, datagram: Uint8Array): Uint8Array {
  const kind = random.int(5);
  if (kind === 0) return random.bytes(random.int(400));
  if (kind === 1) return datagram.slice(0, random.int(datagram.length + 1));
  const spoiled = kind === 2 ? Uint8Array.from([...datagram, ...random.bytes(random.int(64))]) : datagram.slice();
  const changes = 1 + random.int(6);
  for (let i = 0; i < changes; i += 1) spoiled[random.int(spoiled.length)] = random.int(256);
  // Lengths that fit lead further into the decoder.
  if (kind === 4 && spoiled.length >= 28) new DataView(spoiled.buffer).setUint32(24, spoiled.length);
  return spoiled;
}

function expectBounded(host: Host): void {
  expect(host.endpoint.views().length).toBeLessThanOrEqual(1 + 2 * DEFAULT_LIMITS.halfOpenPerAddress);
}

describe('a stranger', () => {
  it('makes nothing throw with 100,000 spoiled datagrams, and holds little', () => {
    const seed = 20_261;
    const random = new SeededRandom(seed);
    const good = samples();
    const { network, server, client } = connect();
    network.keepSent = false;
    const elsewhere = { local: { address: SERVER, port: 500 }, remote: { address: '203.0.113.9', port: 500 } };
    for (let i = 0; i < 100_000; i += 1) {
      const datagram = spoil(random, good[random.int(good.length)] ?? new Uint8Array());
      const path = random.int(2) === 0 ? server.to(CLIENT) : elsewhere;
      try {
        server.endpoint.receive(network.now, datagram, path);
      } catch (error) {
        throw new Error(`seed ${seed}, datagram ${i}: ${Buffer.from(datagram).toString('hex')}`, { cause: error });
      }
      if (i % 1000 === 0) {
        network.now += 100;
        server.endpoint.tick(network.now);
        while (server.endpoint.poll() !== undefined);
        expectBounded(server);
      }
    }
    expect(server.endpoint.counters.received).toBeGreaterThanOrEqual(100_000);
    expect(server.all('child-down')).toEqual([]);
    network.run(60_000);
    expect(server.endpoint.views()).toHaveLength(1);
    expect(client.all('ike-down')).toEqual([]);
  });

  it('spoiling the messages of a set-up on their way cannot make it throw or come up wrongly', () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const random = new SeededRandom(seed);
      const { network, client, server } = makePair({ seed });
      network.filter = ({ from, datagram, path }) => {
        if (random.int(3) > 0) return true;
        const other = from === client ? server : client;
        const spoiled = spoil(random, datagram);
        other.endpoint.receive(network.now, spoiled, { local: path.remote, remote: path.local });
        return true;
      };
      client.endpoint.initiate(network.now, 'client', client.to(SERVER));
      network.run(60_000);
      const ours = client.outbound.at(-1);
      const theirs = server.outbound.at(-1);
      expect([seed, ours?.outbound, ours?.inbound]).toEqual([seed, theirs?.inbound, theirs?.outbound]);
    }
  });

  it('gets no more than so many half-open exchanges, in all and from one address, and they end by themselves', () => {
    const network = new Network(5);
    const limits = { halfOpenTotal: 10, halfOpenPerAddress: 4 };
    const server = network.add('server', SERVER, [l2tpServer()], undefined, limits);
    const client = network.add('client', CLIENT, [l2tpClient()]);
    network.filter = ({ from }) => from === client;
    for (let i = 0; i < 40; i += 1) {
      client.endpoint.initiate(network.now, 'client', {
        ...client.to(SERVER),
        local: { address: CLIENT, port: 500 + i },
      });
    }
    network.run(100);
    expect(server.endpoint.views()).toHaveLength(4);
    const [first] = network.sent;
    for (let i = 0; i < 40; i += 1) {
      const remote = { address: `203.0.113.${i}`, port: 500 };
      network.inject(server, first?.datagram ?? new Uint8Array(), { local: { address: SERVER, port: 500 }, remote });
    }
    expect(server.endpoint.views()).toHaveLength(10);
    expect(server.endpoint.counters.halfOpenLimit).toBe(36 + 34);
    network.filter = () => false;
    network.run(60_000);
    expect(server.endpoint.idle).toBe(true);
    expect(server.all('ike-down')).toEqual([]);
  });
});

describe('a peer', () => {
  it('gets no more exchanges at a time under one ISAKMP SA than the limit, and the others in their turn', () => {
    const network = new Network(6);
    const more = [range('10.3.0.0', '10.3.0.255'), range('10.4.0.0', '10.4.0.255')];
    const own = branch({ remoteSelectors: [...(branch().remoteSelectors ?? []), ...more] });
    const their = headOffice({ localSelectors: own.remoteSelectors ?? [] });
    const server = network.add('server', SERVER, [their], undefined, { exchangesPerIkeSa: 1, childrenPerIkeSa: 2 });
    const client = network.add('client', CLIENT, [own]);
    client.endpoint.initiate(network.now, 'client', client.to(SERVER));
    // The first Quick Mode 3 is lost: the server still waits for it when the next Quick Mode begins.
    let lost = false;
    network.filter = ({ from }) => {
      const loses = !lost && from === client && client.trace.includes('sent Quick Mode 3');
      lost ||= loses;
      return !loses;
    };
    network.runUntil(() => server.endpoint.counters.unexpected > 0, 500);
    expect(server.endpoint.counters.unexpected).toBe(1);
    network.run(60_000);
    expect(server.all('child-up')).toHaveLength(2);
    expect(client.endpoint.views()[0]?.lastFailure?.step).toBe('Quick Mode');
  });

  it('that never asks for a child SA does not keep its ISAKMP SA for ever', () => {
    const silent = { dpdSeconds: 0 };
    const { network, client, server } = makePair({ client: l2tpClient(silent), server: l2tpServer(silent) });
    client.endpoint.initiate(network.now, 'client', client.to(SERVER));
    network.runUntil(() => server.all('ike-up').length > 0, 2000);
    network.filter = ({ from }) => from !== client;
    network.run(50_000);
    expect(server.endpoint.views()).toHaveLength(1);
    network.run(15_000);
    expect(server.endpoint.views()).toEqual([]);
    expect(server.last('ike-down')?.failure.reason).toBe('the peer asked for no child SA');
  });

  it('that makes one ISAKMP SA after the other and deletes none holds few', () => {
    const { network, client, server } = connect();
    for (let count = 0; count < 40; count += 1) {
      client.endpoint.initiate(network.now, 'client', client.to(SERVER));
      network.run(100);
    }
    expect(server.all('ike-up').length).toBeGreaterThan(30);
    expect(server.endpoint.views().length).toBeLessThanOrEqual(16);
    network.run(60_000);
    expect(server.endpoint.views().filter(({ state }) => state === 'established')).toHaveLength(1);
    expect(server.all('child-down')).toEqual([]);
  });

  it('has no more ISAKMP SAs from one address than are allowed', () => {
    const network = new Network(8);
    const server = network.add('server', SERVER, [l2tpServer()], undefined, { ikeSasPerAddress: 3 });
    const client = network.add('client', CLIENT, [l2tpClient()]);
    for (let count = 0; count < 6; count += 1) {
      client.endpoint.initiate(network.now, 'client', client.to(SERVER, 500, 5000 + count));
      network.run(500);
    }
    expect(server.endpoint.views()).toHaveLength(3);
    expect(server.endpoint.counters.halfOpenLimit).toBeGreaterThan(2);
  });

  it('says that it remembers nothing for the first of two connections that it makes at once', () => {
    const network = new Network(9);
    const names = ['first', 'second'];
    const server = network.add('server', SERVER, [l2tpServer()]);
    const client = network.add(
      'client',
      CLIENT,
      names.map((name) => l2tpClient({ name })),
    );
    for (const name of names) client.endpoint.initiate(network.now, name, client.to(SERVER));
    network.run(3000);
    expect(client.all('ike-up').map(({ connection }) => connection)).toEqual(names);
    expect([...server.all('ike-down'), ...client.all('ike-down')]).toEqual([]);
  });
});

describe('a configuration that IKEv1 cannot say', () => {
  it('is refused by the constructor', () => {
    const network = new Network();
    const half = { protocol: 6, firstPort: 80, lastPort: 90, firstAddress: '10.0.0.0', lastAddress: '10.0.0.255' };
    const bad = [
      l2tpClient({ localSelectors: [half] }),
      l2tpClient({ localId: { kind: 'ipv4', value: 'nonsense' } }),
      l2tpClient({ espProposals: [{ encryption: 'chacha20poly1305', esn: false }] }),
      l2tpClient({ ikeProposals: [{ encryption: 'aes128gcm16', prf: 'sha256', group: 'ecp256' }] }),
    ];
    for (const connection of bad) expect(() => network.add('x', CLIENT, [connection])).toThrow(RangeError);
  });
});
