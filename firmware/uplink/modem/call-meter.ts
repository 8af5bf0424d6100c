/** Counts what one call carries: every few seconds while it stands, and once more before it is hung up. */
import type { Clock, Timer } from '../../../hal/clock.ts';
import { errorText } from '../../vpn/steps.ts';

/** How often it is looked, ms: so long a call may go on beyond the cap. */
const METER_MS = 3_000;

/** Begins to count. @returns what ends it, to be called while the counters still stand; that never rejects. */
export type Metering<Call> = (call: Call) => () => Promise<void>;

export interface CallMeterParts {
  readonly clock: Clock;
  /** Octets until now, both ways; `undefined`: nobody knows. */
  readonly read: () => Promise<number | undefined>;
  /** Told how many octets there are more than the last time; never 0. */
  readonly note: (octets: number) => void;
  readonly log: (line: string) => void;
}

export class CallMeter {
  readonly #parts: CallMeterParts;
  #counted: number;
  #timer: Timer | undefined;
  #ended = false;
  /** One look after the other: each tells of what came since the one before. */
  #looking: Promise<void> = Promise.resolve();
  #failing = false;

  /** @param from what the counter says before the call: a device keeps counting from call to call. */
  constructor(from: number, parts: CallMeterParts) {
    this.#counted = from;
    this.#parts = parts;
    this.#arm();
  }

  /** Counts once more, and no more. Never rejects. */
  async end(): Promise<void> {
    if (!this.#ended) {
      this.#ended = true;
      this.#timer?.cancel();
      this.#look();
    }
    await this.#looking;
  }

  #arm(): void {
    const { clock } = this.#parts;
    this.#timer = clock.setTimer(clock.now() + METER_MS, () => {
      this.#look();
      void this.#looking.then(() => {
        if (!this.#ended) this.#arm();
      });
    });
  }

  #look(): void {
    this.#looking = this.#looking.then(() => this.#count());
  }

  async #count(): Promise<void> {
    const { read, note, log } = this.#parts;
    try {
      const octets = await read();
      this.#failing = false;
      if (octets === undefined) return;
      // A device that is a new one under the same name begins at zero.
      const more = octets >= this.#counted ? octets - this.#counted : octets;
      this.#counted = octets;
      if (more > 0) note(more);
    } catch (error) {
      if (!this.#failing) log(`what the modem carries is not counted for now: ${errorText(error)}`);
      this.#failing = true;
    }
  }
}
