/**
 * The core of the user-space engine: what happens to one packet. No I/O, no thread, no clock; `engine.ts` tells the
 * life of a packet from end to end.
 *
 * Everything from a socket or a TUN is a stranger's: nothing here throws for what it reads, and every packet that is
 * not carried is counted by the reason.
 */
import {
  type DataMessage,
  dataHeaderLength,
  decodeDataMessage,
  encodeDataHeader,
  MAX_DATA_HEADER_LENGTH,
  newDataMessage,
} from '../../protocol/l2tp/data-message.ts';
import { CONTROL_HEADER_LENGTH } from '../../protocol/l2tp/header.ts';
import type { Instant } from '../../protocol/machine.ts';
import { emptyPppHeader, MAX_PPP_HEADER, readPppHeader } from '../../protocol/ppp/header.ts';
import { PPP_IP } from '../../protocol/ppp/protocol-numbers.ts';
import type { UdpEndpoint } from '../../protocol/udp-path.ts';
import type { DataPlaneCounters, DataPlaneEvent, InterfaceId, SessionKey, SocketId } from '../data-plane.ts';
import { newInnerPacket, octet, readInnerPacket } from './inner-packet.ts';
import { clampMss } from './mss-clamp.ts';
import type { ForwardingSession } from './session.ts';
import { SessionTable, type SocketSessions } from './session-table.ts';

/** Octets that must be free in a buffer before a packet from a TUN: the longest L2TP and PPP headers. */
export const HEADROOM = MAX_DATA_HEADER_LENGTH + MAX_PPP_HEADER;
/** T bit of the first octet: a control message (RFC 2661 section 3.1). */
const CONTROL_MESSAGE = 0x80;
/**
 * Largest datagram or frame for the control thread, octets. A control message with every AVP at its longest, and a DNS
 * answer of the largest size that is asked for, stay below; it bounds what waiting events can hold.
 */
const MAX_CONTROL_OCTETS = 8192;
/** PPP protocols from here on are control protocols (RFC 1661 section 2). */
const PPP_CONTROL_PROTOCOLS = 0x8000;
/** Address and Control fields of a PPP frame (RFC 1662 section 3.1). */
const PPP_ADDRESS_CONTROL = [0xff, 0x03] as const;

/** What the forwarder knows of a datagram beside its octets. `DatagramInfo` of the HAL has it. */
export interface DatagramOrigin {
  readonly length: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly interfaceIndex: number;
  readonly truncated: boolean;
}

/** What the forwarder wants done. Octets handed out are views that are overwritten after the call. */
export interface ForwarderPorts {
  /** @returns undefined when sent, else the errno name. */
  send(socket: SocketId, datagram: Uint8Array, remote: UdpEndpoint, fromAddress: string): string | undefined;
  /** Hands an IP packet to the kernel. @returns false when it was not taken. */
  deliver(to: InterfaceId, packet: Uint8Array): boolean;
  /**
   * Whether the control thread can take one more event.
   * @param stranger it comes from an address with which there is no session: such have a smaller share.
   */
  controlRoom(stranger: boolean): boolean;
  /** The octets in the event belong to the receiver. */
  event(event: DataPlaneEvent): void;
}

/** Why packets of no session were dropped. */
interface ForwarderDrops {
  /** A data message for a tunnel and session id that are not here. */
  unknownSession: number;
  /** A data message from another address than the session's peer. */
  wrongPeer: number;
  /** No L2TPv2 message, or larger than any buffer. */
  malformed: number;
  /** From a TUN, for a destination that no session takes; the kernel's own multicasts are among them. */
  noRoute: number;
  /** From a TUN, and no IP packet. */
  notIp: number;
  /** For the control thread, which has as much waiting as it may have. */
  controlOverload: number;
}

