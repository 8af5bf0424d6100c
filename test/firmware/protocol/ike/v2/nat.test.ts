import { describe, expect, it } from 'vitest';
import type { IkeConnection, IkeOutput } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { IkeV2Endpoint } from '../../../../../firmware/protocol/ike/v2/endpoint.ts';
import { hostSelector } from '../../../../../firmware/protocol/ike/v2/traffic-selector.ts';
import type { UdpEndpoint } from '../../../../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { Harness, LEFT, LEFT_ADDRESS, PATH, problems, RIGHT, RIGHT_ADDRESS } from './harness.ts';

const NAT = '198.51.100.7';
const behindNat = (end: UdpEndpoint): UdpEndpoint => ({ address: NAT, port: end.port + 30_000 });
const L2TP_CLIENT: Partial<IkeConnection> = {
  mode: 'transport',
  transportPorts: { protocol: 17, local: 1701, remote: 1701 },
};
const L2TP_SERVER: Partial<IkeConnection> = {
  mode: 'transport',
  transportPorts: { protocol: 17, local: 1701, remote: 0 },
};

describe('without a NAT', () => {
  it('transport mode covers the two ends of the path, and stays on port 500 without encapsulation', () => {
    const harness = new Harness({ left: L2TP_CLIENT, right: L2TP_SERVER }).connect();
    expect(problems(harness)).toEqual([]);
    const child = harness.child('left');
    expect(child).toMatchObject({ mode: 'transport', udpEncapsulation: false, path: PATH });
    expect(child.localSelectors).toEqual([hostSelector(LEFT_ADDRESS, 17, 1701)]);
    expect(child.remoteSelectors).toEqual([hostSelector(RIGHT_ADDRESS, 17, 1701)]);
    expect(child.natOriginal).toBeUndefined();
    expect(harness.child('right').natOriginal).toBeUndefined();
  });

  it('forced encapsulation makes both ends wrap ESP and move to port 4500', () => {
    for (const side of ['left', 'right'] as const) {
      const harness = new Harness({ [side]: { forceEncapsulation: true } }).connect();
      expect(problems(harness)).toEqual([]);
      for (const end of ['left', 'right'] as const) {
        expect(harness.child(end).udpEncapsulation).toBe(true);
        expect(harness.child(end).path.local.port).toBe(4500);
        expect(harness.child(end).path.remote.port).toBe(4500);
      }
    }
  });
});

describe('behind a NAT', () => {
  it('both ends know who is behind it, wrap ESP and use port 4500', () => {
    const harness = new Harness({ translate: behindNat }).connect();
    expect(problems(harness)).toEqual([]);
    expect(harness.last('left', 'ike-up').peer).toMatchObject({ natLocal: true, natRemote: false });
    expect(harness.last('right', 'ike-up').peer).toMatchObject({ natLocal: false, natRemote: true });
    expect(harness.child('right')).toMatchObject({
      udpEncapsulation: true,
      path: { local: { port: 4500 }, remote: { address: NAT, port: 34_500 } },
    });
  });

  it('transport mode covers the addresses that each end sees, and keeps those inside for the checksums', () => {
    const harness = new Harness({ translate: behindNat, left: L2TP_CLIENT, right: L2TP_SERVER }).connect();
    expect(problems(harness)).toEqual([]);
    expect(harness.child('right').remoteSelectors).toEqual([hostSelector(NAT, 17, 1701)]);
    expect(harness.child('right').natOriginal).toEqual({ local: RIGHT_ADDRESS, remote: LEFT_ADDRESS });
    expect(harness.child('left').localSelectors).toEqual([hostSelector(LEFT_ADDRESS, 17, 1701)]);
    expect(harness.child('left').natOriginal).toEqual({ local: NAT, remote: RIGHT_ADDRESS });
  });

  it.each(['left', 'right'] as const)('transport mode survives rekeys begun by %s', (side) => {
    const harness = new Harness({ translate: behindNat, left: L2TP_CLIENT, right: L2TP_SERVER }).connect();
    harness[side].rekeyChild(harness.now, harness.child(side).id);
    harness.deliverAll();
    harness[side].rekeyIke(harness.now, harness.ikeId(side));
    harness.deliverAll();
    harness[side].rekeyChild(harness.now, harness.child(side).id);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(harness.child('right').remoteSelectors).toEqual([hostSelector(NAT, 17, 1701)]);
    expect(harness.child('right').natOriginal?.remote).toBe(LEFT_ADDRESS);
    expect(harness.child('left').localSelectors).toEqual([hostSelector(LEFT_ADDRESS, 17, 1701)]);
  });
});

