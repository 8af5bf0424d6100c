/**
 * The way of L2TP messages, in clear by their own socket, or inside ESP: control messages to the control thread, data
 * messages to the PPP inside them.
 */

import { UDP } from '../../protocol/esp/ip-packet.ts';
import { u8, u16 } from '../../protocol/esp/octets.ts';
import type { OpenedPacket } from '../../protocol/esp/receiving-sa.ts';
import { type DataMessage, decodeDataMessage, newDataMessage } from '../../protocol/l2tp/data-message.ts';
import { CONTROL_HEADER_LENGTH } from '../../protocol/l2tp/header.ts';
import type { Instant } from '../../protocol/machine.ts';
import type { ControlOutlet } from './control-outlet.ts';
import type { Arrival, DatagramOrigin, GlobalDrops } from './forwarder-ports.ts';
import { udpDataOctets } from './inner-udp.ts';
import type { L2tpRelay } from './l2tp-relay.ts';
import type { L2tpSession } from './l2tp-session.ts';
import { HEADROOM, TAILROOM, UDP_HEADER } from './packet-room.ts';
import type { PolicyTable } from './policy-table.ts';
import type { PppPath } from './ppp-path.ts';
import type { SaPair } from './sa-pair.ts';
import type { SessionTable, SocketSessions } from './session-table.ts';

/** T bit of the first octet: a control message (RFC 2661 section 3.1). */
const CONTROL_MESSAGE = 0x80;

export interface L2tpPathParts {
  readonly table: SessionTable;
  readonly policies: PolicyTable;
  readonly relay: L2tpRelay;
  readonly ppp: PppPath;
  readonly control: ControlOutlet;
  readonly drops: GlobalDrops;
}

export class L2tpPath {
  readonly #parts: L2tpPathParts;
  readonly #message: DataMessage = newDataMessage();
  /** Sessions with messages that wait for those they have overtaken. */
  readonly #holding = new Set<L2tpSession>();
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
  #inOrder(session: L2tpSession, bytes: Uint8Array, now: Instant): boolean {
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
  #release(session: L2tpSession, now: Instant): void {
    const { sequence } = session;
    for (let held = sequence.released(); held !== undefined; held = sequence.released()) {
      this.#receivePayload(session, held, HEADROOM, held.length - TAILROOM, now);
    }
    if (!sequence.holding) this.#holding.delete(session);
  }

  /** The PPP frame `bytes[at..end)` of the session. */
  #receivePayload(session: L2tpSession, bytes: Uint8Array, at: number, end: number, now: Instant): void {
    if (session.spec.relay !== undefined) {
      this.#parts.relay.frame(session, session.spec.relay, bytes, at, end - at, now);
      return;
    }
    this.#parts.ppp.receive(session, bytes, at, end, now);
  }
}

/**
 * Whether a message came from the session's peer: by its bearer, or in clear from its address. The address only: some
 * peers (RouterOS) send from one port and listen on another.
 */
function isFromPeer(session: L2tpSession, arrival: Arrival): boolean {
  const { bearer, remote } = session.spec.path;
  if (bearer !== undefined || arrival.bearer !== undefined) return bearer === arrival.bearer;
  return remote.address === arrival.remoteAddress;
}