export class Forwarder {
  /** How the forwarder is programmed. */
  readonly table = new SessionTable();
  readonly #ports: ForwarderPorts;
  readonly #drops: ForwarderDrops = {
    unknownSession: 0,
    wrongPeer: 0,
    malformed: 0,
    noRoute: 0,
    notIp: 0,
    controlOverload: 0,
  };
  readonly #message: DataMessage = newDataMessage();
  readonly #ppp = emptyPppHeader();
  readonly #inner = newInnerPacket();

  constructor(ports: ForwarderPorts) {
    this.#ports = ports;
  }

  counters(): DataPlaneCounters {
    return {
      sessions: this.table.counters(),
      drops: { ...this.#drops },
    };
  }

  /** One datagram from a socket: the first `origin.length` octets of `bytes`, which may be changed. */
  receiveDatagram(id: SocketId, bytes: Uint8Array, origin: DatagramOrigin, now: Instant): void {
    const socket = this.table.socket(id);
    if (socket === undefined) return;
    if (origin.truncated || origin.length > bytes.length) {
      this.#drops.malformed += 1;
    } else if (socket.spec.purpose === 'datagram') {
      this.#datagramToControl(socket, bytes, origin);
    } else if (origin.length > 0 && (octet(bytes, 0) & CONTROL_MESSAGE) !== 0) {
      if (origin.length < CONTROL_HEADER_LENGTH) this.#drops.malformed += 1;
      else this.#datagramToControl(socket, bytes, origin);
    } else {
      this.#receiveData(socket, bytes, origin, now);
    }
  }

  /**
   * One packet from a TUN, at `bytes[offset..offset + length)`. The {@link HEADROOM} octets before it are overwritten.
   */
  receivePacket(from: InterfaceId, bytes: Uint8Array, offset: number, length: number): void {
    const inner = this.#inner;
    if (!readInnerPacket(bytes, offset, offset + length, inner)) {
      this.#drops.notIp += 1;
      return;
    }
    const session = inner.version === 4 ? this.table.sessionTo(from, inner.destination) : undefined;
    const network = session?.network;
    if (session === undefined || network === undefined) {
      this.#drops.noRoute += 1;
      return;
    }
    if (inner.length > network.mtu) {
      session.drops.tooBig += 1;
      return;
    }
    clampMss(bytes, inner, network.mtu);
    const ppp = offset - network.pppHeader.length;
    bytes.set(network.pppHeader, ppp);
    if (!this.#sendData(session, bytes, ppp, offset + inner.length)) return;
    session.packetsSent += 1;
    session.octetsSent += inner.length;
  }

  /** Sends a bare PPP frame (protocol number, information) with full headers. Unknown sessions: nothing happens. */
  sendPppFrame(key: SessionKey, frame: Uint8Array): void {
    const session = this.table.session(key);
    if (session === undefined) return;
    const ppp = HEADROOM - PPP_ADDRESS_CONTROL.length;
    const bytes = new Uint8Array(HEADROOM + frame.length);
    bytes.set(PPP_ADDRESS_CONTROL, ppp);
    bytes.set(frame, HEADROOM);
    this.#sendData(session, bytes, ppp, bytes.length);
  }

  #receiveData(socket: SocketSessions, bytes: Uint8Array, origin: DatagramOrigin, now: Instant): void {
    const message = this.#message;
    if (decodeDataMessage(bytes, 0, origin.length, message) !== undefined) {
      this.#drops.malformed += 1;
      return;
    }
    const session = socket.session(message.tunnelId, message.sessionId);
    if (session === undefined) {
      this.#drops.unknownSession += 1;
      return;
    }
    // The address only: some peers (RouterOS) send from one port and listen on another.
    if (session.spec.path.remote.address !== origin.remoteAddress) {
      this.#drops.wrongPeer += 1;
      return;
    }
    if (message.sequenced && !session.sequence.accept(message.ns)) {
      session.drops.sequence += 1;
      return;
    }
    session.peerSequences = message.sequenced;
    const ppp = this.#ppp;
    if (!readPppHeader(bytes, message.payloadOffset, message.payloadOffset + message.payloadLength, ppp)) {
      session.drops.malformed += 1;
    } else if (ppp.protocol === PPP_IP) {
      this.#receiveUserPacket(session, bytes, ppp.offset, ppp.offset + ppp.length);
    } else {
      this.#frameToControl(session, bytes, now);
    }
  }

  #receiveUserPacket(session: ForwardingSession, bytes: Uint8Array, offset: number, end: number): void {
    const network = session.network;
    const inner = this.#inner;
    if (network === undefined) {
      session.drops.networkClosed += 1;
    } else if (!readInnerPacket(bytes, offset, end, inner) || inner.version !== 4) {
      session.drops.malformed += 1;
    } else if (network.sources.lookup(inner.source) === undefined) {
      session.drops.wrongSource += 1;
    } else {
      clampMss(bytes, inner, network.mtu);
      // The packet by its own length: what PPP padded (RFC 1661 section 2) ends here.
      if (this.#ports.deliver(network.interface, bytes.subarray(offset, offset + inner.length))) {
        session.packetsReceived += 1;
        session.octetsReceived += inner.length;
      } else {
        session.drops.tunRefused += 1;
      }
    }
  }

  /** The PPP frame just read into the header object, bare. */
  #frameToControl(session: ForwardingSession, bytes: Uint8Array, now: Instant): void {
    const { protocol, offset, length } = this.#ppp;
    if (length > MAX_CONTROL_OCTETS) {
      session.drops.malformed += 1;
      return;
    }
    const bucket = protocol >= PPP_CONTROL_PROTOCOLS ? session.controlFrames : session.foreignFrames;
    if (!bucket.take(now)) {
      session.drops.controlRate += 1;
      return;
    }
    if (!this.#ports.controlRoom(false)) {
      this.#drops.controlOverload += 1;
      return;
    }
    const frame = new Uint8Array(2 + length);
    frame[0] = protocol >>> 8;
    frame[1] = protocol & 0xff;
    frame.set(bytes.subarray(offset, offset + length), 2);
    this.#ports.event({ kind: 'ppp-frame', session: session.spec.key, frame });
  }

  #datagramToControl(socket: SocketSessions, bytes: Uint8Array, origin: DatagramOrigin): void {
    if (origin.length > MAX_CONTROL_OCTETS) {
      this.#drops.malformed += 1;
      return;
    }
    if (!this.#ports.controlRoom(!socket.isPeer(origin.remoteAddress))) {
      this.#drops.controlOverload += 1;
      return;
    }
    this.#ports.event({
      kind: 'datagram',
      socket: socket.spec.id,
      path: {
        remote: { address: origin.remoteAddress, port: origin.remotePort },
        local: { address: origin.localAddress, port: socket.spec.port },
      },
      bytes: new Uint8Array(bytes.subarray(0, origin.length)),
      interfaceIndex: origin.interfaceIndex,
    });
  }

  /** Puts the L2TP header before `bytes[payload..end)` and sends. @returns whether it was sent. */
  #sendData(session: ForwardingSession, bytes: Uint8Array, payload: number, end: number): boolean {
    const { spec } = session;
    const header = session.nextHeader();
    const start = payload - dataHeaderLength(header);
    encodeDataHeader(bytes, start, header, end - payload);
    const datagram = bytes.subarray(start, end);
    const { remote, local } = spec.path;
    if (this.#ports.send(spec.socket, datagram, remote, local.address) === undefined) return true;
    session.drops.sendFailed += 1;
    return false;
  }
}
