import assert from 'node:assert/strict';
import {
  BROADCAST_MAC,
  FRAMES_PER_TURN,
  type PacketSocket,
  type PacketSocketOptions,
  type ReceivedFrame,
} from '../../../hal/packet-socket.ts';
import type { Contract } from './contract.ts';
import { encodeIpv4Udp } from './datagram.ts';

/** What passes on the cable, headers written out. */
export interface CableFrame {
  readonly destinationMac: string;
  readonly sourceMac: string;
  readonly etherType: number;
  readonly payload: Uint8Array;
}

export interface PacketSocketWorld {
  /** Through the sockets under test; closed with the world. */
  open(options: PacketSocketOptions): Promise<PacketSocket>;
  /** An Ethernet device that is up, its address and MTU. */
  readonly device: string;
  readonly mac: string;
  readonly mtu: number;
  /** A device that is no Ethernet device; `undefined` where there is none. */
  readonly other: string | undefined;
  /** The far end of the cable sends. */
  farSends(frame: CableFrame): void;
  /** What the far end has received of this EtherType since the last call. */
  farReceived(etherType: number): readonly CableFrame[];
  setUp(up: boolean): void;
  removeDevice(): void;
  /** Lets the loop turn a few times, or as often as it takes until this holds. @throws when it does not. */
  settle(until?: () => boolean): Promise<void>;
}

/** An EtherType for experiments (IEEE 802, local experimental). */
const ETHER_TYPE = 0x88b5;
const IPV4 = 0x0800;
const FAR = '02:00:00:00:00:99';

function collect(socket: PacketSocket): ReceivedFrame[] {
  const frames: ReceivedFrame[] = [];
  socket.onFrame = (frame) => frames.push(frame);
  return frames;
}

function payload(first: number, length = 60): Uint8Array {
  return new Uint8Array(length).fill(first);
}

function udp(destinationPort: number, fragment = 0): Uint8Array {
  const packet = encodeIpv4Udp({
    source: '10.66.0.2',
    sourcePort: 67,
    destination: '10.66.0.1',
    destinationPort,
    payload: payload(7),
  });
  new DataView(packet.buffer, packet.byteOffset).setUint16(6, fragment);
  return packet;
}

