/** Buttons as files in a folder: whoever writes `1` into one presses it, and `0` lets it go. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Button, ButtonChange, ButtonPlace, Buttons } from '../buttons.ts';
import { HalError } from '../hal-error.ts';

export class SimulatedButtons implements Buttons {
  readonly #folder: string;
  readonly #now: () => number;

  /** @param names buttons that are made where they are not there yet, not pressed. @param now monotonic ms. */
  constructor(folder: string, names: readonly string[], now: () => number) {
    this.#folder = folder;
    this.#now = now;
    mkdirSync(folder, { recursive: true });
    for (const name of names) {
      const file = join(folder, name);
      if (!existsSync(file)) writeFileSync(file, '0\n');
    }
  }

  async open(place: ButtonPlace): Promise<Button> {
    if (place.kind !== 'file') throw new HalError('A simulated board has buttons in files alone.', 'ENODEV');
    const file = join(this.#folder, place.name);
    if (!existsSync(file))
      throw new HalError(`There is no button ${place.name} in ${this.#folder}: make a file of that name.`, 'ENODEV');
    return new SimulatedButton(file, this.#now);
  }
}

class SimulatedButton implements Button {
  readonly place: string;
  readonly #now: () => number;
  #last: boolean;
  #open = true;

  constructor(file: string, now: () => number) {
    this.place = file;
    this.#now = now;
    this.#last = this.pressed;
  }

  get pressed(): boolean {
    if (!this.#open) throw new HalError(`The button ${this.place} is closed.`, 'EBADF');
    try {
      return readFileSync(this.place, 'utf8').trim() === '1';
    } catch {
      throw new HalError(`The button ${this.place} is gone: make its file again.`, 'ENODEV');
    }
  }

  changes(): readonly ButtonChange[] {
    const { pressed } = this;
    if (pressed === this.#last) return [];
    this.#last = pressed;
    return [{ pressed, at: this.#now() }];
  }

  close(): void {
    this.#open = false;
  }
}
