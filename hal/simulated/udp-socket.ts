import { HalError } from '../hal-error.ts';
import { formatIpAddress, isUnspecified, parseIpAddress } from '../ip-address.ts';
import type { DatagramInfo, SocketErrorReport, UdpSocket, UdpSocketOptions } from '../udp-socket.ts';
import { headersOf, IPV4_HEADER, type SimulatedDatagram, withIpv4Header } from './datagram.ts';
import type { SimulatedHandles } from './handles.ts';

/** Datagrams that wait before more are dropped: what a receive buffer of some MiB holds. */
const QUEUE_LENGTH = 2048;

/** Octets that no IP packet exceeds: IPv4 counts its own header in its 16-bit length, IPv6 does not. */
const MAX_PACKET = { 4: 0xffff, 6: 0xffff + 40 } as const;

/** What a socket needs of its host. */
export interface SimulatedHost {
  readonly handles: SimulatedHandles;
  /** Octets of the largest IP packet that the host lets out towards the address in one piece. */
  mtuTowards(destination: string): number;
  hasAddress(address: string): boolean;
  /** The address to leave from when none is asked for; `undefined`: no route. */
  sourceFor(destination: string): string | undefined;
  carry(sender: SimulatedUdpSocket, datagram: SimulatedDatagram): void;
  closed(socket: SimulatedUdpSocket): void;
}

/** A UDP socket or a raw one for ESP or AH. That for ESP gets IPv4 packets with their header in front, as the kernel hands them out. */
export class SimulatedUdpSocket implements UdpSocket {
  readonly handle: number;
  readonly localPort: number;
  readonly family: 4 | 6;
  readonly protocol: SimulatedDatagram['protocol'];
  /** What it is bound to. */
  readonly address: string;
  readonly #options: UdpSocketOptions;
  readonly #host: SimulatedHost;
  readonly #datagrams: SimulatedDatagram[] = [];
  readonly #errors: SocketErrorReport[] = [];
  #closed = false;

  /** @param options with the port that was chosen, and the address in canonical text. */
  constructor(options: UdpSocketOptions, host: SimulatedHost) {
    this.#options = options;
    this.#host = host;
    this.family = options.family;
    this.protocol = options.protocol ?? 'udp';
    this.address = options.address;
    this.localPort = options.port;
    this.handle = host.handles.register(() => this.#datagrams.length > 0 || this.#errors.length > 0);
  }

  receive(into: Uint8Array, info: DatagramInfo): boolean {
    this.#assertOpen();
    const datagram = this.#datagrams.shift();
    if (!datagram) return false;
    const packet = this.#hasHeader ? withIpv4Header(datagram) : datagram.bytes;
    const length = Math.min(packet.length, into.length);
    into.set(packet.subarray(0, length));
    info.offset = this.#hasHeader ? Math.min(IPV4_HEADER, length) : 0;
    info.length = length - info.offset;
    info.remoteAddress = datagram.sourceAddress;
    info.remotePort = datagram.sourcePort;
    info.localAddress = datagram.destinationAddress;
    info.interfaceIndex = 1;
    info.trafficClass = datagram.trafficClass;
    info.truncated = length < packet.length;
    return true;
  }

  send(
    bytes: Uint8Array,
    remoteAddress: string,
    port: number,
    fromAddress: string,
    mayFragment = false,
    trafficClass = 0,
  ): string | undefined {
    this.#assertOpen();
    const remotePort = this.protocol === 'udp' ? port : 0;
    const destination = this.#ownFamily(remoteAddress);
    const from = this.#ownFamily(fromAddress);
    if (destination === undefined || from === undefined) return 'EAFNOSUPPORT';
    if (this.protocol === 'udp' && !isPort(remotePort)) return 'EINVAL';
    const source = this.#sourceAddress(destination, from);
    // The kernel finds no route for a foreign IPv4 source, and calls a foreign IPv6 source an invalid argument.
    if (source === undefined) return isUnspecified(from) || this.family === 4 ? 'ENETUNREACH' : 'EINVAL';
    const dontFragment = (this.#options.dontFragment ?? false) && !mayFragment;
    const packetLength = headersOf(this.family, this.protocol) + bytes.length;
    if (packetLength > MAX_PACKET[this.family]) return 'EMSGSIZE';
    const mtu = this.#host.mtuTowards(destination);
    if (dontFragment && packetLength > mtu) {
      this.#errors.push({ code: 'EMSGSIZE', remoteAddress: destination, remotePort, mtu });
      return 'EMSGSIZE';
    }
    this.#host.carry(this, {
      protocol: this.protocol,
      bytes: bytes.slice(),
      packetLength,
      dontFragment,
      trafficClass,
      sourceAddress: source,
      sourcePort: this.localPort,
      destinationAddress: destination,
      destinationPort: remotePort,
      mark: this.#options.mark,
    });
    return undefined;
  }

  readError(): SocketErrorReport | undefined {
    this.#assertOpen();
    return this.#errors.shift();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.handles.release(this.handle);
    this.#host.closed(this);
  }

  /** The network delivers. */
  arrive(datagram: SimulatedDatagram): void {
    if (!this.#closed && this.#datagrams.length < QUEUE_LENGTH) this.#datagrams.push(datagram);
  }

  /** The network says that nobody listens where the datagram went: no such port, or for ESP no such protocol. */
  refuse(datagram: SimulatedDatagram): void {
    const unknownProtocol = this.family === 4 ? 'ENOPROTOOPT' : 'EPROTO';
    const code = datagram.protocol === 'udp' ? 'ECONNREFUSED' : unknownProtocol;
    this.report(code, datagram.destinationAddress, datagram.destinationPort);
  }

  /** Puts a report into the error queue, as an ICMP message would. @param mtu with `EMSGSIZE`, octets. */
  report(code: string, remoteAddress: string, remotePort: number, mtu = 0): void {
    if (!this.#closed) this.#errors.push({ code, remoteAddress, remotePort, mtu });
  }

  get #hasHeader(): boolean {
    return this.protocol === 'esp' && this.family === 4;
  }

  #sourceAddress(destination: string, from: string): string | undefined {
    if (!isUnspecified(from)) return this.#host.hasAddress(from) ? from : undefined;
    return isUnspecified(this.address) ? this.#host.sourceFor(destination) : this.address;
  }

  /** In canonical text, when it is an address of the socket's family. */
  #ownFamily(text: string): string | undefined {
    const octets = parseIpAddress(text);
    return octets?.length === (this.family === 4 ? 4 : 16) ? formatIpAddress(octets) : undefined;
  }

  #assertOpen(): void {
    if (this.#closed) throw new HalError('The UDP socket is closed.', 'EBADF');
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 0xffff;
}
