import type { Clock, Timer } from '../../hal/clock.ts';
import type { Watchdog } from '../../hal/watchdog.ts';
import { errorText } from '../vpn/steps.ts';

/** Between two looks at most, ms; a watchdog that bites sooner is fed more often. */
const LOOK_MS = 2_000;
/** How late a look of the control loop may come, ms, and how many in a row may be later before it counts as sick. */
const LATE_MS = 1_000;
const LATE_LOOKS = 5;
/** How long the data plane's thread may owe an answer, ms. */
const ANSWER_MS = 10_000;

export interface WatchdogKeeperParts {
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  /** Asks the data plane's thread for anything; resolves when it answers. */
  readonly ask: () => Promise<unknown>;
  /** Called with each sentence that belongs into the log. */
  readonly log: (line: string) => void;
}

export interface WatchdogState {
  readonly state: 'fed' | 'starving' | 'failed';
  /** Why it is not fed; one sentence without a full stop. */
  readonly reason?: string;
}

/** Feeds a watchdog as long as the control loop turns and the data plane answers. */
export class WatchdogKeeper {
  readonly #parts: WatchdogKeeperParts;
  readonly #every: number;
  #timer: Timer | undefined;
  #late = 0;
  /** Since when an answer is owed, ms. */
  #asked: number | undefined;
  #state: WatchdogState = { state: 'fed' };

  constructor(parts: WatchdogKeeperParts) {
    this.#parts = parts;
    this.#every = Math.min(LOOK_MS, (parts.watchdog.timeoutSeconds * 1000) / 4);
  }

  get state(): WatchdogState {
    return this.#state;
  }

  start(): void {
    this.#look(0);
  }

  /** It is stopped, where it can be stopped. Harmless when repeated. */
  stop(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    const { watchdog, log } = this.#parts;
    const { running } = watchdog.close();
    if (running) {
      log(
        `the watchdog cannot be stopped: unless something feeds it, it resets the machine in ${watchdog.timeoutSeconds} s`,
      );
    }
  }

  /** @param late how much too late this look comes, ms. */
  #look(late: number): void {
    const { clock } = this.#parts;
    this.#late = late > LATE_MS ? this.#late + 1 : 0;
    this.#ask();
    const sick = this.#sickness();
    if (sick === undefined) this.#feed();
    else this.#starve(sick);
    const at = clock.now() + this.#every;
    this.#timer = clock.setTimer(at, () => this.#look(clock.now() - at));
  }

  #ask(): void {
    if (this.#asked !== undefined) return;
    const { ask, clock } = this.#parts;
    this.#asked = clock.now();
    // One that has failed ends the program, and needs no watchdog for that.
    const answered = (): void => {
      this.#asked = undefined;
    };
    ask().then(answered, answered);
  }

  #sickness(): string | undefined {
    const owed = this.#asked === undefined ? 0 : this.#parts.clock.now() - this.#asked;
    if (owed >= ANSWER_MS) return `the data plane has not answered for ${Math.round(owed / 1000)} s`;
    if (this.#late >= LATE_LOOKS)
      return `the control loop was more than ${LATE_MS} ms late ${this.#late} times in a row`;
    return undefined;
  }

  #feed(): void {
    const { watchdog, log } = this.#parts;
    try {
      watchdog.feed();
      if (this.#state.state !== 'fed') log('the watchdog is fed again');
      this.#state = { state: 'fed' };
    } catch (error) {
      const reason = errorText(error).replace(/\.$/, '');
      if (this.#state.state !== 'failed') log(`the watchdog cannot be fed: ${reason}`);
      this.#state = { state: 'failed', reason };
    }
  }

  #starve(reason: string): void {
    const { watchdog, log } = this.#parts;
    if (this.#state.state !== 'starving') {
      log(
        `the watchdog is not fed any more, for ${reason}: unless that ends, it resets the machine within ${watchdog.timeoutSeconds} s`,
      );
    }
    this.#state = { state: 'starving', reason };
  }
}
