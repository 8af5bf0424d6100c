import type { Gpio } from '../gpio.ts';
import { GpioDevice, gpioChips } from './gpio-device.ts';
import { hasSysfsGpio, SysfsGpio } from './gpio-sysfs.ts';

/** The way to its GPIO lines that this machine has; `undefined`: it has none. */
export function openGpio(): Gpio | undefined {
  if (hasSysfsGpio()) return new SysfsGpio();
  return gpioChips().length > 0 ? new GpioDevice() : undefined;
}
