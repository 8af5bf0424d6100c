import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GpioButtons } from '../../hal/gpio-buttons.ts';
import { hasInputDevices, InputButtons } from '../../hal/linux/input-buttons.ts';
import { SimulatedButtons } from '../../hal/simulated/buttons.ts';
import { SimulatedGpio } from '../../hal/simulated/gpio.ts';
import { type ButtonsWorld, buttonsContract } from './contract/buttons.ts';
import { type OpenWorld, suiteOf } from './contract/contract.ts';
import { describeSimulated } from './contract/run.ts';
import { FakeDevices, FakeInputDevice, systemError } from './linux/fake-devices.ts';

const none = () => undefined;
const KEY_RESTART = 408;

describeSimulated(buttonsContract, (): OpenWorld<ButtonsWorld> => {
  const folder = mkdtempSync(join(tmpdir(), 'culvert-buttons-'));
  const press = (pressed: boolean) => writeFileSync(join(folder, 'reset'), pressed ? '1' : '0');
  return {
    world: {
      buttons: new SimulatedButtons(folder, ['reset'], () => 0),
      place: { kind: 'file', name: 'reset' },
      absent: { kind: 'file', name: 'wps' },
      press,
      pass: none,
    },
    close: () => rmSync(folder, { recursive: true }),
  };
});

function gpioWorld(): OpenWorld<ButtonsWorld> {
  const gpio = new SimulatedGpio('chip', 8, () => 0);
  gpio.pull(4, true);
  return {
    world: {
      buttons: new GpioButtons(gpio),
      place: { kind: 'gpio', line: { chip: 'chip', line: 4, activeLow: true } },
      absent: { kind: 'gpio', line: { chip: 'chip', line: 8, activeLow: true } },
      press: (pressed) => gpio.pull(4, !pressed),
      pass: none,
    },
    close: none,
  };
}

describe('buttons on GPIO lines', () => {
  for (const { name, run } of suiteOf(buttonsContract, gpioWorld).cases) it(name, run);
});

function inputWorld() {
  const devices = new FakeDevices();
  new FakeInputDevice(devices, 'event0', 116, 'pwr_button');
  const device = new FakeInputDevice(devices, 'event10', KEY_RESTART, 'gpio-keys');
  const buttons = new InputButtons(devices);
  const world: ButtonsWorld = {
    buttons,
    place: { kind: 'key', code: KEY_RESTART },
    absent: { kind: 'key', code: 0x211 },
    press: (pressed) => {
      device.now += 10;
      device.press(pressed);
    },
    pass: none,
  };
  return { devices, device, buttons, world, close: none };
}

describe('buttons of input devices, on a kernel that is made up', () => {
  for (const { name, run } of suiteOf(buttonsContract, inputWorld).cases) it(name, run);

  it('are found by their key, and named by their device', async () => {
    const { devices, buttons, world } = inputWorld();
    const button = await buttons.open(world.place);
    expect(button.place).toBe('key 408 of gpio-keys');
    expect(devices.count).toBe(1);
  });

  it('are stamped by the monotonic clock, and repetitions are none of theirs', async () => {
    const { device, buttons, world } = inputWorld();
    const button = await buttons.open(world.place);
    device.now = 5250;
    device.press(true);
    device.emit(1, KEY_RESTART, 2);
    device.emit(1, 30, 1);
    expect(button.changes()).toEqual([{ pressed: true, at: 5250 }]);
  });

  it('tell how they are when the kernel has lost events', async () => {
    const { device, buttons, world } = inputWorld();
    const button = await buttons.open(world.place);
    device.lose(true);
    expect(button.changes()).toMatchObject([{ pressed: true }]);
  });

  it('say that they are gone', async () => {
    const { device, buttons, world } = inputWorld();
    const button = await buttons.open(world.place);
    device.gone = true;
    expect(() => button.changes()).toThrow('cannot be read any more (ENODEV): its device is gone');
    expect(() => button.pressed).toThrow('its device is gone');
  });

  it('say who may not look for them', async () => {
    const devices = new FakeDevices();
    expect(hasInputDevices(devices)).toBe(false);
    devices.add('/dev/input/event0', () => {
      throw systemError('EACCES');
    });
    expect(hasInputDevices(devices)).toBe(true);
    await expect(new InputButtons(devices).open({ kind: 'key', code: 408 })).rejects.toThrow(
      'an input device cannot be opened (EACCES). Run this as root',
    );
  });
});