export const packetSocketContract: Contract<PacketSocketWorld> = {
  name: 'packet-socket',
  cases: [
    {
      name: 'knows the address and the MTU of its device',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: ETHER_TYPE });
        assert.equal(socket.device, world.device);
        assert.equal(socket.mac, world.mac);
        assert.equal(socket.mtu, world.mtu);
      },
    },
    {
      name: 'hears frames of its EtherType for its device, for everybody and for groups, in order, and nothing else',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: ETHER_TYPE });
        const frames = collect(socket);
        const send = (destinationMac: string, etherType: number, first: number): void =>
          world.farSends({ destinationMac, sourceMac: FAR, etherType, payload: payload(first) });
        send(world.mac, ETHER_TYPE, 1);
        send(BROADCAST_MAC, ETHER_TYPE, 2);
        send('01:00:5e:00:00:01', ETHER_TYPE, 3);
        send('02:00:00:00:00:77', ETHER_TYPE, 4);
        send(world.mac, 0x88b6, 5);
        send(world.mac, ETHER_TYPE, 6);
        assert.equal(frames.length, 0, 'not within a call');
        await world.settle(() => frames.length === 4);
        assert.deepEqual(
          frames.map(({ destination, payload: [first] }) => [destination, first]),
          [
            ['host', 1],
            ['broadcast', 2],
            ['multicast', 3],
            ['host', 6],
          ],
        );
        assert.deepEqual(frames[0]?.payload, payload(1));
        assert.equal(frames[0]?.sourceMac, FAR);
        assert.equal(frames[0]?.checksumPending, false);
      },
    },
    {
      name: 'sends to one and to everybody, and does not hear itself',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: ETHER_TYPE });
        const frames = collect(socket);
        assert.equal(socket.send(FAR, payload(1)), undefined);
        assert.equal(socket.send(BROADCAST_MAC, payload(2, world.mtu)), undefined);
        await world.settle();
        assert.deepEqual(world.farReceived(ETHER_TYPE), [
          { destinationMac: FAR, sourceMac: world.mac, etherType: ETHER_TYPE, payload: payload(1) },
          {
            destinationMac: BROADCAST_MAC,
            sourceMac: world.mac,
            etherType: ETHER_TYPE,
            payload: payload(2, world.mtu),
          },
        ]);
        assert.deepEqual(frames, []);
      },
    },
    {
      name: 'of IPv4 with a port hears whole UDP datagrams to that port alone',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: IPV4, udpPort: 68 });
        const frames = collect(socket);
        const send = (packet: Uint8Array): void =>
          world.farSends({ destinationMac: world.mac, sourceMac: FAR, etherType: IPV4, payload: packet });
        const tcp = udp(68);
        tcp[9] = 6;
        for (const packet of [udp(67), udp(68, 0x2000), udp(68, 0x0001), tcp, udp(68, 0x4000), udp(68)]) send(packet);
        await world.settle(() => frames.length === 2);
        assert.deepEqual(
          frames.map((frame) => frame.payload),
          [udp(68, 0x4000), udp(68)],
        );
      },
    },
    {
      name: 'hands over a flood in portions, and lets others in between',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: ETHER_TYPE });
        let inTurn = 0;
        let most = 0;
        let all = 0;
        socket.onFrame = () => {
          all += 1;
          inTurn += 1;
          most = Math.max(most, inTurn);
          if (inTurn === 1) queueMicrotask(() => (inTurn = 0));
        };
        const count = 3 * FRAMES_PER_TURN;
        for (let sent = 0; sent < count; sent += 1)
          world.farSends({ destinationMac: world.mac, sourceMac: FAR, etherType: ETHER_TYPE, payload: payload(sent) });
        await world.settle(() => all === count);
        assert.ok(most <= FRAMES_PER_TURN, `${most} at once`);
      },
    },
    {
      name: 'refuses a frame in words, and throws nothing',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: ETHER_TYPE });
        const large = socket.send(FAR, payload(1, world.mtu + 1));
        assert.equal(large?.code, 'EMSGSIZE');
        assert.match(large.message, /larger than the MTU/);
        assert.equal(socket.send('02:00', payload(1))?.code, 'EINVAL');
        world.setUp(false);
        const down = socket.send(FAR, payload(1));
        assert.equal(down?.code, 'ENETDOWN');
        assert.match(down.message, /is down: set it up/);
      },
    },
    {
      name: 'goes on when its device was down for a while',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: ETHER_TYPE });
        const frames = collect(socket);
        world.setUp(false);
        await world.settle();
        world.setUp(true);
        await world.settle(() => socket.send(FAR, payload(1)) === undefined);
        world.farSends({ destinationMac: world.mac, sourceMac: FAR, etherType: ETHER_TYPE, payload: payload(1) });
        await world.settle(() => frames.length === 1);
      },
    },
    {
      name: 'ends when its device is removed',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: ETHER_TYPE });
        world.removeDevice();
        assert.equal(await socket.ended, 'gone');
        assert.notEqual(socket.send(FAR, payload(1)), undefined);
      },
    },
    {
      name: 'a closed one hears nothing, sends nothing and says that it was closed',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: ETHER_TYPE });
        const frames = collect(socket);
        const other = collect(await world.open({ device: world.device, etherType: ETHER_TYPE }));
        world.farSends({ destinationMac: world.mac, sourceMac: FAR, etherType: ETHER_TYPE, payload: payload(1) });
        socket.close();
        socket.close();
        await world.settle(() => other.length === 1);
        assert.equal(await socket.ended, 'closed');
        assert.deepEqual(frames, []);
        assert.equal(socket.send(FAR, payload(1))?.code, 'EBADF');
      },
    },
    {
      name: 'what cannot be opened is refused, by words that say why',
      run: async (world) => {
        const { device, other } = world;
        await assert.rejects(world.open({ device: 'cvnothing', etherType: ETHER_TYPE }), {
          name: 'HalError',
          code: 'ENODEV',
          message: /no network device cvnothing to listen on/,
        });
        await assert.rejects(world.open({ device: 'a b', etherType: ETHER_TYPE }), {
          name: 'HalError',
          code: 'EINVAL',
        });
        await assert.rejects(world.open({ device, etherType: 1500 }), { name: 'HalError', code: 'EINVAL' });
        await assert.rejects(world.open({ device, etherType: ETHER_TYPE, udpPort: 68 }), { code: 'EINVAL' });
        if (other === undefined) return;
        await assert.rejects(world.open({ device: other, etherType: ETHER_TYPE }), { message: /no Ethernet device/ });
      },
    },
  ],
};
