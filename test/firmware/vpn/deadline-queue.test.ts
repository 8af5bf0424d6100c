import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineQueue } from '../../../firmware/vpn/deadline-queue.ts';

const ITEMS = 8;

describe('the queue of deadlines', () => {
  it('always knows the earliest one, however they move', () => {
    const change = fc.record({
      item: fc.nat(ITEMS - 1),
      at: fc.option(fc.nat(100), { nil: undefined }),
      look: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const deadlines: (number | undefined)[] = Array.from({ length: ITEMS });
        const queue = new DeadlineQueue<number>((item) => deadlines[item]);
        for (const { item, at, look } of changes) {
          deadlines[item] = at;
          queue.update(item);
          if (!look) continue;
          const known = deadlines.filter((deadline) => deadline !== undefined);
          expect(queue.first?.at).toBe(known.length === 0 ? undefined : Math.min(...known));
        }
      }),
    );
  });

  it('gives each item that is due once, and again only after an update', () => {
    const deadlines = new Map([
      ['a', 5],
      ['b', 5],
      ['c', 9],
    ]);
    const queue = new DeadlineQueue<string>((item) => deadlines.get(item));
    for (const item of deadlines.keys()) queue.update(item);
    queue.update('a');
    expect([...queue.takeDue(5)].sort()).toEqual(['a', 'b']);
    expect(queue.takeDue(5)).toEqual([]);
    queue.update('a');
    expect(queue.takeDue(9)).toEqual(['a', 'c']);
  });

  it('asks nothing of an item whose deadline only ever moves later', () => {
    let asked = 0;
    let deadline = 1;
    const queue = new DeadlineQueue<string>(() => {
      asked += 1;
      return deadline;
    });
    queue.update('echo');
    for (deadline = 2; deadline < 1000; deadline += 1) queue.update('echo');
    expect(asked).toBe(999);
    expect(queue.first?.at).toBe(1000);
  });
});
