/** What goes up to the control thread: copies, of a bounded size, and only while it has room. */
import type { Instant } from '../../protocol/machine.ts';
import type { PppHeader } from '../../protocol/ppp/header.ts';
import type { SocketSpec } from '../data-plane.ts';
import type { Standing } from './control-queue.ts';
import { type Arrival, type ForwarderPorts, type GlobalDrops, NO_SOCKET } from './forwarder-ports.ts';
import type { PppSession } from './ppp-session.ts';

/**
 * Largest datagram or frame for the control thread, octets. A control message with every AVP at its longest, and a DNS
 * answer of the largest size that is asked for, stay below; it bounds what waiting events can hold.
 */
const MAX_CONTROL_OCTETS = 8192;
/** PPP protocols from here on are control protocols (RFC 1661 section 2). */
const PPP_CONTROL_PROTOCOLS = 0x8000;

export class ControlOutlet {
  readonly #ports: ForwarderPorts;
  readonly #drops: GlobalDrops;

  constructor(ports: ForwarderPorts, drops: GlobalDrops) {
    this.#ports = ports;
    this.#drops = drops;
  }

  /** The datagram at `bytes[at..at+length)`. @param standing of its sender. */
  datagram(
    socket: SocketSpec,
    bytes: Uint8Array,
    at: number,
    length: number,
    arrival: Arrival,
    standing: Standing,
  ): void {
    if (length > MAX_CONTROL_OCTETS) {
      this.#drops.malformed += 1;
      return;
    }
    if (!this.#ports.controlRoom(standing, socket.id)) {
      this.#drops.controlOverload += 1;
      return;
    }
    const { remoteAddress, remotePort, localAddress, interfaceIndex, bearer } = arrival;
    const path = {
      remote: { address: remoteAddress, port: remotePort },
      local: { address: localAddress, port: socket.port },
      ...(bearer === undefined ? {} : { bearer }),
    };
    const copy = new Uint8Array(bytes.subarray(at, at + length));
    this.#ports.event({ kind: 'datagram', socket: socket.id, path, bytes: copy, interfaceIndex }, standing);
  }

  /** A PPP frame that is no user packet, bare. */
  frame(session: PppSession, { protocol, offset, length }: PppHeader, bytes: Uint8Array, now: Instant): void {
    if (length > MAX_CONTROL_OCTETS) {
      session.drops.malformed += 1;
      return;
    }
    const bucket = protocol >= PPP_CONTROL_PROTOCOLS ? session.controlFrames : session.foreignFrames;
    if (!bucket.take(now)) {
      session.drops.controlRate += 1;
      return;
    }
    if (!this.#ports.controlRoom('proven', NO_SOCKET)) {
      this.#drops.controlOverload += 1;
      return;
    }
    const frame = new Uint8Array(2 + length);
    frame[0] = protocol >>> 8;
    frame[1] = protocol & 0xff;
    frame.set(bytes.subarray(offset, offset + length), 2);
    this.#ports.event({ kind: 'ppp-frame', session: session.key, frame }, 'proven');
  }
}
