/** Raw ICMP sockets (raw(7), RFC 3542): what arrives has the kernel's stamp, so that a busy loop does not lengthen it. */
import { HalError } from '../hal-error.ts';
import type { IcmpMessageInfo, IcmpRefusal, IcmpSocket, IcmpSocketFactory, IcmpSocketOptions } from '../icmp-socket.ts';
import { assertInterfaceName } from '../names.ts';
import { explainDenied } from './capabilities.ts';
import {
  AF_INET,
  AF_INET6,
  CLOCK_REALTIME,
  IP_RECVERR,
  IP_TTL,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_RECVERR,
  IPV6_RECVHOPLIMIT,
  IPV6_UNICAST_HOPS,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  SO_BINDTODEVICE,
  SO_MARK,
  SO_TIMESTAMPNS,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
} from './ffi/constants.ts';
import { EAGAIN, EINVAL, errnoName, OWN_SEND_ERRORS, PENDING_ERROR_RETRIES } from './ffi/errno.ts';
import { SOCK_EXTENDED_ERR, SOCKADDR_IN, SOCKADDR_IN6, TIMESPEC } from './ffi/layout.ts';
import { bind, clockGettime, close, recvmsg, sendmsg, setIntegerOption, setsockopt, socket } from './ffi/libc.ts';
import { Message } from './ffi/message.ts';
import {
  AddressOctets,
  AddressTexts,
  addressSize,
  type Family,
  socketAddressSize,
  writeSocketAddress,
} from './ffi/socket-address.ts';
import { payloadOffset } from './raw-ipv4.ts';
import { setMtuDiscovery } from './udp-open.ts';

/** Reports of the error queue that are read for the MTU among them: one for each that was just refused, and a few more. */
const MOST_REPORTS = 64;

/** Where an IPv4 header has its Time to Live (RFC 791 section 3.1). */
const TTL_AT = 8;

export class LinuxIcmpSocketFactory implements IcmpSocketFactory {
  open(options: IcmpSocketOptions): IcmpSocket {
    if (options.device !== undefined) assertInterfaceName(options.device);
    const [domain, protocol] = options.family === 4 ? [AF_INET, IPPROTO_ICMP] : [AF_INET6, IPPROTO_ICMPV6];
    const handle = socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (handle < 0) throw refused(options, errnoName(-handle));
    try {
      setOptions(handle, options);
    } catch (error) {
      close(handle);
      throw error;
    }
    return new LinuxIcmpSocket(options.family, handle);
  }
}

