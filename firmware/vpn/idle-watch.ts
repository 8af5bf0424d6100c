import type { Clock, Timer } from '../../hal/clock.ts';
import type { DataPlane, SessionKey } from '../dataplane/data-plane.ts';
import type { Instant } from '../protocol/machine.ts';

interface Watched {
  readonly idleMs: number;
  readonly onIdle: () => void;
  /** Packets of both directions at the last look; `undefined` before the first one. */
  packets: number | undefined;
  since: Instant;
}

/** A session is looked at so often within its idle time: the end comes late by that part of it at most. */
const LOOKS = 10;
/** Bounds of the distance between two looks, ms. */
const SHORTEST_MS = 250;
const LONGEST_MS = 10_000;

/** Notices sessions that carry no user packet either way. One timer for all, and none while nothing is watched. */
export class IdleWatch {
  readonly #dataPlane: Pick<DataPlane, 'counters'>;
  readonly #clock: Clock;
  readonly #watched = new Map<SessionKey, Watched>();
  #timer: Timer | undefined;
  /** When the timer is due. */
  #lookAt: Instant = 0;

  constructor(dataPlane: Pick<DataPlane, 'counters'>, clock: Clock) {
    this.#dataPlane = dataPlane;
    this.#clock = clock;
  }

  /** @param onIdle called once, after which the session is not watched any more. */
  watch(key: SessionKey, idleMs: number, onIdle: () => void): void {
    this.#watched.set(key, { idleMs, onIdle, packets: undefined, since: this.#clock.now() });
    this.#arm();
  }

  /** Harmless when it is not watched. */
  unwatch(key: SessionKey): void {
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
      const { sessions } = await this.#dataPlane.counters();
      const now = this.#clock.now();
      for (const { key, packetsReceived, packetsSent } of sessions)
        this.#compare(now, key, packetsReceived + packetsSent);
    } catch {
      // Nobody is idle as far as anybody knows.
    }
    this.#arm();
  }

  #compare(now: Instant, key: SessionKey, packets: number): void {
    const watched = this.#watched.get(key);
    if (!watched) return;
    if (packets !== watched.packets) {
      // What came before the first look came before anybody watched.
      if (watched.packets !== undefined) watched.since = now;
      watched.packets = packets;
    }
    if (now - watched.since < watched.idleMs) return;
    this.#watched.delete(key);
    watched.onIdle();
  }
}
