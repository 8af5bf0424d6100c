/** Every suite that runs on the virtual board alone, since no other machine has its devices to give away. */
import { buttonsContract } from '../contract/buttons.ts';
import { type Contract, type Suite, suiteOf, type WorldMaker } from '../contract/contract.ts';
import { gpioContract } from '../contract/gpio.ts';
import { ledsContract } from '../contract/leds.ts';
import { watchdogContract } from '../contract/watchdog.ts';
import { boardCases } from './board-cases.ts';
import {
  gpioDeviceButtonsWorld,
  gpioDeviceWorld,
  gpioSysfsButtonsWorld,
  gpioSysfsWorld,
  inputButtonsWorld,
  ledsWorld,
  watchdogWorld,
} from './board-worlds.ts';
import { usbModemCases, usbModemWorld } from './usb-modem-cases.ts';

/** The same contract by several ways to the hardware. */
function by<World>(contract: Contract<World>, way: string, makeWorld: WorldMaker<World>): Suite {
  return { ...suiteOf(contract, makeWorld), name: `${contract.name}, ${way}` };
}

export const boardSuites: readonly Suite[] = [
  by(gpioContract, 'character device', gpioDeviceWorld),
  by(gpioContract, 'sysfs', gpioSysfsWorld),
  by(buttonsContract, 'character device', gpioDeviceButtonsWorld),
  by(buttonsContract, 'sysfs', gpioSysfsButtonsWorld),
  by(buttonsContract, 'input device', inputButtonsWorld),
  suiteOf(ledsContract, ledsWorld),
  suiteOf(watchdogContract, watchdogWorld),
  suiteOf(usbModemCases, usbModemWorld),
  suiteOf(boardCases, () => ({ world: undefined, close: () => undefined })),
];
