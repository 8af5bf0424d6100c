import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chunksSince } from '../../../firmware/config/traffic/traffic-chunks.ts';
import { type SavedTraffic, TrafficDatabase } from '../../../firmware/config/traffic/traffic-database.ts';
import { DAILY_WRITES, TrafficRecorder, type TrafficRecorderParts } from '../../../firmware/router/traffic-recorder.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedMachineCounters } from '../../../hal/simulated/machine-counters.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const QUARTER = 900_000;

let directory: string;
let database: TrafficDatabase;
let clock: SimulatedClock;
let counters: SimulatedMachineCounters;
let log: string[];
let flushes: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-traffic-'));
  database = new TrafficDatabase(directory);
  clock = new SimulatedClock();
  counters = new SimulatedMachineCounters();
  counters.devices.set('eth0', { received: 0, sent: 0 });
  log = [];
  flushes = 0;
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

const store: TrafficRecorderParts['store'] = {
  loadTraffic: async () => ({ ok: true, saved: database.load() }),
  flushTraffic: async (chunks, mark) => {
    flushes += 1;
    database.flush(chunks, mark);
    return { ok: true };
  },
};

function recorder(): TrafficRecorder {
  const devices = () => new Map([['interface.wan', 'eth0']]);
  return new TrafficRecorder({ clock, counters, store, devices, log: (line) => log.push(line) });
}

/** Seconds in each of which so many octets are sent. */
function pass(seconds: number, octets: number): void {
  for (let second = 0; second < seconds; second += 1) {
    const { received = 0, sent = 0 } = counters.devices.get('eth0') ?? {};
    counters.devices.set('eth0', { received, sent: sent + octets });
    clock.advance(1_000);
  }
}

