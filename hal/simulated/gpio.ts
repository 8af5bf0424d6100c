import { type Gpio, type GpioChange, type GpioInput, type GpioLine, type GpioOutput, gpioLineText } from '../gpio.ts';
import { HalError } from '../hal-error.ts';

/** Lines in memory, all of one chip. */
export class SimulatedGpio implements Gpio {
  readonly means = 'simulated GPIO';
  readonly #chip: string;
  readonly #now: () => number;
  /** Levels on the wire. */
  readonly #high: boolean[];
  readonly #used = new Set<number>();
  readonly #watchers = new Map<number, () => void>();

  /** @param now monotonic ms. */
  constructor(chip: string, lines: number, now: () => number) {
    this.#chip = chip;
    this.#now = now;
    this.#high = Array.from({ length: lines }, () => false);
  }

  /** What is on the wire. */
  isHigh(line: number): boolean {
    return this.#high[line] ?? false;
  }

  /** Somebody pulls an input. */
  pull(line: number, high: boolean): void {
    if (this.#high[line] === high) return;
    this.#high[line] = high;
    this.#watchers.get(line)?.();
  }

  async input(line: GpioLine): Promise<GpioInput> {
    const release = this.#take(line);
    const isActive = (): boolean => this.isHigh(line.line) !== line.activeLow;
    let changes: GpioChange[] = [];
    this.#watchers.set(line.line, () => changes.push({ active: isActive(), at: this.#now() }));
    let open = true;
    return {
      get active() {
        assertOpen(line, open);
        return isActive();
      },
      changes: () => {
        assertOpen(line, open);
        const found = changes;
        changes = [];
        return found;
      },
      close: () => {
        open = false;
        release();
      },
    };
  }

  async output(line: GpioLine, { active }: { readonly active: boolean }): Promise<GpioOutput> {
    const release = this.#take(line);
    let open = true;
    const set = (now: boolean): void => {
      assertOpen(line, open);
      this.#high[line.line] = now !== line.activeLow;
    };
    set(active);
    return {
      set,
      close: () => {
        open = false;
        release();
      },
    };
  }

  #take({ chip, line }: GpioLine): () => void {
    if (chip !== this.#chip)
      throw new HalError(`This machine has no GPIO chip ${chip}, it has ${this.#chip}.`, 'ENODEV');
    if (line >= this.#high.length)
      throw new HalError(`There is no ${gpioLineText({ chip, line })}, which has ${this.#high.length}.`, 'EINVAL');
    if (this.#used.has(line)) throw new HalError(`The GPIO ${gpioLineText({ chip, line })} is in use.`, 'EBUSY');
    this.#used.add(line);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#used.delete(line);
      this.#watchers.delete(line);
    };
  }
}

function assertOpen(line: GpioLine, open: boolean): void {
  if (!open) throw new HalError(`${gpioLineText(line)} is closed.`, 'EBADF');
}
