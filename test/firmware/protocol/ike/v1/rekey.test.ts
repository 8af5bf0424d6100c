import { describe, expect, it, vi } from 'vitest';
import { IsakmpSa } from '../../../../../firmware/protocol/ike/v1/isakmp-sa.ts';
import type { Host } from './network.ts';
import { branch, CLIENT, connect, headOffice, l2tpClient, l2tpServer, type Pair, SERVER } from './setup.ts';

const HOUR = 3_600_000;

/** Lets time pass with a packet each way every `everyMs`; the pair's addresses are those of the setup. */
function traffic({ network, client, server }: Pair, ms: number, everyMs: number): void {
  const end = network.now + ms;
  while (network.now < end) {
    network.sendEsp(client, { address: SERVER, port: 4500 });
    network.sendEsp(server, { address: CLIENT, port: 4500 });
    network.run(everyMs);
  }
}

function spis(host: Host): { inbound: number[]; outbound: number[] } {
  const children = host.endpoint.views().flatMap((view) => view.children);
  return {
    inbound: children.map(({ inboundSpi }) => inboundSpi).sort(),
    outbound: children.map(({ outboundSpi }) => outboundSpi).sort(),
  };
}

function expectSameSpis({ client, server }: Pair): void {
  expect(spis(client).inbound).toEqual(spis(server).outbound);
  expect(spis(client).outbound).toEqual(spis(server).inbound);
}

