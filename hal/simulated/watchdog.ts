import { HalError } from '../hal-error.ts';
import type { Watchdog, Watchdogs } from '../watchdog.ts';

/** One watchdog, of which can be seen whether it would have reset the machine. */
export class SimulatedWatchdogs implements Watchdogs {
  readonly #device: string;
  readonly #now: () => number;
  /** The driver cannot be stopped (`nowayout`). */
  readonly #lasting: boolean;
  #deadline: number | undefined;
  #timeoutSeconds = 0;
  #open = false;
  /** How often it was fed. */
  fed = 0;

  /** @param now monotonic ms. */
  constructor(device: string, now: () => number, { lasting = false } = {}) {
    this.#device = device;
    this.#now = now;
    this.#lasting = lasting;
  }

  /** Whether it runs. */
  get running(): boolean {
    return this.#deadline !== undefined;
  }

  /** Whether the machine was reset. */
  get bitten(): boolean {
    return this.#deadline !== undefined && this.#now() >= this.#deadline;
  }

  open(device: string, timeoutSeconds: number): Watchdog {
    if (device !== this.#device) throw new HalError(`There is no watchdog ${device}.`, 'ENOENT');
    if (this.#open) throw new HalError(`The watchdog ${device} is fed by somebody else.`, 'EBUSY');
    this.#open = true;
    this.#timeoutSeconds = timeoutSeconds;
    this.#begin();
    let open = true;
    return {
      identity: 'simulated watchdog',
      timeoutSeconds,
      feed: () => {
        if (!open) throw new HalError(`The watchdog ${device} is closed.`, 'EBADF');
        this.fed += 1;
        this.#begin();
      },
      close: () => {
        if (open && !this.#lasting) this.#deadline = undefined;
        open = false;
        this.#open = false;
        return { running: this.running };
      },
    };
  }

  #begin(): void {
    this.#deadline = this.#now() + this.#timeoutSeconds * 1000;
  }
}
