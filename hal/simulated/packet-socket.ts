import type { Clock } from '../clock.ts';
import { HalError } from '../hal-error.ts';
import { assertInterfaceName } from '../names.ts';
import {
  BROADCAST_MAC,
  FRAMES_PER_TURN,
  type FrameDestination,
  type PacketSocket,
  type PacketSocketEnd,
  type PacketSocketOptions,
  type PacketSockets,
  parseMac,
  type ReceivedFrame,
} from '../packet-socket.ts';
import { assertPacketSocketOptions, packetSendRefused } from '../packet-socket-words.ts';
import type { SimulatedEntropy } from './entropy.ts';

/** Frames that wait in a socket before more are dropped, as many as a receive buffer holds. */
const QUEUE_LENGTH = 256;

/** A frame on a wire. */
export interface SimulatedFrame {
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly etherType: number;
  readonly payload: Uint8Array;
}

export interface SimulatedWireOptions {
  /** Milliseconds from sending to arrival; more than 0 takes a clock. Without one it comes in a microtask. */
  readonly delay?: number;
  readonly clock?: Clock;
  /** Share of frames that are lost, 0..1; more than 0 takes entropy. */
  readonly loss?: number;
  readonly entropy?: SimulatedEntropy;
}

/** An Ethernet segment: whatever one device sends all others hear. */
export class SimulatedWire {
  readonly #options: SimulatedWireOptions;
  readonly #devices = new Set<SimulatedEthernetDevice>();
  /** Called with every frame that is sent, lost ones included. */
  onFrame: ((frame: SimulatedFrame) => void) | undefined;
  /** Decides what becomes of each frame. Default: all arrive. */
  filter: (frame: SimulatedFrame) => 'deliver' | 'drop' = () => 'deliver';

  constructor(options: SimulatedWireOptions = {}) {
    if (options.delay && !options.clock) throw new RangeError('a delay needs a clock');
    if (options.loss && !options.entropy) throw new RangeError('loss needs entropy');
    this.#options = options;
  }

  plug(device: SimulatedEthernetDevice): void {
    this.#devices.add(device);
  }

  unplug(device: SimulatedEthernetDevice): void {
    this.#devices.delete(device);
  }

  /** Sends a frame, as a host that is nothing but this frame does. */
  carry(frame: SimulatedFrame, from?: SimulatedEthernetDevice): void {
    this.onFrame?.(frame);
    if (this.filter(frame) === 'drop') return;
    const { delay = 0, clock, loss = 0, entropy } = this.#options;
    if (loss > 0 && entropy && entropy.fraction() < loss) return;
    const copy = { ...frame, payload: frame.payload.slice() };
    const arrive = (): void => {
      for (const device of this.#devices) if (device !== from) device.hear(copy);
    };
    if (delay > 0 && clock) clock.setTimer(clock.now() + delay, arrive);
    else arrive();
  }
}

/** The Ethernet devices of a simulated machine. */
export class SimulatedPacketSockets implements PacketSockets {
  readonly #devices = new Map<string, SimulatedEthernetDevice>();

  /** @param wire what it is plugged into; absent: into nothing. */
  addDevice(name: string, mac: string, wire?: SimulatedWire, mtu = 1500): SimulatedEthernetDevice {
    const device = new SimulatedEthernetDevice(name, mac, mtu, wire);
    this.#devices.set(name, device);
    wire?.plug(device);
    return device;
  }

  removeDevice(name: string): void {
    this.#devices.get(name)?.remove();
    this.#devices.delete(name);
  }

  device(name: string): SimulatedEthernetDevice | undefined {
    return this.#devices.get(name);
  }

  async open(options: PacketSocketOptions): Promise<PacketSocket> {
    assertInterfaceName(options.device);
    assertPacketSocketOptions(options);
    const device = this.#devices.get(options.device);
    if (device === undefined)
      throw new HalError(`There is no network device ${options.device} to listen on: see "ip link".`, 'ENODEV');
    return device.open(options);
  }

  /** How many sockets are open. */
  get running(): number {
    return [...this.#devices.values()].reduce((sum, { running }) => sum + running, 0);
  }
}

export class SimulatedEthernetDevice {
  readonly name: string;
  mac: string;
  mtu: number;
  up = true;
  /** Whether what its own machine sends has no checksum yet when it arrives, as between two ends of a veth. */
  checksumPending = false;
  readonly #wire: SimulatedWire | undefined;
  readonly #sockets = new Set<SimulatedPacketSocket>();

