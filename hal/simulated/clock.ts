import type { Clock, Timer } from '../clock.ts';

/** Default wall-clock reading at the origin: 2026-01-01T00:00:00Z, milliseconds since 1970. */
const DEFAULT_WALL = Date.UTC(2026, 0, 1);

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that stands still until it is told to go on. */
export class SimulatedClock implements Clock {
  #now: number;
  #wallOrigin: number;
  /** By instant; those of the same instant in the order in which they were set. */
  #timers: Entry[] = [];

  /** @param start first reading of {@link now}, milliseconds. @param wall the wall clock at reading 0. */
  constructor(start = 0, wall = DEFAULT_WALL) {
    this.#now = start;
    this.#wallOrigin = wall;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallOrigin + this.#now;
  }

  /** Somebody sets the wall clock; the monotonic one goes on as before. */
  setWall(wall: number): void {
    this.#wallOrigin = wall - this.#now;
  }

  setTimer(at: number, callback: () => void): Timer {
    if (Number.isNaN(at)) throw new RangeError('a timer needs an instant, not NaN');
    const entry: Entry = { at, callback };
    const after = this.#timers.findIndex((other) => other.at > at);
    this.#timers.splice(after < 0 ? this.#timers.length : after, 0, entry);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== entry);
      },
    };
  }

  /** The instant of the first pending timer. */
  get nextTimer(): number | undefined {
    return this.#timers[0]?.at;
  }

  /** Goes on by `milliseconds`, firing what is due on the way, each at its instant, also those set by the others. */
  advance(milliseconds: number): void {
    this.advanceTo(this.#now + milliseconds);
  }

  /** As {@link advance}, to an instant. @throws RangeError when it is in the past. */
  advanceTo(instant: number): void {
    if (!(instant >= this.#now)) throw new RangeError(`time does not go back from ${this.#now} to ${instant}`);
    for (let entry = this.#timers[0]; entry && entry.at <= instant; entry = this.#timers[0]) {
      this.#timers.shift();
      this.#now = Math.max(this.#now, entry.at);
      entry.callback();
    }
    this.#now = instant;
  }
}
