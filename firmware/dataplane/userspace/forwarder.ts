/**
 * The core of the user-space engine: what happens to one packet. No I/O, no thread, no clock; `engine.ts` tells the
 * life of a packet from end to end.
 *
 * Everything from a socket or a TUN is a stranger's: nothing here throws for what it reads, and every packet that is
 * not carried is counted by the reason.
 */
import type { PacketCipherFactory } from '../../../hal/packet-cipher.ts';
import { headerOctets } from '../../protocol/ah/outer-header.ts';
import { AH_FIXED, ahSpi } from '../../protocol/ah/packet.ts';
import { IPV4_HEADER, newIpPacket, readIpPacket } from '../../protocol/esp/ip-packet.ts';
import { ESP_HEADER, espSpi } from '../../protocol/esp/packet.ts';
import {
  classifyEncapsulated,
  NON_ESP_MARKER_OCTETS,
  natKeepalive,
  withNonEspMarker,
} from '../../protocol/esp/udp-encapsulation.ts';
import type { Instant, RandomSource } from '../../protocol/machine.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type {
  DataPlaneCounters,
  InterfaceId,
  PolicyKey,
  PolicySpec,
  SaSpec,
  SessionKey,
  SessionSpec,
  SocketId,
  SocketSpec,
} from '../data-plane.ts';
import type { LineId, LineSessionSpec } from '../ppp-carrier.ts';
import { ControlOutlet } from './control-outlet.ts';
import { EarlyPackets } from './early-packets.ts';
import { EspPath } from './esp-path.ts';
import { type DatagramOrigin, type ForwarderPorts, NO_SOCKET, newGlobalDrops } from './forwarder-ports.ts';
import { isWorthHolding } from './held-packets.ts';
import { IpTunnel } from './ip-tunnel.ts';
import { L2tpPath } from './l2tp-path.ts';
import { L2tpRelay } from './l2tp-relay.ts';
import { L2tpSender } from './l2tp-sender.ts';
import { LineSender } from './line-sender.ts';
import { Oversize } from './oversize.ts';
import { HEADROOM, TAILROOM } from './packet-room.ts';
import { PathMtus } from './path-mtu.ts';
import { PolicyTable } from './policy-table.ts';
import { PppPath } from './ppp-path.ts';
import type { SaPair } from './sa-pair.ts';
import { SaTable } from './sa-table.ts';
import { SessionTable } from './session-table.ts';

/** Header of every IKE message (RFC 7296 section 3.1), octets. */
const IKE_HEADER_OCTETS = 28;

export class Forwarder {
  /** Sockets, interfaces and sessions. */
  readonly table: SessionTable;
  readonly policies = new PolicyTable();
  readonly sas: SaTable;
  /** What the network has said of its paths. */
  readonly pathMtus = new PathMtus();
  readonly #ports: ForwarderPorts;
  readonly #drops = newGlobalDrops();
  readonly #early: EarlyPackets;
  readonly #control: ControlOutlet;
  readonly #esp: EspPath;
  readonly #ppp: PppPath;
  readonly #l2tp: L2tpPath;
  readonly #l2tpSender: L2tpSender;
  readonly #tunnel: IpTunnel;
  readonly #inner = newIpPacket();

