/**
 * The way of L2TP messages, in clear by their own socket, or inside ESP: control messages to the control thread, data
 * messages between a session and its TUN.
 */
import type { OpenedPacket } from '../../protocol/esp/inbound-sa.ts';
import { type IpPacket, newIpPacket, readIpPacket, UDP } from '../../protocol/esp/ip-packet.ts';
import { u8, u16, u32 } from '../../protocol/esp/octets.ts';
import { newFlow } from '../../protocol/esp/selectors.ts';
import {
  type DataMessage,
  dataHeaderLength,
  decodeDataMessage,
  encodeDataHeader,
  newDataMessage,
} from '../../protocol/l2tp/data-message.ts';
import { CONTROL_HEADER_LENGTH } from '../../protocol/l2tp/header.ts';
import type { Instant } from '../../protocol/machine.ts';
import { emptyPppHeader, readPppHeader } from '../../protocol/ppp/header.ts';
import { PPP_IP, PPP_IPV6 } from '../../protocol/ppp/protocol-numbers.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { InterfaceId, PolicyKey, SessionKey, SocketSpec } from '../data-plane.ts';
import type { ControlOutlet } from './control-outlet.ts';
import { type EspPath, IP_HEADER } from './esp-path.ts';
import type { Arrival, DatagramOrigin, ForwarderPorts, GlobalDrops } from './forwarder-ports.ts';
import { putUdpHeader, udpDataOctets } from './inner-udp.ts';
import { isMulticast6, isRouterDiscovery } from './ipv6-kinds.ts';
import { clampMss } from './mss-clamp.ts';
import type { Oversize } from './oversize.ts';
import { HEADROOM, MAX_PACKET, MESSAGE_HEADROOM, TAILROOM, UDP_HEADER } from './packet-room.ts';
import { MIN_PATH_MTU_IPV6, type PathMtus } from './path-mtu.ts';
import type { PolicyTable } from './policy-table.ts';
import type { SaPair } from './sa-pair.ts';
import type { ForwardingSession, SessionNetwork } from './session.ts';
import type { SessionTable, SocketSessions } from './session-table.ts';

/** T bit of the first octet: a control message (RFC 2661 section 3.1). */
const CONTROL_MESSAGE = 0x80;
/** PPP protocol numbers from here on are those of control protocols (RFC 1661 section 2). */
const FIRST_CONTROL_PROTOCOL = 0x8000;
/** Address and Control fields of a PPP frame (RFC 1662 section 3.1). */
const PPP_ADDRESS_CONTROL = [0xff, 0x03] as const;

export interface L2tpPathParts {
  readonly table: SessionTable;
  readonly policies: PolicyTable;
  readonly pathMtus: PathMtus;
  readonly esp: EspPath;
  readonly oversize: Oversize;
  readonly control: ControlOutlet;
  readonly ports: ForwarderPorts;
  readonly drops: GlobalDrops;
}

export class L2tpPath {
  readonly #parts: L2tpPathParts;
  readonly #message: DataMessage = newDataMessage();
  readonly #ppp = emptyPppHeader();
  readonly #inner = newIpPacket();
  readonly #flow = newFlow();
  /** A frame on its way from one session to another, whose headers may be longer than those that it came with. */
  readonly #relayed = new Uint8Array(HEADROOM + 4 + MAX_PACKET + TAILROOM);
  /** Of what came out of an SA. */
  readonly #arrival = { remoteAddress: '', remotePort: 0, localAddress: '', interfaceIndex: 0, bearer: 0 };

  constructor(parts: L2tpPathParts) {
    this.#parts = parts;
    this.#flow.protocol = UDP;
  }

  /** The message `bytes[at..at+length)`, which may be changed. */
  receive(socket: SocketSessions, bytes: Uint8Array, at: number, length: number, arrival: Arrival, now: Instant): void {
    if (length === 0 || (u8(bytes, at) & CONTROL_MESSAGE) === 0) {
      this.#receiveData(socket, bytes, at, length, arrival, now);
    } else if (length < CONTROL_HEADER_LENGTH) {
      this.#parts.drops.malformed += 1;
    } else {
      this.#receiveControl(socket, bytes, at, length, arrival, now);
    }
  }

