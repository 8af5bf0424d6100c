/** The tunnels and sessions of a capture, as far as later messages are read with the help of earlier ones. */
import { BoundedMap } from './bounded-map.ts';
import type { MessagePlace } from './decoded.ts';

/** Entries of the index of tunnels; a tunnel has four, two for either end. */
const MAX_TUNNEL_KEYS = 16_384;
const MAX_SESSION_KEYS = 65_536;
/** Sequence numbers of a direction that are remembered to tell a retransmission; windows are far smaller. */
const MAX_SEEN = 32;

/** Of a tunnel or session: 0 is who asked for the tunnel, 1 who was asked. */
export type EndIndex = 0 | 1;

export interface TunnelEnd {
  /** Its Challenge AVP. */
  challenge: Uint8Array | undefined;
  /** Ns of the messages that were sent to it, the latest last. */
  readonly seen: Set<number>;
}

export interface Tunnel {
  /** Tells tunnels of a capture apart, whatever ids they use again. */
  readonly number: number;
  readonly ends: readonly [TunnelEnd, TunnelEnd];
  /** Digest of the SCCRQ that began it, by which a repetition of it is told; empty when it was not seen. */
  readonly request: string;
}

/** A tunnel, and which end of it a message goes to. */
export interface Bound {
  readonly tunnel: Tunnel;
  readonly receiver: EndIndex;
}

export class TunnelTable {
  readonly #tunnels = new BoundedMap<string, Bound>(MAX_TUNNEL_KEYS);
  readonly #sessions = new BoundedMap<string, number>(MAX_SESSION_KEYS);
  #count = 0;
  #sessionCount = 0;

  /** The tunnel of a message with this Tunnel ID in its header. */
  find(place: MessagePlace, link: string, tunnelId: number): Bound | undefined {
    const [exact, anyPort] = keysOf(link, place.destination, tunnelId, place.source.address);
    return this.#tunnels.get(exact) ?? this.#tunnels.get(anyPort);
  }

  /** The tunnel of a message, a new one when it is not known: the capture began late. */
  findOrBegin(place: MessagePlace, link: string, tunnelId: number): Bound {
    const known = this.find(place, link, tunnelId);
    if (known !== undefined) return known;
    const bound: Bound = { tunnel: this.#newTunnel(''), receiver: 1 };
    this.#register(link, place.destination, tunnelId, place.source.address, bound);
    return bound;
  }

  /**
   * An SCCRQ, which tells the id that its sender wants in the header.
   * @param request digest of the message
   * @returns the tunnel, and whether this very SCCRQ was there before.
   */
  request(place: MessagePlace, link: string, assigned: number, request: string): { tunnel: Tunnel; again: boolean } {
    const [exact] = keysOf(link, place.source, assigned, place.destination.address);
    const known = this.#tunnels.get(exact);
    if (known?.tunnel.request === request) return { tunnel: known.tunnel, again: true };
    const tunnel = this.#newTunnel(request);
    this.#register(link, place.source, assigned, place.destination.address, { tunnel, receiver: 0 });
    return { tunnel, again: false };
  }

  /** The sender of a message told the id that it wants in the headers of messages to it. */
  assign(place: MessagePlace, link: string, { tunnel, receiver }: Bound, assigned: number): void {
    const sender = { tunnel, receiver: other(receiver) };
    this.#register(link, place.source, assigned, place.destination.address, sender);
  }

  /** Both ends of a session, once each told its id. @param own id that the receiver had assigned; 0 for none yet */
  assignSession({ tunnel, receiver }: Bound, own: number, assigned: number): void {
    const known = own === 0 ? undefined : this.#sessions.get(`${tunnel.number} ${receiver} ${own}`);
    this.#sessionCount += 1;
    this.#sessions.set(`${tunnel.number} ${other(receiver)} ${assigned}`, known ?? this.#sessionCount);
  }

  /** Tells the session of a data message; `undefined` when its beginning was not seen. */
  session({ tunnel, receiver }: Bound, sessionId: number): number | undefined {
    return this.#sessions.get(`${tunnel.number} ${receiver} ${sessionId}`);
  }

  #newTunnel(request: string): Tunnel {
    this.#count += 1;
    const end = (): TunnelEnd => ({ challenge: undefined, seen: new Set() });
    return { number: this.#count, ends: [end(), end()], request };
  }

  #register(link: string, end: MessagePlace['source'], id: number, peer: string, bound: Bound): void {
    for (const key of keysOf(link, end, id, peer)) this.#tunnels.set(key, bound);
  }
}

/** Whether a message with this Ns went to this end before. */
export function sawBefore(end: TunnelEnd, ns: number): boolean {
  if (end.seen.has(ns)) return true;
  end.seen.add(ns);
  if (end.seen.size > MAX_SEEN) {
    for (const oldest of end.seen) {
      end.seen.delete(oldest);
      break;
    }
  }
  return false;
}

export function other(end: EndIndex): EndIndex {
  return end === 0 ? 1 : 0;
}

/** With the receiver's port, which tells apart peers behind one NAT, and without: some peers change theirs. */
function keysOf(link: string, { address, port }: MessagePlace['source'], id: number, peer: string): [string, string] {
  return [`${link}|${address} ${port}|${id}|${peer}`, `${link}|${address}|${id}|${peer}`];
}
