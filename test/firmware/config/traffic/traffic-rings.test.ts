import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chunksSince,
  packChunk,
  restoreChunk,
  unpackChunk,
} from '../../../../firmware/config/traffic/traffic-chunks.ts';
import { MAX_SERIES, RINGS, TrafficRings, UNUSED_MS } from '../../../../firmware/config/traffic/traffic-rings.ts';

const WAN = 'interface.wan.sent';
const one = (count: number) => new Map([[WAN, count]]);

/** Rings that were fed with the growth of a counter, a second apart. */
function fed(growth: readonly number[], time = 0): TrafficRings {
  const rings = new TrafficRings(0, time);
  let count = 0;
  rings.sample(0, one(0));
  for (const [index, grown] of growth.entries()) {
    count += grown;
    rings.sample((index + 1) * 1000, one(count));
  }
  return rings;
}

describe('the rings of a counter', () => {
  it('hold in each ring what was counted, as long as it is young enough', () => {
    const growth = fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 1, maxLength: 3_000 });
    fc.assert(
      fc.property(growth, fc.integer({ min: 0, max: 10_000_000_000 }), (grown, time) => {
        const rings = fed(grown, time);
        const total = grown.reduce((sum, value) => sum + value, 0);
        for (const ring of ['second', 'minute', 'hour'] as const) expect(rings.sum(WAN, ring, 9_000)).toBe(total);
      }),
      { numRuns: 50 },
    );
  });

  it('tell the last seconds in order, with their time', () => {
    const history = fed([10, 20, 0, 30]).read(WAN, 'second', 1_000_000, 4);
    expect(history).toEqual({ startMs: 997_000, stepMs: 1_000, values: [10, 20, 0, 30] });
  });

  it('take a counter that is smaller than before for one that began anew', () => {
    const rings = new TrafficRings(0);
    for (const [index, count] of [1_000, 1_500, 200, 300].entries()) rings.sample(index * 1000, one(count));
    expect(rings.read(WAN, 'second', 0, 4)?.values).toEqual([0, 500, 200, 100]);
  });

  it('show a gap where nothing was counted, and forget what is older than they are', () => {
    const rings = new TrafficRings(0);
    rings.sample(0, one(0));
    rings.sample(1_000, one(7));
    rings.sample(4_000, one(9));
    expect(rings.read(WAN, 'second', 0, 5)?.values).toEqual([0, 7, null, null, 2]);
    rings.sample(RINGS.second.slots * 1000 + 4_000, one(10));
    expect(rings.sum(WAN, 'second', RINGS.second.slots)).toBe(1);
    expect(rings.sum(WAN, 'hour', 24)).toBe(10);
  });

  it('lose and invent nothing when the wall clock jumps: only the labels move', () => {
    const rings = fed([5, 6]);
    const century = 100 * 365 * 86_400_000;
    expect(rings.read(WAN, 'second', century, 3)?.values).toEqual([0, 5, 6]);
    expect(rings.read(WAN, 'second', 0, 3)?.values).toEqual([0, 5, 6]);
  });

  it('leave a leap out that no line can have carried', () => {
    const rings = new TrafficRings(0);
    rings.sample(0, one(0));
    rings.sample(1_000, one(1e15));
    rings.sample(2_000, one(1e15 + 3));
    expect(rings.sum(WAN, 'minute', 60)).toBe(3);
  });

  it('are kept for a bounded number of counters: the one that was counted longest ago goes', () => {
    const rings = new TrafficRings(0);
    for (let index = 0; index <= MAX_SERIES; index += 1) rings.sample(index * 1000, new Map([[`c${index}`, 1]]));
    expect(rings.names).toHaveLength(MAX_SERIES);
    expect(rings.names).not.toContain('c0');
  });

  it('that are in use keep their history when more want a place, and give it up when they are not', () => {
    const rings = new TrafficRings(0);
    const names = Array.from({ length: MAX_SERIES + 40 }, (_, index) => `c${index}`);
    for (let second = 0; second <= 100; second += 1) {
      rings.sample(second * 1000, new Map(names.map((name) => [name, second * 5])));
    }
    expect(rings.names).toEqual(names.slice(0, MAX_SERIES).sort());
    expect(rings.sum('c0', 'second', 3_600)).toBe(500);
    const others = new Map([['late', 1]]);
    rings.sample(100_000 + UNUSED_MS - 1, others);
    expect(rings.names).not.toContain('late');
    rings.sample(100_000 + UNUSED_MS, others);
    expect(rings.names).toContain('late');
  });

  it('keep every octet of counters that grow, stand still, begin anew and are looked at seldom', () => {
    const steps = fc.record({ ms: fc.integer({ min: 1, max: 100_000 }), grown: fc.nat(1_000_000), anew: fc.boolean() });
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 200 }), (list) => {
        const rings = new TrafficRings(0, 7_200_000);
        rings.sample(0, one(0));
        let [now, count, sum] = [0, 0, 0];
        for (const { ms, grown, anew } of list) {
          now += ms;
          // One that began anew and is past its old value already cannot be told from one that went on.
          const next = anew && grown < count ? grown : count + grown;
          sum += next < count ? next : next - count;
          count = next;
          rings.sample(now, one(count));
        }
        expect(rings.sum(WAN, 'hour', 8_760)).toBe(sum);
      }),
    );
  });
});

describe('parts of the rings', () => {
  it('give back what was counted, and are small where little was', () => {
    const grown = Array.from({ length: 2_000 }, (_, index) => (index % 100 === 0 ? 1_500 * index : 0));
    const rings = fed(grown, 123_456_789);
    const chunks = chunksSince(rings, 0);
    const octets = chunks.reduce((sum, chunk) => sum + packChunk(chunk).length, 0);
    expect(octets).toBeLessThan(400);
    const again = new TrafficRings(0, rings.time);
    for (const chunk of chunks) {
      const values = unpackChunk(packChunk(chunk), chunk.ring) ?? new Float64Array();
      restoreChunk(again, { ...chunk, values });
    }
    for (const ring of ['second', 'minute', 'hour'] as const) {
      const before = rings.read(WAN, ring, 0)?.values.map((value) => value ?? 0);
      expect(again.read(WAN, ring, 0)?.values.map((value) => value ?? 0)).toEqual(before);
    }
  });

  it('are only those that were reached since', () => {
    const rings = fed(Array.from({ length: 3_000 }, () => 1));
    expect(chunksSince(rings, 2_900_000).map(({ ring, chunk }) => `${ring} ${chunk}`)).toEqual([
      'second 3',
      'minute 0',
      'hour 0',
    ]);
  });

  it('that are damaged cost themselves alone', () => {
    expect(unpackChunk(Uint8Array.of(1, 2, 3), 'second')).toBeUndefined();
    expect(unpackChunk(packChunk({ values: new Float64Array(5) }), 'hour')).toBeUndefined();
  });
});