describe('the traffic recorder', () => {
  it('counts each second and writes down four times an hour, and a restart goes on from there', async () => {
    const first = recorder();
    await first.start();
    pass(1_000, 100);
    expect(first.sum('interface.wan.sent', 'minute', 60)).toBe(99_900);
    await first.stop();
    expect(flushes).toBe(2);
    clock.advance(3_600_000);
    database.close();
    const second = recorder();
    await second.start();
    expect(second.sum('interface.wan.sent', 'hour', 24)).toBe(99_900);
    expect(second.sum('interface.wan.sent', 'second', 3_600)).toBeLessThan(5_000);
    pass(3, 50);
    expect(second.sum('interface.wan.sent', 'hour', 24)).toBe(100_000);
    await second.stop();
  });

  it('goes on although the clock stands before the last flush, or years behind it', async () => {
    for (const jump of [-50 * 365, 50 * 365]) {
      const before = recorder();
      await before.start();
      pass(10, 100);
      await before.stop();
      const total = before.sum('interface.wan.sent', 'hour', 24);
      clock.setWall(clock.wall() + jump * 86_400_000);
      const after = recorder();
      await after.start();
      expect(after.sum('interface.wan.sent', 'hour', 24)).toBe(total);
      await after.stop();
    }
  });

  it('stops writing history down when the day has used up its budget, says so once, and goes on tomorrow', async () => {
    const one = recorder();
    await one.start();
    counters.written = DAILY_WRITES + 1;
    pass(2 * 900, 1);
    await one.stop();
    expect(flushes).toBe(0);
    expect(log).toEqual([expect.stringMatching(/^\d+ octets were written to the disk today: no traffic history/)]);
    expect(one.storage()).toMatchObject({ octetsWrittenToday: DAILY_WRITES + 1, history: 'paused' });
    clock.advance(86_400_000 - QUARTER);
    await one.stop();
    expect(one.storage()).toMatchObject({ octetsWrittenToday: 0, history: 'written' });
    expect(flushes).toBe(1);
  });

  it('says once that it cannot write, keeps all in memory, and writes it when it can', async () => {
    let full = true;
    const failing: TrafficRecorderParts['store'] = {
      ...store,
      flushTraffic: async (chunks, mark) =>
        full ? { ok: false, reason: 'the disk is full', remedy: 'free some space' } : store.flushTraffic(chunks, mark),
    };
    const devices = () => new Map([['interface.wan', 'eth0']]);
    const one = new TrafficRecorder({ clock, counters, store: failing, devices, log: (line) => log.push(line) });
    await one.start();
    for (let quarter = 0; quarter < 4; quarter += 1) {
      pass(900, 1);
      await new Promise((done) => setImmediate(done));
    }
    expect(log).toEqual([
      'the traffic history is not written down, and stays in memory: the disk is full; free some space',
    ]);
    full = false;
    await one.stop();
    expect(database.load().chunks.filter(({ ring }) => ring === 'second').length).toBeGreaterThan(3);
  });

  it('looks at fixed instants: timers that are late leave no second empty', async () => {
    const late = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      setTimer: (at: number, callback: () => void) => clock.setTimer(at + 3, callback),
    };
    const devices = () => new Map([['interface.wan', 'eth0']]);
    const one = new TrafficRecorder({ clock: late, counters, store, devices, log: (line) => log.push(line) });
    await one.start();
    pass(1_100, 10);
    const { values = [] } = one.read('interface.wan.sent', 'second', 1_000) ?? {};
    expect(values.filter((value) => value !== 10)).toEqual([]);
    await one.stop();
  });

  it('leaves the seconds out while it is ahead of the budget of the day, and writes them when it is not any more', async () => {
    const one = recorder();
    await one.start();
    const settle = () => new Promise((done) => setImmediate(done));
    const stored = (ring: string) => database.load().chunks.filter((chunk) => chunk.ring === ring);
    // A quarter of the budget in the first quarter of an hour.
    counters.written = DAILY_WRITES / 4;
    pass(900, 10);
    await settle();
    expect(stored('minute').length).toBeGreaterThan(0);
    expect(stored('second')).toEqual([]);
    clock.advance(3 * 3_600_000);
    pass(1_800, 10);
    await settle();
    expect(stored('second')).toEqual([]);
    clock.advance(2 * 3_600_000);
    pass(1_800, 10);
    await settle();
    expect(stored('second').length).toBeGreaterThan(1);
    await one.stop();
  });

  it('counts the writes of a day over restarts', async () => {
    const one = recorder();
    await one.start();
    counters.written = 5_000;
    pass(1, 1);
    await one.stop();
    counters.written = 100;
    const two = recorder();
    await two.start();
    counters.written = 400;
    expect(two.storage().octetsWrittenToday).toBe(5_300);
    await two.stop();
  });

  it('begins anew when its file is damaged, and says so', async () => {
    const one = recorder();
    await one.start();
    pass(10, 100);
    await one.stop();
    database.close();
    writeFileSync(join(directory, 'traffic.db'), 'x'.repeat(5_000));
    const two = recorder();
    await two.start();
    expect(log).toEqual([expect.stringMatching(/^the traffic of the last year is lost: .*traffic\.db was damaged/)]);
    pass(10, 100);
    await two.stop();
    const saved: SavedTraffic = database.load();
    expect(saved.chunks.length).toBeGreaterThan(0);
  });

  it('writes less in a day than its budget, with twenty counters that never rest', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
    const { TrafficRings } = await import('../../../firmware/config/traffic/traffic-rings.ts');
    const rings = new TrafficRings(0);
    const random = new SeededRandom(1);
    const counts = new Map<string, number>();
    let octets = 0;
    let saved = 0;
    database.load();
    for (let second = 0; second <= 4 * 3_600; second += 1) {
      for (const [index, name] of names.entries())
        counts.set(name, (counts.get(name) ?? 0) + random.int(10_000 * (index + 1)));
      rings.sample(second * 1000, counts);
      if (second % 900 !== 0) continue;
      database.flush(chunksSince(rings, saved), { time: rings.time, wall: 0, day: 0, octets: 0 });
      saved = rings.time;
      // Each page goes into the -wal file, and from there into the database.
      octets += 2 * statSync(join(directory, 'traffic.db-wal')).size;
      database.close();
    }
    const perDay = octets * 6;
    console.log(`traffic history: ${Math.round(perDay / 1024 / 1024)} MiB a day at most with 20 counters`);
    expect(perDay).toBeLessThan(DAILY_WRITES);
  });
});
