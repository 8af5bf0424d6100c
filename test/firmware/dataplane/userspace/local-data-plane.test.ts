import { describe, expect, it } from 'vitest';
import { LocalDataPlane } from '../../../../firmware/dataplane/userspace/local-data-plane.ts';
import { HalError } from '../../../../hal/hal-error.ts';
import { SimulatedHandles } from '../../../../hal/simulated/handles.ts';
import { SimulatedLinks } from '../../../../hal/simulated/links.ts';
import { SimulatedNetwork } from '../../../../hal/simulated/network.ts';
import { SimulatedPollerFactory } from '../../../../hal/simulated/poller.ts';
import { LEFT_INNER, type Machine, Pair, RIGHT, RIGHT_INNER } from './machine-bench.ts';
import { ipv4Packet } from './packets.ts';

const THERE = ipv4Packet({ source: LEFT_INNER, destination: RIGHT_INNER });
const BACK = ipv4Packet({ source: RIGHT_INNER, destination: LEFT_INNER });
const CONTROL = Uint8Array.from([0xc8, 0x02, 0, 12, 0, 10, 0, 0, 0, 0, 0, 0]);

async function connectedPair(): Promise<Pair> {
  const pair = new Pair();
  await pair.connect();
  return pair;
}

describe('packets between two data planes', () => {
  it('go from TUN to TUN both ways and are counted at both ends', async () => {
    const pair = await connectedPair();
    pair.left.tun.inject(THERE);
    pair.right.tun.inject(BACK);
    pair.settle();
    expect(pair.right.tun.taken()).toEqual([THERE]);
    expect(pair.left.tun.taken()).toEqual([BACK]);
    for (const { dataPlane } of [pair.left, pair.right]) {
      const [session] = (await dataPlane.counters()).sessions;
      expect(session).toMatchObject({ packetsSent: 1, packetsReceived: 1, octetsReceived: THERE.length });
    }
  });

  it('are not held up by a flood: each turn serves every handle', async () => {
    const pair = await connectedPair();
    for (let count = 0; count < 1500; count++) pair.left.dataPlane.sendDatagram(1, pair.left.pathTo(RIGHT), CONTROL);
    pair.right.tun.inject(BACK);
    pair.right.dataPlane.step();
    expect(pair.right.events).toHaveLength(64);
    pair.left.dataPlane.step();
    expect(pair.left.tun.taken()).toEqual([BACK]);
  });

  it('stop when the interface is removed', async () => {
    const pair = await connectedPair();
    await pair.right.dataPlane.removeInterface(1);
    expect(pair.right.tuns.device('l2tp-test')).toBeUndefined();
    pair.left.tun.inject(THERE);
    pair.settle();
    expect((await pair.right.dataPlane.counters()).sessions[0]?.drops['networkClosed']).toBe(1);
  });

  it('stop when the session is removed', async () => {
    const pair = await connectedPair();
    pair.right.dataPlane.removeSession(1);
    pair.left.tun.inject(THERE);
    pair.settle();
    const counters = await pair.right.dataPlane.counters();
    expect(counters.sessions).toEqual([]);
    expect(counters.drops['unknownSession']).toBe(1);
  });
});

