/**
 * Which SCCRQs become tunnels: limits on what strangers can make this endpoint hold, recognition of a repeated SCCRQ,
 * and the tie breaker (RFC 2661 sections 4.4.3 and 5.8).
 */
import { createHash } from 'node:crypto';
import type { Instant } from '../machine.ts';
import type { UdpPath } from '../udp-path.ts';
import type { EndpointLimits } from './endpoint-types.ts';
import { peerKey, sameHost } from './peer-key.ts';
import type { Tunnel } from './tunnel.ts';

/**
 * How long after a tunnel's end its SCCRQ is still taken for a straggler, ms. Later it is a peer without any random
 * value in its SCCRQ that dials again.
 */
const STRAGGLER_MS = 2000;

/**
 * A half-open tunnel older than this makes room for a new one where the limit is reached, ms: longer than a round trip
 * over LTE. Without it a few forged SCCRQs a second would keep every branch out; with it it takes sixteen a second in
 * the name of one address, or 256 in all, and even then some honest ones get in.
 */
const HALF_OPEN_GRACE_MS = 250;

interface Accepted {
  readonly tunnel: Tunnel;
  /** Of the SCCRQ's octets. */
  readonly digest: string;
  closedAt?: Instant;
}

/** What an SCCRQ is, seen from here. */
export type Recognition =
  | { readonly kind: 'new' }
  /** The SCCRQ of this tunnel. */
  | { readonly kind: 'repeated'; readonly tunnel: Tunnel };

export class Admission {
  readonly #limits: EndpointLimits;
  /** By peer and tunnel id of the peer. */
  readonly #accepted = new Map<string, Accepted>();
  readonly #keys = new Map<Tunnel, string>();
  /** With the time of their SCCRQ, the oldest first. */
  readonly #halfOpen = new Map<Tunnel, Instant>();

  constructor(limits: EndpointLimits) {
    this.#limits = limits;
  }

  /** Whether the SCCRQ has been seen before. */
  recognize(now: Instant, path: UdpPath, peerTunnelId: number, datagram: Uint8Array): Recognition {
    const known = this.#accepted.get(keyOf(path, peerTunnelId));
    if (known === undefined) return { kind: 'new' };
    const { tunnel, closedAt } = known;
    const same = known.digest === digestOf(datagram);
    const repeated =
      tunnel.state === 'wait-connect' || (same && (closedAt === undefined || now - closedAt < STRAGGLER_MS));
    return repeated ? { kind: 'repeated', tunnel } : { kind: 'new' };
  }

  /** The tunnel that a peer opened under its tunnel id, if it is still known. */
  find(path: UdpPath, peerTunnelId: number): Tunnel | undefined {
    return this.#accepted.get(keyOf(path, peerTunnelId))?.tunnel;
  }

  /** Whether one more tunnel may be half open, or which one has to go for it. */
  roomFor(
    now: Instant,
    path: UdpPath,
  ): { readonly kind: 'free' | 'none' } | { readonly kind: 'evict'; tunnel: Tunnel } {
    const { halfOpenPerAddress, halfOpenTotal } = this.#limits;
    const ofHost = [...this.#halfOpen.keys()].filter((tunnel) => sameHost(tunnel.path, path));
    const crowd = ofHost.length >= halfOpenPerAddress ? ofHost : [...this.#halfOpen.keys()];
    if (crowd === ofHost || this.#halfOpen.size >= halfOpenTotal) {
      const [oldest] = crowd;
      const age = oldest ? now - (this.#halfOpen.get(oldest) ?? now) : 0;
      return oldest && age >= HALF_OPEN_GRACE_MS ? { kind: 'evict', tunnel: oldest } : { kind: 'none' };
    }
    return { kind: 'free' };
  }

  /** A tunnel was made for an SCCRQ. */
  add(now: Instant, tunnel: Tunnel, path: UdpPath, peerTunnelId: number, datagram: Uint8Array): void {
    const key = keyOf(path, peerTunnelId);
    this.#accepted.set(key, { tunnel, digest: digestOf(datagram) });
    this.#keys.set(tunnel, key);
    this.#halfOpen.set(tunnel, now);
  }

  /** The tunnel's state may have changed. */
  update(now: Instant, tunnel: Tunnel): void {
    if (tunnel.state !== 'wait-connect') this.#halfOpen.delete(tunnel);
    const key = this.#keys.get(tunnel);
    if (key === undefined) return;
    const entry = this.#accepted.get(key);
    const current = entry?.tunnel === tunnel ? entry : undefined;
    if (tunnel.state === 'closing' && current) current.closedAt ??= now;
    if (tunnel.state !== 'gone') return;
    this.#keys.delete(tunnel);
    if (current) this.#accepted.delete(key);
  }
}

/** Who may keep its tunnel when both ends have sent an SCCRQ (section 4.4.3, Tie Breaker). */
export type TieResult = 'both' | 'ours' | 'theirs' | 'neither';

/** @param ours @param theirs Tie Breaker values; `undefined` where there was none. The lower one wins. */
export function breakTie(ours: bigint | undefined, theirs: bigint | undefined): TieResult {
  if (ours === undefined && theirs === undefined) return 'both';
  if (theirs === undefined) return 'ours';
  if (ours === undefined || theirs < ours) return 'theirs';
  return ours < theirs ? 'ours' : 'neither';
}

function keyOf(path: UdpPath, peerTunnelId: number): string {
  return `${peerKey(path)} ${peerTunnelId}`;
}

function digestOf(datagram: Uint8Array): string {
  return createHash('sha256').update(datagram).digest('base64');
}
