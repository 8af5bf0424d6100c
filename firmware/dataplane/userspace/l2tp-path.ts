/**
 * The way of L2TP messages, in clear by their own socket, or inside ESP: control messages to the control thread, data
 * messages between a session and its TUN.
 */

import { type IpPacket, newIpPacket, readIpPacket, UDP } from '../../protocol/esp/ip-packet.ts';
import { u8, u16, u32 } from '../../protocol/esp/octets.ts';
import type { OpenedPacket } from '../../protocol/esp/receiving-sa.ts';
import { type DataMessage, decodeDataMessage, newDataMessage } from '../../protocol/l2tp/data-message.ts';
import { CONTROL_HEADER_LENGTH } from '../../protocol/l2tp/header.ts';
import type { Instant } from '../../protocol/machine.ts';
import { emptyPppHeader, readPppHeader } from '../../protocol/ppp/header.ts';
import { PPP_IP, PPP_IPV6 } from '../../protocol/ppp/protocol-numbers.ts';
import type { InterfaceId } from '../data-plane.ts';
import type { ControlOutlet } from './control-outlet.ts';
import { type EspPath, IP_HEADER } from './esp-path.ts';
import type { Arrival, DatagramOrigin, ForwarderPorts, GlobalDrops } from './forwarder-ports.ts';
import { udpDataOctets } from './inner-udp.ts';
import { isMulticast6, isRouterDiscovery } from './ipv6-kinds.ts';
import type { L2tpRelay } from './l2tp-relay.ts';
import type { L2tpSender } from './l2tp-sender.ts';
import { clampMss } from './mss-clamp.ts';
import type { Oversize } from './oversize.ts';
import { HEADROOM, TAILROOM, UDP_HEADER } from './packet-room.ts';
import { MIN_PATH_MTU_IPV6, type PathMtus } from './path-mtu.ts';
import type { PolicyTable } from './policy-table.ts';
import type { SaPair } from './sa-pair.ts';
import type { ForwardingSession, SessionNetwork } from './session.ts';
import type { SessionTable, SocketSessions } from './session-table.ts';

/** T bit of the first octet: a control message (RFC 2661 section 3.1). */
const CONTROL_MESSAGE = 0x80;

export interface L2tpPathParts {
  readonly table: SessionTable;
  readonly policies: PolicyTable;
  readonly pathMtus: PathMtus;
  readonly esp: EspPath;
  readonly sender: L2tpSender;
  readonly relay: L2tpRelay;
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
  /** Sessions with messages that wait for those they have overtaken. */
  readonly #holding = new Set<ForwardingSession>();
  /** Of what came out of an SA. */
  readonly #arrival = { remoteAddress: '', remotePort: 0, localAddress: '', interfaceIndex: 0, bearer: 0 };

  constructor(parts: L2tpPathParts) {
    this.#parts = parts;
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

  /** When a message has waited long enough for those that it has overtaken. */
  nextDeadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const { sequence } of this.#holding) {
      const due = sequence.nextDeadline();
      if (due !== undefined && (next === undefined || due < next)) next = due;
    }
    return next;
  }

  tick(now: Instant): void {
    for (const session of this.#holding) {
      if (this.#parts.table.session(session.spec.key) !== session) {
        this.#holding.delete(session);
        continue;
      }
      for (let due = session.sequence.nextDeadline(); due !== undefined && now >= due; ) {
        session.sequence.expire(now);
        this.#release(session, now);
        due = session.sequence.nextDeadline();
      }
    }
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
    session.peerSequences = message.sequenced;
    const { payloadOffset, payloadLength } = message;
    if (!message.sequenced) {
      this.#receivePayload(session, bytes, payloadOffset, payloadOffset + payloadLength, now);
    } else if (this.#inOrder(session, bytes, now)) {
      this.#receivePayload(session, bytes, payloadOffset, payloadOffset + payloadLength, now);
      if (session.sequence.holding) this.#release(session, now);
    }
  }

  /** Judges the numbered message in `#message`. @returns whether it passes now. */
  #inOrder(session: ForwardingSession, bytes: Uint8Array, now: Instant): boolean {
    const { ns, payloadOffset, payloadLength } = this.#message;
    const { sequence, drops } = session;
    const verdict = sequence.receive(ns);
    if (verdict === 'pass') return true;
    if (verdict === 'hold') {
      const copy = new Uint8Array(HEADROOM + payloadLength + TAILROOM);
      copy.set(bytes.subarray(payloadOffset, payloadOffset + payloadLength), HEADROOM);
      sequence.hold(ns, copy, now);
      this.#holding.add(session);
      this.#release(session, now);
    } else {
      drops[verdict] += 1;
    }
    return false;
  }

  /** Lets pass what waited and whose turn has come. */
  #release(session: ForwardingSession, now: Instant): void {
    const { sequence } = session;
    for (let held = sequence.released(); held !== undefined; held = sequence.released()) {
      this.#receivePayload(session, held, HEADROOM, held.length - TAILROOM, now);
    }
    if (!sequence.holding) this.#holding.delete(session);
  }

  /** The PPP frame `bytes[at..end)` of the session. */
  #receivePayload(session: ForwardingSession, bytes: Uint8Array, at: number, end: number, now: Instant): void {
    if (session.spec.relay !== undefined) {
      this.#parts.relay.frame(session, session.spec.relay, bytes, at, end - at, now);
      return;
    }
    const ppp = this.#ppp;
    if (!readPppHeader(bytes, at, end, ppp)) {
      session.drops.malformed += 1;
    } else if (ppp.protocol === PPP_IP) {
      this.#receiveIpv4(session, bytes, ppp.offset, ppp.offset + ppp.length, now);
    } else if (ppp.protocol === PPP_IPV6 && session.network?.sources6.empty === false) {
      this.#receiveIpv6(session, session.network, bytes, now);
    } else {
      this.#parts.control.frame(session, ppp, bytes, now);
    }
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
    if (!this.#parts.sender.send(session, bytes, ppp, at + length, now, mayFragment)) return;
    session.packetsSent += 1;
    session.octetsSent += length;
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
