/**
 * The interface of the data plane: the few verbs by which the control plane programs it, and the few events it reports.
 * Any engine stands behind it: the user-space one of `userspace/`, or a kernel's own (XFRM, L2TP, PPP).
 *
 * The engine owns every socket and every TUN. A user packet goes TUN -> engine -> socket and back without the control
 * thread; the control thread gets control datagrams (L2TP's T bit, IKE) and PPP control frames, and nothing else.
 *
 * Four things are programmed, each by a key of the caller's, each added, replaced and removed on its own:
 * - an **interface** is a TUN, by which user packets come and go;
 * - a **session** is PPP, inside L2TP or on a **line** (PPPoE, or serial: `ppp-carrier.ts`), and knows which user packets of its
 *   interface are its own;
 * - a **policy** is a decision that something must be protected: the datagrams of one L2TP peer, or the packets between
 *   two sets of networks. It names the SA pair to send by; while it names none, what it covers is dropped and counted
 *   (`noSa`), and never leaves in clear;
 * - an **SA pair** protects one policy. Several may receive for it at a time, while one takes over from another.
 *
 * The life of a user packet, outwards: TUN; the session of the longest prefix, or the policy whose selectors match (none:
 * dropped); size (too big: ICMP inside, or fragments), MSS; PPP and L2TP headers, if a session; then either the socket,
 * or, where the session's path names a policy as its `bearer`, the UDP header, the SA's selectors, ESP, and the SA's
 * socket. Inwards: the SA by its SPI; replay check, ICV, window; selectors; for a policy of L2TP the UDP header, tunnel
 * and session id, which must belong to the session with this very bearer; PPP header; the inner source must be one that
 * the session or the policy allows; MSS; TUN. What fails a check is dropped and counted by the reason. `userspace/engine.ts`
 * tells the same with its own steps.
 */

import type { LifetimeUnit, SaLifetimes } from '../protocol/esp/lifetime.ts';
import type { ChildKeys, TrafficSelector } from '../protocol/ike/ike-types.ts';
import type { UdpEndpoint, UdpPath } from '../protocol/udp-path.ts';
import type { LineId, LineSessionSpec, LineSpec } from './ppp-carrier.ts';

/** Chosen by the control plane, unique for the life of the engine, any positive integer. */
export type SocketId = number;
export type InterfaceId = number;
export type SessionKey = number;
/** The same number is the `bearer` of paths that the policy protects. */
export type PolicyKey = number;
export type SaKey = number;

/**
 * - `l2tp`: L2TP in clear over UDP; data messages are user packets, control messages go to the control plane;
 * - `protected-l2tp`: the same inside IPsec alone. Nothing is opened in the kernel: what it sends goes through the policy
 *   that the path names as its bearer, what it receives came out of an SA of a policy that names this socket. `port` is
 *   that of the inner UDP header; any number of these sockets may have the same one. Address, mark and device mean nothing;
 * - `datagram`: every datagram goes to the control plane (DNS);
 * - `ike`: the same, for IKE on port 500;
 * - `udp-encapsulation`: UDP encapsulation of ESP (RFC 3948), port 4500 or an ephemeral one. ESP is opened here; IKE goes to
 *   the control plane without its non-ESP marker, which is put before what the control plane sends; keepalives vanish;
 * - `esp`: raw IP sockets of protocol 50. `port` is 0 and so are the ports of all its paths;
 * - `ah`: the same of protocol 51, of IPv4.
 */
export type SocketPurpose = 'l2tp' | 'protected-l2tp' | 'datagram' | 'ike' | 'udp-encapsulation' | 'esp' | 'ah';