  /** @param random for the IVs of CBC. */
  constructor(ports: ForwarderPorts, ciphers: PacketCipherFactory, random: RandomSource) {
    this.#ports = ports;
    this.table = new SessionTable(this.#drops);
    this.sas = new SaTable(ciphers, random);
    this.#early = new EarlyPackets(this.#drops);
    this.#control = new ControlOutlet(ports, this.#drops);
    const { table, policies, sas, pathMtus } = this;
    const oversize = new Oversize(table, ports);
    const common = { table, policies, sas, pathMtus, ports, oversize, control: this.#control, drops: this.#drops };
    this.#esp = new EspPath({ ...common, early: this.#early });
    this.#l2tpSender = new L2tpSender({ ...common, esp: this.#esp });
    const relay = new L2tpRelay(table, this.#l2tpSender);
    this.#ppp = new PppPath({ ...common, l2tp: this.#l2tpSender, line: new LineSender(ports) });
    this.#l2tp = new L2tpPath({ ...common, ppp: this.#ppp, relay });
    this.#tunnel = new IpTunnel({ ...common, esp: this.#esp });
  }

  counters(): DataPlaneCounters {
    return {
      sessions: this.table.counters(),
      sas: this.sas.counters(),
      policies: this.policies.counters(),
      drops: { ...this.#drops },
    };
  }

  /** @throws EncodeError when a selector makes no sense; all stays as it was. */
  putPolicy(spec: PolicySpec, now: Instant): void {
    const sa = spec.sa === undefined ? undefined : this.sas.pair(spec.sa);
    this.policies.put(spec, sa);
    if (spec.inside.kind === 'ip' && sa !== undefined) this.#sendHeld(spec.inside.interface, now);
  }

  /** Its SA pairs go with it. */
  removePolicy(key: PolicyKey): void {
    const inside = this.policies.policy(key)?.inside;
    this.policies.remove(key);
    this.sas.removeOf(key);
    if (inside?.kind !== 'ip' || this.policies.has(inside.interface)) return;
    // Who was told while there was a policy may have thought that it is taken care of.
    const held = this.table.held(inside.interface);
    if (held !== undefined) held.told = false;
  }

  /** The network has said how large a packet to that address may be. It is of interest where ESP goes. */
  learnPathMtu(address: string, mtu: number, now: Instant): void {
    if (this.sas.isPeer(address)) this.pathMtus.learn(address, mtu, now);
  }

  /** A pair that cannot be made is reported as one that carries nothing any more. */
  putSa(spec: SaSpec, now: Instant): void {
    const policy = this.policies.policy(spec.policy);
    if (policy === undefined) return;
    try {
      this.sas.put(spec, policy, now);
    } catch {
      this.#esp.reportUseless(spec.key);
      return;
    }
    for (const { socket, bytes, origin } of this.#early.take(spec.inbound.spi)) {
      this.receiveDatagram(socket, bytes, origin, now);
    }
  }

  /** One datagram from a socket: `origin.length` octets of `bytes`, which may be changed. */
  receiveDatagram(id: SocketId, bytes: Uint8Array, origin: DatagramOrigin, now: Instant): void {
    const socket = this.table.socket(id);
    if (socket === undefined) return;
    const { offset, length } = origin;
    if (origin.truncated || offset + length > bytes.length) {
      this.#drops.malformed += 1;
      return;
    }
    switch (socket.spec.purpose) {
      case 'l2tp':
        this.#l2tp.receive(socket, bytes, offset, length, origin, now);
        return;
      case 'datagram':
        this.#control.datagram(socket.spec, bytes, offset, length, origin, 'stranger');
        return;
      case 'ike':
        this.#receiveIke(socket.spec, bytes, offset, length, origin);
        return;
      case 'udp-encapsulation':
        this.#receiveEncapsulated(socket.spec, bytes, origin, now);
        return;
      case 'esp':
        if (length < ESP_HEADER) this.#drops.malformed += 1;
        else this.#receiveEsp(socket.spec, bytes, origin, now);
        return;
      case 'ah':
        this.#receiveAh(socket.spec, bytes, origin, now);
        return;
      case 'protected-l2tp':
        // There is nothing in the kernel by which anything could come in.
        return;
    }
  }

  /**
   * One packet from a TUN, at `bytes[offset..offset+length)`. HEADROOM octets before it are overwritten, and TAILROOM
   * octets behind it (`packet-room.ts`).
   */
  receivePacket(from: InterfaceId, bytes: Uint8Array, offset: number, length: number, now: Instant): void {
    const inner = this.#inner;
    if (!readIpPacket(bytes, offset, offset + length, inner)) {
      this.#drops.notIp += 1;
      return;
    }
    if (this.#ppp.sendPacket(from, bytes, inner, now)) return;
    if (this.#tunnel.sendPacket(from, bytes, inner, now)) return;
    const held = isWorthHolding(bytes, inner) ? this.table.held(from) : undefined;
    if (held === undefined) {
      this.#drops.noRoute += 1;
      return;
    }
    held.add(bytes, inner, now);
    if (held.told || !this.#ports.controlRoom('proven', NO_SOCKET)) return;
    held.told = true;
    this.#ports.event({ kind: 'traffic', interface: from }, 'proven');
  }

  /** The PPP frame `bytes[at..end)` from a line, which may be changed. */
  receiveFrame(line: LineId, bytes: Uint8Array, at: number, end: number, now: Instant): void {
    const session = this.table.onLine(line);
    if (session === undefined) this.#drops.unknownSession += 1;
    else this.#ppp.receive(session, bytes, at, end, now);
  }

  /** Something from a line that is no frame for it. */
  dropFromLine(reason: 'unknownSession' | 'wrongPeer' | 'malformed'): void {
    this.#drops[reason] += 1;
  }

  /** @throws RangeError when a prefix of it is none. */
  putSession(spec: SessionSpec | LineSessionSpec, now: Instant): void {
    this.table.putSession(spec);
    if (spec.network !== undefined) this.#sendHeld(spec.network.interface, now);
  }

  /** Somebody has come who may take what waits. */
  #sendHeld(on: InterfaceId, now: Instant): void {
    for (const packet of this.table.held(on)?.takeAll() ?? []) {
      const bytes = new Uint8Array(HEADROOM + packet.length + TAILROOM);
      bytes.set(packet, HEADROOM);
      this.receivePacket(on, bytes, HEADROOM, packet.length, now);
    }
  }

  /** When {@link tick} wants to be called: something waits for its turn. */
  nextDeadline(): Instant | undefined {
    let next = this.#l2tp.nextDeadline();
    for (const waiting of [this.#early, ...this.table.holds]) {
      const due = waiting.nextDeadline();
      if (due !== undefined && (next === undefined || due < next)) next = due;
    }
    return next;
  }

  tick(now: Instant): void {
    this.#l2tp.tick(now);
    for (const waiting of [this.#early, ...this.table.holds]) waiting.expire(now);
  }

  /** Sends a bare PPP frame (protocol number, information) with full headers. Unknown sessions: nothing happens. */
  sendPppFrame(key: SessionKey, frame: Uint8Array, now: Instant): void {
    this.#ppp.sendFrame(key, frame, now);
  }

  /** A datagram of the control plane. @returns undefined when sent or dropped here, else the errno name. */
  sendDatagram(id: SocketId, path: UdpPath, bytes: Uint8Array, now: Instant): string | undefined {
    const socket = this.table.socket(id)?.spec;
    switch (socket?.purpose) {
      case 'protected-l2tp':
        this.#l2tpSender.sendProtected(socket, path, bytes, now);
        return undefined;
      case 'udp-encapsulation':
        return this.#ports.send(id, withNonEspMarker(bytes), path.remote, path.local.address, true);
      case 'l2tp':
      case 'datagram':
      case 'ike':
        return this.#sendInClear(id, path, bytes);
      default:
        return undefined;
    }
  }

  sendNatKeepalive(id: SocketId, path: UdpPath): void {
    if (this.table.socket(id)?.spec.purpose !== 'udp-encapsulation') return;
    this.#ports.send(id, natKeepalive(), path.remote, path.local.address);
  }

  #sendInClear(id: SocketId, path: UdpPath, bytes: Uint8Array): string | undefined {
    if (path.bearer !== undefined) {
      // Meant to be protected, but the socket protects nothing.
      this.#drops.noSa += 1;
      return undefined;
    }
    return this.#ports.send(id, bytes, path.remote, path.local.address);
  }

  #receiveEncapsulated(socket: SocketSpec, bytes: Uint8Array, origin: DatagramOrigin, now: Instant): void {
    const { offset, length } = origin;
    switch (classifyEncapsulated(bytes, offset, length)) {
      case 'esp':
        this.#receiveEsp(socket, bytes, origin, now);
        return;
      case 'ike':
        this.#receiveIke(socket, bytes, offset + NON_ESP_MARKER_OCTETS, length - NON_ESP_MARKER_OCTETS, origin);
        return;
      case 'malformed':
        this.#drops.malformed += 1;
        return;
      case 'keepalive':
        return;
    }
  }

  #receiveIke(socket: SocketSpec, bytes: Uint8Array, at: number, length: number, origin: DatagramOrigin): void {
    if (length < IKE_HEADER_OCTETS) {
      this.#drops.malformed += 1;
      return;
    }
    const standing = this.sas.isPeer(origin.remoteAddress) ? 'known' : 'stranger';
    this.#control.datagram(socket, bytes, at, length, origin, standing);
  }

  #receiveEsp(socket: SocketSpec, bytes: Uint8Array, origin: DatagramOrigin, now: Instant): void {
    const { offset } = origin;
    const pair = this.#esp.receive(socket, bytes, espSpi(bytes, offset), origin, now);
    if (pair !== undefined) this.#deliver(pair, bytes, origin, now);
  }

  /** The IP header comes with it. */
  #receiveAh(socket: SocketSpec, bytes: Uint8Array, origin: DatagramOrigin, now: Instant): void {
    const { offset, length } = origin;
    const header = headerOctets(bytes, offset);
    if (header < IPV4_HEADER || length < header + AH_FIXED) {
      this.#drops.malformed += 1;
      return;
    }
    const pair = this.#esp.receive(socket, bytes, ahSpi(bytes, offset + header), origin, now);
    if (pair !== undefined) this.#deliver(pair, bytes, origin, now);
  }

  #deliver(pair: SaPair, bytes: Uint8Array, origin: DatagramOrigin, now: Instant): void {
    if (pair.policy.inside.kind === 'l2tp') {
      this.#l2tp.receiveInside(pair, bytes, this.#esp.opened, origin, now);
    } else {
      this.#tunnel.receive(pair, bytes, this.#esp.opened, now);
    }
  }
}
