/**
 * The worlds of the contracts on the virtual board (scripts/lab/virtual-board.ts): for a process in its guest only. Whoever
 * pulls lines and looks at lamps here is beyond the drivers: at the other end of the kernel's simulated devices.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { ButtonPlace, Buttons } from '../../../hal/buttons.ts';
import type { Gpio, GpioLine } from '../../../hal/gpio.ts';
import { GpioButtons } from '../../../hal/gpio-buttons.ts';
import { GpioDevice } from '../../../hal/linux/gpio-device.ts';
import { SysfsGpio } from '../../../hal/linux/gpio-sysfs.ts';
import { InputButtons } from '../../../hal/linux/input-buttons.ts';
import { LinuxLeds } from '../../../hal/linux/leds.ts';
import { LinuxWatchdogs } from '../../../hal/linux/watchdog.ts';
import { BOARD_CHIP, BOARD_LINES, type BoardLine } from '../../../scripts/lab/virtual-board.ts';
import type { ButtonsWorld } from '../contract/buttons.ts';
import type { OpenWorld } from '../contract/contract.ts';
import type { GpioWorld } from '../contract/gpio.ts';
import type { LedsWorld } from '../contract/leds.ts';
import type { WatchdogWorld } from '../contract/watchdog.ts';
import { KEY_RESTART, UserInput } from './user-input.ts';
import { UserLed } from './user-led.ts';

/** The kernel's clock of a guest ticks 100 times a second, and buttons debounce for 20 ms. */
const SETTLED_MS = 80;

const settle = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, SETTLED_MS));

const GPIO_CONFIG = '/sys/kernel/config/gpio-sim/board';
const read = (path: string): string => readFileSync(path, 'latin1').trim();

function simulated(line: number, attribute: string): string {
  const chip = `${read(`${GPIO_CONFIG}/dev_name`)}/${read(`${GPIO_CONFIG}/bank/chip_name`)}`;
  return `/sys/devices/platform/${chip}/sim_gpio${line}/${attribute}`;
}

async function pull(line: number, high: boolean): Promise<void> {
  writeFileSync(simulated(line, 'pull'), high ? 'pull-up' : 'pull-down');
  await settle();
}

const lineNumber = (name: BoardLine): number => BOARD_LINES.indexOf(name);

const gpioWorld = (make: () => Gpio) => async (): Promise<OpenWorld<GpioWorld>> => {
  const lines = [lineNumber('in-6'), lineNumber('led-vpn')] as const;
  for (const line of lines) await pull(line, false);
  const isHigh = (line: number): boolean => read(simulated(line, 'value')) === '1';
  return { world: { gpio: make(), chip: BOARD_CHIP, lines, pull, isHigh, pass: settle }, close: () => undefined };
};

export const gpioDeviceWorld = gpioWorld(() => new GpioDevice());
export const gpioSysfsWorld = gpioWorld(() => new SysfsGpio());

const gpioButtonsWorld = (make: () => Gpio) => async (): Promise<OpenWorld<ButtonsWorld>> => {
  const line = lineNumber('reset-button');
  const place = (number: number): ButtonPlace => {
    const wire: GpioLine = { chip: BOARD_CHIP, line: number, activeLow: true };
    return { kind: 'gpio', line: wire };
  };
  await pull(line, true);
  const world: ButtonsWorld = {
    buttons: new GpioButtons(make()),
    place: place(line),
    absent: place(BOARD_LINES.length),
    press: (pressed) => pull(line, !pressed),
    pass: settle,
  };
  return { world, close: () => undefined };
};

export const gpioDeviceButtonsWorld = gpioButtonsWorld(() => new GpioDevice());
export const gpioSysfsButtonsWorld = gpioButtonsWorld(() => new SysfsGpio());

export async function inputButtonsWorld(): Promise<OpenWorld<ButtonsWorld>> {
  const keys = new UserInput('reset-keys', KEY_RESTART);
  await settle();
  const buttons: Buttons = new InputButtons();
  const world: ButtonsWorld = {
    buttons,
    place: { kind: 'key', code: KEY_RESTART },
    absent: { kind: 'key', code: 0x211 },
    press: (pressed) => keys.press(KEY_RESTART, pressed),
    pass: settle,
  };
  return { world, close: () => keys.close() };
}

export function ledsWorld(): OpenWorld<LedsWorld> {
  const name = 'router:green:wan';
  const lamp = new UserLed(name);
  const world: LedsWorld = {
    leds: new LinuxLeds(),
    name,
    device: 'lo',
    lit: async () => {
      const trigger = /\[(.*)\]/.exec(read(`/sys/class/leds/${name}/trigger`))?.[1] ?? 'none';
      if (trigger !== 'none') return trigger;
      await settle();
      return lamp.level();
    },
    remove: () => lamp.close(),
  };
  return { world, close: () => lamp.close() };
}

export function watchdogWorld(): OpenWorld<WatchdogWorld> {
  // Whether it runs is seen by its timer, which is the kernel's.
  const running = (): boolean => read('/proc/timer_list').includes('softdog_fire');
  return {
    world: { watchdogs: new LinuxWatchdogs(), device: '/dev/watchdog', running },
    close: () => undefined,
  };
}
