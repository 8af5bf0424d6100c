/** The three rings that every series of traffic has, and the pieces in which they are stored. */

export interface RingShape {
  /** Seconds of one slot. */
  readonly stepSeconds: number;
  /** Slots that are kept. */
  readonly slots: number;
  /** Slots of one stored piece: what was begun is written anew with every flush. */
  readonly chunkSlots: number;
}

/** One second for an hour, one minute for a day, one hour for a year. */
export const RINGS = {
  second: { stepSeconds: 1, slots: 3600, chunkSlots: 900 },
  minute: { stepSeconds: 60, slots: 1440, chunkSlots: 60 },
  hour: { stepSeconds: 3600, slots: 8760, chunkSlots: 24 },
} as const satisfies Readonly<Record<string, RingShape>>;

export type RingName = keyof typeof RINGS;

export const RING_NAMES: readonly RingName[] = ['second', 'minute', 'hour'];

/** Octets of memory of one series: its slots as 64-bit numbers. Some 110 KB. */
export const SERIES_OCTETS = RING_NAMES.reduce((sum, ring) => sum + RINGS[ring].slots * 8, 0);

/** A piece of one ring, of all series that have anything in it. NaN: nothing was measured in that slot. */
export interface TrafficChunk {
  readonly ring: RingName;
  /** Number of the piece: its first slot divided by `chunkSlots`. */
  readonly index: number;
  readonly series: ReadonlyMap<string, Float64Array>;
}

/** Where the rings were at a flush. */
export interface RingPlace {
  /** Number of the second, on the rings' own scale. */
  readonly second: number;
  /** Wall clock then, ms since 1970. */
  readonly wall: number;
}
