import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CounterDeltas } from '../../../../firmware/config/traffic/counter-deltas.ts';
import { type RingName, SERIES_OCTETS } from '../../../../firmware/config/traffic/ring-shape.ts';
import { MAX_SERIES, TrafficRings, UNUSED_SECONDS } from '../../../../firmware/config/traffic/traffic-rings.ts';

const WALL = Date.UTC(2026, 10, 26, 12);
const YEAR_MS = 365 * 86_400_000;

function values(rings: TrafficRings, ring: RingName, name = 'a'): readonly (number | null)[] {
  return rings.read(name, ring)?.values ?? [];
}

function total(rings: TrafficRings, ring: RingName, name = 'a'): number {
  return values(rings, ring, name).reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

/** Steps of time, each with what was counted then. */
const steps = fc.array(
  fc.record({
    ms: fc.oneof(fc.constant(1000), fc.integer({ min: 0, max: 90_000 })),
    amount: fc.integer({ min: 0, max: 10_000_000 }),
    jump: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { arbitrary: fc.integer({ min: -40, max: 40 }), weight: 1 },
    ),
  }),
  { maxLength: 300 },
);

describe('rings of traffic', () => {
  it('keep the sum of what was counted, however the wall clock jumps', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const rings = new TrafficRings({ now: 5, wall: WALL });
        let now = 5;
        let offset = 0;
        let sum = 0;
        for (const { ms, amount, jump } of list) {
          now += ms;
          offset += jump * YEAR_MS;
          rings.advance(now, WALL + now + offset);
          rings.add('a', amount);
          sum += amount;
        }
        expect(total(rings, 'hour')).toBe(sum);
      }),
    );
  });

  it('hold in each minute and hour what their seconds and minutes hold', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 3600 }), (list) => {
        const rings = new TrafficRings({ now: 0, wall: WALL });
        list.forEach((amount, index) => {
          rings.advance(index * 1000, WALL + index * 1000);
          rings.add('a', amount);
        });
        const seconds = list.slice(Math.floor((list.length - 1) / 60) * 60);
        expect(values(rings, 'minute').at(-1)).toBe(seconds.reduce((sum, value) => sum + value, 0));
        expect(total(rings, 'second')).toBe(total(rings, 'minute'));
        expect(total(rings, 'minute')).toBe(total(rings, 'hour'));
      }),
      { numRuns: 20 },
    );
  });

  it('label slots by the wall clock as it is now, and begin minutes and hours with those of the clock', () => {
    const rings = new TrafficRings({ now: 0, wall: WALL + 200 });
    rings.add('a', 7);
    rings.advance(10_000, WALL + 10_200);
    const read = rings.read('a', 'second');
    expect(read?.values[read.values.indexOf(7)]).toBe(7);
    expect((read?.startMs ?? 0) + (read?.values.indexOf(7) ?? 0) * 1000).toBe(WALL);
    rings.advance(11_000, WALL + 11_200 - 30 * YEAR_MS);
    const moved = rings.read('a', 'second');
    expect((moved?.startMs ?? 0) + (moved?.values.indexOf(7) ?? 0) * 1000).toBe(WALL - 30 * YEAR_MS);
    expect(((rings.read('a', 'hour')?.startMs ?? 1) + 30 * YEAR_MS) % 3_600_000).toBe(0);
  });

  it('have a gap where nothing was measured, and what was missed in the reading after it', () => {
    const rings = new TrafficRings({ now: 0, wall: WALL });
    rings.add('a', 1);
    rings.advance(3000, WALL + 3000);
    rings.add('a', 9);
    expect(values(rings, 'second').slice(-5)).toEqual([null, 1, null, null, 9]);
    expect(rings.totals('a')).toEqual({ lastMinute: 10, lastHour: 10, lastDay: 10 });
    rings.advance(10_000_000_000, WALL);
    expect(total(rings, 'second')).toBe(0);
    expect(rings.read('b', 'hour')).toBeUndefined();
  });

  it('take a known amount of memory for each series, and have room for a bounded number', () => {
    expect(SERIES_OCTETS).toBe(110_400);
    const rings = new TrafficRings({ now: 0, wall: WALL });
    for (let index = 0; index < MAX_SERIES; index += 1) {
      rings.advance(index, WALL + index);
      expect(rings.add(`series ${index}`, 1)).toBe(true);
    }
    expect(rings.octets).toBeLessThan(15_000_000);
    expect(rings.add('one more', 1)).toBe(false);
    rings.advance(UNUSED_SECONDS * 1000, WALL);
    for (let index = 1; index < MAX_SERIES; index += 1) rings.add(`series ${index}`, 1);
    expect(rings.add('one more', 1)).toBe(true);
    expect(rings.names).not.toContain('series 0');
    expect(rings.names).toHaveLength(MAX_SERIES);
  });

  it('go on after a restart where they were, and hand out only what changed since a flush', () => {
    const rings = new TrafficRings({ now: 0, wall: WALL });
    for (let second = 0; second < 2000; second += 1) {
      rings.advance(second * 1000, WALL + second * 1000);
      rings.add('a', second);
    }
    const saved = rings.place(WALL + 1_999_000);
    const chunks = rings.changes();
    expect(chunks.map(({ ring }) => ring)).toEqual(['second', 'second', 'second', 'minute', 'hour']);
    rings.saved(saved);
    expect(rings.changes().map(({ ring }) => ring)).toEqual(['second', 'minute', 'hour']);

    for (const wall of [WALL + 2_009_000, WALL - 20 * YEAR_MS, WALL + 20 * YEAR_MS]) {
      const next = new TrafficRings({ now: 77, wall, saved });
      next.restore(chunks);
      next.advance(1077, wall + 1000);
      next.add('a', 5);
      expect(total(next, 'hour')).toBe(1999 * 1000 + 5);
      expect((next.read('a', 'hour')?.startMs ?? 1) % 3_600_000).toBe(0);
    }
    const soon = new TrafficRings({ now: 0, wall: WALL + 2_009_000, saved });
    soon.restore(chunks);
    expect(values(soon, 'second').slice(-11)).toEqual([1999, ...Array.from({ length: 10 }, () => null)]);
  });
});

describe('absolute counters', () => {
  it('give what was added, also over resets, and nothing of what was before they were seen', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(1_000_000))), fc.boolean(), (lives, fresh) => {
        const deltas = new CounterDeltas();
        let sum = 0;
        let expected = 0;
        let first = true;
        let before = 0;
        for (const life of lives) {
          let value = 0;
          for (const amount of life) {
            value += amount;
            // A reset that ends above the old value cannot be told from traffic.
            if (value === amount && !first && value >= before) value = before === 0 ? 0 : before - 1;
            const added = value < before || first ? value : value - before;
            expected += first && !fresh ? 0 : added;
            sum += deltas.take('x', value, fresh);
            first = false;
            before = value;
          }
        }
        expect(sum).toBe(expected);
      }),
    );
  });

  it('that are gone are forgotten: another one of that name is a new one', () => {
    const deltas = new CounterDeltas();
    expect(deltas.take('x', 10, false)).toBe(0);
    deltas.endRound();
    expect(deltas.take('x', 15, false)).toBe(5);
    deltas.endRound();
    deltas.endRound();
    expect(deltas.take('x', 100, false)).toBe(0);
    expect(deltas.take('session', 100, true)).toBe(100);
  });
});