function setOptions(handle: number, options: IcmpSocketOptions): void {
  const { family, mark, device, address, dontFragment } = options;
  const check = (returned: number): void => {
    if (returned < 0) throw refused(options, errnoName(-returned));
  };
  // Of a message that this machine itself finds too large the queue has the MTU.
  check(
    family === 4
      ? setIntegerOption(handle, IPPROTO_IP, IP_RECVERR, 1)
      : setIntegerOption(handle, IPPROTO_IPV6, IPV6_RECVERR, 1),
  );
  if (family === 6) check(setIntegerOption(handle, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
  check(setIntegerOption(handle, SOL_SOCKET, SO_TIMESTAMPNS, 1));
  check(setMtuDiscovery(handle, family, dontFragment));
  if (mark !== 0) check(setIntegerOption(handle, SOL_SOCKET, SO_MARK, mark));
  if (device !== undefined) {
    const name = new Uint8Array(Buffer.from(`${device}\0`, 'latin1'));
    check(setsockopt(handle, SOL_SOCKET, SO_BINDTODEVICE, name, name.length));
  }
  if (address !== undefined) check(bindTo(handle, family, address));
}

/** @returns 0, or an errno below it. */
function bindTo(handle: number, family: Family, address: string): number {
  const octets = new AddressOctets(family).get(address);
  if (octets === undefined) return -EINVAL;
  const name = new Uint8Array(socketAddressSize(family));
  writeSocketAddress(name, family, octets, 0);
  return bind(handle, name, name.length);
}

class LinuxIcmpSocket implements IcmpSocket {
  readonly #family: Family;
  readonly #handle: number;
  readonly #incoming = new Message();
  readonly #outgoing = new Message();
  readonly #texts: AddressTexts;
  readonly #octets: AddressOctets;
  readonly #now = new Uint8Array(TIMESPEC.size);
  #hopLimit = 0;
  #closed = false;

  constructor(family: Family, handle: number) {
    this.#family = family;
    this.#handle = handle;
    this.#texts = new AddressTexts(family);
    this.#octets = new AddressOctets(family);
  }

  receive(into: Uint8Array, info: IcmpMessageInfo): boolean {
    this.#assertOpen();
    const message = this.#incoming;
    for (let attempt = 0; attempt <= PENDING_ERROR_RETRIES; attempt += 1) {
      message.offerRoom();
      message.setPayload(into);
      const received = recvmsg(this.#handle, message.octets, MSG_DONTWAIT);
      if (received === -EAGAIN) return false;
      // A pending error is cleared by having been told; there may be a message behind it.
      if (received < 0) continue;
      info.offset = this.#family === 4 ? payloadOffset(into, received) : 0;
      info.length = received - info.offset;
      info.hopLimit = this.#family === 4 ? (into[TTL_AT] ?? 0) : 0;
      info.remoteAddress = this.#remoteAddress();
      info.ageMs = 0;
      message.eachControl((level, type, at, length) => this.#control(level, type, at, length, info));
      return true;
    }
    return false;
  }

  send(bytes: Uint8Array, remoteAddress: string, hopLimit: number): IcmpRefusal | undefined {
    this.#assertOpen();
    const octets = this.#octets.get(remoteAddress);
    if (octets === undefined) return { code: 'EAFNOSUPPORT', mtu: 0 };
    if (hopLimit !== this.#hopLimit) {
      const [level, option] = this.#family === 4 ? [IPPROTO_IP, IP_TTL] : [IPPROTO_IPV6, IPV6_UNICAST_HOPS];
      const returned = setIntegerOption(this.#handle, level, option, hopLimit);
      if (returned < 0) return { code: errnoName(-returned), mtu: 0 };
      this.#hopLimit = hopLimit;
    }
    // What it says of the path is told by the messages themselves; here only what this one meets counts.
    this.#reportedMtu();
    writeSocketAddress(this.#outgoing.name, this.#family, octets, 0);
    this.#outgoing.setNameLength(socketAddressSize(this.#family));
    this.#outgoing.setPayload(bytes);
    let code = '';
    for (let attempt = 0; attempt <= PENDING_ERROR_RETRIES; attempt += 1) {
      const returned = sendmsg(this.#handle, this.#outgoing.octets, MSG_DONTWAIT);
      if (returned >= 0) return undefined;
      code = errnoName(-returned);
      if (OWN_SEND_ERRORS.has(code)) break;
    }
    return { code, mtu: code === 'EMSGSIZE' ? this.#reportedMtu() : 0 };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.#handle);
  }

  /** Empties the error queue. @returns the last MTU in it, 0: none. */
  #reportedMtu(): number {
    let mtu = 0;
    for (let count = 0; count < MOST_REPORTS; count += 1) {
      this.#incoming.offerRoom();
      this.#incoming.clearPayload();
      if (recvmsg(this.#handle, this.#incoming.octets, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return mtu;
      this.#incoming.eachControl((level, type, at, length) => {
        const wanted =
          (level === IPPROTO_IP && type === IP_RECVERR) || (level === IPPROTO_IPV6 && type === IPV6_RECVERR);
        if (!wanted || length < SOCK_EXTENDED_ERR.size) return;
        const { view } = this.#incoming;
        if (errnoName(view.getUint32(at + SOCK_EXTENDED_ERR.errno, true)) !== 'EMSGSIZE') return;
        mtu = view.getUint32(at + SOCK_EXTENDED_ERR.info, true);
      });
    }
    return mtu;
  }

  #control(level: number, type: number, at: number, length: number, info: IcmpMessageInfo): void {
    const { view } = this.#incoming;
    if (level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT && length >= 4) {
      info.hopLimit = view.getInt32(at, true) & 0xff;
    } else if (level === SOL_SOCKET && type === SO_TIMESTAMPNS && length >= TIMESPEC.size) {
      // Both by the same clock and at once: that it may be set meanwhile costs one number.
      if (clockGettime(CLOCK_REALTIME, this.#now) < 0) return;
      info.ageMs = Math.max(0, milliseconds(new DataView(this.#now.buffer), 0) - milliseconds(view, at));
    }
  }

  #remoteAddress(): string {
    const message = this.#incoming;
    const offset = this.#family === 4 ? SOCKADDR_IN.address : SOCKADDR_IN6.address;
    if (message.nameLength < offset + addressSize(this.#family)) return this.#family === 4 ? '0.0.0.0' : '::';
    return this.#texts.read(message.view, message.nameAt + offset);
  }

  #assertOpen(): void {
    if (this.#closed) throw new HalError('The ICMP socket is closed.', 'EBADF');
  }
}

function milliseconds(view: DataView, at: number): number {
  const seconds = Number(view.getBigInt64(at + TIMESPEC.seconds, true));
  return seconds * 1000 + Number(view.getBigInt64(at + TIMESPEC.nanoseconds, true)) / 1e6;
}

function refused({ family, device, address }: IcmpSocketOptions, code: string): HalError {
  const what = `A raw ICMP socket cannot be opened (${code}).`;
  if (code === 'EADDRNOTAVAIL' || code === 'EINVAL')
    return new HalError(`${address} is no address of this machine to send from.`, code);
  if (code === 'ENODEV') return new HalError(`There is no network device ${device} to send by.`, code);
  if (code === 'EPERM' || code === 'EACCES') return new HalError(`${what} ${explainDenied('CAP_NET_RAW')}`, code);
  if (code === 'EAFNOSUPPORT') return new HalError(`${what} The kernel has no IPv${family}: enable it.`, code);
  return new HalError(`${what} The kernel log may say why.`, code);
}
