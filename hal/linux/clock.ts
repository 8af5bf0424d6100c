import type { Clock, Timer } from '../clock.ts';

/** Longest delay of Node's timers, milliseconds: a longer one would fire at once. */
const MAX_DELAY = 0x7fff_ffff;

const NANOSECONDS_PER_MILLISECOND = 1e6;

/** CLOCK_MONOTONIC, the same origin in every thread and process of the machine. */
export class LinuxClock implements Clock {
  now(): number {
    return Number(process.hrtime.bigint()) / NANOSECONDS_PER_MILLISECOND;
  }

  wall(): number {
    return Date.now();
  }

  /** @throws RangeError when `at` is not a number. Infinity never comes. */
  setTimer(at: number, callback: () => void): Timer {
    if (Number.isNaN(at)) throw new RangeError('a timer needs an instant, not NaN');
    return new LinuxTimer(this, at, callback);
  }
}

class LinuxTimer implements Timer {
  readonly #clock: Clock;
  readonly #at: number;
  readonly #callback: () => void;
  #handle: NodeJS.Timeout;

  constructor(clock: Clock, at: number, callback: () => void) {
    this.#clock = clock;
    this.#at = at;
    this.#callback = callback;
    this.#handle = this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #arm(): NodeJS.Timeout {
    const delay = Math.ceil(this.#at - this.#clock.now());
    return setTimeout(() => this.#expire(), Math.min(Math.max(delay, 0), MAX_DELAY));
  }

  /** Node's timers go by a clock of whole milliseconds and may come a little early, and the longest in stages. */
  #expire(): void {
    if (this.#clock.now() < this.#at) this.#handle = this.#arm();
    else this.#callback();
  }
}
