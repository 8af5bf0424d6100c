/**
 * How much went where in the last hour, day and year, in memory.
 *
 * Slots are numbered on a scale of their own, in seconds: it goes on by the monotonic clock alone. The wall clock only
 * gives the slots their labels, all of them by its present reading. So a wall clock that is set, by years, forward or
 * back, moves the labels of the whole history and no traffic: what was a minute ago still was a minute ago.
 *
 * Over a restart the scale goes on by what the wall clock says has passed: at least nothing, at most {@link MAX_PAUSE}.
 */
import { RING_NAMES, RINGS, type RingName, type RingPlace, SERIES_OCTETS, type TrafficChunk } from './ring-shape.ts';

/** Series that are kept: two for each of some dozens of interfaces and connections, 14 MB of memory when all are there. */
export const MAX_SERIES = 128;

/** Seconds without a reading after which a series counts as unused, and has to make room for a new one. */
export const UNUSED_SECONDS = 60;

/**
 * Longest time between two runs that is believed, seconds, 30 days: a clock that is wrong by years at the start must not
 * push a year of history out. A router that lay in a drawer for longer has its history nearer than it was.
 */
export const MAX_PAUSE = 30 * 86_400;

const HOUR = RINGS.hour.stepSeconds;

export interface TrafficReading {
  /** Wall clock at the beginning of the first slot, ms since 1970. */
  readonly startMs: number;
  readonly stepMs: number;
  /** What was counted in each slot, the oldest first, the present one last; null: nothing was measured. */
  readonly values: readonly (number | null)[];
}

/** Sums of what is known. */
export interface TrafficTotals {
  readonly lastMinute: number;
  readonly lastHour: number;
  readonly lastDay: number;
}

interface Series {
  readonly rings: Readonly<Record<RingName, Float64Array>>;
  /** Second of the last reading. */
  used: number;
}

export interface TrafficRingsOptions {
  /** Monotonic ms. */
  readonly now: number;
  /** Wall clock, ms since 1970. */
  readonly wall: number;
  /** Where an earlier run stopped. */
  readonly saved?: RingPlace;
  readonly maxSeries?: number;
}

export class TrafficRings {
  readonly #series = new Map<string, Series>();
  readonly #maxSeries: number;
  readonly #started: number;
  readonly #origin: number;
  /** The present second. */
  #second: number;
  /** What makes a wall clock of the scale, ms. */
  #offset: number;
  /** The first second that no flush has seen. */
  #unsaved: number;

  constructor({ now, wall, saved, maxSeries = MAX_SERIES }: TrafficRingsOptions) {
    this.#maxSeries = maxSeries;
    this.#started = now;
    this.#origin = firstSecond(wall, saved);
    this.#second = this.#origin;
    this.#unsaved = this.#origin;
    this.#offset = roundSecond(wall - this.#origin * 1000);
  }