  /** What the pair, of a policy for L2TP, has opened: a UDP datagram that holds a message (RFC 3193 section 2). */
  receiveInside(pair: SaPair, bytes: Uint8Array, opened: OpenedPacket, origin: DatagramOrigin, now: Instant): void {
    const { inside, key } = pair.policy;
    const socket = inside.kind === 'l2tp' ? this.#parts.table.socket(inside.socket) : undefined;
    const { offset } = opened;
    const length = opened.nextHeader === UDP ? udpDataOctets(bytes, offset, opened.length) : -1;
    if (length < 0 || socket === undefined || u16(bytes, offset + 2) !== socket.spec.port) {
      pair.drops.wrongInside += 1;
      return;
    }
    const arrival = this.#arrival;
    arrival.remoteAddress = origin.remoteAddress;
    arrival.remotePort = u16(bytes, offset);
    arrival.localAddress = origin.localAddress;
    arrival.bearer = key;
    this.receive(socket, bytes, offset + UDP_HEADER, length, arrival, now);
  }

  /**
   * An IP packet from a TUN.
   * @returns false when no session of the TUN takes it.
   */
  sendPacket(from: InterfaceId, bytes: Uint8Array, inner: IpPacket, now: Instant): boolean {
    const session = this.#sessionTo(from, bytes, inner);
    const network = session?.network;
    if (session === undefined || network === undefined) return false;
    const mtu = this.#mtu(session, network, now);
    if (inner.length <= mtu) {
      clampMss(bytes, inner, mtu);
      this.#sendUserPacket(session, network, bytes, inner.offset, inner.length, inner.version, now);
      return true;
    }
    if (inner.version === 6 && inner.length <= MIN_PATH_MTU_IPV6 && inner.length <= network.mtu) {
      // Its sender may not be asked for smaller ones, so the outer packet is fragmented (RFC 2473 section 7.1).
      this.#sendUserPacket(session, network, bytes, inner.offset, inner.length, 6, now, true);
      return true;
    }
    this.#sendOversize(from, session, network, bytes, inner, mtu, now);
    return true;
  }

  /** A bare PPP frame (protocol number, information), with full headers. Unknown sessions: nothing happens. */
  sendFrame(key: SessionKey, frame: Uint8Array, now: Instant): void {
    const session = this.#parts.table.session(key);
    if (session === undefined) return;
    const ppp = HEADROOM - PPP_ADDRESS_CONTROL.length;
    const end = HEADROOM + frame.length;
    const bytes = new Uint8Array(end + TAILROOM);
    bytes.set(PPP_ADDRESS_CONTROL, ppp);
    bytes.set(frame, HEADROOM);
    this.#sendData(session, bytes, ppp, end, now);
  }

  /** A control message of a protected socket. */
  sendProtected(socket: SocketSpec, path: UdpPath, message: Uint8Array, now: Instant): void {
    const end = MESSAGE_HEADROOM + message.length;
    const bytes = new Uint8Array(end + TAILROOM);
    bytes.set(message, MESSAGE_HEADROOM);
    this.#seal(socket, path.bearer, path.remote.port, bytes, MESSAGE_HEADROOM, end, now);
  }

