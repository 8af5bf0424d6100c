import type { Clock, Timer } from '../../hal/clock.ts';
import type { MetricSample } from './exposition.ts';

/** How often the control loop is asked how late it is, ms. */
const INTERVAL_MS = 200;
/** Upper bounds of the buckets, s. */
const BOUNDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, Number.POSITIVE_INFINITY];

/** How late timers of the control thread come, as a histogram: what protocols and the control API had to wait. */
export class LoopDelay {
  readonly #clock: Clock;
  readonly #buckets = BOUNDS.map(() => 0);
  #sum = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.#timer ??= this.#next();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  get samples(): readonly MetricSample[] {
    let count = 0;
    const buckets = BOUNDS.map((bound, index): MetricSample => {
      count += this.#buckets[index] ?? 0;
      return {
        suffix: '_bucket',
        labels: { le: bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound) },
        value: count,
      };
    });
    return [...buckets, { suffix: '_sum', value: this.#sum }, { suffix: '_count', value: count }];
  }

  #next(): Timer {
    const at = this.#clock.now() + INTERVAL_MS;
    return this.#clock.setTimer(at, () => {
      const late = Math.max(0, this.#clock.now() - at) / 1000;
      const index = BOUNDS.findIndex((bound) => late <= bound);
      this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
      this.#sum += late;
      this.#timer = this.#next();
    });
  }
}
