/** The way of IP packets in tunnel mode: between a TUN and the SAs of the policies that cover what goes through it. */

import { type IpPacket, newIpPacket, readIpPacket } from '../../protocol/esp/ip-packet.ts';
import { NEXT_IPV4, NEXT_IPV6 } from '../../protocol/esp/packet.ts';
import type { OpenedPacket } from '../../protocol/esp/receiving-sa.ts';
import { type Flow, newFlow } from '../../protocol/esp/selectors.ts';
import type { Instant } from '../../protocol/machine.ts';
import type { InterfaceId } from '../data-plane.ts';
import type { EspPath } from './esp-path.ts';
import type { ForwarderPorts } from './forwarder-ports.ts';
import { clampMss } from './mss-clamp.ts';
import type { Oversize } from './oversize.ts';
import { MIN_PATH_MTU_IPV6 } from './path-mtu.ts';
import type { Policy, PolicyTable } from './policy-table.ts';
import type { SaPair } from './sa-pair.ts';
import type { SessionTable } from './session-table.ts';

export interface IpTunnelParts {
  readonly table: SessionTable;
  readonly policies: PolicyTable;
  readonly esp: EspPath;
  readonly oversize: Oversize;
  readonly ports: ForwarderPorts;
}

export class IpTunnel {
  readonly #parts: IpTunnelParts;
  readonly #inner = newIpPacket();
  readonly #flow = newFlow();

  constructor(parts: IpTunnelParts) {
    this.#parts = parts;
  }

  /** A packet from a TUN. @returns false when no policy of the TUN covers it, or it may wait for the SA of the one that does. */
  sendPacket(from: InterfaceId, bytes: Uint8Array, inner: IpPacket, now: Instant): boolean {
    const { policies, esp, table } = this.#parts;
    if (!policies.has(from)) return false;
    const flow = this.#flow;
    setFlow(flow, bytes, inner, 'outwards');
    const policy = policies.covering(from, flow);
    if (policy === undefined || policy.inside.kind !== 'ip') return false;
    if (policy.sa === undefined && table.held(from) !== undefined) return false;
    const mtu = Math.min(policy.inside.mtu, esp.payloadRoom(policy, now));
    const nextHeader = inner.version === 4 ? NEXT_IPV4 : NEXT_IPV6;
    if (inner.length <= mtu) {
      clampMss(bytes, inner, mtu);
      esp.send(policy, flow, bytes, inner.offset, inner.length, nextHeader, now);
      return true;
    }
    if (inner.version === 6 && inner.length <= MIN_PATH_MTU_IPV6) {
      // Its sender may not be asked for smaller ones, so the outer packet is fragmented (RFC 2473 section 7.1).
      esp.send(policy, flow, bytes, inner.offset, inner.length, nextHeader, now, true);
      return true;
    }
    this.#sendOversize(from, policy, bytes, inner, mtu, nextHeader, now);
    return true;
  }

  /** What the pair, of a policy for IP, has opened: a packet that its selectors allow. */
  receive(pair: SaPair, bytes: Uint8Array, opened: OpenedPacket, now: Instant): void {
    const { policy } = pair;
    const inner = this.#inner;
    const { offset, length } = opened;
    if (policy.inside.kind !== 'ip' || !readIpPacket(bytes, offset, offset + length, inner)) {
      pair.drops.wrongInside += 1;
      return;
    }
    setFlow(this.#flow, bytes, inner, 'inwards');
    if (!policy.covers(this.#flow)) {
      pair.drops.wrongInside += 1;
      return;
    }
    clampMss(bytes, inner, Math.min(policy.inside.mtu, this.#parts.esp.payloadRoom(policy, now)));
    const packet = bytes.subarray(offset, offset + inner.length);
    if (!this.#parts.ports.deliver(policy.inside.interface, packet)) policy.drops.tunRefused += 1;
  }

  /** Apart, because what a closure captures is allocated whenever its function is called. */
  #sendOversize(
    from: InterfaceId,
    policy: Policy,
    bytes: Uint8Array,
    inner: IpPacket,
    mtu: number,
    nextHeader: number,
    now: Instant,
  ): void {
    const { esp, oversize } = this.#parts;
    // All fragments by the selectors of the whole: of later ones no port can be seen.
    const cut = oversize.handle(from, bytes, inner, mtu, now, (buffer, at, length) => {
      esp.send(policy, this.#flow, buffer, at, length, nextHeader, now);
    });
    if (!cut) policy.drops.tooBig += 1;
  }
}

function setFlow(flow: Flow, bytes: Uint8Array, packet: IpPacket, direction: 'outwards' | 'inwards'): void {
  const out = direction === 'outwards';
  flow.localBytes = bytes;
  flow.remoteBytes = bytes;
  flow.localAt = out ? packet.sourceAt : packet.destinationAt;
  flow.remoteAt = out ? packet.destinationAt : packet.sourceAt;
  flow.addressOctets = packet.addressOctets;
  flow.protocol = packet.protocol;
  flow.localPort = out ? packet.sourcePort : packet.destinationPort;
  flow.remotePort = out ? packet.destinationPort : packet.sourcePort;
}
