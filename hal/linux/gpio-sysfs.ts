/** GPIO lines through /sys/class/gpio, by the package `onoff`; a kernel may have been built without it. */
import { accessSync, constants } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { Gpio as OnoffLine } from 'onoff';
import { type Gpio, type GpioChange, type GpioInput, type GpioLine, type GpioOutput, gpioLineText } from '../gpio.ts';
import { HalError } from '../hal-error.ts';
import { LinuxClock } from './clock.ts';
import { gpioRefused, noChip, noLine } from './gpio-errors.ts';
import { codeOf, type SysFiles, sysFiles } from './sys-files.ts';

const ROOT = '/sys/class/gpio';

type Onoff = typeof OnoffLine;

/** What it works with; handed in by tests. */
export interface SysfsGpioParts {
  readonly root: string;
  readonly files: SysFiles;
  readonly load: () => Promise<Onoff>;
  readonly now: () => number;
}

/** Whether the kernel has it, and this process may use it. */
export function hasSysfsGpio(root = ROOT): boolean {
  try {
    accessSync(`${root}/export`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export class SysfsGpio implements Gpio {
  readonly means = 'GPIO in sysfs';
  readonly #parts: SysfsGpioParts;

  constructor(parts: Partial<SysfsGpioParts> = {}) {
    const clock = new LinuxClock();
    this.#parts = { root: ROOT, files: sysFiles, load: loadOnoff, now: () => clock.now(), ...parts };
  }

  async input(line: GpioLine, { debounceMs }: { readonly debounceMs: number }): Promise<GpioInput> {
    const { activeLow } = line;
    const options = { activeLow, ...(debounceMs > 0 && { debounceTimeout: debounceMs }) };
    const onoff = await this.#open(line, (Line, number) => new Line(number, 'in', 'both', options));
    return new SysfsInput(line, onoff, this.#parts.now);
  }

  async output(line: GpioLine, { active }: { readonly active: boolean }): Promise<GpioOutput> {
    const { activeLow } = line;
    // The direction has the level on the wire in it, so that there is no other one in between.
    const direction = active === activeLow ? 'low' : 'high';
    return new SysfsOutput(
      line,
      await this.#open(line, (Line, number) => new Line(number, direction, 'none', { activeLow })),
    );
  }

  async #open(line: GpioLine, make: (Line: Onoff, number: number) => OnoffLine): Promise<OnoffLine> {
    const number = (await this.#base(line)) + line.line;
    const Line = await this.#parts.load();
    try {
      return make(Line, number);
    } catch (error) {
      throw gpioRefused(line, codeOf(error));
    }
  }

  /** Number of the first line of the chip: it is another one with each kernel. */
  async #base(line: GpioLine): Promise<number> {
    const { root, files } = this.#parts;
    const chips = (await files.list(root)).filter((name) => /^gpiochip\d+$/.test(name));
    const labels: string[] = [];
    for (const chip of chips) {
      const read = (name: string): Promise<string> => files.read(`${root}/${chip}/${name}`);
      const [label, base, lines] = await Promise.all([read('label'), read('base'), read('ngpio')]);
      labels.push(label);
      if (label !== line.chip) continue;
      if (line.line >= Number(lines)) throw noLine(line, Number(lines));
      return Number(base);
    }
    throw noChip(line, labels);
  }
}

/** Its epoll would end the process when a second thread loads it, and nobody who has no such line shall load it. */
async function loadOnoff(): Promise<Onoff> {
  if (!isMainThread) throw new HalError('GPIO in sysfs is for the main thread alone.', 'EINVAL');
  return (await import('onoff')).Gpio;
}

/** Changes between two looks at most: beyond that somebody plays with the line, and the last ones count. */
const MOST_CHANGES = 64;

class SysfsInput implements GpioInput {
  readonly #line: GpioLine;
  readonly #onoff: OnoffLine;
  #changes: GpioChange[] = [];
  #lost: string | undefined;
  #open = true;

  constructor(line: GpioLine, onoff: OnoffLine, now: () => number) {
    this.#line = line;
    this.#onoff = onoff;
    onoff.watch((error, value) => {
      if (error) this.#lost = codeOf(error);
      else this.#changes = [...this.#changes, { active: value === 1, at: now() }].slice(-MOST_CHANGES);
    });
  }

  get active(): boolean {
    return guarded(this.#line, this.#open, () => this.#onoff.readSync() === 1);
  }

  changes(): readonly GpioChange[] {
    return guarded(this.#line, this.#open, () => {
      if (this.#lost !== undefined) throw gpioRefused(this.#line, this.#lost);
      const changes = this.#changes;
      this.#changes = [];
      return changes;
    });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onoff.unexport();
  }
}

class SysfsOutput implements GpioOutput {
  readonly #line: GpioLine;
  readonly #onoff: OnoffLine;
  #open = true;

  constructor(line: GpioLine, onoff: OnoffLine) {
    this.#line = line;
    this.#onoff = onoff;
  }

  set(active: boolean): void {
    guarded(this.#line, this.#open, () => this.#onoff.writeSync(active ? 1 : 0));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onoff.unexport();
  }
}

function guarded<Result>(line: GpioLine, open: boolean, task: () => Result): Result {
  if (!open) throw new HalError(`${gpioLineText(line)} is closed.`, 'EBADF');
  try {
    return task();
  } catch (error) {
    throw error instanceof HalError ? error : gpioRefused(line, codeOf(error));
  }
}
