/** ICMP and ICMPv6 messages, sent and received as they are: for questions of reachability. */
export interface IcmpSocketFactory {
  /** @throws HalError: capability missing, no such device, no such family. */
  open(options: IcmpSocketOptions): IcmpSocket;
}

export interface IcmpSocketOptions {
  readonly family: 4 | 6;
  /** SO_MARK, 0: none. */
  readonly mark: number;
  /** SO_BINDTODEVICE: leaves by it, and hears what comes in by it. */
  readonly device?: string;
  /** Leave from this address of ours, by which the routes of a source are chosen. Absent: the machine chooses. */
  readonly address?: string;
  /** Set the Don't Fragment bit, and fragment nothing here. */
  readonly dontFragment: boolean;
}

/** Filled by {@link IcmpSocket.receive}; one object serves for all calls. */
export interface IcmpMessageInfo {
  /** Where the message begins in the buffer, behind the IP header if there is one. */
  offset: number;
  /** Octets of the message. */
  length: number;
  remoteAddress: string;
  /** TTL or Hop Limit with which it arrived; 0: not told. */
  hopLimit: number;
  /** Since the machine received it, ms, with a fraction. */
  ageMs: number;
}

export interface IcmpRefusal {
  /** errno name: `EMSGSIZE`, `ENETUNREACH`, `EHOSTUNREACH`, `EPERM` ... */
  readonly code: string;
  /** Path MTU with `EMSGSIZE`, octets, as far as the machine knows it; else 0. */
  readonly mtu: number;
}

export interface IcmpSocket {
  /**
   * Every ICMP message that comes to this machine, answers to others included: it is the caller's to know its own.
   * @returns false when none is waiting.
   */
  receive(into: Uint8Array, info: IcmpMessageInfo): boolean;
  /**
   * @param message with its checksum; of ICMPv6 without: that covers addresses and is the machine's to fill in (RFC 3542
   * section 3.1).
   * @param hopLimit 1..255.
   * @returns undefined when it was sent. Never throws for the network's sake.
   */
  send(message: Uint8Array, remoteAddress: string, hopLimit: number): IcmpRefusal | undefined;
  close(): void;
}

export function newIcmpMessageInfo(): IcmpMessageInfo {
  return { offset: 0, length: 0, remoteAddress: '', hopLimit: 0, ageMs: 0 };
}
