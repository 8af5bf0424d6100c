import { type GpioLine, gpioLineText } from '../gpio.ts';
import { HalError } from '../hal-error.ts';

/** @param labels of the chips that there are. */
export function noChip({ chip }: GpioLine, labels: readonly string[]): HalError {
  const there = labels.length === 0 ? 'it has none' : `it has ${labels.join(', ')}`;
  return new HalError(
    `This machine has no GPIO chip ${chip}, ${there}: correct the chip in the description of the board.`,
    'ENODEV',
  );
}

export function noLine(line: GpioLine, lines: number): HalError {
  return new HalError(
    `There is no ${gpioLineText(line)}, which has ${lines}: correct the line in the description of the board.`,
    'EINVAL',
  );
}

/** @param code errno name. */
export function gpioRefused(line: GpioLine, code: string): HalError {
  const what = `The GPIO ${gpioLineText(line)} cannot be used (${code || 'unknown error'}).`;
  switch (code) {
    case 'EBUSY':
      return new HalError(`${what} A driver of the kernel or another program has it: "gpioinfo" shows which.`, code);
    case 'EPERM':
    case 'EACCES':
      return new HalError(`${what} Run this as root, or as a member of the group that owns the device ("gpio").`, code);
    case 'ENODEV':
    case 'ENXIO':
      return new HalError(`${what} Its chip is gone.`, code);
    default:
      return new HalError(`${what} The kernel log may say why.`, code);
  }
}
