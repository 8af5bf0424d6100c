/** UDP sockets, and raw ones of ESP and AH, by recvmsg and sendmsg: packet information both ways, and the error queue. */
import { HalError } from '../hal-error.ts';
import type { DatagramInfo, SocketErrorReport, UdpSocket, UdpSocketFactory, UdpSocketOptions } from '../udp-socket.ts';
import {
  IP_PKTINFO,
  IP_RECVERR,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_RECVERR,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_TRUNC,
} from './ffi/constants.ts';
import { EAGAIN, EINTR, errnoName, OWN_SEND_ERRORS, PENDING_ERROR_RETRIES } from './ffi/errno.ts';
import { IN_PKTINFO, IN6_PKTINFO, SOCK_EXTENDED_ERR, SOCKADDR_IN, SOCKADDR_IN6 } from './ffi/layout.ts';
import { close, recvmsg, sendmsg } from './ffi/libc.ts';
import { type ControlVisitor, Message } from './ffi/message.ts';
import {
  AddressOctets,
  AddressTexts,
  addressSize,
  type Family,
  socketAddressSize,
  writeSocketAddress,
} from './ffi/socket-address.ts';
import { payloadOffset } from './raw-ipv4.ts';
import { openUdpDescriptor, setMtuDiscovery } from './udp-open.ts';

/** Octets of C's `int`. */
const INT = 4;

export class LinuxUdpSocketFactory implements UdpSocketFactory {
  open(options: UdpSocketOptions): UdpSocket {
    const { handle, port } = openUdpDescriptor(options);
    return new LinuxUdpSocket(options, handle, port);
  }
}

class LinuxUdpSocket implements UdpSocket {
  readonly handle: number;
  readonly localPort: number;
  readonly #family: Family;
  /** For ESP and AH: without ports. */
  readonly #raw: boolean;
  /** What comes in has the IP header in front, which is not of the payload. */
  readonly #skipsHeader: boolean;
  readonly #dontFragment: boolean;
  readonly #incoming = new Message();
  readonly #outgoing = new Message();
  readonly #texts: AddressTexts;
  readonly #octets: AddressOctets;
  readonly #unspecified: string;
  readonly #visitInfo: ControlVisitor;
  readonly #visitError: ControlVisitor;
  #info: DatagramInfo | undefined;
  #report: SocketErrorReport | undefined;
  /** What the outgoing message holds, so that a stream to one peer is not encoded again and again. */
  #sentTo = '';
  #sentToPort = -1;
  #sentFrom: string | undefined;
  #sentClass = 0;
  #closed = false;

  constructor(options: UdpSocketOptions, handle: number, port: number) {
    const { family, protocol, dontFragment = false } = options;
    this.#family = family;
    this.#raw = protocol === 'esp' || protocol === 'ah';
    this.#skipsHeader = protocol === 'esp' && family === 4;
    this.#dontFragment = dontFragment;
    this.handle = handle;
    this.localPort = port;
    this.#texts = new AddressTexts(family);
    this.#octets = new AddressOctets(family);
    this.#unspecified = family === 4 ? '0.0.0.0' : '::';
    this.#visitInfo = family === 4 ? this.#takeIpv4Info.bind(this) : this.#takeIpv6Info.bind(this);
    this.#visitError = this.#takeError.bind(this);
  }

