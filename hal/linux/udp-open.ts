/** Opening a UDP socket or a raw one for ESP or AH: its options, its binding, and the words when the kernel refuses. */
import { HalError } from '../hal-error.ts';
import { parseIpAddress } from '../ip-address.ts';
import { assertInterfaceName } from '../names.ts';
import type { UdpSocketOptions } from '../udp-socket.ts';
import { type Capability, explainDenied } from './capabilities.ts';
import {
  AF_INET,
  AF_INET6,
  IP_HDRINCL,
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IP_RECVERR,
  IP_RECVTOS,
  IPPROTO_AH,
  IPPROTO_ESP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU_DISCOVER,
  IPV6_RECVERR,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_V6ONLY,
  PMTUDISC_DO,
  PMTUDISC_DONT,
  SO_BINDTODEVICE,
  SO_MARK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
} from './ffi/constants.ts';
import { errnoName } from './ffi/errno.ts';
import { SOCKADDR_IN } from './ffi/layout.ts';
import { bind, close, getsockname, setIntegerOption, setsockopt, socket } from './ffi/libc.ts';
import { addressSize, socketAddressSize, writeSocketAddress } from './ffi/socket-address.ts';
import { describeUdpPortOwner } from './port-owner.ts';

/** Octets of receive buffer: what arrives at 500 Mbit/s while the thread is away for 60 ms. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Octets of send buffer: a burst of a TCP window that the device has not taken yet. */
const SEND_BUFFER = 2 * 1024 * 1024;

/** Ports below this need CAP_NET_BIND_SERVICE (the kernel's default of net.ipv4.ip_unprivileged_port_start). */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** What is no UDP. */
const RAW = {
  udp: undefined,
  esp: { name: 'ESP', protocol: IPPROTO_ESP },
  ah: { name: 'AH', protocol: IPPROTO_AH },
} as const;

export interface UdpDescriptor {
  readonly handle: number;
  /** The port that was bound, 0 of a raw socket. */
  readonly port: number;
}

/** @throws HalError, with nothing left open. */
export function openUdpDescriptor(asked: UdpSocketOptions): UdpDescriptor {
  const raw = RAW[asked.protocol ?? 'udp'];
  const options = raw === undefined ? asked : { ...asked, port: 0 };
  const address = checkedAddress(options);
  if (options.device !== undefined) assertInterfaceName(options.device);
  const domain = options.family === 4 ? AF_INET : AF_INET6;
  if (options.protocol === 'ah' && options.family === 6) {
    throw new HalError('A raw AH socket cannot be of IPv6: use IPv4 addresses, or ESP.', 'EAFNOSUPPORT');
  }
  const [type, protocol] = raw === undefined ? [SOCK_DGRAM, 0] : [SOCK_RAW, raw.protocol];
  const handle = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (handle < 0) throw refused(options, 'opened', errnoName(-handle), 'CAP_NET_RAW');
  try {
    setOptions(handle, options);
    bindTo(handle, options, address);
    // The kernel calls the protocol number a raw socket's port.
    return { handle, port: raw !== undefined ? 0 : boundPort(handle, options) };
  } catch (error) {
    close(handle);
    throw error;
  }
}

function checkedAddress(options: UdpSocketOptions): Uint8Array {
  const address = parseIpAddress(options.address);
  if (address?.length !== addressSize(options.family)) {
    throw new HalError(
      `${JSON.stringify(options.address)} is no IPv${options.family} address to listen on: ` +
        `give one, or ${options.family === 4 ? '0.0.0.0' : '::'} for all.`,
      'EINVAL',
    );
  }
  if (!Number.isInteger(options.port) || options.port < 0 || options.port > 0xffff) {
    throw new HalError(`${options.port} is no UDP port: give 1 to 65535, or 0 for any.`, 'EINVAL');
  }
  return address;
}

/**
 * Sets the Don't Fragment bit of what the socket sends from now on, or not.
 * @returns zero, or the negative error number.
 */
export function setMtuDiscovery(handle: number, family: 4 | 6, dontFragment: boolean): number {
  const [level, option] = family === 4 ? [IPPROTO_IP, IP_MTU_DISCOVER] : [IPPROTO_IPV6, IPV6_MTU_DISCOVER];
  return setIntegerOption(handle, level, option, dontFragment ? PMTUDISC_DO : PMTUDISC_DONT);
}

