/** What both kinds of packet sockets refuse, and how they say it. */
import { HalError } from './hal-error.ts';
import type { PacketSocketOptions } from './packet-socket.ts';

/** The smallest number that is an EtherType and no length (IEEE 802.3 clause 3.2.6). */
const FIRST_ETHER_TYPE = 0x0600;

const IPV4 = 0x0800;

/** @throws HalError */
export function assertPacketSocketOptions({ etherType, udpPort }: PacketSocketOptions): void {
  if (!Number.isInteger(etherType) || etherType < FIRST_ETHER_TYPE || etherType > 0xffff)
    throw new HalError(`${etherType} is no EtherType: give ${FIRST_ETHER_TYPE} to 65535.`, 'EINVAL');
  if (udpPort === undefined) return;
  if (etherType !== IPV4 || !Number.isInteger(udpPort) || udpPort < 1 || udpPort > 0xffff)
    throw new HalError(
      `${udpPort} is no UDP port to listen for: give 1 to 65535, with the EtherType of IPv4.`,
      'EINVAL',
    );
}

/** Why a frame was not sent. */
export function packetSendRefused(device: string, code: string): HalError {
  return new HalError(
    `A frame could not be sent by ${device} (${code}). ${CAUSES[code] ?? 'The kernel log may say why.'}`,
    code,
  );
}

const CAUSES: Readonly<Record<string, string>> = {
  EBADF: 'Its socket is closed: open it again.',
  EINVAL: 'Its destination is no Ethernet address: correct it.',
  EMSGSIZE: 'It is larger than the MTU of the device: send less, or raise the MTU.',
  ENETDOWN: 'The device is down: set it up.',
  ENODEV: 'The device was removed: open it again when it is there.',
  ENXIO: 'The device was removed: open it again when it is there.',
  ENOBUFS: 'Its queue is full: try again in a moment.',
  EAGAIN: 'Its queue is full: try again in a moment.',
};
