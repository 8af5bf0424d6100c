/**
 * The interface of the data plane: the few verbs by which the control plane programs it, and the few events it reports.
 *
 * The engine owns every UDP socket and every TUN. A user packet goes TUN -> engine -> socket and back without the control
 * thread; the control thread gets control datagrams (L2TP's T bit) and PPP control frames, and nothing else.
 */
import type { UdpEndpoint, UdpPath } from '../protocol/udp-path.ts';

/** Chosen by the control plane, unique for the life of the engine, any positive integer. */
export type SocketId = number;
export type InterfaceId = number;
export type SessionKey = number;

export interface SocketSpec {
  readonly id: SocketId;
  /** `l2tp`: data messages are user packets; `datagram`: every datagram goes to the control plane (DNS). */
  readonly purpose: 'l2tp' | 'datagram';
  readonly family: 4 | 6;
  /** Address to bind; the unspecified address (`0.0.0.0`, `::`) for all. Replies leave from the address asked either way. */
  readonly address: string;
  /** 0: ephemeral, chosen by the kernel. */
  readonly port: number;
  /** SO_MARK: outer packets must not be routed into the tunnel they carry. 0: none. */
  readonly mark: number;
  /** SO_BINDTODEVICE. */
  readonly device?: string;
}

export interface InterfaceSpec {
  readonly id: InterfaceId;
  /** At most 15 octets. */
  readonly name: string;
  /** Octets of IP packet, 576..65535. */
  readonly mtu: number;
}

/** How an L2TP session's user packets are wrapped, and which of them belong to it. */
export interface SessionSpec {
  readonly key: SessionKey;
  readonly socket: SocketId;
  readonly path: UdpPath;
  readonly localTunnelId: number;
  readonly localSessionId: number;
  readonly peerTunnelId: number;
  readonly peerSessionId: number;
  /** Put the Length field into data messages (RFC 2661 section 3.1). */
  readonly lengthField: boolean;
  /** Put Ns and Nr into data messages. */
  readonly sequencing: boolean;
  /** Present once the network layer is open; without it user packets are dropped and counted. */
  readonly network?: {
    readonly interface: InterfaceId;
    readonly protocolCompression: boolean;
    readonly addressControlCompression: boolean;
    /** Largest inner IP packet towards the peer, octets; also bounds the TCP MSS in both directions. */
    readonly mtu: number;
    /** Inner destinations that this session takes, CIDR; the longest match over all sessions of the interface wins. */
    readonly destinations: readonly string[];
    /** Inner sources that the peer may use, CIDR; others are dropped and counted. */
    readonly sources: readonly string[];
  };
}

export type DataPlaneEvent =
  /** A datagram for the control plane: a control message on an `l2tp` socket, anything on a `datagram` socket. */
  | {
      readonly kind: 'datagram';
      readonly socket: SocketId;
      readonly path: UdpPath;
      readonly bytes: Uint8Array;
      /** Index of the interface it came in by. */
      readonly interfaceIndex: number;
    }
  /** A PPP frame that is not a user packet: bare (protocol number, then information). */
  | { readonly kind: 'ppp-frame'; readonly session: SessionKey; readonly frame: Uint8Array }
  /** The kernel reported an error on a path (ICMP, or no route): a hint, never proof. */
  | {
      readonly kind: 'path-error';
      readonly socket: SocketId;
      readonly remote: UdpEndpoint;
      /** `ECONNREFUSED`, `EHOSTUNREACH`, `ENETUNREACH`, `EMSGSIZE`, `EACCES` ... */
      readonly code: string;
    }
  /** The engine cannot go on; everything in it is gone. */
  | { readonly kind: 'engine-failed'; readonly reason: string };

/** Numbers only grow while their owner lives. */
export interface SessionCounters {
  readonly key: SessionKey;
  readonly packetsReceived: number;
  readonly octetsReceived: number;
  readonly packetsSent: number;
  readonly octetsSent: number;
  /**
   * By reason: `networkClosed`, `wrongSource`, `tooBig`, `malformed`, `sequence`, `sendFailed`, `controlRate`,
   * `tunRefused`.
   */
  readonly drops: Readonly<Record<string, number>>;
}

export interface DataPlaneCounters {
  readonly sessions: readonly SessionCounters[];
  /** Of no session: `unknownSession`, `wrongPeer`, `malformed`, `noRoute`, `notIp`, `controlOverload`. */
  readonly drops: Readonly<Record<string, number>>;
}

export interface DataPlane {
  /** Opens and binds. @returns the port that was bound. @throws Error whose message says what, why and what to do. */
  openSocket(spec: SocketSpec): Promise<number>;
  closeSocket(id: SocketId): Promise<void>;
  /** Sends a control-plane datagram from `path.local.address` (when not unspecified) to `path.remote`. Loss is not reported. */
  sendDatagram(socket: SocketId, path: UdpPath, bytes: Uint8Array): void;
  /** Creates the TUN, link up, MTU set. @throws Error in words when it cannot. */
  addInterface(spec: InterfaceSpec): Promise<void>;
  setInterfaceMtu(id: InterfaceId, mtu: number): Promise<void>;
  /** Removes the TUN; sessions that use it lose their network. */
  removeInterface(id: InterfaceId): Promise<void>;
  /** Adds the session, or replaces the one of the same key without losing its counters and sequence numbers. */
  putSession(spec: SessionSpec): void;
  removeSession(key: SessionKey): void;
  /** Sends a bare PPP control frame inside the session, with full PPP headers. */
  sendPppFrame(session: SessionKey, frame: Uint8Array): void;
  counters(): Promise<DataPlaneCounters>;
  /** One listener; events come in the order in which they happened. */
  onEvent(listener: (event: DataPlaneEvent) => void): void;
  /** Closes every socket and TUN; afterwards no thread is left. */
  close(): Promise<void>;
}
