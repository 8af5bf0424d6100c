/** Data and control messages of L2TP on their way out: headers, and the socket or the policy by which they leave. */

import { UDP } from '../../protocol/esp/ip-packet.ts';
import { newFlow } from '../../protocol/esp/selectors.ts';
import { dataHeaderLength, encodeDataHeader } from '../../protocol/l2tp/data-message.ts';
import type { Instant } from '../../protocol/machine.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { PolicyKey, SocketSpec } from '../data-plane.ts';
import { type EspPath, IP_HEADER } from './esp-path.ts';
import type { ForwarderPorts, GlobalDrops } from './forwarder-ports.ts';
import { putUdpHeader } from './inner-udp.ts';
import type { L2tpSession } from './l2tp-session.ts';
import { MESSAGE_HEADROOM, TAILROOM, UDP_HEADER } from './packet-room.ts';
import type { PathMtus } from './path-mtu.ts';
import type { PolicyTable } from './policy-table.ts';
import type { PppWay } from './ppp-path.ts';
import type { SessionNetwork } from './ppp-session.ts';
import type { SessionTable } from './session-table.ts';

export interface L2tpSenderParts {
  readonly table: SessionTable;
  readonly policies: PolicyTable;
  readonly pathMtus: PathMtus;
  readonly esp: EspPath;
  readonly ports: ForwarderPorts;
  readonly drops: GlobalDrops;
}

export class L2tpSender implements PppWay<L2tpSession> {
  readonly #parts: L2tpSenderParts;
  readonly #flow = newFlow();

  constructor(parts: L2tpSenderParts) {
    this.#parts = parts;
    this.#flow.protocol = UDP;
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
    session: L2tpSession,
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

  mtu(session: L2tpSession, network: SessionNetwork, now: Instant): number {
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
