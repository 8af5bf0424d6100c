/** What every packet socket (packet(7)) needs of its device, and the words when it does not get it. */
import { HalError } from '../hal-error.ts';
import { formatMac } from '../packet-socket.ts';
import { explainDenied } from './capabilities.ts';
import { AF_PACKET, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFMTU } from './ffi/constants.ts';
import { IFREQ, SOCKADDR_LL } from './ffi/layout.ts';
import { bind, ioctl } from './ffi/libc.ts';

/** Of these four, `undefined`: there is no such device. */
export function deviceIndex(handle: number, device: string): number | undefined {
  return asked(handle, device, SIOCGIFINDEX)?.getInt32(IFREQ.index, true);
}

export function hardwareType(handle: number, device: string): number | undefined {
  return asked(handle, device, SIOCGIFHWADDR)?.getUint16(IFREQ.hardwareType, true);
}

export function deviceMac(handle: number, device: string): string | undefined {
  const answer = asked(handle, device, SIOCGIFHWADDR);
  return answer && formatMac(new Uint8Array(answer.buffer, IFREQ.hardwareAddress, 6));
}

export function deviceMtu(handle: number, device: string): number | undefined {
  return asked(handle, device, SIOCGIFMTU)?.getInt32(IFREQ.mtu, true);
}

function asked(handle: number, device: string, request: number): DataView | undefined {
  const argument = new Uint8Array(IFREQ.size);
  argument.set(Buffer.from(device, 'latin1'), IFREQ.name);
  return ioctl(handle, request, argument, IFREQ.size) < 0 ? undefined : new DataView(argument.buffer);
}

/** From now on it hears this protocol on this device. @returns what bind(2) does. */
export function bindPacketSocket(handle: number, index: number, protocol: number): number {
  const address = new Uint8Array(SOCKADDR_LL.size);
  const view = new DataView(address.buffer);
  view.setUint16(SOCKADDR_LL.family, AF_PACKET, true);
  view.setUint16(SOCKADDR_LL.protocol, protocol, false);
  view.setInt32(SOCKADDR_LL.interfaceIndex, index, true);
  return bind(handle, address, address.length);
}

/** @param purpose behind "to": `capture on`. */
export function noSuchDevice(device: string, purpose: string): HalError {
  return new HalError(
    `There is no network device ${device} to ${purpose}: see "ip link" for those there are.`,
    'ENODEV',
  );
}

/** @param what the sentence that says what cannot be done. */
export function packetSocketRefused(what: string, code: string): HalError {
  switch (code) {
    case 'EPERM':
    case 'EACCES':
      return new HalError(`${what} ${explainDenied('CAP_NET_RAW')}`, code);
    case 'ENODEV':
    case 'ENXIO':
      return new HalError(`${what} The device has just been removed: try again when it is there.`, code);
    case 'EMFILE':
    case 'ENFILE':
      return new HalError(`${what} Too many files are open: raise the limit of open files.`, code);
    case 'EAFNOSUPPORT':
      return new HalError(`${what} The kernel has no packet sockets: use one with CONFIG_PACKET.`, code);
    default:
      return new HalError(`${what} The kernel log may say why.`, code);
  }
}