function setOptions(handle: number, options: UdpSocketOptions): void {
  const check = (returned: number): void => {
    if (returned < 0) throw refused(options, 'set up', errnoName(-returned), 'CAP_NET_ADMIN');
  };
  const require = (level: number, option: number, value: number): void =>
    check(setIntegerOption(handle, level, option, value));
  if (options.family === 4) {
    require(IPPROTO_IP, IP_PKTINFO, 1);
    require(IPPROTO_IP, IP_RECVERR, 1);
    require(IPPROTO_IP, IP_RECVTOS, 1);
    if (options.protocol === 'ah') require(IPPROTO_IP, IP_HDRINCL, 1);
  } else {
    // A raw IPv6 socket never hears IPv4, and the kernel takes the option only before there is a protocol or port.
    if (options.protocol !== 'esp') require(IPPROTO_IPV6, IPV6_V6ONLY, 1);
    require(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    require(IPPROTO_IPV6, IPV6_RECVERR, 1);
    require(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  }
  check(setMtuDiscovery(handle, options.family, options.dontFragment ?? false));
  setBuffer(handle, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
  setBuffer(handle, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
  if (options.mark !== 0) setMark(handle, options);
  if (options.device !== undefined) bindToDevice(handle, options, options.device);
}

/** As large as the kernel allows: past net.core.rmem_max with CAP_NET_ADMIN, else cut to it. A smaller one still works. */
function setBuffer(handle: number, force: number, plain: number, octets: number): void {
  if (setIntegerOption(handle, SOL_SOCKET, force, octets) < 0) setIntegerOption(handle, SOL_SOCKET, plain, octets);
}

function setMark(handle: number, options: UdpSocketOptions): void {
  const returned = setIntegerOption(handle, SOL_SOCKET, SO_MARK, options.mark);
  if (returned < 0) throw refused(options, `marked ${options.mark}`, errnoName(-returned), 'CAP_NET_ADMIN');
}

function bindToDevice(handle: number, options: UdpSocketOptions, device: string): void {
  const name = new Uint8Array(Buffer.from(`${device}\0`, 'latin1'));
  const returned = setsockopt(handle, SOL_SOCKET, SO_BINDTODEVICE, name, name.length);
  if (returned < 0) throw refused(options, `bound to the device ${device}`, errnoName(-returned), 'CAP_NET_RAW');
}

function bindTo(handle: number, options: UdpSocketOptions, address: Uint8Array): void {
  const name = new Uint8Array(socketAddressSize(options.family));
  writeSocketAddress(name, options.family, address, options.port);
  const returned = bind(handle, name, name.length);
  if (returned < 0) throw refused(options, 'bound', errnoName(-returned), 'CAP_NET_BIND_SERVICE');
}

function boundPort(handle: number, options: UdpSocketOptions): number {
  const name = new Uint8Array(socketAddressSize(options.family));
  const returned = getsockname(handle, name);
  if (returned < 0) throw refused(options, 'bound', errnoName(-returned), 'CAP_NET_BIND_SERVICE');
  return new DataView(name.buffer).getUint16(SOCKADDR_IN.port, false);
}

/** @param step past participle: what could not be done to the socket. @param capability what it takes. */
function refused(options: UdpSocketOptions, step: string, code: string, capability: Capability): HalError {
  const { address, port, family } = options;
  const shown = family === 6 ? `[${address}]` : address;
  const raw = RAW[options.protocol ?? 'udp'];
  const name = raw === undefined ? `UDP socket for ${shown} port ${port}` : `raw ${raw.name} socket for ${shown}`;
  const what = `The ${name} cannot be ${step} (${code}).`;
  return new HalError(`${what} ${remedy(options, code, capability)}`, code);
}

function remedy(options: UdpSocketOptions, code: string, capability: Capability): string {
  switch (code) {
    case 'EADDRINUSE':
      return `${describeUdpPortOwner(options)}: stop it or choose another port.`;
    case 'EADDRNOTAVAIL':
      return 'This machine does not have the address: check the interface that should.';
    case 'ENODEV':
      return 'There is no such network interface: check its name, and that it exists already.';
    case 'EAFNOSUPPORT':
      return `The kernel has no IPv${options.family}: enable it.`;
    case 'EMFILE':
    case 'ENFILE':
      return 'Too many files are open: raise the limit of open files.';
    case 'EACCES':
      if (options.port === 0 || options.port >= FIRST_UNPRIVILEGED_PORT) {
        return 'A security module or an address family rule forbids it: allow it there.';
      }
      return explainDenied(capability);
    case 'EPERM':
      return explainDenied(capability);
    default:
      return 'The kernel log may say why.';
  }
}
