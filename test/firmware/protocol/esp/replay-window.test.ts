import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayWindow } from '../../../../firmware/protocol/esp/replay-window.ts';

const SIZES = [32, 64, 96, 1024, 4096];
const TWO_32 = 2 ** 32;

/** What RFC 4303 section 3.4.3 says, with a set of all numbers ever seen. */
class Model {
  readonly #seen = new Set<number>();
  readonly #size: number;
  #top = 0;

  constructor(size: number) {
    this.#size = size;
  }

  check(sequence: number): string {
    if (sequence > this.#top) return 'new';
    if (sequence <= 0 || sequence <= this.#top - this.#size) return 'tooOld';
    return this.#seen.has(sequence) ? 'replayed' : 'new';
  }

  update(sequence: number): void {
    this.#seen.add(sequence);
    this.#top = Math.max(this.#top, sequence);
  }
}

function receive(window: ReplayWindow, sequence: number): string {
  const verdict = window.check(sequence);
  if (verdict === 'new') window.update(sequence);
  return verdict;
}

describe('the replay window', () => {
  const jumps = [1, 2, 31, 32, 33, 63, 64, 65, 'window-1', 'window', 'window+1', 'window+31', 'window+32', 'window+33'];
  for (const size of SIZES) {
    for (const jump of jumps) {
      it(`of ${size} knows after a jump of ${jump} exactly which numbers it has seen`, () => {
        const length = typeof jump === 'number' ? jump : size + Number(jump.slice('window'.length) || 0);
        for (const start of [1, 31, 32, 33, 63, 64, size, 3 * size + 5, 2 ** 31 - 1, TWO_32 - 4 * size]) {
          const window = new ReplayWindow(size, false);
          const model = new Model(size);
          // A full window, every third number missing, then the jump.
          for (let sequence = Math.max(1, start - size); sequence <= start; sequence++) {
            if (sequence % 3 === 0) continue;
            window.update(sequence);
            model.update(sequence);
          }
          window.update(start + length);
          model.update(start + length);
          const from = Math.max(0, start - size - 40);
          const wrong: number[] = [];
          for (let sequence = from; sequence <= start + length + 2; sequence++) {
            if (window.check(sequence) !== model.check(sequence)) wrong.push(sequence);
          }
          expect(wrong, `start ${start}`).toEqual([]);
        }
      });
    }
  }

  it('takes each number once, in whatever order they come, as a list of all numbers seen would', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -70, max: 70 }) },
      { weight: 1, arbitrary: fc.integer({ min: -5000, max: 5000 }) },
      { weight: 1, arbitrary: fc.constantFrom(31, 32, 33, 63, 64, 65, 4095, 4096, 4097, 2 ** 20) },
    );
    fc.assert(
      fc.property(fc.constantFrom(...SIZES), fc.array(step, { maxLength: 200 }), (size, steps) => {
        const window = new ReplayWindow(size, false);
        const model = new Model(size);
        for (const by of steps) {
          const sequence = Math.max(0, window.top + by);
          const wanted = model.check(sequence);
          if (wanted === 'new') model.update(sequence);
          expect(receive(window, sequence)).toBe(wanted);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never takes the number 0', () => {
    const window = new ReplayWindow(64, false);
    expect(window.check(0)).toBe('tooOld');
    window.update(1);
    expect(window.check(0)).toBe('tooOld');
  });

  it('does not move by a check', () => {
    const window = new ReplayWindow(64, false);
    window.update(5);
    expect(window.check(5000)).toBe('new');
    expect(window.top).toBe(5);
    expect(window.check(4)).toBe('new');
  });

  it('refuses sizes that are no multiple of 32 within 32..4096', () => {
    for (const size of [0, 31, 33, -32, 4128, Number.NaN]) expect(() => new ReplayWindow(size, false)).toThrow();
  });
});

describe('extended sequence numbers', () => {
  it('are guessed across the wrap of the low half, ahead and behind', () => {
    for (const size of SIZES) {
      const window = new ReplayWindow(size, true);
      window.update(2 ** 31);
      window.update(TWO_32 - 3);
      expect(window.expand(TWO_32 - 1)).toBe(TWO_32 - 1);
      expect(window.expand(0)).toBe(TWO_32);
      expect(window.expand(7)).toBe(TWO_32 + 7);
      window.update(TWO_32 + 2);
      // Behind the wrap, within the window: a late packet of the subspace before.
      expect(window.expand(TWO_32 - 1)).toBe(TWO_32 - 1);
      expect(window.check(TWO_32 - 1)).toBe('new');
      expect(window.check(TWO_32 - 3)).toBe('replayed');
      expect(window.check(TWO_32)).toBe('new');
      expect(window.check(TWO_32 + 2)).toBe('replayed');
      // The last number of the window, and the one below it, which can only be far ahead.
      const bottom = TWO_32 + 2 - size + 1;
      expect(window.expand(bottom)).toBe(bottom);
      expect(window.expand(bottom - 1)).toBe(TWO_32 + bottom - 1);
    }
  });

  it('are the one within the window or ahead of it by less than 2^32', () => {
    const top = fc.oneof(
      fc.integer({ min: 5000, max: 2 ** 52 }),
      fc
        .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: -5000, max: 5000 }))
        .map(([n, d]) => n * TWO_32 + d),
    );
    const offset = fc.oneof(fc.integer({ min: -4096, max: 5000 }), fc.integer({ min: 0, max: TWO_32 - 1 }));
    fc.assert(
      fc.property(fc.constantFrom(...SIZES), top, offset, (size, at, by) => {
        // Only numbers from the bottom of the window to 2^32-1 above it can be told apart.
        fc.pre(by > -size && by <= TWO_32 - size);
        const window = new ReplayWindow(size, true);
        window.update(at);
        expect(window.expand((at + by) % TWO_32)).toBe(at + by);
      }),
      { numRuns: 2000 },
    );
  });

  it('do not exist below the first one: such a packet is too old', () => {
    const window = new ReplayWindow(1024, true);
    expect(window.expand(TWO_32 - 1)).toBe(-1);
    expect(window.check(window.expand(TWO_32 - 1))).toBe('tooOld');
    expect(window.check(window.expand(0))).toBe('tooOld');
    expect(window.check(window.expand(1))).toBe('new');
  });

  it('end where whole numbers do, instead of losing their last bits', () => {
    const window = new ReplayWindow(64, true);
    window.update(Number.MAX_SAFE_INTEGER);
    expect(window.expand(5)).toBe(-1);
  });

  it('pass the wrap of the low half one by one without a gap or a repetition', () => {
    const window = new ReplayWindow(64, true);
    window.update(2 ** 31);
    for (let sequence = TWO_32 - 200; sequence < TWO_32 + 200; sequence++) {
      expect(window.expand(sequence % TWO_32)).toBe(sequence);
      expect(receive(window, sequence)).toBe('new');
      expect(receive(window, sequence)).toBe('replayed');
    }
  });
});
