import { describe, expect, it } from 'vitest';
import { type CaptureLimits, captureLimits } from '../../../../firmware/diagnosis/capture/capture-limits.ts';
import {
  type CaptureEnd,
  CaptureRun,
  type CaptureRunParts,
  MAX_BACKLOG,
  MOST_PACKETS,
  TURN_MS,
} from '../../../../firmware/diagnosis/capture/capture-run.ts';
import { CaptureReader } from '../../../../firmware/diagnosis/decode/capture-reader.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SimulatedPacketCaptureFactory } from '../../../../hal/simulated/packet-capture.ts';
import { blocksOf, statisticsOf } from './pcapng-blocks.ts';

class Bench {
  readonly clock = new SimulatedClock();
  readonly captures = new SimulatedPacketCaptureFactory();
  readonly written: Uint8Array[] = [];
  readonly ends: CaptureEnd[] = [];
  readonly over: CaptureEnd[] = [];
  backlog = 0;

  constructor() {
    this.captures.addDevice('eth0', 'ethernet');
    this.captures.addDevice('tun0', 'ip');
  }

  start(asked: Partial<CaptureLimits> = {}, more: Partial<CaptureRunParts> = {}, devices = ['eth0']): CaptureRun {
    const bench = this;
    return new CaptureRun({
      sources: devices.map((device) => ({ capture: this.captures.open(device), description: device })),
      limits: captureLimits(asked),
      clock: this.clock,
      application: 'test',
      sink: {
        get backlog() {
          return bench.backlog;
        },
        write: (blocks) => this.written.push(blocks),
        end: (end) => this.ends.push(end),
      },
      onEnd: (end) => this.over.push(end),
      ...more,
    });
  }

  pass(count: number, octets = 60, device = 'eth0'): void {
    for (let index = 0; index < count; index += 1) this.captures.pass(device, new Uint8Array(octets).fill(index));
  }

  get file(): Uint8Array {
    return Buffer.concat(this.written);
  }

  /** Reads what was written, as a whole file. */
  packets() {
    const reader = new CaptureReader();
    const packets = [...reader.push(this.file)].map(({ bytes, linkType }) => ({ bytes: bytes.slice(), linkType }));
    reader.end();
    return packets;
  }
}