  constructor(name: string, mac: string, mtu: number, wire: SimulatedWire | undefined) {
    this.name = name;
    this.mac = mac;
    this.mtu = mtu;
    this.#wire = wire;
  }

  get running(): number {
    return this.#sockets.size;
  }

  open(options: PacketSocketOptions): PacketSocket {
    const socket: SimulatedPacketSocket = new SimulatedPacketSocket(this, options, () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
    return socket;
  }

  remove(): void {
    this.#wire?.unplug(this);
    for (const socket of [...this.#sockets]) socket.end('gone');
  }

  transmit(frame: SimulatedFrame): void {
    this.#wire?.carry(frame, this);
  }

  hear(frame: SimulatedFrame): void {
    if (!this.up) return;
    const destination = this.#destinationOf(frame.destinationMac);
    if (destination === undefined) return;
    const { sourceMac, payload, etherType } = frame;
    for (const socket of this.#sockets)
      socket.arrive(etherType, { sourceMac, destination, payload, checksumPending: this.checksumPending });
  }

  #destinationOf(mac: string): FrameDestination | undefined {
    if (mac.toLowerCase() === BROADCAST_MAC) return 'broadcast';
    if (((parseMac(mac)?.[0] ?? 0) & 1) === 1) return 'multicast';
    return mac.toLowerCase() === this.mac.toLowerCase() ? 'host' : undefined;
  }
}

class SimulatedPacketSocket implements PacketSocket {
  readonly device: string;
  readonly #device: SimulatedEthernetDevice;
  readonly #options: PacketSocketOptions;
  readonly #left: () => void;
  readonly #ended = Promise.withResolvers<PacketSocketEnd>();
  readonly #waiting: ReceivedFrame[] = [];
  #handing = false;
  #closed = false;
  onFrame: ((frame: ReceivedFrame) => void) | undefined;

  constructor(device: SimulatedEthernetDevice, options: PacketSocketOptions, left: () => void) {
    this.device = device.name;
    this.#device = device;
    this.#options = options;
    this.#left = left;
  }

  get ended(): Promise<PacketSocketEnd> {
    return this.#ended.promise;
  }

  get mac(): string {
    return this.#device.mac;
  }

  get mtu(): number {
    return this.#device.mtu;
  }

  send(destinationMac: string, payload: Uint8Array): HalError | undefined {
    const code = this.#obstacle(destinationMac, payload);
    if (code !== '') return packetSendRefused(this.device, code);
    const { etherType } = this.#options;
    this.#device.transmit({ sourceMac: this.mac, destinationMac, etherType, payload: payload.slice() });
    return undefined;
  }

  close(): void {
    this.end('closed');
  }

  end(end: PacketSocketEnd): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    this.#left();
    this.#ended.resolve(end);
  }

  arrive(etherType: number, frame: ReceivedFrame): void {
    const { udpPort } = this.#options;
    if (etherType !== this.#options.etherType || this.#waiting.length >= QUEUE_LENGTH) return;
    if (udpPort !== undefined && !isUdpTo(frame.payload, udpPort)) return;
    this.#waiting.push({ ...frame, payload: frame.payload.slice() });
    this.#handLater();
  }

  #handLater(): void {
    if (this.#handing) return;
    this.#handing = true;
    queueMicrotask(() => {
      this.#handing = false;
      for (let count = 0; count < FRAMES_PER_TURN && !this.#closed; count += 1) {
        const frame = this.#waiting.shift();
        if (frame === undefined) return;
        this.onFrame?.(frame);
      }
      if (this.#waiting.length > 0) this.#handLater();
    });
  }

  /** @returns why it cannot be sent; empty: it can. */
  #obstacle(destinationMac: string, payload: Uint8Array): string {
    if (parseMac(destinationMac) === undefined) return 'EINVAL';
    if (this.#closed) return 'EBADF';
    if (!this.#device.up) return 'ENETDOWN';
    return payload.length > this.#device.mtu ? 'EMSGSIZE' : '';
  }
}

/** An IPv4 packet that is a whole UDP datagram to this port. */
function isUdpTo(packet: Uint8Array, port: number): boolean {
  const headerLength = ((packet[0] ?? 0) & 0x0f) * 4;
  if (packet.length < headerLength + 4 || packet[9] !== 17) return false;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  return (view.getUint16(6) & 0x3fff) === 0 && view.getUint16(headerLength + 2) === port;
}
