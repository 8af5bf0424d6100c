import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineQueue, MAX_QUEUE_LENGTH, MAX_QUEUE_LINES } from '../../../firmware/monitoring/line-queue.ts';

describe('the queue of a syslog server', () => {
  it('drops the oldest lines, and has a note of how many in their place', () => {
    const queue = new LineQueue();
    for (let index = 0; index < MAX_QUEUE_LINES + 10; index += 1) queue.push(`line ${index}`, 0);
    expect(queue.length).toBe(MAX_QUEUE_LINES);
    // The note takes a place, too.
    expect(queue.at(0)).toEqual({ kind: 'lost', count: 11 });
    expect(queue.at(1)).toEqual({ kind: 'line', line: 'line 11' });
    expect(queue.lineAfter(0)).toBe('line 11');
    expect(queue.dropped).toBe(11);
  });

  it('is bounded by what its lines hold, too', () => {
    const queue = new LineQueue();
    for (let index = 0; index < 1_000; index += 1) queue.push('x'.repeat(4_096), 0);
    const held = queue.entries.reduce((sum, entry) => sum + (entry.kind === 'line' ? entry.line.length : 0), 0);
    expect(held).toBeLessThanOrEqual(MAX_QUEUE_LENGTH);
    expect(held).toBeGreaterThan(MAX_QUEUE_LENGTH - 4_097);
  });

  it('never drops what is out of its hands, and stays bounded over any number of interruptions', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 1_500 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ held: fc.integer({ min: 0, max: 32 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const queue = new LineQueue();
        let held = 0;
        let pushed = 0;
        let taken = 0;
        let noted = 0;
        for (const one of steps) {
          if ('held' in one) held = Math.min(one.held, queue.length);
          else if ('push' in one) {
            const before = queue.entries.slice(0, held);
            for (let count = 0; count < one.push; count += 1) queue.push(String(pushed++), held);
            expect(queue.entries.slice(0, held)).toEqual(before);
          } else {
            held = 0;
            for (let count = 0; count < one.take && queue.length > 0; count += 1) {
              const entry = queue.at(0);
              if (entry?.kind === 'lost') noted += entry.count;
              else {
                // In order, and what is missing between was noted.
                expect(Number(entry?.line)).toBe(taken + noted);
                taken += 1;
              }
              queue.shift();
            }
          }
          expect(queue.length).toBeLessThanOrEqual(MAX_QUEUE_LINES + 1);
        }
        const left = queue.entries.reduce((sum, entry) => sum + (entry.kind === 'lost' ? entry.count : 1), 0);
        expect(taken + noted + left).toBe(pushed);
      }),
      { numRuns: 60 },
    );
  });

  it('goes on with what another one had', () => {
    const entries = [
      { kind: 'lost', count: 3 },
      { kind: 'line', line: 'a' },
    ] as const;
    const queue = new LineQueue(entries);
    queue.push('b', 0);
    expect(queue.entries).toEqual([...entries, { kind: 'line', line: 'b' }]);
  });
});
