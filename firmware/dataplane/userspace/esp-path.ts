/**
 * The way of packets through SAs: sealed and sent, received and opened. What is inside of them is `l2tp-path.ts`'s and
 * `ip-tunnel.ts`'s business.
 */
import { putMutable } from '../../protocol/ah/outer-header.ts';
import type { LifetimeEvent, SaLifetime } from '../../protocol/esp/lifetime.ts';
import type { InboundVerdict, OpenedPacket } from '../../protocol/esp/receiving-sa.ts';
import type { Flow } from '../../protocol/esp/selectors.ts';
import type { SealedPacket } from '../../protocol/esp/sending-sa.ts';
import type { Instant } from '../../protocol/machine.ts';
import type { DataPlaneEvent, SocketSpec } from '../data-plane.ts';
import type { EarlyPackets } from './early-packets.ts';
import type { DatagramOrigin, ForwarderPorts } from './forwarder-ports.ts';
import { UDP_HEADER } from './packet-room.ts';
import type { PathMtus } from './path-mtu.ts';
import type { Policy } from './policy-table.ts';
import type { SaPair } from './sa-pair.ts';
import type { SaTable } from './sa-table.ts';
import type { SessionTable } from './session-table.ts';
import { TokenBucket } from './token-bucket.ts';

/** Reports of unknown SPIs a second: one tells the control plane what it needs; a peer that lost its SAs sends many. */
const UNKNOWN_SPIS_PER_SECOND = 10;
/** At once: as many peers may come back together after a restart. */
const UNKNOWN_SPIS_BURST = 20;

/** Header of the outer packet without options, octets. */
export const IP_HEADER = { 4: 20, 6: 40 } as const;

export interface EspPathParts {
  readonly table: SessionTable;
  readonly sas: SaTable;
  readonly pathMtus: PathMtus;
  readonly ports: ForwarderPorts;
  readonly early: EarlyPackets;
}

export class EspPath {
  /** Where the payload of the packet opened last lies. */
  readonly opened: OpenedPacket = { offset: 0, length: 0, nextHeader: 0 };
  readonly #parts: EspPathParts;
  readonly #sealed: SealedPacket = { offset: 0, length: 0 };
  /** From addresses of peers, and from others: these must not use up what those want to be told of. */
  readonly #peersSpis = new TokenBucket(UNKNOWN_SPIS_PER_SECOND, UNKNOWN_SPIS_BURST);
  readonly #strangersSpis = new TokenBucket(UNKNOWN_SPIS_PER_SECOND, UNKNOWN_SPIS_BURST);

  constructor(parts: EspPathParts) {
    this.#parts = parts;
  }

  /**
   * Seals the payload at `bytes[at..at+length)` by the policy's pair, in place, and sends it. What is refused is
   * counted.
   * @param flow of the payload, which the selectors of the pair are held against (RFC 4301 section 5.1).
   * @param mayFragment the outer packet, in default of another way.
   * @returns whether it was sent.
   */
  send(
    policy: Policy,
    flow: Flow,
    bytes: Uint8Array,
    at: number,
    length: number,
    nextHeader: number,
    now: Instant,
    mayFragment = false,
    trafficClass = 0,
  ): boolean {
    const pair = policy.sa;
    if (pair === undefined) {
      policy.drops.noSa += 1;
      return false;
    }
    if (!pair.inbound.selectors.match(flow)) {
      policy.drops.selectors += 1;
      return false;
    }
    const sealed = this.#seal(pair, bytes, at, length, nextHeader, now);
    this.#reportLifetime(pair, pair.outbound.lifetime);
    if (!sealed) return false;
    const { offset, length: octets } = this.#sealed;
    const { remote, local } = pair.path;
    const datagram = bytes.subarray(offset, offset + octets);
    const { ports } = this.#parts;
    // With AH the IP header is part of the packet.
    if (pair.protocol === 'ah') putMutable(bytes, offset, trafficClass, mayFragment);
    if (ports.send(pair.socket, datagram, remote, local.address, mayFragment, trafficClass) !== undefined) {
      pair.drops.sendFailed += 1;
      return false;
    }
    pair.packetsSent += 1;
    pair.octetsSent += length;
    return true;
  }

  /** Octets of the largest payload that the way of the policy's pair takes; infinite where nothing is known of it. */
  payloadRoom(policy: Policy, now: Instant): number {
    const { table, pathMtus } = this.#parts;
    const pair = policy.sa;
    const socket = pair === undefined ? undefined : table.socket(pair.socket)?.spec;
    if (pathMtus.empty || pair === undefined || socket === undefined) return Number.POSITIVE_INFINITY;
    const mtu = pathMtus.to(pair.path.remote.address, now);
    if (mtu === Number.POSITIVE_INFINITY) return mtu;
    const encapsulation = socket.purpose === 'udp-encapsulation' ? UDP_HEADER : 0;
    return pair.outbound.largestPayload(mtu - IP_HEADER[socket.family] - encapsulation);
  }

