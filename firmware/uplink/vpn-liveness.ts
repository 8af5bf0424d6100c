/**
 * What the VPNs say of the uplinks that they use: an uplink may answer every probe and yet carry no traffic. Where a peer that stood
 * by an uplink, or cannot be called by it at all, is silent, the uplink is doubted for a while, so that another one is tried. If
 * the peer is silent there as well, it is the peer, and the doubt is taken back. Without hands.
 */
import type { Instant } from '../protocol/machine.ts';

/** How long an uplink is doubted, ms; doubled each time it is doubted again soon after. */
const DOUBT_MS = 60_000;
const MOST_DOUBLINGS = 4;

/** An uplink that was not doubted for so many times its last doubt begins anew. */
const FORGIVEN = 4;

/** A peer that never stood is called so often in vain before the uplink is doubted. */
const VAIN_CALLS = 2;

interface Connection {
  /** By which uplink it stands now. */
  standing: string | undefined;
  vainCalls: number;
  /** Uplinks by which the peer was silent since it last stood. */
  readonly silentBy: Set<string>;
}

interface Doubt {
  until: Instant;
  lengthMs: number;
  /** The connections that speak for it. */
  readonly by: Set<string>;
}

export class VpnLiveness {
  readonly #connections = new Map<string, Connection>();
  readonly #doubts = new Map<string, Doubt>();

  /** The connection stands, by this uplink. */
  up(connection: string, uplink: string): void {
    const known = this.#connection(connection);
    known.standing = uplink;
    known.vainCalls = 0;
    known.silentBy.clear();
  }

  /** It goes on by another uplink. */
  moved(connection: string, uplink: string): void {
    const known = this.#connections.get(connection);
    if (known?.standing !== undefined) known.standing = uplink;
  }

  /** It ended, and not by silence. */
  down(connection: string): void {
    const known = this.#connections.get(connection);
    if (known === undefined) return;
    known.standing = undefined;
    known.vainCalls = 0;
  }

  /** Its peer does not answer any more, or not at all. */
  silent(now: Instant, connection: string, uplink: string): void {
    const known = this.#connection(connection);
    const stood = known.standing !== undefined;
    known.standing = undefined;
    known.vainCalls += 1;
    if (!stood && known.vainCalls < VAIN_CALLS) return;
    known.silentBy.add(uplink);
    if (known.silentBy.size > 1) {
      // By whatever uplink: it is the peer.
      this.#withdraw(connection);
      return;
    }
    const othersStand = [...this.#connections.values()].some(({ standing }) => standing === uplink);
    if (!othersStand) this.#doubt(now, connection, uplink);
  }

  /** That the uplink does not work is known from its probes by now: nothing of it speaks against it once they are answered. */
  explained(uplink: string): void {
    this.#doubts.delete(uplink);
    for (const { silentBy } of this.#connections.values()) silentBy.delete(uplink);
  }

  /** Those that the configuration has no more are forgotten. */
  keep(connections: ReadonlySet<string>, uplinks: ReadonlySet<string>): void {
    for (const name of this.#connections.keys()) if (!connections.has(name)) this.#connections.delete(name);
    for (const name of this.#doubts.keys()) if (!uplinks.has(name)) this.#doubts.delete(name);
  }

  /** Why the uplink is doubted, a clause; `undefined`: it is not. */
  doubt(now: Instant, uplink: string): string | undefined {
    const doubt = this.#doubts.get(uplink);
    if (doubt === undefined || doubt.by.size === 0 || now >= doubt.until) return undefined;
    return `the peer of ${[...doubt.by].join(' and of ')} is silent by it, although its probes are answered`;
  }

  /** When a doubt ends. */
  nextDeadline(now: Instant): Instant | undefined {
    const ends = [...this.#doubts.values()].filter(({ by, until }) => by.size > 0 && until > now);
    return ends.length === 0 ? undefined : Math.min(...ends.map(({ until }) => until));
  }

  #doubt(now: Instant, connection: string, uplink: string): void {
    const before = this.#doubts.get(uplink);
    const again = before !== undefined && now < before.until + before.lengthMs * FORGIVEN;
    const lengthMs = again ? Math.min(before.lengthMs * 2, DOUBT_MS * 2 ** MOST_DOUBLINGS) : DOUBT_MS;
    this.#doubts.set(uplink, { until: now + lengthMs, lengthMs, by: new Set([connection]) });
  }

  #withdraw(connection: string): void {
    for (const doubt of this.#doubts.values()) doubt.by.delete(connection);
  }

  #connection(name: string): Connection {
    const known = this.#connections.get(name) ?? { standing: undefined, vainCalls: 0, silentBy: new Set() };
    this.#connections.set(name, known);
    return known;
  }
}
