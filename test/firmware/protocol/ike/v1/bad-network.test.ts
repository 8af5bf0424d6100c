import { describe, expect, it } from 'vitest';
import type { ChildSa } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { branch, connect, headOffice, initiate, l2tpClient, makePair } from './setup.ts';

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const BAD = { loss: 0.2, duplicate: 0.2, jitterMs: 900, delayMs: 20 };

function lastPair(ours: ChildSa | undefined, theirs: ChildSa | undefined): boolean {
  return ours !== undefined && ours.outboundSpi === theirs?.inboundSpi && ours.inboundSpi === theirs.outboundSpi;
}

describe('a network that loses 20 %, doubles 20 % and lets datagrams overtake each other', () => {
  it('cannot keep a connection from coming up in the end, with any of 200 seeds', () => {
    for (const seed of SEEDS) {
      const pair = makePair({ seed, faults: BAD, clientBehindNat: seed % 2 === 0 });
      const { network, client, server } = pair;
      const up = (): boolean => server.outbound.length > 0 && lastPair(client.outbound.at(-1), server.outbound.at(-1));
      for (let attempt = 0; attempt < 5 && !up(); attempt += 1) {
        if (client.endpoint.idle) initiate(pair);
        network.runUntil(() => up() || client.endpoint.idle, 120_000);
      }
      expect([seed, up()]).toEqual([seed, true]);
      const ours = client.outbound.at(-1);
      const theirs = server.outbound.at(-1);
      expect([seed, ours?.outbound, ours?.inbound]).toEqual([seed, theirs?.inbound, theirs?.outbound]);
    }
  });

  it('cannot make the two sides lose each other while they rekey, with any of 50 seeds', () => {
    const lives = { childLifetime: 300, ikeLifetime: 800, dpdSeconds: 0 };
    for (const seed of SEEDS.slice(0, 50)) {
      const pair = connect({ seed, client: branch(lives), server: headOffice(lives) });
      const { network, client, server } = pair;
      network.keepSent = false;
      network.faults = BAD;
      network.run(3_600_000);
      network.faults = {};
      network.run(400_000);
      expect([seed, client.all('ike-down').length, server.all('ike-down').length]).toEqual([seed, 0, 0]);
      const sendsOn = client.outbound.at(-1)?.outboundSpi ?? 0;
      expect([seed, server.inbound.has(sendsOn)]).toEqual([seed, true]);
      expect([seed, client.inbound.has(server.outbound.at(-1)?.outboundSpi ?? 0)]).toEqual([seed, true]);
      expect([seed, client.inbound.size <= 6, server.inbound.size <= 6]).toEqual([seed, true, true]);
    }
  });

  it('makes nobody answer what it repeats more than ten times', () => {
    const { network, client, server } = makePair();
    client.endpoint.initiate(network.now, 'client', client.to('192.0.2.2'));
    network.drain();
    const first = network.sent[0]?.datagram ?? new Uint8Array();
    for (let i = 0; i < 100; i += 1) network.inject(server, first, server.to('192.0.2.1'));
    const replies = network.sent.filter(({ from }) => from === server);
    expect(replies).toHaveLength(11);
    expect(new Set(replies.map(({ datagram }) => Buffer.from(datagram).toString('hex'))).size).toBe(1);
    expect(server.endpoint.views()).toHaveLength(1);
  });

  it('finds every reply again, byte for byte, when the last request of an exchange is repeated', () => {
    const { network, client, server } = connect({ client: l2tpClient({ dpdSeconds: 0 }) });
    const fromClient = network.sent.filter(({ from }) => from === client).map(({ datagram }) => datagram);
    const fromServer = network.sent.filter(({ from }) => from === server).map(({ datagram }) => datagram);
    const [, , message5 = new Uint8Array()] = fromClient;
    const before = network.sent.length;
    network.inject(server, message5, server.to('192.0.2.1'));
    expect(network.sent.slice(before).map(({ datagram }) => datagram)).toEqual([fromServer[2]]);
    // Message 2 of Quick Mode again: message 3 was lost, perhaps.
    network.inject(client, fromServer[3] ?? new Uint8Array(), client.to('192.0.2.2'));
    expect(network.sent.slice(before + 1).map(({ datagram }) => datagram)).toEqual([fromClient[4]]);
    expect([client.all('child-up').length, server.all('child-up').length]).toEqual([1, 1]);
  });

  it('still gets its replies from memory shortly after the ISAKMP SA was deleted', () => {
    const { network, client, server, ikeId } = connect();
    const quickMode2 = network.sent.filter(({ from }) => from === server)[3]?.datagram ?? new Uint8Array();
    client.endpoint.close(network.now, ikeId);
    network.run(1000);
    const before = network.sent.length;
    network.inject(client, quickMode2, client.to('192.0.2.2'));
    expect(network.sent).toHaveLength(before + 1);
    network.run(31_000);
    network.inject(client, quickMode2, client.to('192.0.2.2'));
    expect(network.sent).toHaveLength(before + 1);
    expect(client.endpoint.idle && server.endpoint.idle).toBe(true);
  });
});
