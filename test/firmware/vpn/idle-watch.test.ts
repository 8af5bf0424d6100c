import { describe, expect, it } from 'vitest';
import { IdleWatch } from '../../../firmware/vpn/idle-watch.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';

class Bench {
  readonly clock = new SimulatedClock();
  readonly packets = new Map<number, { packetsReceived: number; packetsSent: number }>();
  readonly idle: number[] = [];
  looks = 0;
  gone = false;
  readonly watch = new IdleWatch(this, this.clock);

  async counters() {
    this.looks += 1;
    if (this.gone) throw new Error('The data plane is closed.');
    const sessions = [...this.packets].map(([key, each]) => ({
      key,
      ...each,
      octetsReceived: 0,
      octetsSent: 0,
      lost: 0,
      reordered: 0,
      drops: {},
    }));
    return { sessions, sas: [], policies: [], drops: {} };
  }

  add(key: number, idleMs: number): void {
    this.packets.set(key, { packetsReceived: 10, packetsSent: 10 });
    this.watch.watch(key, idleMs, () => this.idle.push(key));
  }

  carry(key: number, direction: 'packetsReceived' | 'packetsSent'): void {
    const packets = this.packets.get(key);
    if (packets) packets[direction] += 1;
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      this.clock.advance(100);
      await new Promise((done) => setImmediate(done));
    }
  }
}

describe('a session that is watched for silence', () => {
  it('has its packets carried by several, which come and go without being packets themselves', async () => {
    const bench = new Bench();
    bench.packets.set(1, { packetsReceived: 10, packetsSent: 10 });
    bench.watch.watch(
      9,
      5000,
      () => bench.idle.push(9),
      () => [...bench.packets.keys()],
    );
    await bench.pass(3000);
    bench.packets.set(2, { packetsReceived: 0, packetsSent: 0 });
    await bench.pass(1000);
    bench.packets.delete(1);
    await bench.pass(900);
    expect(bench.idle).toEqual([]);
    await bench.pass(700);
    expect(bench.idle).toEqual([9]);
    bench.watch.watch(
      9,
      5000,
      () => bench.idle.push(9),
      () => [...bench.packets.keys()],
    );
    await bench.pass(3000);
    bench.packets.set(3, { packetsReceived: 1, packetsSent: 0 });
    await bench.pass(4000);
    expect(bench.idle).toEqual([9]);
  });

  it('is idle when no packet has come or gone for its time, and is told once', async () => {
    const bench = new Bench();
    bench.add(1, 5000);
    await bench.pass(4900);
    expect(bench.idle).toEqual([]);
    await bench.pass(700);
    expect(bench.idle).toEqual([1]);
    await bench.pass(20_000);
    expect(bench.idle).toEqual([1]);
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it.each(['packetsReceived', 'packetsSent'] as const)('is not while there are %s', async (direction) => {
    const bench = new Bench();
    bench.add(1, 5000);
    for (let round = 0; round < 5; round += 1) {
      await bench.pass(4000);
      bench.carry(1, direction);
    }
    expect(bench.idle).toEqual([]);
    await bench.pass(6000);
    expect(bench.idle).toEqual([1]);
  });

  it('is not told of when it is watched no more', async () => {
    const bench = new Bench();
    bench.add(1, 5000);
    bench.add(2, 5000);
    bench.watch.unwatch(1);
    await bench.pass(6000);
    expect(bench.idle).toEqual([2]);
  });

  it('is looked at though others come all the time', async () => {
    const bench = new Bench();
    bench.add(1, 5000);
    for (let key = 2; key < 80; key += 1) {
      bench.add(key, 60_000);
      await bench.pass(100);
    }
    expect(bench.idle).toEqual([1]);
  });

  it('is idle for nobody while the counters cannot be had', async () => {
    const bench = new Bench();
    bench.gone = true;
    bench.add(1, 1000);
    await bench.pass(5000);
    expect(bench.idle).toEqual([]);
  });

  it('costs nothing while nothing is watched, and little while something is', async () => {
    const bench = new Bench();
    expect(bench.clock.nextTimer).toBeUndefined();
    bench.add(1, 3_600_000);
    await bench.pass(60_000);
    expect(bench.looks).toBeLessThanOrEqual(6);
  });
});
