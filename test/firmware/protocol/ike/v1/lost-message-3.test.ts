/** Message 3 of Quick Mode has no answer, and what it says is urgent: the initiator sends on the new child SA soon. */
import { describe, expect, it } from 'vitest';
import { CLIENT, connect, type Pair, SERVER } from './setup.ts';

/** Quick Mode is exchange type 32, and of its messages only the third is so short. */
function isMessage3(datagram: Uint8Array): boolean {
  return datagram[18] === 32 && datagram.length < 100;
}

/** The client rekeys the child SA; no message 3 of it arrives until the test says so. */
function rekeyWithoutMessage3(clientBehindNat = false): Pair {
  const pair = connect({ clientBehindNat });
  const { network, client } = pair;
  network.filter = ({ from, datagram }) => from !== client || !isMessage3(datagram);
  client.endpoint.rekeyChild(network.now, 1);
  network.run(500);
  return pair;
}

describe('a rekey of a child SA whose message 3 is lost', () => {
  it('has the responder receive on the new one at once, and send on the old one', () => {
    const { client, server } = rekeyWithoutMessage3();
    expect(client.last('child-up')).toMatchObject({ replaces: 1 });
    expect(server.last('child-up')).toMatchObject({ replaces: 1, receiveOnly: true });
    expect(server.last('child-up')?.child.inboundSpi).toBe(client.last('child-up')?.child.outboundSpi);
    expect(server.outbound.at(-1)?.id).toBe(1);
  });

  it('is done when message 3 comes after all', () => {
    const { client, server, network } = rekeyWithoutMessage3();
    network.filter = () => true;
    network.run(40_000);
    expect(server.all('child-send')).toEqual([{ kind: 'child-send', childId: 2 }]);
    for (const host of [client, server]) {
      expect(host.outbound.map(({ id }) => id)).toEqual([2]);
      expect(host.all('child-up')).toHaveLength(2);
    }
  });

  it('is done as well when ESP comes on the new one: its sender has message 2', () => {
    const { client, server, network } = rekeyWithoutMessage3();
    network.sendEsp(client, { address: SERVER, port: 4500 });
    network.run(100);
    expect(server.espReceived).toBe(1);
    expect(server.all('child-send')).toEqual([{ kind: 'child-send', childId: 2 }]);
    network.run(60_000);
    for (const host of [client, server]) expect(host.outbound.map(({ id }) => id)).toEqual([2]);
  });

  it('is undone when neither comes: both go on with the old one', () => {
    const { client, server, network } = rekeyWithoutMessage3();
    network.run(29_000);
    expect(server.all('child-down').map(({ childId }) => childId)).toEqual([2]);
    expect(client.all('child-send').map(({ childId }) => childId)).toEqual([2, 1]);
    expect(client.all('child-down').map(({ childId }) => childId)).toEqual([2]);
    network.run(4000);
    for (const host of [client, server])
      expect(host.outbound.at(-1)?.inboundSpi).toBe(host.all('child-up')[0]?.child.inboundSpi);
    // Not for ever: it is tried again.
    network.filter = () => true;
    network.run(60_000);
    expect(client.outbound.map(({ id }) => id)).toEqual([3]);
    expect(server.outbound.map(({ id }) => id)).toEqual([3]);
  });

  it('finds a client that its NAT has given another port meanwhile', () => {
    const { client, server, network } = rekeyWithoutMessage3(true);
    client.nat?.forget();
    network.filter = () => true;
    const child = server.last('child-up')?.child;
    const elsewhere = { address: client.nat?.address ?? '', port: 20_002 };
    server.endpoint.espReceived(network.now, child?.id ?? 0);
    server.endpoint.peerMoved(network.now, child?.id ?? 0, {
      local: { address: SERVER, port: 4500 },
      remote: elsewhere,
    });
    network.drain();
    expect(server.last('path')?.path.remote).toEqual(elsewhere);
    expect(server.all('child-send')).toEqual([{ kind: 'child-send', childId: 2 }]);
  });
});

describe('a rekey of a child SA', () => {
  it('has the initiator send on the old one for a moment: ESP may overtake message 3', () => {
    const { client, server, network } = connect();
    client.endpoint.rekeyChild(network.now, 1);
    network.run(100);
    expect(client.last('child-up')).toMatchObject({ replaces: 1, receiveOnly: true });
    expect([client.outbound.at(-1)?.id, server.outbound.at(-1)?.id]).toEqual([1, 2]);
    network.run(400);
    expect(client.all('child-send')).toEqual([{ kind: 'child-send', childId: 2 }]);
    expect(client.outbound.at(-1)?.id).toBe(2);
  });

  it('has it send on the new one as soon as the peer does', () => {
    const { client, server, network } = connect();
    client.endpoint.rekeyChild(network.now, 1);
    network.run(50);
    network.sendEsp(server, { address: CLIENT, port: 4500 });
    network.run(50);
    expect(client.espReceived).toBe(1);
    expect(client.outbound.at(-1)?.id).toBe(2);
  });
});

describe('a second ISAKMP SA with the same client from another port', () => {
  it('takes over as soon as both are known to be at one place', () => {
    const pair = connect({ clientBehindNat: true });
    const { client, server, network } = pair;
    client.nat?.forget();
    client.endpoint.rekeyIke(network.now, 1);
    network.run(3000);
    // From another port it might be another client with the same address.
    expect(server.last('ike-up')?.replaces).toBeUndefined();
    const moved = {
      local: { address: SERVER, port: 4500 },
      remote: server.last('ike-up')?.path.remote ?? pair.server.to('').remote,
    };
    server.endpoint.peerMoved(network.now, 1, moved);
    network.drain();
    expect(server.last('ike-up')).toMatchObject({ ikeId: 2, replaces: 1 });
    network.run(20_000);
    expect(server.all('ike-down')).toEqual([]);
    expect(server.endpoint.views().map(({ ikeId, children }) => [ikeId, children.length])).toEqual([[2, 1]]);
  });
});