describe('a NAT that forgets its mapping', () => {
  const moved = (end: UdpEndpoint): UdpEndpoint => ({ address: NAT, port: end.port + 40_000 });

  it('is followed by a fresh message that verifies', () => {
    const harness = new Harness({ translate: behindNat, left: { dpdSeconds: 10 } }).connect();
    harness.translate = moved;
    harness.run(15_000);
    expect(harness.last('right', 'path').path.remote).toEqual({ address: NAT, port: 44_500 });
    expect(problems(harness)).toEqual([]);
  });

  it('is not followed by a replay, nor by a message that does not verify', () => {
    const harness = new Harness({ translate: behindNat }).connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.drain();
    const request = harness.take('left');
    harness.deliver(request);
    harness.deliverAll();
    harness.translate = moved;
    harness.deliver(request);
    const spoiled = { ...request, datagram: request.datagram.slice() };
    spoiled.datagram[23] = 2;
    harness.deliver(spoiled);
    expect(harness.all('right', 'path')).toEqual([]);
  });

  it('is not followed when no NAT lies before the peer', () => {
    const harness = new Harness().connect();
    harness.translate = moved;
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.drain();
    harness.pass('left');
    expect(harness.all('right', 'path')).toEqual([]);
  });
});

describe('several clients behind one NAT', () => {
  interface Client {
    readonly endpoint: IkeV2Endpoint;
    readonly address: string;
    readonly offset: number;
    readonly outputs: IkeOutput[];
  }

  it('all with source port 1701, one identity and one private address, live beside each other and rekey', () => {
    const { remoteId: _, ...anyone } = RIGHT;
    const server = new IkeV2Endpoint({ connections: [{ ...anyone, ...L2TP_SERVER }] }, new SeededRandom(1));
    const events: IkeOutput[] = [];
    const clients: Client[] = [1, 2, 3].map((index) => ({
      endpoint: new IkeV2Endpoint({ connections: [{ ...LEFT, ...L2TP_CLIENT }] }, new SeededRandom(10 + index)),
      address: '192.168.1.10',
      offset: index * 10_000,
      outputs: [],
    }));
    const pump = (): void => {
      for (let busy = true; busy; ) {
        busy = false;
        for (const client of clients) {
          for (let output = client.endpoint.poll(); output; output = client.endpoint.poll()) {
            busy = true;
            if (output.kind !== 'send') client.outputs.push(output);
            else {
              const remote = { address: NAT, port: output.path.local.port + client.offset };
              server.receive(0, output.datagram, { local: output.path.remote, remote });
            }
          }
        }
        for (let output = server.poll(); output; output = server.poll()) {
          busy = true;
          if (output.kind !== 'send') events.push(output);
          else {
            const { path, datagram } = output;
            const client = clients.find(({ offset }) => path.remote.port > offset && path.remote.port < offset + 5000);
            const local = { address: client?.address ?? '', port: path.remote.port - (client?.offset ?? 0) };
            client?.endpoint.receive(0, datagram, { local, remote: path.local });
          }
        }
      }
    };
    const path = { local: { address: '192.168.1.10', port: 500 }, remote: PATH.remote };
    for (const { endpoint } of clients) {
      endpoint.initiate(0, 'office', path);
      pump();
    }
    const ups = events.flatMap((event) => (event.kind === 'child-up' ? [event.child] : []));
    expect(ups.map((child) => child.path.remote.port)).toEqual([14_500, 24_500, 34_500]);
    expect(new Set(ups.map(({ inboundSpi }) => inboundSpi)).size).toBe(3);
    expect(ups.map(({ natOriginal }) => natOriginal?.remote)).toEqual(new Array(3).fill('192.168.1.10'));
    for (const child of ups) server.rekeyChild(0, child.id);
    for (const { endpoint } of clients) endpoint.rekeyIke(0, endpoint.views()[0]?.ikeId ?? 0);
    pump();
    for (let now = 0; now < 20_000; now += 500) {
      for (const endpoint of [server, ...clients.map((client) => client.endpoint)]) endpoint.tick(now);
      pump();
    }
    expect(events.filter((event) => event.kind === 'ike-down' && event.failure.step !== 'rekey')).toEqual([]);
    expect(server.views().filter(({ state }) => state === 'established')).toHaveLength(3);
  });
});
