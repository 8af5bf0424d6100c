/** Parts of rings as they are written: small where little or nothing passed. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { RING_NAMES, RINGS, type RingName, slotAt, type TrafficRings } from './traffic-rings.ts';

/** Slots of a part: a quarter of an hour, an hour, a day. A flush writes again only the parts that it has reached. */
const CHUNK_SLOTS = { second: 900, minute: 60, hour: 24 } as const satisfies Record<RingName, number>;

export interface TrafficChunk {
  readonly name: string;
  readonly ring: RingName;
  /** Number of its first slot, divided by the slots of a part. */
  readonly chunk: number;
  /** Octets in each slot; -1 where nothing was recorded. Packing takes time, and is the business of the store's thread. */
  readonly values: Float64Array;
}

/** What was written before it is that old is in no ring any more. */
export function oldestChunk(time: number, ring: RingName): number {
  return Math.floor((slotAt(time, ring) - RINGS[ring].slots + 1) / CHUNK_SLOTS[ring]);
}

/** The parts of these rings that were reached since the logical time `since`, ms. */
export function chunksSince(
  rings: TrafficRings,
  since: number,
  wanted: readonly RingName[] = RING_NAMES,
): TrafficChunk[] {
  const found: TrafficChunk[] = [];
  for (const name of rings.names) {
    for (const ring of wanted) {
      const slots = CHUNK_SLOTS[ring];
      const first = Math.max(oldestChunk(rings.time, ring), Math.floor(slotAt(since, ring) / slots), 0);
      for (let chunk = first; chunk <= Math.floor(slotAt(rings.time, ring) / slots); chunk += 1) {
        const values = rings.slots(name, ring, chunk * slots, slots);
        if (values.some((value) => value > 0)) found.push({ name, ring, chunk, values });
      }
    }
  }
  return found;
}

/** Puts a part back. */
export function restoreChunk(rings: TrafficRings, { name, ring, chunk, values }: TrafficChunk): void {
  rings.restore(name, ring, chunk * CHUNK_SLOTS[ring], values);
}

/** Each value plus one as a number of 7-bit groups, the lowest first; then compressed. 0: nothing was recorded. */
export function packChunk({ values }: Pick<TrafficChunk, 'values'>): Uint8Array {
  const octets: number[] = [];
  for (const value of values) {
    let rest = Math.round(value) + 1;
    while (rest >= 128) {
      octets.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    octets.push(rest);
  }
  return deflateRawSync(Uint8Array.from(octets));
}

/** `undefined`: it is damaged, and costs itself alone. */
export function unpackChunk(data: Uint8Array, ring: RingName): Float64Array | undefined {
  const count = CHUNK_SLOTS[ring];
  let octets: Uint8Array;
  try {
    octets = inflateRawSync(data, { maxOutputLength: count * 8 });
  } catch {
    return undefined;
  }
  const values: number[] = [];
  let [value, scale] = [0, 1];
  for (const octet of octets) {
    value += (octet % 128) * scale;
    if (octet >= 128) scale *= 128;
    else {
      values.push(value - 1);
      [value, scale] = [0, 1];
    }
  }
  return values.length === count ? Float64Array.from(values) : undefined;
}