describe('rekeying', () => {
  it('loses not one packet in 24 hours, whichever side has the shorter lifetimes', () => {
    const short = { childLifetime: 1800, ikeLifetime: 3 * 3600 };
    for (const [own, their] of [
      [short, {}],
      [{}, short],
    ]) {
      const pair = connect({ client: branch(own), server: headOffice(their) });
      pair.network.keepSent = false;
      traffic(pair, 24 * HOUR, 7001);
      const { client, server } = pair;
      expect([client.espLost, server.espLost]).toEqual([0, 0]);
      expect([client.espReceived, server.espReceived].every((count) => count > 12_000)).toBe(true);
      for (const host of [client, server]) {
        expect(host.all('ike-down')).toEqual([]);
        expect(host.all('child-up').length).toBeGreaterThan(40);
        expect(host.all('ike-up').length).toBeGreaterThan(6);
        expect(host.endpoint.views().filter(({ state }) => state === 'established')).toHaveLength(1);
        expect(host.all('child-down').filter(({ failure }) => failure !== undefined)).toEqual([]);
        expect(host.inbound.size).toBeLessThanOrEqual(3);
        expect(host.endpoint.nextDeadline()).toBeGreaterThan(pair.network.now);
      }
    }
  });

  it('of a child SA names the one that it replaces, on both sides, before that one goes', () => {
    const { client, server, network } = connect();
    const [first] = client.all('child-up');
    client.endpoint.rekeyChild(network.now, first?.child.id ?? 0);
    network.run(1000);
    for (const host of [client, server]) {
      expect(host.all('child-up').map(({ replaces }) => replaces)).toEqual([undefined, 1]);
      expect(host.all('child-down')).toEqual([]);
    }
    network.run(31_000);
    for (const host of [client, server]) expect(host.all('child-down')).toEqual([{ kind: 'child-down', childId: 1 }]);
    expectSameSpis({ client, server, network });
  });

  it('of a child SA can begin at the responder, behind a NAT too', () => {
    const pair = connect({ clientBehindNat: true });
    const { client, server, network } = pair;
    server.endpoint.rekeyChild(network.now, 1);
    network.run(31_000);
    expect(client.all('child-up').map(({ replaces }) => replaces)).toEqual([undefined, 1]);
    const [first, second] = server.all('child-up');
    expect(second?.child.remoteSelectors).toEqual(first?.child.remoteSelectors);
    expect(second?.child.natOriginal).toEqual(first?.child.natOriginal);
    expect(client.all('child-down')).toHaveLength(1);
    expectSameSpis(pair);
  });

  it('of a child SA from both sides at once leaves both with SAs that the other has', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const pair = connect({ seed });
      const { client, server, network } = pair;
      network.faults = { jitterMs: 30 };
      client.endpoint.rekeyChild(network.now, 1);
      server.endpoint.rekeyChild(network.now, 1);
      network.run(31_000);
      expect(client.all('child-up')).toHaveLength(3);
      expect(client.all('child-down').map(({ childId }) => childId)).toEqual([1]);
      expectSameSpis(pair);
      expect(spis(client).inbound).toHaveLength(2);
    }
  });

  it('of the ISAKMP SA keeps the child SAs, which the new one has', () => {
    const { client, server, network, ikeId } = connect();
    client.endpoint.rekeyIke(network.now, ikeId);
    network.run(1000);
    for (const host of [client, server]) {
      expect(host.all('ike-up').map(({ replaces }) => replaces)).toEqual([undefined, 1]);
      expect(host.endpoint.views().map(({ state, children }) => [state, children.length])).toEqual([
        ['replaced', 0],
        ['established', 1],
      ]);
    }
    network.run(15_000);
    for (const host of [client, server]) {
      expect(host.endpoint.views()).toHaveLength(1);
      expect([host.all('child-up').length, host.all('child-down'), host.all('ike-down')]).toEqual([1, [], []]);
    }
  });

  it('of the ISAKMP SA can begin at the responder, on port 4500 where a NAT lies between', () => {
    const { client, server, network } = connect({ clientBehindNat: true });
    const before = network.sent.length;
    server.endpoint.rekeyIke(network.now, 1);
    network.run(15_000);
    expect(client.last('ike-up')).toMatchObject({ replaces: 1, initiator: false });
    const ports = network.sent.slice(before).flatMap(({ path }) => [path.local.port]);
    expect(new Set(ports)).toEqual(new Set([4500]));
    expect([client, server].map((host) => host.endpoint.views().length)).toEqual([1, 1]);
  });

  it('of the ISAKMP SA from both sides at once ends with child SAs that both have', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const pair = connect({ seed });
      const { client, server, network, ikeId } = pair;
      network.faults = { jitterMs: 30 };
      client.endpoint.rekeyIke(network.now, ikeId);
      server.endpoint.rekeyIke(network.now, 1);
      network.run(30_000);
      expect([client.all('ike-down'), server.all('ike-down')]).toEqual([[], []]);
      expect([client.all('child-down'), server.all('child-down')]).toEqual([[], []]);
      client.endpoint.rekeyChild(network.now, 1);
      network.run(10_000);
      expect(server.all('child-up')).toHaveLength(2);
      expectSameSpis(pair);
    }
  });

  it('goes on under an SA made at the same time when the peer deletes the one in use', () => {
    const answered = vi.spyOn(IsakmpSa.prototype, 'inform');
    const { client, server, network, ikeId } = connect();
    client.endpoint.rekeyIke(network.now, ikeId);
    server.endpoint.rekeyIke(network.now, 1);
    network.run(14_000);
    const views = client.endpoint.views();
    expect(views.map(({ state }) => state).sort()).toEqual(['established', 'replaced']);
    const used = views.find(({ state }) => state === 'established');
    const other = views.find(({ state }) => state === 'replaced');
    // The server's end of the SA that the client uses: one that finds it redundant deletes it.
    const end = (answered.mock.contexts as IsakmpSa[]).find(
      (sa) => sa.path.local.address === SERVER && sa.sa.initiator !== used?.initiator && sa.ikeId !== 1,
    );
    answered.mockRestore();
    end?.deleteSelf();
    network.run(1000);
    expect(client.last('ike-up')).toMatchObject({ ikeId: other?.ikeId, replaces: used?.ikeId });
    expect([client.all('ike-down'), client.all('child-down')]).toEqual([[], []]);
    expect(client.endpoint.views().map(({ state, children }) => [state, children.length])).toEqual([
      ['established', 1],
    ]);
  });

  it('that fails is tried again, and the SA ends in words when it never succeeds', () => {
    const pair = connect({
      client: l2tpClient({ childLifetime: 600, dpdSeconds: 0 }),
      server: l2tpServer({ dpdSeconds: 0 }),
    });
    pair.network.filter = () => false;
    pair.network.run(620_000);
    const tries = pair.network.sent.filter(({ from }) => from === pair.client).length;
    expect(tries).toBeGreaterThan(15);
    expect(pair.client.last('child-down')?.failure).toMatchObject({ step: 'rekey' });
    pair.network.run(60_000);
    expect(pair.client.endpoint.idle).toBe(true);
  });

  it('survives a gap in the network shorter than what is left of the lifetime', () => {
    const lives = { childLifetime: 600, ikeLifetime: 900, dpdSeconds: 0 };
    const pair = connect({ client: branch(lives), server: headOffice(lives) });
    const { network } = pair;
    network.run(400_000);
    network.filter = () => false;
    network.run(90_000);
    network.filter = () => true;
    network.run(HOUR);
    for (const host of [pair.client, pair.server]) {
      expect(host.all('ike-down')).toEqual([]);
      expect(host.all('child-down').filter(({ failure }) => failure !== undefined)).toEqual([]);
    }
    expect(pair.client.inbound.has(pair.server.outbound.at(-1)?.outboundSpi ?? 0)).toBe(true);
  });
});

describe('closing', () => {
  it('tells the peer, and leaves nothing on either side', () => {
    const { client, server, network, ikeId } = connect();
    client.endpoint.close(network.now, ikeId);
    network.run(1000);
    expect(client.last('ike-down')?.failure.step).toBe('close');
    expect(server.last('ike-down')?.failure.step).toBe('DELETE');
    for (const host of [client, server]) {
      expect(host.all('child-down')).toHaveLength(1);
      expect(host.endpoint.idle).toBe(true);
      expect(host.endpoint.nextDeadline()).toBeUndefined();
    }
  });

  it('lets a connection without child SAs go after a while, when the peer deletes the last one', () => {
    const { client, server, network } = connect();
    const record = server.endpoint.children.find(1);
    if (record !== undefined) record.deleteAt = network.now;
    network.run(5000);
    expect(client.all('child-down')).toHaveLength(1);
    expect(client.all('ike-down')).toEqual([]);
    network.run(10_000);
    expect(client.last('ike-down')?.failure.reason).toContain('the last child SA');
  });
});
