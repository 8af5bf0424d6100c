import assert from 'node:assert/strict';
import type { Clock } from '../../../hal/clock.ts';
import type { Contract } from './contract.ts';

export interface ClockWorld {
  readonly clock: Clock;
  /** Lets this much time go by, with what is due in it. */
  pass(milliseconds: number): Promise<void>;
}

export const clockContract: Contract<ClockWorld> = {
  name: 'clock',
  cases: [
    {
      name: 'time goes on, and never back',
      run: async ({ clock, pass }) => {
        const before = clock.now();
        await pass(5);
        assert.ok(clock.now() >= before + 5);
      },
    },
    {
      name: 'the wall clock shows a date of this age',
      run: ({ clock }) => {
        const year = new Date(clock.wall()).getUTCFullYear();
        assert.ok(year >= 2024 && year < 2100, String(year));
      },
    },
    {
      name: 'a timer fires once, not before its instant',
      run: async ({ clock, pass }) => {
        const fired: number[] = [];
        const at = clock.now() + 3.7;
        clock.setTimer(at, () => fired.push(clock.now()));
        assert.deepEqual(fired, []);
        await pass(10);
        assert.equal(fired.length, 1);
        assert.ok((fired[0] ?? 0) >= at);
      },
    },
    {
      name: 'a timer of the past fires too, but not within setTimer',
      run: async ({ clock, pass }) => {
        let fired = 0;
        clock.setTimer(clock.now() - 1000, () => fired++);
        assert.equal(fired, 0);
        await pass(10);
        assert.equal(fired, 1);
      },
    },
    {
      name: 'timers fire in the order of their instants',
      run: async ({ clock, pass }) => {
        const order: string[] = [];
        const start = clock.now();
        clock.setTimer(start + 9, () => order.push('third'));
        clock.setTimer(start + 3, () => order.push('first'));
        clock.setTimer(start + 6, () => order.push('second'));
        await pass(20);
        assert.deepEqual(order, ['first', 'second', 'third']);
      },
    },
    {
      name: 'a cancelled timer does not fire, and cancelling again is harmless',
      run: async ({ clock, pass }) => {
        let fired = 0;
        const timer = clock.setTimer(clock.now() + 2, () => fired++);
        timer.cancel();
        timer.cancel();
        await pass(10);
        assert.equal(fired, 0);
      },
    },
    {
      name: 'a timer months away does not fire at once',
      run: async ({ clock, pass }) => {
        let fired = 0;
        const timers = [2 ** 31 + 5, 2 ** 32 + 5, 1e12, Number.POSITIVE_INFINITY].map((delay) =>
          clock.setTimer(clock.now() + delay, () => fired++),
        );
        await pass(10);
        for (const timer of timers) timer.cancel();
        assert.equal(fired, 0);
      },
    },
    {
      name: 'an instant that is no number is refused',
      run: ({ clock }) => {
        assert.throws(() => clock.setTimer(Number.NaN, () => undefined), RangeError);
      },
    },
  ],
};
