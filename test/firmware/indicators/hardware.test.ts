import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BoardDescription } from '../../../board/board.ts';
import { openwrtGeneric } from '../../../board/openwrt-generic.ts';
import { pcAmd64 } from '../../../board/pc-amd64.ts';
import { simulated } from '../../../board/simulated.ts';
import { type HardwareSources, linuxSources, openHardware } from '../../../firmware/indicators/hardware.ts';
import { InputButtons } from '../../../hal/linux/input-buttons.ts';
import { LinuxLeds } from '../../../hal/linux/leds.ts';
import { LinuxWatchdogs } from '../../../hal/linux/watchdog.ts';
import { SimulatedGpio } from '../../../hal/simulated/gpio.ts';
import { FakeDevices, FakeInputDevice, FakeWatchdog } from '../../hal/linux/fake-devices.ts';
import { FakeSysfs } from '../../hal/linux/fake-sysfs.ts';

let folder: string;
let sysfs: FakeSysfs;
let devices: FakeDevices;
let sources: HardwareSources;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-hardware-'));
  sysfs = new FakeSysfs();
  devices = new FakeDevices();
  sources = {
    ...linuxSources(folder, { now: () => 0 }),
    leds: new LinuxLeds({ root: '/leds', files: sysfs }),
    gpio: undefined,
    keys: new InputButtons(devices),
    watchdogs: new LinuxWatchdogs(devices),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('what a board has', () => {
  it('is found by the names that a router board gives it, and said once', async () => {
    for (const name of ['blue:status', 'green:power', 'white:wan', 'mmc0::']) sysfs.addLed(name);
    new FakeInputDevice(devices, 'event0', 408, 'gpio-keys');
    new FakeWatchdog(devices, '/dev/watchdog');
    const { leds, buttons, watchdog, lines } = await openHardware(openwrtGeneric, sources);
    expect(leds.map(({ description, place, device }) => [description.purpose, place, device?.name])).toEqual([
      ['power', 'green:power', 'green:power'],
      ['wan', 'white:wan', 'white:wan'],
      ['vpn', '*:vpn', undefined],
      ['lte', '*:lte or *:mobile or *:wwan or *:4g', undefined],
      ['lan', '*:lan or *:lan1 or *:lan-1', undefined],
    ]);
    expect(buttons[0]?.device?.place).toBe('key 408 of gpio-keys');
    expect(watchdog?.device?.timeoutSeconds).toBe(30);
    expect(lines).toEqual([
      'LEDs: power at green:power, wan at white:wan, vpn not at *:vpn (the kernel has no LED of that name), ' +
        'lte not at *:lte or *:mobile or *:wwan or *:4g (the kernel has no LED of that name), ' +
        'lan not at *:lan or *:lan1 or *:lan-1 (the kernel has no LED of that name)',
      'GPIO: not used by this board (none on this machine)',
      'buttons: reset at key 408 of gpio-keys',
      'watchdog: Software Watchdog at /dev/watchdog, 30 s',
    ]);
  });

  it('that is not there costs nothing else', async () => {
    const { leds, buttons, watchdog, lines } = await openHardware(pcAmd64, sources);
    expect([...leds, ...buttons].every(({ device }) => device === undefined)).toBe(true);
    expect(watchdog?.device).toBeUndefined();
    expect(lines[2]).toBe(
      'buttons: reset not at key 408 (No input device of this machine has the key 408: correct the key in the description of the board)',
    );
    expect(lines[3]).toMatch(
      /^watchdog: none \(The watchdog \/dev\/watchdog cannot be used \(ENOENT\)\. The machine has none/,
    );
  });

  it('may hang on GPIO lines, by the way that the machine has to them', async () => {
    const gpio = new SimulatedGpio('pinctrl-rp1', 54, () => 0);
    gpio.pull(3, true);
    const board: BoardDescription = {
      name: 'hat',
      description: 'LEDs and a button on header pins',
      leds: [
        { purpose: 'vpn', gpio: { chip: 'pinctrl-rp1', line: 17, activeLow: false } },
        { purpose: 'wan', gpio: { chip: 'pinctrl-other', line: 1, activeLow: false } },
      ],
      buttons: [{ purpose: 'reset', gpio: { chip: 'pinctrl-rp1', line: 3, activeLow: true } }],
    };
    const { leds, buttons, lines } = await openHardware(board, { ...sources, gpio });
    await leds[0]?.device?.show({ kind: 'steady', level: 1 });
    expect(gpio.isHigh(17)).toBe(true);
    expect(buttons[0]?.device?.pressed).toBe(false);
    expect(lines.slice(0, 3)).toEqual([
      'LEDs: vpn at line 17 of pinctrl-rp1, wan not at line 1 of pinctrl-other ' +
        '(This machine has no GPIO chip pinctrl-other, it has pinctrl-rp1)',
      'GPIO: simulated GPIO',
      'buttons: reset at line 3 of pinctrl-rp1',
    ]);
    const without = await openHardware(board, sources);
    expect(without.lines[0]).toContain('this machine has no GPIO lines that this program could use');
    expect(without.lines[1]).toBe('GPIO: none on this machine');
  });

  it('of a simulated board is files in the state directory, and of others there are none', async () => {
    await openHardware(pcAmd64, sources);
    expect(existsSync(join(folder, 'board'))).toBe(false);
    const { leds, buttons, lines } = await openHardware(simulated, sources);
    expect([...leds, ...buttons].every(({ device }) => device !== undefined)).toBe(true);
    expect(existsSync(join(folder, 'board/leds/power'))).toBe(true);
    expect(existsSync(join(folder, 'board/buttons/reset'))).toBe(true);
    expect(lines[3]).toBe('watchdog: none on this board');
  });

  it('that has nothing says so', async () => {
    const { lines } = await openHardware({ name: 'bare', description: '', leds: [], buttons: [] }, sources);
    expect(lines).toEqual([
      'LEDs: none on this board',
      'GPIO: not used by this board (none on this machine)',
      'buttons: none on this board',
      'watchdog: none on this board',
    ]);
  });
});