  /**
   * Opens the packet of ESP, or from an `ah` socket of AH, that `origin` says, in place. What is refused is counted;
   * what there is to tell is told; what has no SA waits a moment for one (`early-packets.ts`).
   * @param spi as it stands in the packet.
   * @returns the pair, when there is something to deliver: {@link opened} says where.
   */
  receive(
    socket: SocketSpec,
    bytes: Uint8Array,
    spi: number,
    origin: DatagramOrigin,
    now: Instant,
  ): SaPair | undefined {
    const pair = this.#parts.sas.bySpi(spi);
    if (pair === undefined || (pair.protocol === 'ah') !== (socket.purpose === 'ah')) {
      this.#unknownSpi(socket, bytes, spi, origin, now);
      return undefined;
    }
    const { inbound, outer } = pair;
    const newest = inbound.sequence;
    outer.trafficClass = origin.trafficClass;
    const verdict = this.#open(pair, bytes, origin.offset, origin.length, now);
    if (verdict === 'broken') return undefined;
    if (inbound.sequence > newest) this.#takeNewest(pair, socket, origin);
    if (pair.moved && pair.moves.take(now)) {
      pair.moved = false;
      this.#tell({ kind: 'sa-moved', sa: pair.key, path: pair.path });
    }
    this.#reportLifetime(pair, inbound.lifetime);
    return verdict === 'deliver' ? pair : undefined;
  }

  #seal(pair: SaPair, bytes: Uint8Array, at: number, length: number, nextHeader: number, now: Instant): boolean {
    try {
      return pair.outbound.seal(bytes, at, length, nextHeader, now, this.#sealed) === 'sealed';
    } catch {
      // The cipher is broken. Its SA is of no use, but the engine is.
      this.#parts.sas.retire(pair);
      this.reportUseless(pair.key);
      return false;
    }
  }

  #open(pair: SaPair, bytes: Uint8Array, at: number, length: number, now: Instant): InboundVerdict | 'broken' {
    try {
      return pair.inbound.open(bytes, at, length, pair.outer, now, this.opened);
    } catch {
      // As in #seal.
      this.#parts.sas.retire(pair);
      this.reportUseless(pair.key);
      return 'broken';
    }
  }

  /** Tells that a pair carries nothing, and never will. */
  reportUseless(sa: number): void {
    this.#tell({ kind: 'sa-lifetime', sa, limit: 'hard', unit: 'packets' });
  }

  /** An authentic packet came in that is newer than any before. */
  #takeNewest(pair: SaPair, socket: SocketSpec, origin: DatagramOrigin): void {
    if (!pair.heard) {
      pair.heard = true;
      this.#tell({ kind: 'sa-received', sa: pair.key });
    }
    const { remote } = pair.path;
    // By another socket it is no hint as to where this one should send: ports, encapsulation and family are others.
    if (!pair.followPeer || socket.id !== pair.socket) return;
    if (remote.port === origin.remotePort && remote.address === origin.remoteAddress) return;
    this.#parts.sas.move(pair, origin.remoteAddress, origin.remotePort);
  }

  #reportLifetime(pair: SaPair, lifetime: SaLifetime): void {
    for (let event: LifetimeEvent | undefined = lifetime.poll(); event !== undefined; event = lifetime.poll()) {
      const limit = event.kind === 'lifetime-soft' ? 'soft' : 'hard';
      this.#tell({ kind: 'sa-lifetime', sa: pair.key, limit, unit: event.unit });
    }
  }

  #unknownSpi(socket: SocketSpec, bytes: Uint8Array, spi: number, origin: DatagramOrigin, now: Instant): void {
    const { early, ports, sas } = this.#parts;
    const known = sas.isPeer(origin.remoteAddress);
    const standing = known ? 'known' : 'stranger';
    early.add(socket.id, spi, bytes, origin, standing, now);
    const bucket = known ? this.#peersSpis : this.#strangersSpis;
    if (!bucket.take(now) || !ports.controlRoom(standing, socket.id)) return;
    const path = {
      remote: { address: origin.remoteAddress, port: origin.remotePort },
      local: { address: origin.localAddress, port: socket.port },
    };
    ports.event({ kind: 'unknown-spi', socket: socket.id, spi, path }, standing);
  }

  /** Of an SA: so many in its life, or so many a second. */
  #tell(event: DataPlaneEvent): void {
    this.#parts.ports.event(event, 'proven');
  }
}