describe('a capture', () => {
  it('begins the file at once, writes what passes within a turn, and ends it when it is stopped', () => {
    const bench = new Bench();
    const run = bench.start();
    expect(bench.packets()).toEqual([]);
    bench.pass(3);
    bench.clock.advance(TURN_MS);
    expect(bench.packets().map(({ bytes }) => bytes[0])).toEqual([0, 1, 2]);
    bench.pass(1);
    run.stop();
    run.stop();
    expect(bench.packets()).toHaveLength(4);
    expect(bench.ends).toEqual([{ reason: 'stopped', packets: 4, lost: 0, octets: bench.file.length }]);
    expect(bench.over).toEqual(bench.ends);
    const comment = 'The capture has ended: it was stopped.';
    expect(statisticsOf(bench.file)).toEqual([{ interfaceId: 0, received: 4, dropped: 0, delivered: 4, comment }]);
    expect(bench.captures.running).toBe(0);
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('writes whole blocks only: the file can be read wherever it is cut off between two writes', () => {
    const bench = new Bench();
    const run = bench.start();
    for (let turn = 0; turn < 5; turn += 1) {
      bench.pass(40, 61);
      bench.clock.advance(TURN_MS);
      expect(() => bench.packets()).not.toThrow();
    }
    run.stop();
  });

  it.each([
    ['seconds', { seconds: 2 }, 'seconds'],
    ['packets', { packets: 5 }, 'packets'],
    ['octets', { octets: 4096 }, 'octets'],
  ] as const)('ends by its limit of %s', (_what, limits, reason) => {
    const bench = new Bench();
    bench.start(limits);
    for (let turn = 0; turn < 300 && bench.ends.length === 0; turn += 1) {
      if (turn < 50) bench.pass(1, 100);
      bench.clock.advance(TURN_MS);
    }
    expect(bench.ends).toMatchObject([{ reason, lost: 0 }]);
    if ('seconds' in limits) expect(bench.clock.now()).toBe(2000);
    if ('packets' in limits) expect(bench.packets()).toHaveLength(5);
    if ('octets' in limits) expect(bench.file.length).toBeLessThanOrEqual(4096);
    if ('octets' in limits) expect(bench.file.length).toBeGreaterThan(4096 - 500);
  });

  it('keeps within its octets, whatever ends the file, with every size of packet', () => {
    for (let size = 1; size < 300; size += 7) {
      const bench = new Bench();
      bench.start({ octets: 5000 }, {}, ['eth0', 'tun0']);
      bench.pass(400, size);
      bench.clock.advance(100 * TURN_MS);
      expect(bench.ends).toMatchObject([{ reason: 'octets' }]);
      expect(bench.file.length).toBeLessThanOrEqual(5000);
    }
  });

  it('takes so many packets in a turn and no more, and what the kernel cannot keep meanwhile is counted', () => {
    const bench = new Bench();
    const run = bench.start();
    bench.pass(MOST_PACKETS + 10);
    bench.clock.advance(TURN_MS);
    expect(bench.packets()).toHaveLength(MOST_PACKETS);
    bench.pass(2000);
    bench.clock.advance(20 * TURN_MS);
    run.stop();
    const [end] = bench.ends;
    expect(end?.lost).toBeGreaterThan(0);
    expect((end?.packets ?? 0) + (end?.lost ?? 0)).toBe(MOST_PACKETS + 10 + 2000);
    expect(statisticsOf(bench.file)).toMatchObject([{ received: MOST_PACKETS + 2010, dropped: end?.lost }]);
  });

  it('gives a slow reader no more than it can take: what passes meanwhile is lost, counted and told', () => {
    const bench = new Bench();
    const run = bench.start();
    bench.pass(2);
    bench.clock.advance(TURN_MS);
    const { length } = bench.file;
    bench.backlog = MAX_BACKLOG + 1;
    bench.pass(5000);
    bench.clock.advance(100 * TURN_MS);
    expect(bench.file.length).toBe(length);
    bench.backlog = 0;
    bench.clock.advance(TURN_MS);
    bench.backlog = MAX_BACKLOG + 1;
    run.stop();
    expect(bench.packets()).toHaveLength(2 + MOST_PACKETS);
    expect(bench.ends).toMatchObject([{ packets: 2 + MOST_PACKETS, lost: 5000 - MOST_PACKETS }]);
  });

  it('does not count as lost what passed behind the last packet that was wanted', () => {
    const bench = new Bench();
    bench.start({ packets: 3 });
    bench.pass(10);
    bench.clock.advance(TURN_MS);
    expect(bench.ends).toMatchObject([{ reason: 'packets', packets: 3, lost: 0 }]);
  });

  it('keeps of each packet as much as was asked for, and tells how long it was', () => {
    const bench = new Bench();
    const run = bench.start({ snap: 64 });
    bench.pass(1, 1000);
    run.stop();
    const [, , packet] = blocksOf(bench.file);
    expect([packet?.body.readUInt32LE(12), packet?.body.readUInt32LE(16)]).toEqual([64, 1000]);
  });

  it('of several interfaces has them in one file, each with its own kind of link and its own numbers', () => {
    const bench = new Bench();
    const run = bench.start({}, {}, ['eth0', 'tun0']);
    bench.pass(1);
    bench.pass(2, 40, 'tun0');
    run.stop();
    expect(bench.packets().map(({ linkType }) => linkType)).toEqual([1, 101, 101]);
    expect(statisticsOf(bench.file)).toMatchObject([{ delivered: 1 }, { interfaceId: 1, delivered: 2 }]);
  });

  it('leaves out what is not wanted, and does not count that as lost', () => {
    const bench = new Bench();
    const run = bench.start({}, { wanted: (_link, bytes) => bytes[0] !== 1 });
    bench.pass(3);
    run.stop();
    expect(bench.packets().map(({ bytes }) => bytes[0])).toEqual([0, 2]);
    expect(statisticsOf(bench.file)).toMatchObject([{ received: 3, dropped: 0, delivered: 2 }]);
  });

  it('ends when its interface goes, behind what came before', () => {
    const bench = new Bench();
    bench.start({}, {}, ['tun0']);
    bench.pass(2, 40, 'tun0');
    bench.captures.removeDevice('tun0');
    bench.clock.advance(2 * TURN_MS);
    expect(bench.ends).toMatchObject([{ reason: 'gone', packets: 2, lost: 0 }]);
    expect(bench.packets()).toHaveLength(2);
  });

  it('ends at once, without a word, when nobody reads any more', () => {
    const bench = new Bench();
    const run = bench.start();
    bench.pass(2);
    const { length } = bench.file;
    run.abandon();
    run.stop();
    expect(bench.file.length).toBe(length);
    expect(bench.ends).toEqual([]);
    expect(bench.over).toHaveLength(1);
    expect(bench.captures.running).toBe(0);
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('ends the file as it should when something fails', () => {
    const bench = new Bench();
    const fail = () => {
      throw new Error('the filter has a fault');
    };
    bench.start({}, { wanted: fail });
    bench.pass(1);
    bench.clock.advance(TURN_MS);
    expect(bench.ends).toMatchObject([{ reason: 'failed' }]);
    expect(bench.packets()).toEqual([]);
    expect(bench.captures.running).toBe(0);
  });
});