  /** Names of all series, in alphabetical order. */
  get names(): readonly string[] {
    return [...this.#series.keys()].toSorted();
  }

  /** Octets of memory of all slots. */
  get octets(): number {
    return this.#series.size * SERIES_OCTETS;
  }

  /** Where the rings are. @param wall ms since 1970. */
  place(wall: number): RingPlace {
    return { second: this.#second, wall };
  }

  /** Time has come this far: monotonic and wall-clock ms. Slots that were passed are empty. */
  advance(now: number, wall: number): void {
    const elapsed = Math.max(0, now - this.#started);
    const drift = wall - (this.#origin * 1000 + elapsed) - this.#offset;
    if (Math.abs(drift) >= 1000) this.#offset = roundSecond(this.#offset + drift);
    // Whoever samples once a second from the beginning on is in the middle of each slot, where a late timer does no harm.
    const second = this.#origin + Math.floor((elapsed + 500) / 1000);
    if (second <= this.#second) return;
    for (const { rings } of this.#series.values()) {
      for (const ring of RING_NAMES) clear(rings[ring], slotOf(ring, this.#second) + 1, slotOf(ring, second));
    }
    this.#second = second;
  }

  /**
   * Counts `amount` (>= 0) in the present slots of a series, which is begun if need be.
   * @returns false when there are too many that are all in use: it was not counted.
   */
  add(name: string, amount: number): boolean {
    const series = this.#series.get(name) ?? this.#begin(name);
    if (series === undefined) return false;
    series.used = this.#second;
    for (const ring of RING_NAMES) {
      const values = series.rings[ring];
      const at = slotOf(ring, this.#second) % values.length;
      values[at] = numberOf(values[at]) + amount;
    }
    return true;
  }

  /** A ring of a series; undefined when there is no such series. */
  read(name: string, ring: RingName): TrafficReading | undefined {
    const values = this.#series.get(name)?.rings[ring];
    if (values === undefined) return undefined;
    const stepMs = RINGS[ring].stepSeconds * 1000;
    const first = slotOf(ring, this.#second) - values.length + 1;
    return {
      startMs: first * stepMs + this.#offset,
      stepMs,
      values: Array.from({ length: values.length }, (_, index) => {
        const value = values[positive(first + index, values.length)];
        return value === undefined || Number.isNaN(value) ? null : value;
      }),
    };
  }

  /** Of the last 60 s, of the last hour, and of the last day, which includes the present minute. */
  totals(name: string): TrafficTotals | undefined {
    const rings = this.#series.get(name)?.rings;
    if (rings === undefined) return undefined;
    return {
      lastMinute: sum(rings.second, this.#second, 60),
      lastHour: sum(rings.second, this.#second, RINGS.second.slots),
      lastDay: sum(rings.minute, slotOf('minute', this.#second), RINGS.minute.slots),
    };
  }

  /** What changed since what was given out last and {@link saved} was called: whole pieces. */
  changes(): TrafficChunk[] {
    const chunks: TrafficChunk[] = [];
    for (const ring of RING_NAMES) {
      const { slots, chunkSlots } = RINGS[ring];
      const last = slotOf(ring, this.#second);
      const first = Math.max(slotOf(ring, this.#unsaved), last - slots + 1);
      for (let index = Math.floor(first / chunkSlots); index * chunkSlots <= last; index += 1) {
        const series = this.#piece(ring, index);
        if (series.size > 0) chunks.push({ ring, index, series });
      }
    }
    return chunks;
  }

  /** What {@link changes} gave out at this place is written down. */
  saved({ second }: RingPlace): void {
    this.#unsaved = Math.max(this.#unsaved, second);
  }

  /** Puts pieces of an earlier run in their places; what has aged meanwhile, or does not fit, is left out. */
  restore(chunks: readonly TrafficChunk[]): void {
    for (const { ring, index, series } of chunks) {
      const { slots, chunkSlots, stepSeconds } = RINGS[ring];
      const present = slotOf(ring, this.#second);
      for (const [name, values] of series) {
        const kept = this.#series.get(name) ?? (this.#series.size < this.#maxSeries ? this.#make(name, 0) : undefined);
        for (let offset = 0; kept !== undefined && offset < chunkSlots; offset += 1) {
          const slot = index * chunkSlots + offset;
          const value = values[offset];
          if (value === undefined || Number.isNaN(value) || slot > present || slot <= present - slots) continue;
          kept.rings[ring][slot % slots] = value;
          kept.used = Math.max(kept.used, Math.min(slot * stepSeconds, this.#second));
        }
      }
    }
  }

  #piece(ring: RingName, index: number): Map<string, Float64Array> {
    const { slots, chunkSlots } = RINGS[ring];
    const present = slotOf(ring, this.#second);
    const found = new Map<string, Float64Array>();
    for (const [name, { rings }] of this.#series) {
      const piece = new Float64Array(chunkSlots).fill(Number.NaN);
      let empty = true;
      for (let offset = 0; offset < chunkSlots; offset += 1) {
        const slot = index * chunkSlots + offset;
        if (slot > present || slot <= present - slots) continue;
        const value = rings[ring][positive(slot, slots)] ?? Number.NaN;
        piece[offset] = value;
        if (!Number.isNaN(value)) empty = false;
      }
      if (!empty) found.set(name, piece);
    }
    return found;
  }

  #begin(name: string): Series | undefined {
    if (this.#series.size >= this.#maxSeries) {
      const [oldest] = [...this.#series].toSorted(([, a], [, b]) => a.used - b.used);
      if (oldest === undefined || this.#second - oldest[1].used < UNUSED_SECONDS) return undefined;
      this.#series.delete(oldest[0]);
    }
    return this.#make(name, this.#second);
  }

  #make(name: string, used: number): Series {
    const empty = (ring: RingName) => new Float64Array(RINGS[ring].slots).fill(Number.NaN);
    const series: Series = { rings: { second: empty('second'), minute: empty('minute'), hour: empty('hour') }, used };
    this.#series.set(name, series);
    return series;
  }
}

/**
 * Where the scale begins: at the wall clock, or where the last run stopped and later, so that hours begin as those of
 * the wall clock do.
 */
function firstSecond(wall: number, saved: RingPlace | undefined): number {
  const wallSecond = Math.max(0, Math.floor(wall / 1000));
  if (saved === undefined) return wallSecond;
  const pause = Math.floor((wall - saved.wall) / 1000);
  const earliest = saved.second + Math.min(Math.max(0, pause), MAX_PAUSE);
  const ahead = positive(wallSecond - earliest, HOUR);
  // A fraction of a second lost to rounding is no other hour.
  return ahead >= HOUR - 2 ? earliest : earliest + ahead;
}

function slotOf(ring: RingName, second: number): number {
  return Math.floor(second / RINGS[ring].stepSeconds);
}

function positive(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}

/** Empties the slots `from` to `to`, both included. */
function clear(values: Float64Array, from: number, to: number): void {
  if (to - from >= values.length) values.fill(Number.NaN);
  else for (let slot = from; slot <= to; slot += 1) values[slot % values.length] = Number.NaN;
}

function sum(values: Float64Array, last: number, slots: number): number {
  let total = 0;
  for (let slot = last - slots + 1; slot <= last; slot += 1) total += numberOf(values[positive(slot, values.length)]);
  return total;
}

function numberOf(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? 0 : value;
}

function roundSecond(milliseconds: number): number {
  return Math.round(milliseconds / 1000) * 1000;
}
