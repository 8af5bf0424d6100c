import { describe, expect, it } from 'vitest';
import { Nat, Network } from './network.ts';
import { connect, initiate, l2tpClient, l2tpServer, makePair, OUTSIDE, SERVER } from './setup.ts';

describe('clients behind NATs', () => {
  it('share one address, port 1701 inside and one key, and do not disturb each other', () => {
    const network = new Network(3);
    const nat = new Nat(OUTSIDE);
    const server = network.add('server', SERVER, [l2tpServer()]);
    const clients = ['10.0.0.5', '10.0.0.6', '10.0.0.7'].map((address) =>
      network.add(address, address, [l2tpClient()], nat),
    );
    for (const client of clients) {
      client.endpoint.initiate(network.now, 'client', client.to(SERVER));
      network.run(3000);
    }
    expect(server.all('child-up')).toHaveLength(3);
    expect(new Set(server.all('child-up').map(({ child }) => child.path.remote.port)).size).toBe(3);
    for (const client of clients) client.endpoint.rekeyChild(network.now, 1);
    network.run(10_000);
    expect(server.all('child-up').map(({ replaces }) => replaces)).toEqual([undefined, undefined, undefined, 1, 2, 3]);
    expect(server.all('ike-down')).toEqual([]);
    for (const client of clients) expect(client.all('ike-down')).toEqual([]);
  });

  it('may both call themselves 192.168.1.10: an INITIAL-CONTACT of one does not evict the other', () => {
    const network = new Network(4);
    const server = network.add('server', SERVER, [l2tpServer()]);
    const same = { localId: { kind: 'ipv4', value: '192.168.1.10' } } as const;
    const sites = ['198.51.100.1', '198.51.100.2'].map((outside, index) =>
      network.add(outside, `10.0.${index}.10`, [l2tpClient(same)], new Nat(outside)),
    );
    for (const site of sites) {
      site.endpoint.initiate(network.now, 'client', site.to(SERVER));
      network.run(3000);
    }
    network.run(60_000);
    expect(server.endpoint.views().map(({ state }) => state)).toEqual(['established', 'established']);
    expect([server.all('ike-down'), server.all('child-down')]).toEqual([[], []]);
  });

  it('are followed when the NAT gives them another port, by what is authenticated and fresh', () => {
    const pair = makePair({ clientBehindNat: true });
    initiate(pair);
    pair.network.run(2000);
    const before = pair.server.endpoint.views()[0]?.path;
    pair.client.nat?.forget();
    pair.network.run(15_000);
    expect(pair.server.last('path')).toMatchObject({ ikeId: 1, path: { remote: { address: OUTSIDE } } });
    expect(pair.server.endpoint.views()[0]?.path).not.toEqual(before);
    expect([pair.client.all('ike-down'), pair.server.all('ike-down')]).toEqual([[], []]);
  });

  it('are not followed for a message that was seen before', () => {
    const { network, server, client } = connect({ clientBehindNat: true });
    network.run(12_000);
    const path = () => server.endpoint.views().find(({ ikeId }) => ikeId === 1)?.path;
    const before = path();
    const elsewhere = { local: { address: SERVER, port: 4500 }, remote: { address: '203.0.113.66', port: 666 } };
    for (const { from, datagram } of [...network.sent]) {
      if (from === client) network.inject(server, datagram, elsewhere);
    }
    network.run(10);
    expect(path()).toEqual(before);
    expect(network.sent.filter(({ path }) => path.remote.address === '203.0.113.66').length).toBeLessThanOrEqual(2);
    expect(server.all('path')).toEqual([]);
  });

  it('that come back after a reboot replace what they had, where the mapping is the same', () => {
    const { network, server, client } = connect();
    const reborn = network.reboot(client, [l2tpClient()]);
    reborn.endpoint.initiate(network.now, 'client', reborn.to(SERVER));
    network.run(2000);
    expect(server.last('ike-down')).toMatchObject({ ikeId: 1, failure: { step: 'INITIAL-CONTACT' } });
    expect(server.all('child-down').map(({ childId }) => childId)).toEqual([1]);
    expect(server.endpoint.views().map(({ children }) => children.length)).toEqual([1]);
  });
});
