import { describe, expect, it } from 'vitest';
import type { Instant, Machine } from '../../../firmware/protocol/machine.ts';
import { MachineRunner } from '../../../firmware/vpn/machine-runner.ts';
import type { Clock, Timer } from '../../../hal/clock.ts';

/** One timer at a time is all that a runner may hold; a second is a leak. */
class ManualClock implements Clock {
  instant = 0;
  timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.instant;
  }

  wall(): number {
    return this.instant;
  }

  setTimer(at: number, callback: () => void): Timer {
    const timer = { at, callback };
    this.timers.push(timer);
    return {
      cancel: () => {
        this.timers = this.timers.filter((other) => other !== timer);
      },
    };
  }

  fire(): void {
    const timer = this.timers.shift();
    if (!timer) throw new Error('no timer is set');
    this.instant = timer.at;
    timer.callback();
  }
}

/** Says the time of each tick, three times, ten milliseconds apart. */
class Countdown implements Machine<string> {
  #left = 3;
  #due: Instant | undefined;
  readonly #outputs: string[] = [];

  start(now: Instant): void {
    this.#due = now + 10;
    this.#outputs.push('started');
  }

  tick(now: Instant): void {
    if (this.#due === undefined || now < this.#due) return;
    this.#left -= 1;
    this.#outputs.push(`tick at ${now}`);
    this.#due = this.#left === 0 ? undefined : now + 10;
  }

  nextDeadline(): Instant | undefined {
    return this.#due;
  }

  poll(): string | undefined {
    return this.#outputs.shift();
  }
}

const noFault = (error: unknown): void => {
  throw error;
};

describe('the machine runner', () => {
  it('takes all outputs, keeps one timer, and none when nothing is pending', () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const machine = new Countdown();
    const runner = new MachineRunner(machine, clock, (output) => seen.push(output), noFault);
    runner.run((now) => machine.start(now));
    while (clock.timers.length > 0) {
      expect(clock.timers).toHaveLength(1);
      clock.fire();
    }
    expect(seen).toEqual(['started', 'tick at 10', 'tick at 20', 'tick at 30']);
  });

  it('handles what a handler feeds back only after what was there before', () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const machine = new Countdown();
    const runner: MachineRunner<string> = new MachineRunner(
      machine,
      clock,
      (output) => {
        seen.push(output);
        if (seen.length === 1) {
          runner.run((now) => machine.start(now));
          seen.push('handler done');
        }
      },
      noFault,
    );
    runner.run((now) => machine.start(now));
    expect(seen).toEqual(['started', 'handler done', 'started']);
  });

  it('leaves no timer when it is stopped, and takes no further input', () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const machine = new Countdown();
    const runner = new MachineRunner(machine, clock, (output) => seen.push(output), noFault);
    runner.run((now) => machine.start(now));
    runner.stop();
    expect(clock.timers).toEqual([]);
    runner.run((now) => machine.start(now));
    expect(seen).toEqual(['started']);
  });

  it('loses nothing but the one output whose handling throws, and tells of it', () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const faults: unknown[] = [];
    const machine = new Countdown();
    const handle = (output: string): void => {
      if (output === 'started') throw new RangeError('there is no socket 1');
      seen.push(output);
    };
    const onFault = (error: unknown, output?: string): number => faults.push(`${String(error)} at ${output}`);
    const runner = new MachineRunner(machine, clock, handle, onFault);
    runner.run((now) => machine.start(now));
    while (clock.timers.length > 0) clock.fire();
    expect(seen).toEqual(['tick at 10', 'tick at 20', 'tick at 30']);
    expect(faults).toEqual(['RangeError: there is no socket 1 at started']);
  });

  it('neither dies nor spins when a machine throws at its own deadline', () => {
    const clock = new ManualClock();
    const faults: unknown[] = [];
    const machine: Machine<string> = {
      tick: () => {
        throw new Error('a mistake');
      },
      nextDeadline: () => 10,
      poll: () => undefined,
    };
    const runner = new MachineRunner(
      machine,
      clock,
      () => undefined,
      (error) => faults.push(error),
    );
    runner.run(() => undefined);
    clock.fire();
    clock.fire();
    expect(faults).toHaveLength(2);
    expect(clock.instant).toBeGreaterThanOrEqual(1_000);
    runner.stop();
  });
});