export interface SocketSpec {
  readonly id: SocketId;
  readonly purpose: SocketPurpose;
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
  /**
   * IPv4 address of this router on it. Absent: no ICMP errors are sent towards the inside. (They bear the address that the
   * packet was for: from a TUN, the kernel takes nothing that bears an address of its own.)
   */
  readonly address?: string;
  /**
   * Packets that no session takes and no policy with an SA wait for one, so many, 1..1024, and each so long, 1..120000 ms; the
   * first one is reported (`traffic`). Multicast never waits. Errors are sent towards the inside without an address, too.
   */
  readonly hold?: { readonly packets: number; readonly milliseconds: number };
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
  /** Put Ns and Nr into data messages, whether the peer does or not. Without it they follow the peer's. */
  readonly sequencing: boolean;
  /** DSCP of outer packets, 0..63, those of ESP around them too (RFC 3308, RFC 2983). Default 0. */
  readonly dscp?: number;
  /**
   * The session by which every PPP frame of this one goes on, control frames too, as it is: a call that is switched into
   * another tunnel. Neither a TUN nor the control plane sees any of them. Each direction is programmed by itself; while there
   * is no such session, frames are dropped and counted (`networkClosed`).
   */
  readonly relay?: SessionKey;
  /**
   * How many numbered messages may wait for those that they have overtaken, 0..256, and how long, 0..1000 ms; then those
   * count as lost. Absent, or no packets: newer ones pass, and overtaken ones are dropped.
   */
  readonly reorder?: { readonly packets: number; readonly milliseconds: number };
  /**
   * Present once a network layer is open; without it user packets are dropped and counted. IPv6 is open while a source of
   * it is among `sources`; while it is not, its packets go to the control plane as frames of a protocol that is not carried.
   */
  readonly network?: SessionNetworkSpec;
}

/** The open network layer of a session. */
export interface SessionNetworkSpec {
  readonly interface: InterfaceId;
  readonly protocolCompression: boolean;
  readonly addressControlCompression: boolean;
  /** Largest inner IP packet towards the peer, octets; also bounds the TCP MSS in both directions. */
  readonly mtu: number;
  /**
   * Inner destinations that this session takes, CIDR of both families; the longest match over all sessions of the
   * interface wins. IPv6 multicast is never sent.
   */
  readonly destinations: readonly string[];
  /** Inner sources that the peer may use, CIDR of both families; others are dropped and counted. */
  readonly sources: readonly string[];
}

/** A decision that traffic must be protected, and by which SA pair at present. */
export interface PolicySpec {
  readonly key: PolicyKey;
  readonly inside: /** Transport mode: UDP datagrams to and from this `protected-l2tp` socket, with one peer. */
    | { readonly kind: 'l2tp'; readonly socket: SocketId }
    /** Tunnel mode: IP packets of this interface from the local to the remote networks, and back. */
    | {
        readonly kind: 'ip';
        readonly interface: InterfaceId;
        readonly localSelectors: readonly TrafficSelector[];
        readonly remoteSelectors: readonly TrafficSelector[];
        /** Largest inner IP packet, octets; bounds the TCP MSS in both directions. */
        readonly mtu: number;
      };
  /** The pair to send by. Absent: what the policy covers is dropped and counted. */
  readonly sa?: SaKey;
}

/** A pair of SAs of ESP (RFC 4303), or where the keys are without a cipher of AH (RFC 4302), one each way. */
export interface SaSpec {
  readonly key: SaKey;
  readonly policy: PolicyKey;
  /**
   * The `udp-encapsulation` or `esp` socket by which it sends, or with AH the `ah` socket. What has its SPI is taken from any
   * socket of its protocol.
   */
  readonly socket: SocketId;
  readonly path: UdpPath;
  readonly mode: 'transport' | 'tunnel';
  /** SPI 256..4294967295, chosen by this side, unique over the engine. */
  readonly inbound: ChildKeys & { readonly spi: number };
  readonly outbound: ChildKeys & { readonly spi: number };
  readonly extendedSequenceNumbers: boolean;
  /** Packets, a multiple of 32 within 32..4096. Default 1024. */
  readonly replayWindow?: number;
  /** For each direction; counted from the moment at which the pair is added. */
  readonly lifetimes: SaLifetimes;
  /** As IKE settled them. Transport mode: one host each, whose address stands for that of the outer header (NAT). */
  readonly localSelectors: readonly TrafficSelector[];
  readonly remoteSelectors: readonly TrafficSelector[];
  /** Send to wherever the last authentic and fresh packet came from: the peer is behind a NAT, which may remap it. */
  readonly followPeer: boolean;
}

