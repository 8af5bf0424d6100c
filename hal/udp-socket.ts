/** UDP sockets that know by which address a datagram came in and can choose the one it leaves from. */
export interface UdpSocketFactory {
  /** @throws HalError: in use, address not here, capability missing. */
  open(options: UdpSocketOptions): UdpSocket;
}

export interface UdpSocketOptions {
  readonly family: 4 | 6;
  /** `0.0.0.0` or `::` for all addresses. */
  readonly address: string;
  /** 0: ephemeral. */
  readonly port: number;
  /** SO_MARK, 0: none. */
  readonly mark: number;
  /** SO_BINDTODEVICE. */
  readonly device?: string;
  /**
   * `esp`: a raw socket of IP protocol 50 (RFC 4303) instead. `port` is ignored, ports are 0 both ways, and a payload is what
   * stands behind the IP header. `ah`: the same of protocol 51 (RFC 4302), of IPv4 alone, but that both ways a payload is the
   * whole IP packet, of which the kernel fills in Total Length and Header Checksum, and never fragments it. Default `udp`.
   */
  readonly protocol?: 'udp' | 'esp' | 'ah';
  /** Set the Don't Fragment bit and report ICMP "too big" on the error queue. Default false. */
  readonly dontFragment?: boolean;
}

/** Filled by {@link UdpSocket.receive}; one object serves for all calls. */
export interface DatagramInfo {
  /** Where the payload begins in the buffer: behind the IP header on a raw IPv4 socket for ESP, 0 elsewhere. */
  offset: number;
  /** Octets of payload. */
  length: number;
  remoteAddress: string;
  remotePort: number;
  /** The address that the sender wrote to. */
  localAddress: string;
  interfaceIndex: number;
  /** Traffic class octet (TOS) of the IP header, of which the low two bits are the ECN field. */
  trafficClass: number;
  /** The datagram was longer than the buffer: drop it. */
  truncated: boolean;
}

/** From the socket's error queue (ICMP and local errors). */
export interface SocketErrorReport {
  /** `ECONNREFUSED`, `EHOSTUNREACH`, `EMSGSIZE` ... */
  readonly code: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Path MTU with `EMSGSIZE`, octets; 0 otherwise. */
  readonly mtu: number;
}

export interface UdpSocket {
  readonly localPort: number;
  /** For {@link Poller}. */
  readonly handle: number;
  /** @returns false when nothing is waiting. A pending socket error is no datagram: it is cleared, and false returned. */
  receive(into: Uint8Array, info: DatagramInfo): boolean;
  /**
   * @param fromAddress leave from this local address (the unspecified one: the kernel chooses).
   * @param mayFragment with `dontFragment`: this one may be fragmented all the same. Default false.
   * @param trafficClass octet (TOS) of the IP header. Default 0.
   * @returns undefined when sent, else the errno name (`EAGAIN`, `EHOSTUNREACH`, `EPERM` ...). Never throws for the network's sake.
   */
  send(
    bytes: Uint8Array,
    remoteAddress: string,
    remotePort: number,
    fromAddress: string,
    mayFragment?: boolean,
    trafficClass?: number,
  ): string | undefined;
  /** The next report of the error queue, `undefined` when it is empty. */
  readError(): SocketErrorReport | undefined;
  close(): void;
}
