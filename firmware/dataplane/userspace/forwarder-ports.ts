/** What the forwarder wants done, what it is told of each datagram, and the drops that belong to nobody. */
import type { UdpEndpoint } from '../../protocol/udp-path.ts';
import type { DataPlaneEvent, InterfaceId, PolicyKey, SocketId } from '../data-plane.ts';
import type { LineId } from '../ppp-carrier.ts';
import type { Standing } from './control-queue.ts';

/** No socket has this id. */
export const NO_SOCKET: SocketId = 0;

/** Octets handed out are views that are overwritten after the call. */
export interface ForwarderPorts {
  /**
   * @param mayFragment although ESP, which must not be fragmented, goes by the same socket.
   * @param trafficClass octet of the outer IP header. Default 0.
   * @returns undefined when sent, else the errno name.
   */
  send(
    socket: SocketId,
    datagram: Uint8Array,
    remote: UdpEndpoint,
    fromAddress: string,
    mayFragment?: boolean,
    trafficClass?: number,
  ): string | undefined;
  /**
   * Sends the PPP frame `bytes[start..end)` by a line; the octets before it, as many as a header of PPPoE, may be overwritten.
   * @param control not a user packet: it is not to be lost here.
   * @returns whether it was sent, or waits for room.
   */
  sendByLine(line: LineId, bytes: Uint8Array, start: number, end: number, control: boolean): boolean;
  /** Hands an IP packet to the kernel. @returns false when it was not taken. */
  deliver(to: InterfaceId, packet: Uint8Array): boolean;
  /**
   * Whether the control thread can take one more event.
   * @param standing of whoever causes it: the less is known, the smaller is the share.
   * @param socket by which it came.
   */
  controlRoom(standing: Standing, socket: SocketId): boolean;
  /** The octets in the event belong to the receiver. */
  event(event: DataPlaneEvent, standing: Standing): void;
}

/** By which way a message came. */
export interface Arrival {
  readonly remoteAddress: string;
  /** Of the inner UDP header, where the message came out of an SA. */
  readonly remotePort: number;
  readonly localAddress: string;
  /** 0 for what came out of an SA. */
  readonly interfaceIndex: number;
  /** The policy under which it came. */
  readonly bearer?: PolicyKey;
}

/** What the forwarder knows of a datagram beside its octets. `DatagramInfo` of the HAL has it. */
export interface DatagramOrigin extends Arrival {
  /** Where the payload begins in the buffer. */
  readonly offset: number;
  readonly length: number;
  /** Of the outer IP header. */
  readonly trafficClass: number;
  readonly truncated: boolean;
}

/** Why packets were dropped that belong to no session, SA or policy. */
export interface GlobalDrops {
  /** A data message for a tunnel and session id that are not here. */
  unknownSession: number;
  /** A data message from another address than the session's peer, or not by its bearer. */
  wrongPeer: number;
  /** No message of the kind that the socket is for, or larger than any buffer. */
  malformed: number;
  /** From a TUN, for a destination that no session and no policy takes; the kernel's own multicasts are among them. */
  noRoute: number;
  /** From a TUN, and no IP packet. */
  notIp: number;
  /** For the control thread, which has as much waiting as it may have. */
  controlOverload: number;
  /** ESP or AH for an SPI that is not here, and did not come soon (`early-packets.ts`). */
  unknownSpi: number;
  /** Of a protected socket, with a bearer whose policy is gone, or with none. */
  noSa: number;
  /** Waited for a session of its interface when others came that could wait no more. */
  heldTooMany: number;
  /** Waited for a session of its interface that did not come. */
  heldTooLong: number;
}

export function newGlobalDrops(): GlobalDrops {
  return {
    unknownSession: 0,
    wrongPeer: 0,
    malformed: 0,
    noRoute: 0,
    notIp: 0,
    controlOverload: 0,
    unknownSpi: 0,
    noSa: 0,
    heldTooMany: 0,
    heldTooLong: 0,
  };
}
