/** Buttons, whatever they hang on. */
import type { GpioLine } from './gpio.ts';

export type ButtonPlace =
  | { readonly kind: 'gpio'; readonly line: GpioLine }
  /** A key of any input device of the machine, by its code (linux/input-event-codes.h): 408 is KEY_RESTART. */
  | { readonly kind: 'key'; readonly code: number }
  /** Of a simulated board. */
  | { readonly kind: 'file'; readonly name: string };

export interface ButtonChange {
  readonly pressed: boolean;
  /** Monotonic milliseconds, of the same clock as `Clock.now`. */
  readonly at: number;
}

export interface Button {
  /** As people find it: `line 17 of pinctrl-rp1`. */
  readonly place: string;
  /** At this moment. @throws HalError when it is gone. */
  readonly pressed: boolean;
  /** What has happened since the last call, in order; never waits. @throws HalError when it is gone. */
  changes(): readonly ButtonChange[];
  /** Harmless when it is closed. */
  close(): void;
}

export interface Buttons {
  /** @throws HalError: there is none, it is in use, or may not be read. */
  open(place: ButtonPlace): Promise<Button>;
}