  #receiveControl(
    socket: SocketSessions,
    bytes: Uint8Array,
    at: number,
    length: number,
    arrival: Arrival,
    now: Instant,
  ): void {
    const { control, policies } = this.#parts;
    const policy = arrival.bearer === undefined ? undefined : policies.policy(arrival.bearer);
    if (policy === undefined) {
      control.datagram(socket.spec, bytes, at, length, arrival, socket.isPeer(arrival) ? 'known' : 'stranger');
    } else if (policy.controlMessages.take(now)) {
      control.datagram(socket.spec, bytes, at, length, arrival, 'proven');
    } else {
      policy.drops.controlRate += 1;
    }
  }

  #receiveData(
    socket: SocketSessions,
    bytes: Uint8Array,
    at: number,
    length: number,
    arrival: Arrival,
    now: Instant,
  ): void {
    const { drops } = this.#parts;
    const message = this.#message;
    if (decodeDataMessage(bytes, at, length, message) !== undefined) {
      drops.malformed += 1;
      return;
    }
    const session = socket.session(message.tunnelId, message.sessionId);
    if (session === undefined) {
      drops.unknownSession += 1;
      return;
    }
    if (!isFromPeer(session, arrival)) {
      drops.wrongPeer += 1;
      return;
    }
    if (message.sequenced && !session.sequence.accept(message.ns)) {
      session.drops.sequence += 1;
      return;
    }
    session.peerSequences = message.sequenced;
    if (session.spec.relay !== undefined) {
      this.#relay(session, session.spec.relay, bytes, message.payloadOffset, message.payloadLength, now);
      return;
    }
    const ppp = this.#ppp;
    if (!readPppHeader(bytes, message.payloadOffset, message.payloadOffset + message.payloadLength, ppp)) {
      session.drops.malformed += 1;
    } else if (ppp.protocol === PPP_IP) {
      this.#receiveIpv4(session, bytes, ppp.offset, ppp.offset + ppp.length, now);
    } else if (ppp.protocol === PPP_IPV6 && session.network?.sources6.empty === false) {
      this.#receiveIpv6(session, session.network, bytes, now);
    } else {
      this.#parts.control.frame(session, ppp, bytes, now);
    }
  }

  /** The PPP frame `bytes[at..at+length)` goes on by another session, in any of its header forms. */
  #relay(from: ForwardingSession, key: SessionKey, bytes: Uint8Array, at: number, length: number, now: Instant): void {
    const to = this.#parts.table.session(key);
    if (to === undefined) {
      from.drops.networkClosed += 1;
      return;
    }
    const ppp = this.#ppp;
    if (!readPppHeader(bytes, at, at + length, ppp)) {
      from.drops.malformed += 1;
      return;
    }
    from.packetsReceived += 1;
    from.octetsReceived += length;
    const room = this.#relayed;
    let end = HEADROOM + length;
    if (ppp.protocol >= FIRST_CONTROL_PROTOCOL) {
      // With full headers: Linux drops messages of less than 14 octets, such as a CHAP Success without them.
      room.set(PPP_ADDRESS_CONTROL, HEADROOM);
      room[HEADROOM + 2] = ppp.protocol >>> 8;
      room[HEADROOM + 3] = ppp.protocol;
      room.set(bytes.subarray(ppp.offset, ppp.offset + ppp.length), HEADROOM + 4);
      end = HEADROOM + 4 + ppp.length;
    } else {
      room.set(bytes.subarray(at, at + length), HEADROOM);
    }
    if (!this.#sendData(to, room, HEADROOM, end, now, true)) return;
    to.packetsSent += 1;
    to.octetsSent += length;
  }

  #receiveIpv4(session: ForwardingSession, bytes: Uint8Array, offset: number, end: number, now: Instant): void {
    const network = session.network;
    const inner = this.#inner;
    if (network === undefined) {
      session.drops.networkClosed += 1;
    } else if (!readIpPacket(bytes, offset, end, inner) || inner.version !== 4) {
      session.drops.malformed += 1;
    } else if (network.sources.lookup(u32(bytes, inner.sourceAt)) === undefined) {
      session.drops.wrongSource += 1;
    } else {
      this.#deliver(session, network, bytes, now);
    }
  }

  /** The frame in `#ppp`. Router discovery is for the control thread, and the kernel never hears of it. */
  #receiveIpv6(session: ForwardingSession, network: SessionNetwork, bytes: Uint8Array, now: Instant): void {
    const { offset, length } = this.#ppp;
    const inner = this.#inner;
    if (!readIpPacket(bytes, offset, offset + length, inner) || inner.version !== 6) {
      session.drops.malformed += 1;
    } else if (isRouterDiscovery(bytes, inner)) {
      // A host that asks may have no address yet (RFC 4861 section 4.1), so its source is not judged here.
      this.#parts.control.frame(session, this.#ppp, bytes, now);
    } else if (network.sources6.lookup(bytes, inner.sourceAt) === undefined) {
      session.drops.wrongSource += 1;
    } else {
      this.#deliver(session, network, bytes, now);
    }
  }

  /** Hands the packet in `#inner` to the TUN, by its own length: what PPP padded (RFC 1661 section 2) ends here. */
  #deliver(session: ForwardingSession, network: SessionNetwork, bytes: Uint8Array, now: Instant): void {
    const inner = this.#inner;
    clampMss(bytes, inner, this.#mtu(session, network, now));
    const packet = bytes.subarray(inner.offset, inner.offset + inner.length);
    if (this.#parts.ports.deliver(network.interface, packet)) {
      session.packetsReceived += 1;
      session.octetsReceived += inner.length;
    } else {
      session.drops.tunRefused += 1;
    }
  }

  /** The session that takes the packet. A group has no session: what is for all of a link would go to all of its peers. */
  #sessionTo(from: InterfaceId, bytes: Uint8Array, inner: IpPacket): ForwardingSession | undefined {
    const { table } = this.#parts;
    const at = inner.destinationAt;
    if (inner.version === 4) return table.sessionTo(from, u32(bytes, at));
    return isMulticast6(bytes, at) ? undefined : table.sessionTo6(from, bytes, at);
  }

  /** Largest IP packet that the session takes, and the way to its peer, octets. */
  #mtu(session: ForwardingSession, network: SessionNetwork, now: Instant): number {
    const { pathMtus, policies, esp } = this.#parts;
    if (pathMtus.empty) return network.mtu;
    const { bearer, remote } = session.spec.path;
    let room: number;
    if (bearer === undefined) {
      room = pathMtus.to(remote.address, now) - IP_HEADER[remote.address.includes(':') ? 6 : 4];
    } else {
      const policy = policies.policy(bearer);
      room = policy === undefined ? Number.POSITIVE_INFINITY : esp.payloadRoom(policy, now);
    }
    return Math.min(network.mtu, room - UDP_HEADER - session.headerOctets - network.pppHeader.length);
  }

  /** Apart, because what a closure captures is allocated whenever its function is called. */
  #sendOversize(
    from: InterfaceId,
    session: ForwardingSession,
    network: SessionNetwork,
    bytes: Uint8Array,
    inner: IpPacket,
    mtu: number,
    now: Instant,
  ): void {
    const cut = this.#parts.oversize.handle(from, bytes, inner, mtu, now, (buffer, at, length) =>
      this.#sendUserPacket(session, network, buffer, at, length, 4, now),
    );
    if (!cut) session.drops.tooBig += 1;
  }

  #sendUserPacket(
    session: ForwardingSession,
    network: SessionNetwork,
    bytes: Uint8Array,
    at: number,
    length: number,
    version: 4 | 6,
    now: Instant,
    mayFragment = false,
  ): void {
    const header = version === 4 ? network.pppHeader : network.pppHeader6;
    const ppp = at - header.length;
    bytes.set(header, ppp);
    if (!this.#sendData(session, bytes, ppp, at + length, now, mayFragment)) return;
    session.packetsSent += 1;
    session.octetsSent += length;
  }

  /** Puts the L2TP header before `bytes[payload..end)` and sends. @returns whether it was sent. */
  #sendData(
    session: ForwardingSession,
    bytes: Uint8Array,
    payload: number,
    end: number,
    now: Instant,
    mayFragment = false,
  ): boolean {
    const { spec } = session;
    const socket = this.#parts.table.socket(spec.socket)?.spec;
    if (socket === undefined) return false;
    const header = session.nextHeader();
    const start = payload - dataHeaderLength(header);
    encodeDataHeader(bytes, start, header, end - payload);
    const { remote, local, bearer } = spec.path;
    if (bearer !== undefined || socket.purpose === 'protected-l2tp') {
      return this.#seal(socket, bearer, remote.port, bytes, start, end, now, mayFragment);
    }
    if (this.#parts.ports.send(spec.socket, bytes.subarray(start, end), remote, local.address) === undefined) {
      return true;
    }
    session.drops.sendFailed += 1;
    return false;
  }

  /** Puts the UDP header before the message `bytes[start..end)` and sends it under the policy. */
  #seal(
    socket: SocketSpec,
    bearer: PolicyKey | undefined,
    remotePort: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    now: Instant,
    mayFragment = false,
  ): boolean {
    const policy = bearer === undefined ? undefined : this.#parts.policies.policy(bearer);
    if (policy?.inside.kind !== 'l2tp' || policy.inside.socket !== socket.id) {
      this.#parts.drops.noSa += 1;
      return false;
    }
    const pair = policy.sa;
    if (pair === undefined) {
      policy.drops.noSa += 1;
      return false;
    }
    const { local, remote } = pair.outer;
    const at = start - UDP_HEADER;
    const length = end - at;
    putUdpHeader(bytes, at, socket.port, remotePort, length, local.length, pair.addressSum);
    const flow = this.#flow;
    flow.localBytes = local;
    flow.remoteBytes = remote;
    flow.addressOctets = local.length;
    flow.localPort = socket.port;
    flow.remotePort = remotePort;
    return this.#parts.esp.send(policy, flow, bytes, at, length, UDP, now, mayFragment);
  }
}

/**
 * Whether a message came from the session's peer: by its bearer, or in clear from its address. The address only: some
 * peers (RouterOS) send from one port and listen on another.
 */
function isFromPeer(session: ForwardingSession, arrival: Arrival): boolean {
  const { bearer, remote } = session.spec.path;
  if (bearer !== undefined || arrival.bearer !== undefined) return bearer === arrival.bearer;
  return remote.address === arrival.remoteAddress;
}
