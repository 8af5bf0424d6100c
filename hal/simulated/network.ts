/** Hosts that send each other UDP and ESP datagrams in memory. */
import type { Clock } from '../clock.ts';
import { HalError } from '../hal-error.ts';
import { formatIpAddress, isUnspecified, parseIpAddress } from '../ip-address.ts';
import type { UdpSocket, UdpSocketFactory, UdpSocketOptions } from '../udp-socket.ts';
import type { SimulatedDatagram } from './datagram.ts';
import type { SimulatedEntropy } from './entropy.ts';
import type { SimulatedHandles } from './handles.ts';
import { SimulatedUdpSocket } from './udp-socket.ts';

/** The ephemeral ports, as Linux has them. */
const FIRST_EPHEMERAL_PORT = 32_768;
const LAST_EPHEMERAL_PORT = 60_999;

/** Octets of the largest IPv4 packet: no limit at all. */
const LARGEST_MTU = 65_535;

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

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
  /** The traffic class octet with which each datagram arrives, for routers that mark congestion (RFC 3168 section 5). */
  trafficClass: (datagram: SimulatedDatagram) => number = (datagram) => datagram.trafficClass;
  /** Octets of the largest packet towards an address, where the hosts know it to be less than that of every path. */
  readonly knownPathMtus = new Map<string, number>();
  /**
   * Octets of the largest packet that the routers towards an address pass on, of which the hosts do not know yet: the first
   * larger one with DF is lost and reported (RFC 1191 section 3), and from then on the hosts know it.
   */
  readonly narrowPaths = new Map<string, number>();

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

  /** Octets of the largest packet towards an address in canonical text, as far as the hosts know. */
  mtuTowards(destination: string): number {
    return Math.min(this.#options.mtu ?? LARGEST_MTU, this.knownPathMtus.get(destination) ?? LARGEST_MTU);
  }

  /** Sends a datagram on its way from `sender`. */
  carry(sender: SimulatedUdpSocket, host: SimulatedUdpSocketFactory, datagram: SimulatedDatagram): void {
    if (this.filter(datagram) === 'drop') return;
    const { delay = 0, clock, loss = 0, entropy } = this.#options;
    if (loss > 0 && entropy && entropy.fraction() < loss) return;
    const narrow = this.narrowPaths.get(datagram.destinationAddress);
    if (narrow !== undefined && datagram.dontFragment && datagram.packetLength > narrow) {
      this.knownPathMtus.set(datagram.destinationAddress, narrow);
      sender.report('EMSGSIZE', datagram.destinationAddress, datagram.destinationPort, narrow);
      return;
    }
    const target = LOOPBACK.includes(datagram.destinationAddress)
      ? host
      : this.#hosts.find((other) => other.addresses.has(datagram.destinationAddress));
    // Nobody there: on a real network silence, since the last router may report it or not.
    if (!target) return;
    const arrive = (): void => {
      const receivers = target.socketsFor(datagram);
      const arrived = { ...datagram, trafficClass: this.trafficClass(datagram) & 0xff };
      for (const receiver of receivers) receiver.arrive(arrived);
      if (receivers.length === 0) sender.refuse(datagram);
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

  open(asked: UdpSocketOptions): UdpSocket {
    const raw = asked.protocol === 'esp' || asked.protocol === 'ah';
    const options = raw ? { ...asked, port: 0 } : asked;
    if (asked.protocol === 'ah' && asked.family === 6) {
      throw new HalError('A raw AH socket is of IPv4 alone.', 'EAFNOSUPPORT');
    }
    const octets = parseIpAddress(options.address);
    if (octets?.length !== (options.family === 4 ? 4 : 16)) {
      throw new HalError(`${JSON.stringify(options.address)} is no IPv${options.family} address.`, 'EINVAL');
    }
    if (!Number.isInteger(options.port) || options.port < 0 || options.port > 0xffff) {
      throw new HalError(`${options.port} is no UDP port.`, 'EINVAL');
    }
    const address = canonical(options.address);
    if (!isUnspecified(address) && !this.addresses.has(address)) {
      throw new HalError(`The socket cannot be bound: this machine does not have ${address}.`, 'EADDRNOTAVAIL');
    }
    const port = raw ? 0 : options.port || this.#freePort(options.family, address);
    if (!raw && this.#isTaken(options.family, address, port)) {
      throw new HalError(`The UDP socket cannot be bound: ${address} port ${port} is in use.`, 'EADDRINUSE');
    }
    const socket = new SimulatedUdpSocket(
      { ...options, address, port },
      {
        handles: this.#handles,
        mtuTowards: (destination) => this.#network.mtuTowards(destination),
        hasAddress: (text) => this.addresses.has(text),
        sourceFor: (destination) => this.#sourceFor(options.family, destination),
        carry: (sender, datagram) => this.#network.carry(sender, this, datagram),
        closed: (closed) => this.#sockets.delete(closed),
      },
    );
    this.#sockets.add(socket);
    return socket;
  }

  /**
   * The open sockets that get what arrives: for UDP one, and that bound to just the address goes first; for ESP all that
   * hear the address, a copy each.
   */
  socketsFor(datagram: SimulatedDatagram): readonly SimulatedUdpSocket[] {
    const { protocol, destinationAddress: address, destinationPort: port } = datagram;
    const family = address.includes(':') ? 6 : 4;
    const candidates = [...this.#sockets].filter(
      (socket) =>
        socket.protocol === protocol &&
        socket.localPort === port &&
        socket.family === family &&
        (socket.address === address || isUnspecified(socket.address)),
    );
    if (protocol !== 'udp') return candidates;
    return candidates
      .toSorted((a, b) => Number(isUnspecified(a.address)) - Number(isUnspecified(b.address)))
      .slice(0, 1);
  }

  #isTaken(family: 4 | 6, address: string, port: number): boolean {
    return [...this.#sockets].some(
      (socket) =>
        socket.protocol === 'udp' &&
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
