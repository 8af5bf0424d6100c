/** Frames of one protocol on one Ethernet device, for the control thread: DHCP before there is an address, ARP, PPPoE discovery. */
import type { HalError } from './hal-error.ts';

export interface PacketSockets {
  /** @throws HalError: no such device, not Ethernet, capability missing, too many open files. */
  open(options: PacketSocketOptions): Promise<PacketSocket>;
}

export interface PacketSocketOptions {
  /** 1..15 octets. */
  readonly device: string;
  /** EtherType of what is received and sent, 0x0600..0xffff. */
  readonly etherType: number;
  /**
   * With EtherType 0x0800: nothing but UDP to this port that is no fragment, 1..65535. Decided before it reaches this process, so
   * that a busy link costs nothing.
   */
  readonly udpPort?: number;
}

/** How a frame was addressed: to this device, to everybody, or to a group. */
export type FrameDestination = 'host' | 'broadcast' | 'multicast';

export interface ReceivedFrame {
  /** `aa:bb:cc:dd:ee:ff` */
  readonly sourceMac: string;
  readonly destination: FrameDestination;
  /** What stands behind the Ethernet header, with the padding of a short frame. It is the listener's. */
  readonly payload: Uint8Array;
  /** It comes from this machine's own kernel, which left the checksum of UDP or TCP to a card that does not exist: do not check it. */
  readonly checksumPending: boolean;
}

/** Why a socket hears nothing any more. `gone`: its device was removed. */
export type PacketSocketEnd = 'closed' | 'gone';

/** One open socket. It outlives its device being down, and hears on when that is up again. */
export interface PacketSocket {
  readonly device: string;
  /** The device's own address as it is now, `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string;
  /** The device's MTU as it is now, octets. */
  readonly mtu: number;
  /**
   * Called with each frame as it comes, in order, never within a call of this socket, at most {@link FRAMES_PER_TURN} in one turn of
   * the loop. What this socket sends does not come back. Not what is for others, though the device may hear it.
   */
  onFrame: ((frame: ReceivedFrame) => void) | undefined;
  /** Resolves once, when the socket was closed or its device removed; nothing is heard afterwards. */
  readonly ended: Promise<PacketSocketEnd>;
  /**
   * @param destinationMac `ff:ff:ff:ff:ff:ff` for everybody.
   * @returns undefined when it was sent, else why not: the device is down (`ENETDOWN`) or gone (`ENXIO`), the frame larger than
   * its MTU (`EMSGSIZE`), no room (`ENOBUFS`). Never throws for the network's sake.
   */
  send(destinationMac: string, payload: Uint8Array): HalError | undefined;
  /** Harmless when it is closed. */
  close(): void;
}

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';

/** Frames that a listener gets in one turn of the loop: a flood must not hold the thread. */
export const FRAMES_PER_TURN = 32;

/** @returns its 6 octets; `undefined` when it is not written `aa:bb:cc:dd:ee:ff`. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16));
}

/** @param octets six of them. */
export function formatMac(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(':');
}