export type DataPlaneEvent =
  /**
   * A datagram for the control plane: a control message on an L2TP socket, anything on a `datagram` or `ike` socket, IKE
   * without marker on a `udp-encapsulation` socket. `path.bearer` is the policy under which it came, on a protected one.
   */
  | {
      readonly kind: 'datagram';
      readonly socket: SocketId;
      readonly path: UdpPath;
      readonly bytes: Uint8Array;
      /** Index of the interface it came in by; 0 when it came out of an SA. */
      readonly interfaceIndex: number;
    }
  /**
   * A PPP frame that is not a user packet: bare (protocol number, then information). Router Solicitations and Router
   * Advertisements (RFC 4861) are among them.
   */
  | { readonly kind: 'ppp-frame'; readonly session: SessionKey; readonly frame: Uint8Array }
  /** Packets wait on an interface that holds them (`hold`), and did not before. */
  | { readonly kind: 'traffic'; readonly interface: InterfaceId }
  /** The kernel reported an error on a path (ICMP, or no route): a hint, never proof. */
  | {
      readonly kind: 'path-error';
      readonly socket: SocketId;
      readonly remote: UdpEndpoint;
      /** `ECONNREFUSED`, `EHOSTUNREACH`, `ENETUNREACH`, `EMSGSIZE`, `EACCES` ... */
      readonly code: string;
    }
  /** The first authentic packet of an SA pair came in: the peer uses it. Once in its life. */
  | { readonly kind: 'sa-received'; readonly sa: SaKey }
  /**
   * Octets, packets, sequence numbers or seconds of a pair run low (`soft`: a successor is wanted) or are used up (`hard`:
   * it carries nothing any more). Each at most once in its life and direction.
   */
  | { readonly kind: 'sa-lifetime'; readonly sa: SaKey; readonly limit: 'soft' | 'hard'; readonly unit: LifetimeUnit }
  /** With `followPeer`: an authentic, fresh packet came from elsewhere. The engine sends there already. */
  | { readonly kind: 'sa-moved'; readonly sa: SaKey; readonly path: UdpPath }
  /** ESP or AH came in for an SPI that is not here; anybody may have sent it. So many a second. */
  | { readonly kind: 'unknown-spi'; readonly socket: SocketId; readonly spi: number; readonly path: UdpPath }
  /** The line carries nothing any more: unplugged, hung up. Once; it is still to be closed. @param reason in words. */
  | { readonly kind: 'carrier-lost'; readonly line: LineId; readonly reason: string }
  /** The peer of a PPPoE line sends by a session that is none of ours: one that this side has lost. So many a minute. */
  | { readonly kind: 'stray-session'; readonly line: LineId; readonly sessionId: number }
  /** The engine cannot go on; everything in it is gone. */
  | { readonly kind: 'engine-failed'; readonly reason: string };

/** Numbers only grow while their owner lives. */
export interface SessionCounters {
  readonly key: SessionKey;
  readonly packetsReceived: number;
  readonly octetsReceived: number;
  readonly packetsSent: number;
  readonly octetsSent: number;
  /** Of numbered messages from the peer: those whose place was passed without them. */
  readonly lost: number;
  /** Those that were overtaken and put in their place again. */
  readonly reordered: number;
  /**
   * By reason: `networkClosed`, `wrongSource`, `tooBig`, `malformed`, `duplicate`, `late` (it is among the `lost`),
   * `sendFailed`, `controlRate`, `tunRefused`.
   */
  readonly drops: Readonly<Record<string, number>>;
}

