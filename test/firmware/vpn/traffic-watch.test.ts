import { describe, expect, it } from 'vitest';
import type { DataPlaneCounters } from '../../../firmware/dataplane/data-plane.ts';
import { TrafficWatch } from '../../../firmware/vpn/traffic-watch.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';

const nothing = { octetsReceived: 0, packetsSent: 0, octetsSent: 0, lost: 0, reordered: 0, drops: {} };

class Bench {
  readonly clock = new SimulatedClock();
  readonly received = new Map<number, number>();
  asked = 0;
  broken = false;
  readonly watch = new TrafficWatch({ counters: () => this.#counters() }, this.clock);

  async #counters(): Promise<DataPlaneCounters> {
    this.asked += 1;
    if (this.broken) throw new Error('The data plane is closed.');
    const sessions = [...this.received].map(([key, packetsReceived]) => ({ key, packetsReceived, ...nothing }));
    return { sessions, sas: [], policies: [], drops: {} };
  }

  async seconds(count: number): Promise<void> {
    for (let quarter = 0; quarter < 4 * count; quarter += 1) {
      this.clock.advance(250);
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
  }
}

describe('the watch over incoming user packets', () => {
  it('tells of all sessions of one listener at once, and only of those that received something', async () => {
    const bench = new Bench();
    const heard: (readonly number[])[] = [];
    const listener = (keys: readonly number[]): number => heard.push(keys);
    for (const key of [1, 2, 3]) {
      bench.received.set(key, 10);
      bench.watch.watch(key, listener);
    }
    await bench.seconds(2);
    expect(heard).toEqual([]);
    bench.received.set(1, 11);
    bench.received.set(3, 11);
    await bench.seconds(2);
    expect(heard).toEqual([[1, 3]]);
  });

  it('looks about once a second, and has no timer while nothing is watched', async () => {
    const bench = new Bench();
    expect(bench.clock.nextTimer).toBeUndefined();
    bench.watch.watch(1, () => undefined);
    bench.watch.watch(2, () => undefined);
    await bench.seconds(10);
    expect(bench.asked).toBeGreaterThanOrEqual(8);
    expect(bench.asked).toBeLessThanOrEqual(20);
    bench.watch.unwatch(1);
    bench.watch.unwatch(2);
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('goes on after counters could not be had', async () => {
    const bench = new Bench();
    const heard: number[] = [];
    bench.received.set(1, 0);
    bench.watch.watch(1, (keys) => heard.push(...keys));
    await bench.seconds(1);
    bench.broken = true;
    await bench.seconds(2);
    bench.broken = false;
    bench.received.set(1, 5);
    await bench.seconds(1);
    expect(heard).toEqual([1]);
  });
});
