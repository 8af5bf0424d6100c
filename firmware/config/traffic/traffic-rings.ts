/**
 * How much passed when, in memory: for each counter a ring of seconds, one of minutes and one of hours.
 *
 * Time in here is logical: it goes on with the monotonic clock, and a restart adds the time that the router was off. A wall
 * clock that is set, by years even, moves the labels of what was recorded and loses or invents nothing.
 */

export const RINGS = {
  second: { stepMs: 1_000, slots: 3_600 },
  minute: { stepMs: 60_000, slots: 1_440 },
  hour: { stepMs: 3_600_000, slots: 8_760 },
} as const;

export type RingName = keyof typeof RINGS;

export const RING_NAMES = ['second', 'minute', 'hour'] as const satisfies readonly RingName[];

/** Counters that are kept, 110 KB each: two for each of some dozens of interfaces and tunnels, 14 MB at most. */
export const MAX_SERIES = 128;

/** How long a counter must not have been seen before another one may have its place, ms: longer than a device is renewed. */
export const UNUSED_MS = 60_000;

/** A counter that grows faster was reset or is wrong: 100 Gbit/s, octets in a millisecond. */
const MOST_PER_MS = 12_500_000;

/** A gap: nothing was recorded. */
const NOTHING = -1;

class Ring {
  readonly values: Float64Array;
  /** Number of the newest slot. */
  newest: number;

  constructor(slots: number, newest: number) {
    this.values = new Float64Array(slots).fill(NOTHING);
    this.newest = newest;
  }

  /** Makes `slot` the newest; what is passed over is a gap. */
  reach(slot: number): void {
    if (slot <= this.newest) return;
    if (slot - this.newest >= this.values.length) this.values.fill(NOTHING);
    else for (let gap = this.newest + 1; gap <= slot; gap += 1) this.values[gap % this.values.length] = NOTHING;
    this.newest = slot;
  }

  add(amount: number): void {
    const index = this.newest % this.values.length;
    this.values[index] = Math.max(0, this.values[index] ?? 0) + amount;
  }

  at(slot: number): number {
    const kept = slot <= this.newest && slot > this.newest - this.values.length && slot >= 0;
    return kept ? (this.values[slot % this.values.length] ?? NOTHING) : NOTHING;
  }
}

interface Series {
  readonly rings: Readonly<Record<RingName, Ring>>;
  last: number | undefined;
  countedAt: number;
}

/** Values of consecutive slots; null where nothing was recorded. */
export interface TrafficHistory {
  /** Wall clock of the first, by the clock as it stands now, ms since 1970. */
  readonly startMs: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
}

export class TrafficRings {
  /** Logical, ms. */
  #time: number;
  #lastNow: number;
  readonly #series = new Map<string, Series>();

  /** @param now monotonic, ms. @param time logical time to go on from, ms. */
  constructor(now: number, time = 0) {
    this.#lastNow = now;
    this.#time = time;
  }

  /** Logical, ms. */
  get time(): number {
    return this.#time;
  }

  get names(): string[] {
    return [...this.#series.keys()].sort();
  }

  /**
   * What the counters show now.
   * @param counters octets since whenever; one that is smaller than before began anew.
   */
  sample(now: number, counters: ReadonlyMap<string, number>): void {
    const passed = Math.max(0, now - this.#lastNow);
    this.#time += passed;
    this.#lastNow = now;
    for (const [name, count] of counters) {
      const series = this.#seriesOf(name);
      if (series === undefined) continue;
      const grown = series.last === undefined ? 0 : count >= series.last ? count - series.last : count;
      series.last = count;
      series.countedAt = this.#time;
      if (!Number.isFinite(grown) || grown > MOST_PER_MS * Math.max(1, passed)) continue;
      for (const ring of RING_NAMES) {
        series.rings[ring].reach(slotAt(this.#time, ring));
        series.rings[ring].add(grown);
      }
    }
  }

  /** The last `count` slots, the one that is just being filled last. @param wall ms since 1970. */
  read(name: string, ring: RingName, wall: number, count: number = RINGS[ring].slots): TrafficHistory | undefined {
    const series = this.#series.get(name);
    if (series === undefined) return undefined;
    const { stepMs } = RINGS[ring];
    const newest = slotAt(this.#time, ring);
    const first = newest - Math.min(count, RINGS[ring].slots) + 1;
    const values = Array.from({ length: newest - first + 1 }, (_, index) => {
      const value = series.rings[ring].at(first + index);
      return value < 0 ? null : value;
    });
    return { startMs: wall - (this.#time - first * stepMs), stepMs, values };
  }

  /** Octets in the last `count` slots, the one that is just being filled included. */
  sum(name: string, ring: RingName, count: number): number {
    const values = this.read(name, ring, 0, count)?.values ?? [];
    return values.reduce<number>((total, value) => total + (value ?? 0), 0);
  }

  /** Values of the slots from `first` on, `NOTHING` as -1: for {@link restore}. */
  slots(name: string, ring: RingName, first: number, count: number): Float64Array {
    const found = this.#series.get(name)?.rings[ring];
    const values = new Float64Array(count);
    for (let index = 0; index < count; index += 1) values[index] = found?.at(first + index) ?? NOTHING;
    return values;
  }

  /** What an earlier run recorded, oldest slots first. */
  restore(name: string, ring: RingName, first: number, values: ArrayLike<number>): void {
    const target = this.#seriesOf(name)?.rings[ring];
    if (target === undefined) return;
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index] ?? NOTHING;
      const slot = first + index;
      if (value < 0 || slot > slotAt(this.#time, ring)) continue;
      target.reach(slot);
      target.values[slot % target.values.length] = value;
    }
  }

  /** One that is kept, or a new one; `undefined` when there are too many and all are in use. */
  #seriesOf(name: string): Series | undefined {
    const known = this.#series.get(name);
    if (known !== undefined) return known;
    if (this.#series.size >= MAX_SERIES) {
      const oldest = [...this.#series].reduce((a, b) => (b[1].countedAt < a[1].countedAt ? b : a));
      // Else more counters than there is room for would drive each other out every second, and none had a history.
      if (this.#time - oldest[1].countedAt < UNUSED_MS) return undefined;
      this.#series.delete(oldest[0]);
    }
    const ring = (of: RingName) => new Ring(RINGS[of].slots, -1);
    const rings = { second: ring('second'), minute: ring('minute'), hour: ring('hour') };
    const made: Series = { rings, last: undefined, countedAt: this.#time };
    this.#series.set(name, made);
    return made;
  }
}

/** Number of the slot of a ring at a logical time. */
export function slotAt(time: number, ring: RingName): number {
  return Math.floor(time / RINGS[ring].stepMs);
}