describe('events', () => {
  it('come in order: control datagrams and PPP frames', async () => {
    const pair = await connectedPair();
    const path = pair.left.pathTo(RIGHT);
    pair.left.dataPlane.sendDatagram(1, path, CONTROL);
    pair.left.dataPlane.sendPppFrame(1, Uint8Array.of(0xc0, 0x21, 1, 1, 0, 4));
    pair.left.dataPlane.sendDatagram(1, path, CONTROL);
    pair.settle();
    expect(pair.right.events.map(({ kind }) => kind)).toEqual(['datagram', 'ppp-frame', 'datagram']);
    expect(pair.right.events[1]).toMatchObject({ session: 1, frame: Uint8Array.of(0xc0, 0x21, 1, 1, 0, 4) });
  });

  it('tell of a port where nobody listens, once a second', async () => {
    const pair = await connectedPair();
    await pair.right.dataPlane.closeSocket(1);
    for (const wait of [0, 10, 500, 500]) {
      pair.clock.advance(wait);
      pair.left.tun.inject(THERE);
      pair.settle();
    }
    const report = { kind: 'path-error', socket: 1, remote: { address: RIGHT, port: 1701 }, code: 'ECONNREFUSED' };
    expect(pair.left.events).toEqual([report, report]);
  });

  it('tell when the kernel refuses to send, and count it', async () => {
    const pair = await connectedPair();
    const session = pair.left.session(RIGHT, [`${RIGHT_INNER}/32`]);
    const path = { ...session.path, local: { address: '192.0.2.77', port: 1701 } };
    pair.left.dataPlane.putSession({ ...session, path });
    pair.left.tun.inject(THERE);
    pair.settle();
    expect(pair.left.events).toMatchObject([
      { kind: 'path-error', remote: { address: RIGHT }, code: expect.any(String) },
    ]);
    expect((await pair.left.dataPlane.counters()).sessions[0]?.drops['sendFailed']).toBe(1);
  });

  it('are never delivered inside the call that caused them', async () => {
    const pair = await connectedPair();
    const path = { ...pair.left.pathTo(RIGHT), local: { address: '192.0.2.77', port: 1701 } };
    pair.left.dataPlane.sendDatagram(1, path, CONTROL);
    expect(pair.left.events).toEqual([]);
    await Promise.resolve();
    expect(pair.left.events).toHaveLength(1);
  });
});

describe('sockets and interfaces', () => {
  it('answers with the port that was bound', async () => {
    const { left } = new Pair();
    expect(await left.openSocket()).toBe(1701);
    const spec = { id: 2, purpose: 'datagram', family: 4, address: '0.0.0.0', port: 0, mark: 0 } as const;
    expect(await left.dataPlane.openSocket(spec)).toBeGreaterThan(1023);
  });

  it('passes a refusal of the machine on, and lets the id be used again', async () => {
    const { left } = new Pair();
    const spec = { id: 1, purpose: 'l2tp', family: 4, address: '192.0.2.99', port: 1701, mark: 0 } as const;
    await expect(left.dataPlane.openSocket(spec)).rejects.toMatchObject({ name: 'HalError', code: 'EADDRNOTAVAIL' });
    expect(await left.openSocket()).toBe(1701);
  });

  it('sets the MTU of a TUN and brings it up', async () => {
    const { left } = await connectedPair();
    expect(await left.links.links()).toContainEqual(
      expect.objectContaining({ name: 'l2tp-test', up: true, mtu: 1400 }),
    );
    await left.dataPlane.setInterfaceMtu(1, 1300);
    expect(await left.links.links()).toContainEqual(expect.objectContaining({ name: 'l2tp-test', mtu: 1300 }));
  });

  it('removes a TUN again that cannot be set up', async () => {
    const { left } = new Pair();
    left.links.setUp = () => Promise.reject(new HalError('It stays down.', 'EPERM'));
    await expect(left.dataPlane.addInterface({ id: 1, name: 'l2tp-test', mtu: 1400 })).rejects.toThrow(
      'It stays down.',
    );
    expect(left.tuns.device('l2tp-test')).toBeUndefined();
  });
});

