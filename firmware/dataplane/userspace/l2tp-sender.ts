/** Data and control messages of L2TP on their way out: headers, and the socket or the policy by which they leave. */

import { UDP } from '../../protocol/esp/ip-packet.ts';
import { newFlow } from '../../protocol/esp/selectors.ts';
import { dataHeaderLength, encodeDataHeader } from '../../protocol/l2tp/data-message.ts';
import type { Instant } from '../../protocol/machine.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { PolicyKey, SessionKey, SocketSpec } from '../data-plane.ts';
import type { EspPath } from './esp-path.ts';
import type { ForwarderPorts, GlobalDrops } from './forwarder-ports.ts';
import { putUdpHeader } from './inner-udp.ts';
import { HEADROOM, MESSAGE_HEADROOM, TAILROOM, UDP_HEADER } from './packet-room.ts';
import type { PolicyTable } from './policy-table.ts';
import type { ForwardingSession } from './session.ts';
import type { SessionTable } from './session-table.ts';

/** Address and Control fields of a PPP frame (RFC 1662 section 3.1). */
export const PPP_ADDRESS_CONTROL = [0xff, 0x03] as const;

export interface L2tpSenderParts {
  readonly table: SessionTable;
  readonly policies: PolicyTable;
  readonly esp: EspPath;
  readonly ports: ForwarderPorts;
  readonly drops: GlobalDrops;
}

export class L2tpSender {
  readonly #parts: L2tpSenderParts;
  readonly #flow = newFlow();

  constructor(parts: L2tpSenderParts) {
    this.#parts = parts;
    this.#flow.protocol = UDP;
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
    this.send(session, bytes, ppp, end, now);
  }

  /** A control message of a protected socket. */
  sendProtected(socket: SocketSpec, path: UdpPath, message: Uint8Array, now: Instant): void {
    const end = MESSAGE_HEADROOM + message.length;
    const bytes = new Uint8Array(end + TAILROOM);
    bytes.set(message, MESSAGE_HEADROOM);
    this.#seal(socket, path.bearer, path.remote.port, bytes, MESSAGE_HEADROOM, end, now);
  }

  /** Puts the L2TP header before `bytes[payload..end)` and sends. @returns whether it was sent. */
  send(
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
      return this.#seal(socket, bearer, remote.port, bytes, start, end, now, mayFragment, session.trafficClass);
    }
    const { ports } = this.#parts;
    const message = bytes.subarray(start, end);
    if (ports.send(spec.socket, message, remote, local.address, false, session.trafficClass) === undefined) return true;
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
    trafficClass = 0,
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
    return this.#parts.esp.send(policy, flow, bytes, at, length, UDP, now, mayFragment, trafficClass);
  }
}