  receive(into: Uint8Array, info: DatagramInfo): boolean {
    this.#assertOpen();
    const message = this.#incoming;
    for (let attempt = 0; attempt <= PENDING_ERROR_RETRIES; attempt++) {
      message.offerRoom();
      message.setPayload(into);
      const length = recvmsg(this.handle, message.octets, MSG_DONTWAIT);
      if (length === -EAGAIN) return false;
      // A pending error is cleared by having been told; there may be a datagram behind it.
      if (length < 0) continue;
      info.offset = this.#skipsHeader ? payloadOffset(into, length) : 0;
      info.length = length - info.offset;
      info.remoteAddress = this.#remoteAddress();
      info.remotePort = this.#remotePort();
      info.localAddress = this.#unspecified;
      info.interfaceIndex = 0;
      info.trafficClass = 0;
      info.truncated = (message.flags & MSG_TRUNC) !== 0;
      this.#info = info;
      message.eachControl(this.#visitInfo);
      this.#info = undefined;
      return true;
    }
    return false;
  }

  send(
    bytes: Uint8Array,
    remoteAddress: string,
    remotePort: number,
    fromAddress: string,
    mayFragment = false,
    trafficClass = 0,
  ): string | undefined {
    this.#assertOpen();
    const problem = this.#addressTo(remoteAddress, remotePort) ?? this.#leaveFrom(fromAddress, trafficClass);
    if (problem !== undefined) return problem;
    this.#outgoing.setPayload(bytes);
    if (!mayFragment || !this.#dontFragment) return this.#sendMessage();
    // The kernel has no control message for it.
    setMtuDiscovery(this.handle, this.#family, false);
    const refusal = this.#sendMessage();
    setMtuDiscovery(this.handle, this.#family, true);
    return refusal;
  }

  #sendMessage(): string | undefined {
    let code = '';
    for (let attempt = 0; attempt <= PENDING_ERROR_RETRIES; attempt++) {
      const returned = sendmsg(this.handle, this.#outgoing.octets, MSG_DONTWAIT);
      if (returned >= 0) return undefined;
      code = errnoName(-returned);
      // With IP_RECVERR a report about one peer fails the next send, to whomever it goes: it was not sent, send it.
      if (OWN_SEND_ERRORS.has(code)) return code;
    }
    return code;
  }

  readError(): SocketErrorReport | undefined {
    this.#assertOpen();
    const message = this.#incoming;
    for (;;) {
      message.offerRoom();
      message.clearPayload();
      const length = recvmsg(this.handle, message.octets, MSG_ERRQUEUE | MSG_DONTWAIT);
      if (length === -EINTR) continue;
      if (length < 0) return undefined;
      this.#report = undefined;
      message.eachControl(this.#visitError);
      // A report without a readable cause is of no use; the next one may be.
      if (this.#report) return this.#report;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.handle);
  }

  #addressTo(remoteAddress: string, port: number): string | undefined {
    // A raw IPv6 socket takes a port for a protocol, and refuses any but its own.
    const remotePort = this.#raw ? 0 : port;
    if (remoteAddress === this.#sentTo && remotePort === this.#sentToPort) return undefined;
    const octets = this.#octets.get(remoteAddress);
    if (!octets) return 'EAFNOSUPPORT';
    if (!this.#raw && !isPort(remotePort)) return 'EINVAL';
    writeSocketAddress(this.#outgoing.name, this.#family, octets, remotePort);
    this.#outgoing.setNameLength(socketAddressSize(this.#family));
    this.#sentTo = remoteAddress;
    this.#sentToPort = remotePort;
    return undefined;
  }

  #leaveFrom(fromAddress: string, trafficClass: number): string | undefined {
    if (fromAddress === this.#sentFrom && trafficClass === this.#sentClass) return undefined;
    const octets = this.#octets.get(fromAddress);
    if (!octets) return 'EAFNOSUPPORT';
    const message = this.#outgoing;
    message.clearControl();
    if (fromAddress !== this.#unspecified && octets.some((octet) => octet !== 0)) this.#putSource(octets);
    // An `int` for either family, as both kernels' stacks take it (ip(7); RFC 3542 section 6.5).
    if (trafficClass !== 0) {
      const ip = this.#family === 4;
      const at = message.addControl(ip ? IPPROTO_IP : IPPROTO_IPV6, ip ? IP_TOS : IPV6_TCLASS, INT);
      message.view.setInt32(at, trafficClass, true);
    }
    this.#sentFrom = fromAddress;
    this.#sentClass = trafficClass;
    return undefined;
  }

  #putSource(octets: Uint8Array): void {
    const message = this.#outgoing;
    if (this.#family === 4) {
      const at = message.addControl(IPPROTO_IP, IP_PKTINFO, IN_PKTINFO.size);
      message.octets.set(octets, at + IN_PKTINFO.specificDestination);
    } else {
      const at = message.addControl(IPPROTO_IPV6, IPV6_PKTINFO, IN6_PKTINFO.size);
      message.octets.set(octets, at + IN6_PKTINFO.address);
    }
  }

  /** Packet information and the traffic class: the one octet of the header (ip(7), IP_RECVTOS). */
  #takeIpv4Info(level: number, type: number, at: number, length: number): void {
    if (level !== IPPROTO_IP || !this.#info) return;
    const view = this.#incoming.view;
    if (type === IP_TOS && length >= 1) this.#info.trafficClass = view.getUint8(at);
    if (type !== IP_PKTINFO || length < IN_PKTINFO.size) return;
    this.#info.localAddress = this.#texts.read(view, at + IN_PKTINFO.address);
    this.#info.interfaceIndex = view.getInt32(at + IN_PKTINFO.interfaceIndex, true);
  }

  /** As for IPv4, but that the traffic class is an `int` (RFC 3542 section 6.5). */
  #takeIpv6Info(level: number, type: number, at: number, length: number): void {
    if (level !== IPPROTO_IPV6 || !this.#info) return;
    const view = this.#incoming.view;
    if (type === IPV6_TCLASS && length >= 4) this.#info.trafficClass = view.getInt32(at, true) & 0xff;
    if (type !== IPV6_PKTINFO || length < IN6_PKTINFO.size) return;
    this.#info.localAddress = this.#texts.read(view, at + IN6_PKTINFO.address);
    this.#info.interfaceIndex = view.getUint32(at + IN6_PKTINFO.interfaceIndex, true);
  }

  #takeError(level: number, type: number, at: number, length: number): void {
    const wanted = (level === IPPROTO_IP && type === IP_RECVERR) || (level === IPPROTO_IPV6 && type === IPV6_RECVERR);
    if (!wanted || length < SOCK_EXTENDED_ERR.size) return;
    const view = this.#incoming.view;
    const code = errnoName(view.getUint32(at + SOCK_EXTENDED_ERR.errno, true));
    const remoteAddress = this.#remoteAddress();
    // IPv4 leaves the port out of what it reports itself; it reports what was sent last.
    const remotePort = this.#remotePort() || (remoteAddress === this.#sentTo ? this.#sentToPort : 0);
    this.#report = {
      code,
      remoteAddress,
      remotePort,
      mtu: code === 'EMSGSIZE' ? view.getUint32(at + SOCK_EXTENDED_ERR.info, true) : 0,
    };
  }

  /** Of the incoming message's name; the unspecified address when the kernel gave none. */
  #remoteAddress(): string {
    const message = this.#incoming;
    const offset = this.#family === 4 ? SOCKADDR_IN.address : SOCKADDR_IN6.address;
    if (message.nameLength < offset + addressSize(this.#family)) return this.#unspecified;
    return this.#texts.read(message.view, message.nameAt + offset);
  }

  #remotePort(): number {
    const offset = this.#family === 4 ? SOCKADDR_IN.port : SOCKADDR_IN6.port;
    return this.#incoming.view.getUint16(this.#incoming.nameAt + offset, false);
  }

  /** The number of a closed handle may belong to another file by now. */
  #assertOpen(): void {
    if (this.#closed) throw new HalError('The UDP socket is closed.', 'EBADF');
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 0xffff;
}