describe('mistakes of the caller', () => {
  it.each<[string, (machine: Machine) => unknown]>([
    ['a socket id twice', ({ dataPlane }) => dataPlane.openSocket(SPEC)],
    ['an interface id twice', ({ dataPlane }) => dataPlane.addInterface({ id: 1, name: 'other', mtu: 1400 })],
    ['an unknown socket', (machine) => machine.dataPlane.sendDatagram(9, machine.pathTo(RIGHT), CONTROL)],
    ['closing an unknown socket', ({ dataPlane }) => dataPlane.closeSocket(9)],
    ['an unknown interface', ({ dataPlane }) => dataPlane.setInterfaceMtu(9, 1400)],
    ['removing an unknown interface', ({ dataPlane }) => dataPlane.removeInterface(9)],
    ['a PPP frame for an unknown session', ({ dataPlane }) => dataPlane.sendPppFrame(9, Uint8Array.of(0xc0, 0x21))],
    ['a PPP frame without a protocol', ({ dataPlane }) => dataPlane.sendPppFrame(1, Uint8Array.of(0xc0))],
    ['a session on an unknown socket', (machine) => machine.dataPlane.putSession({ ...session(machine), socket: 9 })],
    ['a tunnel id of 0', (machine) => machine.dataPlane.putSession({ ...session(machine), peerTunnelId: 0 })],
    ['a destination that is no prefix', (machine) => machine.dataPlane.putSession(session(machine, ['10.0.0.0/40']))],
    [
      'a session with an unknown interface',
      (machine) => {
        const spec = session(machine);
        if (spec.network) machine.dataPlane.putSession({ ...spec, network: { ...spec.network, interface: 9 } });
      },
    ],
  ])('are refused where they are made: %s', async (_, mistake) => {
    const { left } = await connectedPair();
    await expect((async () => mistake(left))()).rejects.toThrow(RangeError);
    expect((await left.dataPlane.counters()).sessions).toHaveLength(1);
  });

  it('of IPv6 alone take no IPv4', async () => {
    const { left } = await connectedPair();
    left.dataPlane.putSession(session(left, ['2001:db8::/32']));
    left.tun.inject(THERE);
    left.dataPlane.step();
    expect((await left.dataPlane.counters()).drops['noRoute']).toBe(1);
  });
});

describe('the end', () => {
  it('closes every socket and TUN, and what comes after does nothing', async () => {
    const pair = await connectedPair();
    await pair.left.dataPlane.close();
    expect(pair.left.tuns.device('l2tp-test')).toBeUndefined();
    pair.left.dataPlane.sendDatagram(1, pair.left.pathTo(RIGHT), CONTROL);
    pair.left.dataPlane.removeSession(1);
    expect(pair.left.dataPlane.step()).toBe(false);
    await expect(pair.left.dataPlane.counters()).rejects.toThrow('closed');
    await pair.left.dataPlane.close();
    pair.right.dataPlane.sendDatagram(1, pair.right.pathTo('192.0.2.1'), CONTROL);
    pair.settle();
    expect(pair.right.events).toMatchObject([{ kind: 'path-error', code: 'ECONNREFUSED' }]);
  });

  it('by a device that is gone is reported once, and pending requests fail in words', async () => {
    const handles = new SimulatedHandles();
    const links = new SimulatedLinks();
    let closed = false;
    const dataPlane = new LocalDataPlane({
      links,
      tuns: {
        open: (name) => {
          links.addLink({ name });
          return {
            name,
            handle: handles.register(() => true),
            read: () => {
              throw new HalError('The TUN device l2tp-test was deleted.', 'EBADFD');
            },
            write: () => false,
            close: () => {
              closed = true;
            },
          };
        },
      },
      sockets: new SimulatedNetwork(handles).udpSockets([]),
      poller: new SimulatedPollerFactory(handles).open(),
      now: () => 0,
    });
    const events: unknown[] = [];
    dataPlane.onEvent((event) => events.push(event));
    await dataPlane.addInterface({ id: 1, name: 'l2tp-test', mtu: 1400 });
    dataPlane.step();
    dataPlane.step();
    expect(events).toEqual([{ kind: 'engine-failed', reason: 'The TUN device l2tp-test was deleted.' }]);
    expect(closed).toBe(true);
    await expect(dataPlane.counters()).rejects.toThrow('has failed');
    await dataPlane.close();
  });
});

const SPEC = { id: 1, purpose: 'l2tp', family: 4, address: '0.0.0.0', port: 0, mark: 0 } as const;

function session(machine: Machine, prefixes = [`${RIGHT_INNER}/32`]) {
  return machine.session(RIGHT, prefixes);
}
