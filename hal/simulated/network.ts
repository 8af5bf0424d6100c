/** Hosts that send each other UDP datagrams in memory. */
import type { Clock } from '../clock.ts';
import { HalError } from '../hal-error.ts';
import { formatIpAddress, isUnspecified, parseIpAddress } from '../ip-address.ts';
import type { UdpSocket, UdpSocketFactory, UdpSocketOptions } from '../udp-socket.ts';
import type { SimulatedEntropy } from './entropy.ts';
import type { SimulatedHandles } from './handles.ts';
import { SimulatedUdpSocket } from './udp-socket.ts';

/** The ephemeral ports, as Linux has them. */
const FIRST_EPHEMERAL_PORT = 32_768;
const LAST_EPHEMERAL_PORT = 60_999;

/** Octets of the headers in front of a datagram's payload. */
const HEADERS = { 4: 20 + 8, 6: 40 + 8 } as const;

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/** A datagram under way. */
export interface SimulatedDatagram {
  readonly bytes: Uint8Array;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
  /** SO_MARK of the sending socket. */
  readonly mark: number;
}

export interface SimulatedNetworkOptions {
  /** Milliseconds from sending to arrival; more than 0 takes a clock. */
  readonly delay?: number;
  readonly clock?: Clock;
  /** Share of datagrams that are lost, 0..1; more than 0 takes entropy. */
  readonly loss?: number;
  readonly entropy?: SimulatedEntropy;
  /** Largest IP packet of every path, octets; a larger one is fragmented, or refused with `dontFragment`. */
  readonly mtu?: number;
}

export class SimulatedNetwork {
  readonly #handles: SimulatedHandles;
  readonly #options: SimulatedNetworkOptions;
  readonly #hosts: SimulatedUdpSocketFactory[] = [];
  /** Decides what becomes of each datagram, for tests that lose a certain one. Default: all arrive. */
  filter: (datagram: SimulatedDatagram) => 'deliver' | 'drop' = () => 'deliver';

  constructor(handles: SimulatedHandles, options: SimulatedNetworkOptions = {}) {
    if (options.delay && !options.clock) throw new RangeError('a delay needs a clock');
    if (options.loss && !options.entropy) throw new RangeError('loss needs entropy');
    this.#handles = handles;
    this.#options = options;
  }

  /** A new host that has these addresses (and loopback), as its sockets see it. */
  udpSockets(hostAddresses: readonly string[]): SimulatedUdpSocketFactory {
    const host = new SimulatedUdpSocketFactory(this.#handles, this, hostAddresses);
    this.#hosts.push(host);
    return host;
  }

  /** Octets of payload that fit one packet. */
  payloadLimit(family: 4 | 6): number {
    return this.mtu - HEADERS[family];
  }

  get mtu(): number {
    return this.#options.mtu ?? 65_535;
  }

  /** Sends a datagram on its way from `sender`. */
  carry(sender: SimulatedUdpSocket, host: SimulatedUdpSocketFactory, datagram: SimulatedDatagram): void {
    if (this.filter(datagram) === 'drop') return;
    const { delay = 0, clock, loss = 0, entropy } = this.#options;
    if (loss > 0 && entropy && entropy.fraction() < loss) return;
    const target = LOOPBACK.includes(datagram.destinationAddress)
      ? host
      : this.#hosts.find((other) => other.addresses.has(datagram.destinationAddress));
    // Nobody there: on a real network silence, since the last router may report it or not.
    if (!target) return;
    const arrive = (): void => {
      const receiver = target.socketFor(datagram.destinationAddress, datagram.destinationPort);
      if (receiver) receiver.arrive(datagram);
      else sender.refuse(datagram);
    };
    if (delay > 0 && clock) clock.setTimer(clock.now() + delay, arrive);
    else arrive();
  }
}

/** The sockets of one host. */
export class SimulatedUdpSocketFactory implements UdpSocketFactory {
  readonly #handles: SimulatedHandles;
  readonly #network: SimulatedNetwork;
  readonly #sockets = new Set<SimulatedUdpSocket>();
  /** In canonical text; may be changed while sockets are open, as a host's addresses are. */
  readonly addresses: Set<string>;
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(handles: SimulatedHandles, network: SimulatedNetwork, addresses: readonly string[]) {
    this.#handles = handles;
    this.#network = network;
    this.addresses = new Set([...LOOPBACK, ...addresses.map(canonical)]);
  }

  open(options: UdpSocketOptions): UdpSocket {
    const octets = parseIpAddress(options.address);
    if (octets?.length !== (options.family === 4 ? 4 : 16)) {
      throw new HalError(`${JSON.stringify(options.address)} is no IPv${options.family} address.`, 'EINVAL');
    }
    if (!Number.isInteger(options.port) || options.port < 0 || options.port > 0xffff) {
      throw new HalError(`${options.port} is no UDP port.`, 'EINVAL');
    }
    const address = canonical(options.address);
    if (!isUnspecified(address) && !this.addresses.has(address)) {
      throw new HalError(`The UDP socket cannot be bound: this machine does not have ${address}.`, 'EADDRNOTAVAIL');
    }
    const port = options.port || this.#freePort(options.family, address);
    if (this.#isTaken(options.family, address, port)) {
      throw new HalError(`The UDP socket cannot be bound: ${address} port ${port} is in use.`, 'EADDRINUSE');
    }
    const socket = new SimulatedUdpSocket(
      { ...options, address, port },
      {
        handles: this.#handles,
        limit: this.#network.payloadLimit(options.family),
        mtu: this.#network.mtu,
        hasAddress: (text) => this.addresses.has(text),
        sourceFor: (destination) => this.#sourceFor(options.family, destination),
        carry: (sender, datagram) => this.#network.carry(sender, this, datagram),
        closed: (closed) => this.#sockets.delete(closed),
      },
    );
    this.#sockets.add(socket);
    return socket;
  }

  /** The open socket that gets what is sent to this address and port: one bound to just the address goes first. */
  socketFor(address: string, port: number): SimulatedUdpSocket | undefined {
    const family = address.includes(':') ? 6 : 4;
    const candidates = [...this.#sockets].filter((socket) => socket.localPort === port && socket.family === family);
    return candidates.find((socket) => socket.address === address) ?? candidates.find((s) => isUnspecified(s.address));
  }

  #isTaken(family: 4 | 6, address: string, port: number): boolean {
    return [...this.#sockets].some(
      (socket) =>
        socket.family === family &&
        socket.localPort === port &&
        (socket.address === address || isUnspecified(socket.address) || isUnspecified(address)),
    );
  }

  #freePort(family: 4 | 6, address: string): number {
    const count = LAST_EPHEMERAL_PORT - FIRST_EPHEMERAL_PORT + 1;
    for (let tried = 0; tried < count; tried++) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_EPHEMERAL_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
      if (!this.#isTaken(family, address, port)) return port;
    }
    throw new HalError('The UDP socket cannot be bound: every ephemeral port is in use.', 'EADDRINUSE');
  }

  /** The kernel's choice: loopback for itself, else the first address of the family. */
  #sourceFor(family: 4 | 6, destination: string): string | undefined {
    if (this.addresses.has(destination)) return destination;
    return [...this.addresses].find((text) => !LOOPBACK.includes(text) && (text.includes(':') ? 6 : 4) === family);
  }
}

/** @throws HalError when the text is no address. */
function canonical(text: string): string {
  const octets = parseIpAddress(text);
  if (!octets) throw new HalError(`${JSON.stringify(text)} is no IP address.`, 'EINVAL');
  return formatIpAddress(octets);
}
