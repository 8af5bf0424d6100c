/** L2TP tunnels of a capture, from the SCCRQ to how they ended (RFC 2661 section 7.2). */
import { BoundedMap } from '../decode/bounded-map.ts';
import type { DecodedMessage, MessageEnd } from '../decode/decoded.ts';
import type { Notes } from '../notes.ts';
import { listOf, namedValue, numberOf, textOf } from './fields.ts';
import { L2tpTunnel } from './l2tp-tunnel.ts';

/** Tunnels that are followed at a time; the one of which nothing was heard for longest goes. */
const MAX_TUNNELS = 256;

/** ICMP code to what a socket would report (RFC 1122 section 3.2.2.1). */
const ICMP_ERRORS: ReadonlyMap<number, string> = new Map([
  [0, 'ENETUNREACH'],
  [1, 'EHOSTUNREACH'],
  [3, 'ECONNREFUSED'],
  [9, 'EACCES'],
  [10, 'EACCES'],
  [13, 'EACCES'],
]);

export class L2tpFollower {
  readonly #notes: Notes;
  /** By address, Tunnel ID and the other end's address: two entries for each. */
  readonly #tunnels = new BoundedMap<string, L2tpTunnel>(2 * MAX_TUNNELS, (tunnel) => tunnel.end(this.#now));
  /** The last tunnel between two ends, and the last one of a client. */
  readonly #between = new BoundedMap<string, L2tpTunnel>(MAX_TUNNELS);
  readonly #lastOf = new BoundedMap<string, L2tpTunnel>(MAX_TUNNELS);
  #now = 0;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  /** A control message, or a PPP packet of a session. */
  receive(message: DecodedMessage): void {
    this.#now = Math.max(this.#now, message.time);
    if (message.protocol === 'l2tp') this.#control(message);
    else this.#find(message)?.data(message);
  }

  /** An ICMP error that came to an end of a tunnel. */
  icmp(to: string, code: number): void {
    const error = ICMP_ERRORS.get(code);
    if (error !== undefined) this.#lastOf.get(to)?.pathError(error);
  }

  /** The capture ends. @returns whether the last tunnel was up */
  end(now: number): 'up' | 'failed' | 'none' {
    let last: 'up' | 'failed' | 'none' = 'none';
    for (const tunnel of this.#all()) {
      tunnel.end(now);
      last = tunnel.wasUp ? 'up' : 'failed';
    }
    return last;
  }

  #all(): ReadonlySet<L2tpTunnel> {
    return new Set(this.#tunnels.values());
  }

  #control(message: DecodedMessage): void {
    const { fields, source, destination, time } = message;
    const name = textOf(fields, 'messageType');
    const assigned = namedValue(listOf(fields, 'avps'), 'Assigned Tunnel ID');
    if (name === 'SCCRQ' && typeof assigned === 'number') {
      const key = keyOf(source, assigned, destination);
      const known = this.#tunnels.get(key);
      if (known === undefined || fields['retransmission'] !== true) this.#begin(message, key, known);
      this.#tunnels.get(key)?.control(message);
      return;
    }
    const tunnel = this.#find(message);
    if (tunnel === undefined) return;
    if (name === 'SCCRP' && typeof assigned === 'number') {
      const key = keyOf(source, assigned, destination);
      const other = this.#tunnels.get(key);
      if (other !== undefined && other !== tunnel && other.isOpen && other.serves(source)) {
        this.#notes.sign(
          'tunnel-ids-again',
          `Tunnel ID ${assigned} of ${source.address} was given out again at frame ${message.frame}`,
        );
      }
      this.#tunnels.set(key, tunnel);
    }
    tunnel.control(message);
    if (name === 'StopCCN') tunnel.stopped(message, time);
  }

  #begin({ source, destination, time, frame }: DecodedMessage, key: string, known: L2tpTunnel | undefined): void {
    const ends = `${source.address} ${source.port} ${destination.address}`;
    const before = this.#between.get(ends);
    if (before?.isEstablished === true) {
      before.abandoned();
      this.#notes.sign(
        'l2tp-peer-restarted',
        `${source.address} began a new tunnel at frame ${frame}, the old one open`,
      );
    } else known?.end(time);
    const tunnel = new L2tpTunnel(this.#notes, source, destination);
    this.#tunnels.set(key, tunnel);
    this.#between.set(ends, tunnel);
    this.#lastOf.set(source.address, tunnel);
  }

  #find({ fields, source, destination }: DecodedMessage): L2tpTunnel | undefined {
    const tunnelId = numberOf(fields, 'tunnelId');
    return tunnelId === undefined ? undefined : this.#tunnels.get(keyOf(destination, tunnelId, source));
  }
}

function keyOf(own: MessageEnd, tunnelId: number, other: MessageEnd): string {
  return `${own.address} ${tunnelId} ${other.address}`;
}
