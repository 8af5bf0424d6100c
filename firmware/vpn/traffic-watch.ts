import type { Clock, Timer } from '../../hal/clock.ts';
import type { DataPlane, SaKey, SessionKey } from '../dataplane/data-plane.ts';

/**
 * Distance between two looks at the counters, ms. The time to notice a dead peer grows by as much where it fell silent
 * in the middle of traffic: with Hello's twelve seconds that still is less than thirteen.
 */
const LOOK_MS = 750;

/** Of a session or an SA pair: no number is given out for both. */
type WatchedKey = SessionKey | SaKey;

/** Is told which of its sessions have received user packets, or which of its SA pairs any packet, since the last look. */
export type TrafficListener = (keys: readonly WatchedKey[]) => void;

interface Watched {
  readonly listener: TrafficListener;
  /** `undefined` before the first look. */
  packetsReceived: number | undefined;
}

/**
 * Notices that user packets come in, which the data plane does not report packet by packet: a peer that sends data
 * lives and need not be asked. One timer for all sessions and SA pairs, and none while nothing is watched.
 */
export class TrafficWatch {
  readonly #dataPlane: Pick<DataPlane, 'counters'>;
  readonly #clock: Clock;
  readonly #watched = new Map<WatchedKey, Watched>();
  /** Set while something is watched and no answer is awaited. */
  #timer: Timer | undefined;
  #asking = false;

  constructor(dataPlane: Pick<DataPlane, 'counters'>, clock: Clock) {
    this.#dataPlane = dataPlane;
    this.#clock = clock;
  }

  /** Harmless when it is watched already. */
  watch(key: WatchedKey, listener: TrafficListener): void {
    if (!this.#watched.has(key)) this.#watched.set(key, { listener, packetsReceived: undefined });
    this.#arm();
  }

  unwatch(key: WatchedKey): void {
    this.#watched.delete(key);
    if (this.#watched.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    if (this.#asking || this.#timer || this.#watched.size === 0) return;
    this.#timer = this.#clock.setTimer(this.#clock.now() + LOOK_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#asking = true;
    try {
      const { sessions, sas } = await this.#dataPlane.counters();
      this.#compare([...sessions, ...sas]);
    } catch {
      // Without counters the peers are asked by Hello and echo, as if there were no data; nothing is lost by that.
    }
    this.#asking = false;
    this.#arm();
  }

  #compare(counters: readonly { readonly key: WatchedKey; readonly packetsReceived: number }[]): void {
    const alive = new Map<TrafficListener, WatchedKey[]>();
    for (const { key, packetsReceived } of counters) {
      const watched = this.#watched.get(key);
      if (!watched) continue;
      const before = watched.packetsReceived;
      watched.packetsReceived = packetsReceived;
      if (before === undefined || packetsReceived <= before) continue;
      const keys = alive.get(watched.listener) ?? [];
      keys.push(key);
      alive.set(watched.listener, keys);
    }
    for (const [listener, keys] of alive) listener(keys);
  }
}
