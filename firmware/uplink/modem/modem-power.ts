import type { BoardGpio } from '../../../board/board.ts';
import type { Clock } from '../../../hal/clock.ts';
import { type Gpio, type GpioOutput, gpioLineText } from '../../../hal/gpio.ts';

/** How long a modem is without power, ms: its capacitors hold for a second or two. */
const OFF_MS = 3_000;

/** The line by which a board gives its modem power. */
export class ModemPower {
  readonly #line: BoardGpio;
  readonly #gpio: Gpio | undefined;
  readonly #clock: Clock;
  #output: Promise<GpioOutput> | undefined;

  /** @param gpio undefined: the machine has no lines that this program could use. */
  constructor(line: BoardGpio, gpio: Gpio | undefined, clock: Clock) {
    this.#line = line;
    this.#gpio = gpio;
    this.#clock = clock;
  }

  /** Gives it power. Rejects in words. */
  async on(): Promise<void> {
    (await this.#open()).set(true);
  }

  /** Takes the power away for a moment. Rejects in words, and leaves the power on as far as that can be done. */
  async cycle(): Promise<void> {
    const output = await this.#open();
    output.set(false);
    await new Promise<void>((resolve) => void this.#clock.setTimer(this.#clock.now() + OFF_MS, resolve));
    output.set(true);
  }

  #open(): Promise<GpioOutput> {
    if (this.#gpio === undefined)
      return Promise.reject(new Error(`${gpioLineText(this.#line)} cannot be used: this machine has no GPIO lines`));
    this.#output ??= this.#gpio.output(this.#line, { active: true });
    // One that is in use at the moment may be free later.
    this.#output.catch(() => {
      this.#output = undefined;
    });
    return this.#output;
  }
}
