import type { Clock, Timer } from '../../hal/clock.ts';
import type { DataPlane, InterfaceId, SaKey, SessionKey } from '../dataplane/data-plane.ts';
import type { Instant } from '../protocol/machine.ts';

/** Of a session, or of the interface of a connection whose SA pairs are watched together: no number is given out for both. */
type WatchedKey = SessionKey | InterfaceId;

interface Watched {
  readonly idleMs: number;
  readonly onIdle: () => void;
  /** Whose packets count. */
  readonly carriers: () => readonly (SessionKey | SaKey)[];
  /** Packets of both directions of each carrier at the last look; `undefined` before the first one. */
  packets: ReadonlyMap<SessionKey | SaKey, number> | undefined;
  since: Instant;
}

/** A session is looked at so often within its idle time: the end comes late by that part of it at most. */
const LOOKS = 10;
/** Bounds of the distance between two looks, ms. */
const SHORTEST_MS = 250;
const LONGEST_MS = 10_000;

/** Notices sessions and connections that carry no user packet either way. One timer for all, and none while nothing is watched. */
export class IdleWatch {
  readonly #dataPlane: Pick<DataPlane, 'counters'>;
  readonly #clock: Clock;
  readonly #watched = new Map<WatchedKey, Watched>();
  #timer: Timer | undefined;
  /** When the timer is due. */
  #lookAt: Instant = 0;

  constructor(dataPlane: Pick<DataPlane, 'counters'>, clock: Clock) {
    this.#dataPlane = dataPlane;
    this.#clock = clock;
  }

  /**
   * @param onIdle called once, after which it is not watched any more.
   * @param carriers sessions and SA pairs that carry its packets at present. Default: the session `key`.
   */
  watch(key: WatchedKey, idleMs: number, onIdle: () => void, carriers: Watched['carriers'] = () => [key]): void {
    this.#watched.set(key, { idleMs, onIdle, carriers, packets: undefined, since: this.#clock.now() });
    this.#arm();
  }

  /** Harmless when it is not watched. */
  unwatch(key: WatchedKey): void {
    if (this.#watched.delete(key)) this.#arm();
  }

  #arm(): void {
    let shortest = Number.POSITIVE_INFINITY;
    for (const { idleMs } of this.#watched.values()) shortest = Math.min(shortest, idleMs);
    const at = this.#clock.now() + Math.min(LONGEST_MS, Math.max(SHORTEST_MS, shortest / LOOKS));
    if (this.#timer && this.#watched.size > 0 && this.#lookAt <= at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#watched.size === 0) return;
    this.#lookAt = at;
    this.#timer = this.#clock.setTimer(at, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    try {
      const { sessions, sas } = await this.#dataPlane.counters();
      const now = this.#clock.now();
      const packets = new Map(
        [...sessions, ...sas].map(({ key, packetsReceived, packetsSent }) => [key, packetsReceived + packetsSent]),
      );
      for (const [key, watched] of this.#watched) this.#compare(now, key, watched, packets);
    } catch {
      // Nobody is idle as far as anybody knows.
    }
    this.#arm();
  }

  #compare(now: Instant, key: WatchedKey, watched: Watched, counted: ReadonlyMap<number, number>): void {
    const before = watched.packets;
    const packets = new Map(
      watched.carriers().flatMap((carrier) => {
        const count = counted.get(carrier);
        return count === undefined ? [] : [[carrier, count] as const];
      }),
    );
    if (packets.size === 0) return;
    // What came before the first look came before anybody watched; a carrier that is new since has carried nothing before.
    if (before && [...packets].some(([carrier, count]) => count !== (before.get(carrier) ?? 0))) watched.since = now;
    watched.packets = packets;
    if (now - watched.since < watched.idleMs) return;
    this.#watched.delete(key);
    watched.onIdle();
  }
}
