import { HalError } from '../hal-error.ts';
import { formatIpAddress, isUnspecified, parseIpAddress } from '../ip-address.ts';
import type { DatagramInfo, SocketErrorReport, UdpSocket, UdpSocketOptions } from '../udp-socket.ts';
import type { SimulatedHandles } from './handles.ts';
import type { SimulatedDatagram } from './network.ts';

/** Datagrams that wait before more are dropped: what a receive buffer of some MiB holds. */
const QUEUE_LENGTH = 2048;

/** Octets of payload that no datagram exceeds: IPv4 counts its own header in its 16-bit length, IPv6 does not. */
const MAX_PAYLOAD = { 4: 0xffff - 20 - 8, 6: 0xffff - 8 } as const;

/** What a socket needs of its host. */
export interface SimulatedHost {
  readonly handles: SimulatedHandles;
  /** Octets of payload that go unfragmented. */
  readonly limit: number;
  readonly mtu: number;
  hasAddress(address: string): boolean;
  /** The address to leave from when none is asked for; `undefined`: no route. */
  sourceFor(destination: string): string | undefined;
  carry(sender: SimulatedUdpSocket, datagram: SimulatedDatagram): void;
  closed(socket: SimulatedUdpSocket): void;
}

export class SimulatedUdpSocket implements UdpSocket {
  readonly handle: number;
  readonly localPort: number;
  readonly family: 4 | 6;
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
    this.address = options.address;
    this.localPort = options.port;
    this.handle = host.handles.register(() => this.#datagrams.length > 0 || this.#errors.length > 0);
  }

  receive(into: Uint8Array, info: DatagramInfo): boolean {
    this.#assertOpen();
    const datagram = this.#datagrams.shift();
    if (!datagram) return false;
    const length = Math.min(datagram.bytes.length, into.length);
    into.set(datagram.bytes.subarray(0, length));
    info.length = length;
    info.remoteAddress = datagram.sourceAddress;
    info.remotePort = datagram.sourcePort;
    info.localAddress = datagram.destinationAddress;
    info.interfaceIndex = 1;
    info.truncated = length < datagram.bytes.length;
    return true;
  }

  send(bytes: Uint8Array, remoteAddress: string, remotePort: number, fromAddress: string): string | undefined {
    this.#assertOpen();
    const destination = this.#ownFamily(remoteAddress);
    const from = this.#ownFamily(fromAddress);
    if (destination === undefined || from === undefined) return 'EAFNOSUPPORT';
    if (!Number.isInteger(remotePort) || remotePort < 1 || remotePort > 0xffff) return 'EINVAL';
    const source = this.#sourceAddress(destination, from);
    // The kernel finds no route for a foreign IPv4 source, and calls a foreign IPv6 source an invalid argument.
    if (source === undefined) return isUnspecified(from) || this.family === 4 ? 'ENETUNREACH' : 'EINVAL';
    if (bytes.length > MAX_PAYLOAD[this.family]) return 'EMSGSIZE';
    if (this.#options.dontFragment && bytes.length > this.#host.limit) {
      this.#errors.push({ code: 'EMSGSIZE', remoteAddress: destination, remotePort, mtu: this.#host.mtu });
      return 'EMSGSIZE';
    }
    this.#host.carry(this, {
      bytes: bytes.slice(),
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

  /** The network says that nobody listens where the datagram went. */
  refuse(datagram: SimulatedDatagram): void {
    this.report('ECONNREFUSED', datagram.destinationAddress, datagram.destinationPort);
  }

  /** Puts a report into the error queue, as an ICMP message would. @param mtu with `EMSGSIZE`, octets. */
  report(code: string, remoteAddress: string, remotePort: number, mtu = 0): void {
    if (!this.#closed) this.#errors.push({ code, remoteAddress, remotePort, mtu });
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
