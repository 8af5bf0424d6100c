/** Single lines of general-purpose input and output. */

export interface GpioLine {
  /** Label of the chip, `pinctrl-bcm2711`: the numbers of chips and lines float between kernels. */
  readonly chip: string;
  /** Of that chip, from 0. */
  readonly line: number;
  /** It is active while it is low. */
  readonly activeLow: boolean;
}

export interface GpioChange {
  readonly active: boolean;
  /** Monotonic milliseconds, of the same clock as `Clock.now`. */
  readonly at: number;
}

export interface GpioInput {
  /** At this moment. @throws HalError when the line is gone. */
  readonly active: boolean;
  /** What has happened since the last call, in order; never waits. @throws HalError when the line is gone. */
  changes(): readonly GpioChange[];
  /** Harmless when it is closed. */
  close(): void;
}

export interface GpioOutput {
  /** @throws HalError when the line is gone. */
  set(active: boolean): void;
  /** Harmless when it is closed. */
  close(): void;
}

export interface Gpio {
  /** How it gets at the lines, for the log: `GPIO character device`. */
  readonly means: string;
  /** @param debounceMs what does not last so long is no change; 0: all is. @throws HalError: no such line, in use, no permission. */
  input(line: GpioLine, options: { readonly debounceMs: number }): Promise<GpioInput>;
  /** @param active what it is from the beginning. @throws HalError likewise. */
  output(line: GpioLine, options: { readonly active: boolean }): Promise<GpioOutput>;
}

/** As people read it: `line 17 of pinctrl-rp1`. */
export function gpioLineText({ chip, line }: Pick<GpioLine, 'chip' | 'line'>): string {
  return `line ${line} of ${chip}`;
}
