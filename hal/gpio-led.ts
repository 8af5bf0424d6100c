import type { GpioOutput } from './gpio.ts';
import { HalError } from './hal-error.ts';
import type { Led, LedDisplay, LedKind } from './leds.ts';

/** A LED on a GPIO line of which the kernel makes no LED: lit or dark, and nothing by itself. */
export class GpioLed implements Led {
  readonly name: string;
  readonly kinds: ReadonlySet<LedKind> = new Set(['steady']);
  readonly #output: GpioOutput;
  #lit = false;

  /** @param output is dark. */
  constructor(name: string, output: GpioOutput) {
    this.name = name;
    this.#output = output;
  }

  async show(display: LedDisplay): Promise<void> {
    if (display.kind !== 'steady')
      throw new HalError(`The LED at ${this.name} can only be lit or dark, it has no ${display.kind}.`, 'EINVAL');
    this.#lit = display.level > 0;
    this.#output.set(this.#lit);
  }

  async shown(): Promise<LedDisplay> {
    return { kind: 'steady', level: this.#lit ? 1 : 0 };
  }

  async restore(): Promise<void> {
    this.#output.set(false);
    this.#output.close();
  }
}
