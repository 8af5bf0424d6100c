import type { Button, ButtonChange, ButtonPlace, Buttons } from './buttons.ts';
import { type Gpio, type GpioInput, gpioLineText } from './gpio.ts';
import { HalError } from './hal-error.ts';

/** Contacts of a button bounce for some milliseconds. */
const DEBOUNCE_MS = 20;

/** Buttons on GPIO lines, by whatever way the machine has to them. */
export class GpioButtons implements Buttons {
  readonly #gpio: Gpio;

  constructor(gpio: Gpio) {
    this.#gpio = gpio;
  }

  async open(place: ButtonPlace): Promise<Button> {
    if (place.kind !== 'gpio') throw new HalError('This button hangs on no GPIO line.', 'ENODEV');
    return new GpioButton(gpioLineText(place.line), await this.#gpio.input(place.line, { debounceMs: DEBOUNCE_MS }));
  }
}

class GpioButton implements Button {
  readonly place: string;
  readonly #input: GpioInput;

  constructor(place: string, input: GpioInput) {
    this.place = place;
    this.#input = input;
  }

  get pressed(): boolean {
    return this.#input.active;
  }

  changes(): readonly ButtonChange[] {
    return this.#input.changes().map(({ active, at }) => ({ pressed: active, at }));
  }

  close(): void {
    this.#input.close();
  }
}