export interface SaCounters {
  readonly key: SaKey;
  /** Authentic ones; octets of payload. */
  readonly packetsReceived: number;
  readonly octetsReceived: number;
  readonly packetsSent: number;
  readonly octetsSent: number;
  /**
   * By reason: those of `InboundRefusal` (`replayed`, `notAuthentic`, `selectors` ...), `expired`, `noRoom`, `sendFailed`,
   * and `wrongInside` (authentic, but not what the policy carries).
   */
  readonly drops: Readonly<Record<string, number>>;
}

export interface PolicyCounters {
  readonly key: PolicyKey;
  /** By reason: `noSa`, `selectors` (the SA may not carry it), `tooBig`, `tunRefused`, `controlRate`. */
  readonly drops: Readonly<Record<string, number>>;
}

export interface DataPlaneCounters {
  readonly sessions: readonly SessionCounters[];
  readonly sas: readonly SaCounters[];
  readonly policies: readonly PolicyCounters[];
  /**
   * Of none of these: `unknownSession`, `wrongPeer`, `malformed`, `noRoute`, `notIp`, `controlOverload`, `unknownSpi`,
   * `noSa` (a datagram of a protected socket whose policy is gone), `heldTooMany`, `heldTooLong` (`InterfaceSpec.hold`).
   */
  readonly drops: Readonly<Record<string, number>>;
}

export interface DataPlane {
  /** Opens and binds. @returns the port that was bound. @throws Error whose message says what, why and what to do. */
  openSocket(spec: SocketSpec): Promise<number>;
  closeSocket(id: SocketId): Promise<void>;
  /**
   * Sends a control-plane datagram from `path.local.address` (when not unspecified) to `path.remote`, or, from a protected
   * socket, by the policy `path.bearer`. Loss is not reported.
   */
  sendDatagram(socket: SocketId, path: UdpPath, bytes: Uint8Array): void;
  /** Creates the TUN, link up, MTU set. @throws Error in words when it cannot. */
  addInterface(spec: InterfaceSpec): Promise<void>;
  setInterfaceMtu(id: InterfaceId, mtu: number): Promise<void>;
  /** Removes the TUN; sessions that use it lose their network. */
  removeInterface(id: InterfaceId): Promise<void>;
  /** Opens what a line needs, and reads from it at once. @throws Error in words when it cannot. */
  openLine(spec: LineSpec): Promise<void>;
  /** Resolves when the engine has let go of it, and whoever opened its descriptor may close that. Its session goes with it. */
  closeLine(id: LineId): Promise<void>;
  /** Adds the session, or replaces the one of the same key, which stays of its kind, without losing its counters and sequence numbers. */
  putSession(spec: SessionSpec | LineSessionSpec): void;
  removeSession(key: SessionKey): void;
  /** Sends a bare PPP control frame inside the session, with full PPP headers. */
  sendPppFrame(session: SessionKey, frame: Uint8Array): void;
  counters(): Promise<DataPlaneCounters>;
  /**
   * Adds the policy, or replaces the one of the same key, which keeps its counters.
   */
  putPolicy(spec: PolicySpec): void;
  /** What it covered is dropped from now on, and its SA pairs are removed. */
  removePolicy(key: PolicyKey): void;
  /**
   * Adds the SA pair, or replaces path, selectors and lifetimes of the one of the same key, which keeps keys, sequence numbers,
   * replay window and counters: sequence numbers must never be used twice under one key. Adding it does not send by it:
   * the policy says by which pair.
   * @throws Error in words when there is no such cipher or a key has the wrong length.
   */
  putSa(spec: SaSpec): void;
  /** Wipes its keys. A policy that sends by it sends nothing any more. */
  removeSa(key: SaKey): void;
  /** Sends a NAT keepalive (RFC 3948 section 2.3) from a `udp-encapsulation` socket. */
  sendNatKeepalive(socket: SocketId, path: UdpPath): void;
  /** One listener; events come in the order in which they happened. */
  onEvent(listener: (event: DataPlaneEvent) => void): void;
  /** Closes every socket and TUN; afterwards no thread is left. */
  close(): Promise<void>;
}
