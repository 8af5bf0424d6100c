/** The way of PPP frames, whatever carries them: user packets between a session and its TUN, all others to the control thread. */
import { type IpPacket, newIpPacket, readIpPacket } from '../../protocol/esp/ip-packet.ts';
import { u32 } from '../../protocol/esp/octets.ts';
import type { Instant } from '../../protocol/machine.ts';
import { emptyPppHeader, readPppHeader } from '../../protocol/ppp/header.ts';
import { PPP_IP, PPP_IPV6 } from '../../protocol/ppp/protocol-numbers.ts';
import type { InterfaceId, SessionKey } from '../data-plane.ts';
import type { ControlOutlet } from './control-outlet.ts';
import type { ForwarderPorts } from './forwarder-ports.ts';
import { isMulticast6, isRouterDiscovery } from './ipv6-kinds.ts';
import type { L2tpSession } from './l2tp-session.ts';
import type { LineSession } from './line-session.ts';
import { clampMss } from './mss-clamp.ts';
import type { Oversize } from './oversize.ts';
import { HEADROOM, TAILROOM } from './packet-room.ts';
import { MIN_PATH_MTU_IPV6 } from './path-mtu.ts';
import type { SessionNetwork } from './ppp-session.ts';
import type { Session, SessionTable } from './session-table.ts';

/** Address and Control fields of a PPP frame (RFC 1662 section 3.1). */
export const PPP_ADDRESS_CONTROL = [0xff, 0x03] as const;

/** What carries the frames of one kind of session. */
export interface PppWay<Kind> {
  /**
   * Sends the PPP frame `bytes[payload..end)`, with HEADROOM octets less its header before it and TAILROOM octets behind it.
   * @param control not a user packet. @returns whether it was sent.
   */
  send(
    session: Kind,
    bytes: Uint8Array,
    payload: number,
    end: number,
    now: Instant,
    mayFragment: boolean,
    control: boolean,
  ): boolean;
  /** Largest IP packet that the way takes at present, octets; at most what the network says. */
  mtu(session: Kind, network: SessionNetwork, now: Instant): number;
}

export interface PppPathParts {
  readonly table: SessionTable;
  readonly oversize: Oversize;
  readonly control: ControlOutlet;
  readonly ports: ForwarderPorts;
  readonly l2tp: PppWay<L2tpSession>;
  readonly line: PppWay<LineSession>;
}

export class PppPath {
  readonly #parts: PppPathParts;
  readonly #ppp = emptyPppHeader();
  readonly #inner = newIpPacket();

  constructor(parts: PppPathParts) {
    this.#parts = parts;
  }

  /** The PPP frame `bytes[at..end)` of the session. */
  receive(session: Session, bytes: Uint8Array, at: number, end: number, now: Instant): void {
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

  /** A bare PPP frame (protocol number, information), with full headers. Unknown sessions: nothing happens. */
  sendFrame(key: SessionKey, frame: Uint8Array, now: Instant): void {
    const session = this.#parts.table.session(key);
    if (session === undefined) return;
    const ppp = HEADROOM - PPP_ADDRESS_CONTROL.length;
    const end = HEADROOM + frame.length;
    const bytes = new Uint8Array(end + TAILROOM);
    bytes.set(PPP_ADDRESS_CONTROL, ppp);
    bytes.set(frame, HEADROOM);
    this.#send(session, bytes, ppp, end, now, false, true);
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

  #receiveIpv4(session: Session, bytes: Uint8Array, offset: number, end: number, now: Instant): void {
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
  #receiveIpv6(session: Session, network: SessionNetwork, bytes: Uint8Array, now: Instant): void {
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
  #deliver(session: Session, network: SessionNetwork, bytes: Uint8Array, now: Instant): void {
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
  #sessionTo(from: InterfaceId, bytes: Uint8Array, inner: IpPacket): Session | undefined {
    const { table } = this.#parts;
    const at = inner.destinationAt;
    if (inner.version === 4) return table.sessionTo(from, u32(bytes, at));
    return isMulticast6(bytes, at) ? undefined : table.sessionTo6(from, bytes, at);
  }

  #mtu(session: Session, network: SessionNetwork, now: Instant): number {
    const { l2tp, line } = this.#parts;
    return session.kind === 'l2tp' ? l2tp.mtu(session, network, now) : line.mtu(session, network, now);
  }

  #send(
    session: Session,
    bytes: Uint8Array,
    payload: number,
    end: number,
    now: Instant,
    mayFragment: boolean,
    control: boolean,
  ): boolean {
    const { l2tp, line } = this.#parts;
    return session.kind === 'l2tp'
      ? l2tp.send(session, bytes, payload, end, now, mayFragment, control)
      : line.send(session, bytes, payload, end, now, mayFragment, control);
  }

  /** Apart, because what a closure captures is allocated whenever its function is called. */
  #sendOversize(
    from: InterfaceId,
    session: Session,
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
    session: Session,
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
    if (!this.#send(session, bytes, ppp, at + length, now, mayFragment, false)) return;
    session.packetsSent += 1;
    session.octetsSent += length;
  }
}
