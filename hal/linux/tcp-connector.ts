import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { HalError } from '../hal-error.ts';
import { parseIpAddress } from '../ip-address.ts';
import { assertInterfaceName } from '../names.ts';
import type { TcpConnector, TcpConnectorOptions } from '../tcp-connector.ts';
import { explainDenied } from './capabilities.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  SO_BINDTODEVICE,
  SO_KEEPALIVE,
  SO_MARK,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_USER_TIMEOUT,
} from './ffi/constants.ts';
import { errnoName } from './ffi/errno.ts';
import { bind, close, setIntegerOption, setsockopt, socket } from './ffi/libc.ts';
import { addressSize, type Family, socketAddressSize, writeSocketAddress } from './ffi/socket-address.ts';

/** Octets of send buffer, which the kernel doubles: what waits there is lost with a peer that vanishes. */
const SEND_BUFFER = 16 * 1024;
/** How long sent octets may stay unacknowledged, ms. */
const USER_TIMEOUT_MS = 45_000;
/** Silence after which the peer is asked whether it is there, between questions (s), and how many may stay unanswered. */
const KEEPALIVE = { idle: 30, interval: 10, count: 3 } as const;

/** Node connects a socket that is opened here, since it knows no marks. */
export class LinuxTcpConnector implements TcpConnector {
  connect(options: TcpConnectorOptions): Duplex {
    const { address, port } = options;
    const parsed = parseIpAddress(address);
    if (parsed === undefined || !Number.isInteger(port) || port < 1 || port > 0xffff) {
      throw new HalError(
        `${JSON.stringify(address)} port ${port} is nothing to connect to: give an address and a port.`,
      );
    }
    const domain = parsed.length === 4 ? AF_INET : AF_INET6;
    const handle = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (handle < 0) throw refused(address, 'opened', errnoName(-handle));
    try {
      setOptions(handle, options);
      bindTo(handle, options);
    } catch (error) {
      close(handle);
      throw error;
    }
    // Nothing may be read before it is connected (ENOTCONN): Node's types do not have that option of its own.
    const taken = { fd: handle, manualStart: true } as SocketConstructorOpts;
    return new Socket(taken).connect({ host: address, port });
  }
}

function setOptions(handle: number, { address, mark }: TcpConnectorOptions): void {
  const set = (level: number, option: number, value: number): number => setIntegerOption(handle, level, option, value);
  if (mark !== 0) {
    const returned = set(SOL_SOCKET, SO_MARK, mark);
    if (returned < 0) throw refused(address, `marked ${mark}`, errnoName(-returned));
  }
  // Each of these makes it better, and none is worth to go without a connection.
  set(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE.idle);
  set(IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE.interval);
  set(IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE.count);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
}

/** By this device, and from this address, where the caller says so. */
function bindTo(handle: number, { address, device, localAddress }: TcpConnectorOptions): void {
  if (device !== undefined) {
    assertInterfaceName(device);
    const name = new Uint8Array(Buffer.from(`${device}\0`, 'latin1'));
    const returned = setsockopt(handle, SOL_SOCKET, SO_BINDTODEVICE, name, name.length);
    if (returned < 0) throw refused(address, `bound to the device ${device}`, errnoName(-returned));
  }
  if (localAddress === undefined) return;
  const family: Family = address.includes(':') ? 6 : 4;
  const octets = parseIpAddress(localAddress);
  if (octets?.length !== addressSize(family)) {
    throw new HalError(
      `${JSON.stringify(localAddress)} is nothing to reach ${address} from: give an address of its kind.`,
    );
  }
  const name = new Uint8Array(socketAddressSize(family));
  writeSocketAddress(name, family, octets, 0);
  const returned = bind(handle, name, name.length);
  if (returned < 0) throw refused(address, `bound to ${localAddress}`, errnoName(-returned));
}

function refused(address: string, step: string, code: string): HalError {
  return new HalError(`The TCP socket for ${address} cannot be ${step} (${code}). ${remedy(code)}`, code);
}

function remedy(code: string): string {
  switch (code) {
    case 'EPERM':
      return explainDenied('CAP_NET_ADMIN');
    case 'ENODEV':
      return 'There is no such device: plug it in, or name another one.';
    case 'EADDRNOTAVAIL':
      return 'This machine does not have that address: wait until it has, or name another one.';
    case 'EMFILE':
    case 'ENFILE':
      return 'Too many files are open: raise the limit of open files.';
    case 'EAFNOSUPPORT':
      return 'The kernel has no such kind of address: enable IPv6.';
    default:
      return 'The kernel log may say why.';
  }
}
