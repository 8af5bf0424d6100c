/** The two ends of a cable, in memory and as a veth. The latter for a process in a network namespace of its own only. */

import type { EthernetSocket } from '../../../hal/ethernet-socket.ts';
import { LinuxEthernetSocketFactory } from '../../../hal/linux/ethernet-socket.ts';
import { LinuxPacketCaptureFactory } from '../../../hal/linux/packet-capture.ts';
import { LinuxPacketSockets } from '../../../hal/linux/packet-socket.ts';
import { LinuxPollerFactory } from '../../../hal/linux/poller.ts';
import { CAPTURE_HEADROOM, newCapturedFrame } from '../../../hal/packet-capture.ts';
import { formatMac, type PacketSocket, type PacketSocketOptions, parseMac } from '../../../hal/packet-socket.ts';
import { SimulatedEthernetSockets } from '../../../hal/simulated/ethernet-socket.ts';
import { SimulatedHandles } from '../../../hal/simulated/handles.ts';
import { SimulatedPacketSockets, SimulatedWire } from '../../../hal/simulated/packet-socket.ts';
import { SimulatedPollerFactory } from '../../../hal/simulated/poller.ts';
import { FrameSender, quietDevice } from '../linux/packet-capture-world.ts';
import { closeAll, type OpenWorld } from './contract.ts';
import type { EthernetWorld } from './ethernet-socket.ts';
import { ip, ipQuietly } from './linux-worlds.ts';
import type { CableFrame, PacketSocketWorld } from './packet-socket.ts';

/** Turns of the loop after which everything has come. */
const TURNS = 5;
/** Milliseconds that a condition may take. */
const LIMIT = 5000;

async function settle(until?: () => boolean): Promise<void> {
  const deadline = performance.now() + LIMIT;
  for (let turn = 0; turn < TURNS || until?.() === false; turn += 1) {
    if (performance.now() > deadline) throw new Error('it does not come about');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const DEVICE = 'cvpkt0';

export function simulatedPacketSocketWorld(
  sockets: SimulatedPacketSockets = new SimulatedPacketSockets(),
): OpenWorld<PacketSocketWorld> {
  const wire = new SimulatedWire();
  const mac = '02:00:00:00:00:01';
  const device = sockets.addDevice(DEVICE, mac, wire);
  const received: CableFrame[] = [];
  wire.onFrame = (frame) => {
    if (frame.sourceMac === mac) received.push(frame);
  };
  return {
    world: {
      open: (options) => sockets.open(options),
      device: DEVICE,
      mac,
      mtu: device.mtu,
      other: undefined,
      farSends: (frame) => wire.carry(frame),
      farReceived: (etherType) => received.splice(0).filter((frame) => frame.etherType === etherType),
      setUp: (up) => {
        device.up = up;
      },
      removeDevice: () => sockets.removeDevice(DEVICE),
      settle,
    },
    close: () => undefined,
  };
}

export function linuxPacketSocketWorld(): OpenWorld<PacketSocketWorld> {
  ip('link set lo up');
  ip(`link add ${DEVICE} type veth peer name cvpkt1`);
  for (const device of [DEVICE, 'cvpkt1']) quietDevice(device);
  const sockets = new LinuxPacketSockets();
  const sender = new FrameSender('cvpkt1');
  const capture = new LinuxPacketCaptureFactory().open('cvpkt1');
  const opened: { close(): void }[] = [sender, capture];
  const buffer = new Uint8Array(2000 + CAPTURE_HEADROOM);
  const frame = newCapturedFrame();
  const takeInbound = (): Uint8Array[] => {
    const taken: Uint8Array[] = [];
    while (capture.take(buffer, frame))
      if (frame.direction === 'inbound') taken.push(buffer.slice(frame.offset, frame.offset + frame.length));
    return taken;
  };
  return {
    world: {
      open: async (options: PacketSocketOptions): Promise<PacketSocket> => {
        const socket = await sockets.open(options);
        opened.push(socket);
        return socket;
      },
      device: DEVICE,
      mac: /link\/ether (\S+)/.exec(ip(`link show ${DEVICE}`))?.[1] ?? '',
      mtu: 1500,
      other: 'lo',
      farSends: (sent) => sender.send(frameOctets(sent)),
      farReceived: (etherType) =>
        takeInbound()
          .map(cableFrame)
          .filter((received) => received.etherType === etherType),
      setUp: (up) => void ip(`link set ${DEVICE} ${up ? 'up' : 'down'}`),
      removeDevice: () => void ip(`link del ${DEVICE}`),
      settle,
    },
    close: () => {
      closeAll(opened);
      ipQuietly(`link del ${DEVICE}`);
    },
  };
}

function frameOctets({ destinationMac, sourceMac, etherType, payload }: CableFrame): Uint8Array {
  const [destination = [], source = []] = [parseMac(destinationMac), parseMac(sourceMac)];
  return Uint8Array.of(...destination, ...source, etherType >> 8, etherType & 0xff, ...payload);
}

function cableFrame(octets: Uint8Array): CableFrame {
  return {
    destinationMac: formatMac(octets.subarray(0, 6)),
    sourceMac: formatMac(octets.subarray(6, 12)),
    etherType: ((octets[12] ?? 0) << 8) | (octets[13] ?? 0),
    payload: octets.slice(14),
  };
}

/** The same cable, for a thread that may block. */
export function simulatedEthernetWorld(): OpenWorld<EthernetWorld> {
  const packets = new SimulatedPacketSockets();
  const handles = new SimulatedHandles();
  const { world: cable, close } = simulatedPacketSocketWorld(packets);
  const sockets = new SimulatedEthernetSockets(handles, packets);
  const pollers = new SimulatedPollerFactory(handles);
  return { world: { open: (etherType, device = DEVICE) => sockets.open(device, etherType), cable, pollers }, close };
}

export function linuxEthernetWorld(): OpenWorld<EthernetWorld> {
  const { world: cable, close } = linuxPacketSocketWorld();
  const sockets = new LinuxEthernetSocketFactory();
  const opened: { close(): void }[] = [];
  const open = (etherType: number, device = DEVICE): EthernetSocket => {
    const socket = sockets.open(device, etherType);
    opened.push(socket);
    return socket;
  };
  return {
    world: { open, cable, pollers: new LinuxPollerFactory() },
    close: () => {
      closeAll(opened);
      close();
    },
  };
}
