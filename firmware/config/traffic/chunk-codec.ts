/**
 * Pieces of rings as octets: for each series the length of its name, its name (UTF-8), and its slots as variable-length
 * numbers, seven bits an octet, the low ones first. 0 and a count: so many slots without a measurement; n: the slot holds
 * n - 1. All of it deflated: what stands still takes next to nothing.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { RINGS, type RingName, SERIES_OCTETS, type TrafficChunk } from './ring-shape.ts';
import { MAX_SERIES } from './traffic-rings.ts';

/** Octets of a name that are believed: longer than any that the router makes. */
const MAX_NAME_OCTETS = 1024;

/** Octets of one number: 8 x 7 bits hold what a double counts exactly. */
const MAX_NUMBER_OCTETS = 8;

/** No piece of ours is longer before it is deflated; a damaged one must not fill the memory. */
const MAX_OCTETS = MAX_SERIES * (SERIES_OCTETS + MAX_NAME_OCTETS);

/** Deflated octets of one piece. */
export function encodeChunk({ ring, series }: TrafficChunk): Uint8Array {
  const { chunkSlots } = RINGS[ring];
  const names = [...series].map(([name, values]) => ({ name: Buffer.from(name, 'utf8'), values }));
  const room = names.reduce((sum, { name }) => sum + 2 * MAX_NUMBER_OCTETS + name.length, 0);
  const octets = new Uint8Array(room + names.length * (chunkSlots + 1) * MAX_NUMBER_OCTETS);
  let at = 0;
  const put = (value: number): void => {
    let rest = Math.min(value, Number.MAX_SAFE_INTEGER);
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) octets[at++] = (rest % 0x80) | 0x80;
    octets[at++] = rest;
  };
  for (const { name, values } of names) {
    put(name.length);
    octets.set(name, at);
    at += name.length;
    for (let slot = 0; slot < chunkSlots; ) {
      const gap = gapAt(values, slot, chunkSlots);
      if (gap > 0) {
        put(0);
        put(gap);
        slot += gap;
      } else {
        put(Math.round(values[slot] ?? 0) + 1);
        slot += 1;
      }
    }
  }
  return deflateRawSync(octets.subarray(0, at));
}

/** @throws Error when it is no such piece. */
export function decodeChunk(ring: RingName, index: number, deflated: Uint8Array): TrafficChunk {
  const { chunkSlots } = RINGS[ring];
  const octets = inflateRawSync(deflated, { maxOutputLength: MAX_OCTETS });
  let at = 0;
  const take = (): number => {
    let value = 0;
    for (let count = 0, factor = 1; count < MAX_NUMBER_OCTETS; count += 1, factor *= 0x80) {
      const octet = octets[at++];
      if (octet === undefined) break;
      value += (octet & 0x7f) * factor;
      if (octet < 0x80) return value;
    }
    throw new Error('a number has no end');
  };
  const series = new Map<string, Float64Array>();
  while (at < octets.length) {
    const length = take();
    if (length > MAX_NAME_OCTETS || at + length > octets.length) throw new Error('a name is too long');
    const name = octets.toString('utf8', at, at + length);
    at += length;
    const values = new Float64Array(chunkSlots).fill(Number.NaN);
    for (let slot = 0; slot < chunkSlots; ) {
      const number = take();
      if (number > 0) values[slot++] = number - 1;
      else slot += Math.max(1, take());
    }
    series.set(name, values);
  }
  return { ring, index, series };
}

/** How many slots from here on hold no measurement. */
function gapAt(values: Float64Array, from: number, end: number): number {
  let slot = from;
  while (slot < end && Number.isNaN(values[slot] ?? Number.NaN)) slot += 1;
  return slot - from;
}
