import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataSequence } from '../../../../firmware/dataplane/userspace/data-sequence.ts';

/** A sequence with what it lets pass, each message named by its number. */
class Bench {
  readonly sequence = new DataSequence();
  readonly passed: number[] = [];
  readonly dropped: string[] = [];

  constructor(packets: number, milliseconds = 20) {
    this.sequence.limits = { packets, milliseconds };
  }

  receive(now: number, ...numbers: readonly number[]): this {
    for (const ns of numbers) {
      const verdict = this.sequence.receive(ns);
      if (verdict === 'pass') this.passed.push(ns);
      else if (verdict === 'hold') this.sequence.hold(ns, Uint8Array.of(ns >>> 8, ns & 0xff), now);
      else this.dropped.push(`${verdict} ${ns}`);
      this.#release();
    }
    return this;
  }

  expire(now: number): this {
    this.sequence.expire(now);
    this.#release();
    return this;
  }

  #release(): void {
    for (let held = this.sequence.released(); held !== undefined; held = this.sequence.released()) {
      this.passed.push(((held[0] ?? 0) << 8) | (held[1] ?? 0));
    }
  }

  get counts(): { lost: number; reordered: number } {
    const { lost, reordered } = this.sequence;
    return { lost, reordered };
  }
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, at) => first + at);

describe('numbers of messages that are sent', () => {
  it('begin at zero and wrap after 65535', () => {
    const sequence = new DataSequence();
    expect([sequence.take(), sequence.take()]).toEqual([0, 1]);
    for (let count = 2; count < 0xffff; count++) sequence.take();
    expect([sequence.take(), sequence.take()]).toEqual([0xffff, 0]);
  });
});

describe('without room for messages that wait', () => {
  it('newer messages pass, gaps count as lost, duplicates and overtaken ones are told apart', () => {
    const bench = new Bench(0).receive(0, 5, 5, 9, 7, 9, 10);
    expect(bench.passed).toEqual([5, 9, 10]);
    expect(bench.dropped).toEqual(['duplicate 5', 'late 7', 'duplicate 9']);
    expect(bench.counts).toEqual({ lost: 3, reordered: 0 });
  });

  it('it goes on across the wrap', () => {
    const bench = new Bench(0).receive(0, 0xfffe, 1, 0xffff, 2);
    expect(bench.passed).toEqual([0xfffe, 1, 2]);
    expect(bench.counts.lost).toBe(2);
  });
});

describe('with room for messages that wait', () => {
  it('those in order pass at once, and nothing waits', () => {
    const bench = new Bench(16).receive(0, ...range(0, 100));
    expect(bench.passed).toEqual(range(0, 100));
    expect(bench.counts).toEqual({ lost: 0, reordered: 0 });
    expect(bench.sequence.nextDeadline()).toBeUndefined();
  });

  it('an overtaken message is put in its place, across the wrap too', () => {
    const bench = new Bench(16).receive(0, 0xfffd, 0xffff, 1, 0, 0xfffe, 2);
    expect(bench.passed).toEqual([0xfffd, 0xfffe, 0xffff, 0, 1, 2]);
    expect(bench.counts).toEqual({ lost: 0, reordered: 2 });
  });

  it('a gap counts as lost when its time is over, and who comes later is dropped', () => {
    const bench = new Bench(16, 20).receive(0, 0).receive(100, 3).receive(110, 2);
    expect(bench.sequence.nextDeadline()).toBe(120);
    expect(bench.expire(119).passed).toEqual([0]);
    expect(bench.expire(120).passed).toEqual([0, 2, 3]);
    expect(bench.sequence.holding).toBe(false);
    bench.receive(130, 1, 4);
    expect(bench.dropped).toEqual(['late 1']);
    expect(bench.passed).toEqual([0, 2, 3, 4]);
    expect(bench.counts).toEqual({ lost: 1, reordered: 1 });
  });

  it('a gap counts as lost when the room is used up', () => {
    const bench = new Bench(3).receive(0, 0, 2, 3, 4);
    expect(bench.passed).toEqual([0]);
    expect(bench.receive(0, 5).passed).toEqual([0, 2, 3, 4, 5]);
    expect(bench.counts).toEqual({ lost: 1, reordered: 0 });
  });

  it('a duplicate of one that waits is dropped', () => {
    const bench = new Bench(16).receive(0, 0, 2, 2, 1);
    expect(bench.passed).toEqual([0, 1, 2]);
    expect(bench.dropped).toEqual(['duplicate 2']);
  });

  it('any order within the room is undone, and nothing passes twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), fc.array(fc.nat(15), { minLength: 30 }), (first, jitter) => {
        const sent = jitter
          .map((late, at) => ({ ns: (first + at) & 0xffff, at: at + late }))
          .sort((a, b) => a.at - b.at)
          .map(({ ns }) => ns);
        // The first message that comes begins the numbering, so the first of all goes before.
        const before = (first - 1) & 0xffff;
        const bench = new Bench(16).receive(0, before, ...sent, ...sent.slice(-5));
        expect(bench.passed).toEqual([before, ...jitter.map((_, at) => (first + at) & 0xffff)]);
        expect(bench.counts.lost).toBe(0);
      }),
    );
  });
});

describe('a peer that numbers anew', () => {
  it.each([0, 16])('is believed after eight old messages in a row, with room for %i', (packets) => {
    const bench = new Bench(packets).receive(0, 1000, ...range(0, 9));
    expect(bench.passed).toEqual([1000, 7, 8]);
    expect(bench.dropped).toHaveLength(7);
  });

  it('is not one whose old messages are no row', () => {
    const bench = new Bench(0).receive(0, 1000);
    for (let count = 0; count < 100; count++) bench.receive(0, count % 2);
    bench.receive(0, ...range(0, 7), 1001, 7);
    expect(bench.passed).toEqual([1000, 1001]);
  });

  it('leaves nothing behind that waited by the old numbers', () => {
    const bench = new Bench(16).receive(0, 1000, 1002, ...range(0, 9)).expire(1000);
    expect(bench.passed).toEqual([1000, 7, 8]);
    expect(bench.counts.lost).toBe(1);
    expect(bench.sequence.holding).toBe(false);
  });
});
