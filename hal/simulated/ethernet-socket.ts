import type { EthernetFrameInfo, EthernetSocket, EthernetSocketFactory } from '../ethernet-socket.ts';
import { HalError } from '../hal-error.ts';
import { formatMac, type PacketSocket, parseMac, type ReceivedFrame } from '../packet-socket.ts';
import type { SimulatedHandles } from './handles.ts';
import type { SimulatedPacketSockets } from './packet-socket.ts';

/** On the devices of a simulated machine's packet sockets, so that both hear what passes on one wire. */
export class SimulatedEthernetSockets implements EthernetSocketFactory {
  readonly #handles: SimulatedHandles;
  readonly #packets: SimulatedPacketSockets;

  constructor(handles: SimulatedHandles, packets: SimulatedPacketSockets) {
    this.#handles = handles;
    this.#packets = packets;
  }

  open(device: string, etherType: number): EthernetSocket {
    const plugged = this.#packets.device(device);
    if (plugged === undefined)
      throw new HalError(`There is no network device ${device} to carry PPPoE: see "ip link".`, 'ENODEV');
    return new SimulatedEthernetSocket(this.#handles, plugged.open({ device, etherType }));
  }
}

class SimulatedEthernetSocket implements EthernetSocket {
  readonly handle: number;
  readonly #handles: SimulatedHandles;
  readonly #socket: PacketSocket;
  readonly #waiting: ReceivedFrame[] = [];
  #gone = false;
  #closed = false;

  constructor(handles: SimulatedHandles, socket: PacketSocket) {
    this.#handles = handles;
    this.#socket = socket;
    this.handle = handles.register(() => this.#waiting.length > 0 || this.#gone);
    socket.onFrame = (frame) => {
      if (frame.destination === 'host') this.#waiting.push(frame);
    };
    void socket.ended.then((end) => {
      if (end === 'gone') this.#gone = true;
    });
  }

  receive(into: Uint8Array, info: EthernetFrameInfo): boolean {
    this.#assertOpen();
    const frame = this.#waiting.shift();
    if (frame === undefined) {
      if (this.#gone) throw new HalError(`The network device ${this.#socket.device} was removed.`, 'ENODEV');
      return false;
    }
    into.set(frame.payload.subarray(0, into.length));
    info.length = frame.payload.length;
    info.source.set(parseMac(frame.sourceMac) ?? []);
    return true;
  }

  send(destination: Uint8Array, payload: Uint8Array): string | undefined {
    this.#assertOpen();
    return this.#socket.send(formatMac(destination), payload)?.code;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handles.release(this.handle);
    this.#socket.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new HalError(`The socket on ${this.#socket.device} is closed.`, 'EBADF');
  }
}
