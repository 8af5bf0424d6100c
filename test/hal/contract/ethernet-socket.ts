import assert from 'node:assert/strict';
import { type EthernetSocket, newEthernetFrameInfo } from '../../../hal/ethernet-socket.ts';
import { formatMac, parseMac } from '../../../hal/packet-socket.ts';
import type { PollerFactory } from '../../../hal/poller.ts';
import type { Contract } from './contract.ts';
import type { PacketSocketWorld } from './packet-socket.ts';

export interface EthernetWorld {
  /** On the cable's near end, unless another device is named; closed with the world. */
  open(etherType: number, device?: string): EthernetSocket;
  readonly cable: PacketSocketWorld;
  readonly pollers: PollerFactory;
}

/** Experimental (IEEE 802, local experimental). */
const ETHER_TYPE = 0x88b5;
const FAR = '02:00:00:00:00:99';
const FAR_OCTETS = parseMac(FAR) ?? new Uint8Array();

function payload(first: number, length = 60): Uint8Array {
  return new Uint8Array(length).fill(first);
}

interface Taken {
  readonly source: string;
  readonly length: number;
  readonly payload: Uint8Array;
}

function take(socket: EthernetSocket, room = 2000): Taken | undefined {
  const into = new Uint8Array(room);
  const info = newEthernetFrameInfo();
  if (!socket.receive(into, info)) return undefined;
  return { source: formatMac(info.source), length: info.length, payload: into.slice(0, info.length) };
}

/** The next frame, once it has come. */
async function next({ cable }: EthernetWorld, socket: EthernetSocket, room?: number): Promise<Taken | undefined> {
  let taken: Taken | undefined;
  await cable.settle(() => {
    taken ??= take(socket, room);
    return taken !== undefined;
  });
  return taken;
}

function farSends({ cable }: EthernetWorld, octets: Uint8Array, to = cable.mac, etherType = ETHER_TYPE): void {
  cable.farSends({ destinationMac: to, sourceMac: FAR, etherType, payload: octets });
}

export const ethernetSocketContract: Contract<EthernetWorld> = {
  name: 'ethernet socket',
  cases: [
    {
      name: 'gives frames of its EtherType in order, with their source, and then none',
      run: async (world) => {
        const socket = world.open(ETHER_TYPE);
        farSends(world, payload(9), world.cable.mac, ETHER_TYPE + 1);
        for (const first of [1, 2]) farSends(world, payload(first));
        for (const first of [1, 2])
          assert.deepEqual(await next(world, socket), { source: FAR, length: 60, payload: payload(first) });
        assert.equal(take(socket), undefined);
      },
    },
    {
      name: 'gives nothing that is for everybody, for a group or for somebody else',
      run: async (world) => {
        const socket = world.open(ETHER_TYPE);
        for (const to of ['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:05', '02:00:00:00:00:77'])
          farSends(world, payload(1), to);
        farSends(world, payload(2));
        assert.equal((await next(world, socket))?.payload[0], 2);
        assert.equal(take(socket), undefined);
      },
    },
    {
      name: 'sends to one station, and does not hear itself',
      run: async (world) => {
        const socket = world.open(ETHER_TYPE);
        assert.equal(socket.send(FAR_OCTETS, payload(3)), undefined);
        const sent: unknown[] = [];
        await world.cable.settle(() => {
          sent.push(...world.cable.farReceived(ETHER_TYPE));
          return sent.length > 0;
        });
        const frame = { destinationMac: FAR, sourceMac: world.cable.mac, etherType: ETHER_TYPE, payload: payload(3) };
        assert.deepEqual(sent, [frame]);
        assert.equal(take(socket), undefined);
      },
    },
    {
      name: 'says how long a frame was of which the buffer took less',
      run: async (world) => {
        const socket = world.open(ETHER_TYPE);
        farSends(world, payload(4, 1000));
        assert.equal((await next(world, socket, 100))?.length, 1000);
      },
    },
    {
      name: 'is ready for a poller while a frame waits, and only then',
      run: async (world) => {
        const socket = world.open(ETHER_TYPE);
        const poller = world.pollers.open();
        poller.add(socket.handle);
        assert.deepEqual([...poller.wait(0)], []);
        farSends(world, payload(5));
        await world.cable.settle(() => poller.wait(0).includes(socket.handle));
        take(socket);
        assert.deepEqual([...poller.wait(0)], []);
        poller.close();
      },
    },
    {
      name: 'names what is in the way of a frame: too large, device down',
      run: async (world) => {
        const socket = world.open(ETHER_TYPE);
        assert.equal(socket.send(FAR_OCTETS, payload(6, world.cable.mtu + 1)), 'EMSGSIZE');
        world.cable.setUp(false);
        assert.equal(socket.send(FAR_OCTETS, payload(6)), 'ENETDOWN');
      },
    },
    {
      name: 'outlives its device being down',
      run: async (world) => {
        const socket = world.open(ETHER_TYPE);
        world.cable.setUp(false);
        await world.cable.settle();
        assert.equal(take(socket), undefined);
        world.cable.setUp(true);
        await world.cable.settle(() => {
          farSends(world, payload(7));
          return take(socket)?.payload[0] === 7;
        });
      },
    },
    {
      name: 'says that its device is gone',
      run: async (world) => {
        const socket = world.open(ETHER_TYPE);
        const poller = world.pollers.open();
        poller.add(socket.handle);
        world.cable.removeDevice();
        await world.cable.settle(() => poller.wait(0).includes(socket.handle));
        assert.throws(() => take(socket), { name: 'HalError', code: 'ENODEV' });
        poller.close();
      },
    },
    {
      name: 'refuses a device that is not there or no Ethernet, in words',
      run: (world) => {
        assert.throws(() => world.open(ETHER_TYPE, 'cvnone'), { name: 'HalError', code: 'ENODEV', message: /cvnone/ });
        const { other } = world.cable;
        if (other !== undefined)
          assert.throws(() => world.open(ETHER_TYPE, other), { name: 'HalError', code: 'EINVAL' });
      },
    },
    {
      name: 'a closed one says so',
      run: (world) => {
        const socket = world.open(ETHER_TYPE);
        socket.close();
        socket.close();
        assert.throws(() => take(socket), { name: 'HalError', code: 'EBADF' });
        assert.throws(() => socket.send(FAR_OCTETS, payload(1)), { name: 'HalError', code: 'EBADF' });
      },
    },
  ],
};
