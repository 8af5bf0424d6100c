import { describe, expect, it } from 'vitest';
import { GpioDevice } from '../../hal/linux/gpio-device.ts';
import { SysfsGpio, type SysfsGpioParts } from '../../hal/linux/gpio-sysfs.ts';
import { SimulatedGpio } from '../../hal/simulated/gpio.ts';
import { type OpenWorld, suiteOf } from './contract/contract.ts';
import { type GpioWorld, gpioContract } from './contract/gpio.ts';
import { describeSimulated } from './contract/run.ts';
import { FakeDevices, FakeGpioChip, systemError } from './linux/fake-devices.ts';
import { FakeSysfs } from './linux/fake-sysfs.ts';

const CHIP = 'router-gpio';
const none = () => undefined;

describeSimulated(gpioContract, (): OpenWorld<GpioWorld> => {
  const gpio = new SimulatedGpio(CHIP, 8, () => 0);
  const pull = (line: number, high: boolean) => gpio.pull(line, high);
  const isHigh = (line: number) => gpio.isHigh(line);
  return { world: { gpio, chip: CHIP, lines: [4, 1], pull, isHigh, pass: none }, close: none };
});

function deviceWorld() {
  const devices = new FakeDevices();
  new FakeGpioChip(devices, 'gpiochip0', 'gpio-brcmstb', 32);
  const chip = new FakeGpioChip(devices, 'gpiochip11', CHIP, 8);
  const pull = (line: number, high: boolean) => {
    chip.now += 10;
    chip.pull(line, high);
  };
  const gpio = new GpioDevice(devices);
  const world: GpioWorld = {
    gpio,
    chip: CHIP,
    lines: [4, 1],
    pull,
    isHigh: (line) => chip.high[line] ?? false,
    pass: none,
  };
  return { devices, chip, gpio, world, close: none };
}

describe('gpio, character device, on a kernel that is made up', () => {
  for (const { name, run } of suiteOf(gpioContract, deviceWorld).cases) it(name, run);

  it('lets the kernel debounce, and stamps changes by its clock', async () => {
    const { chip, gpio } = deviceWorld();
    const input = await gpio.input({ chip: CHIP, line: 4, activeLow: true }, { debounceMs: 20 });
    expect(chip.debounce).toBe(20_000);
    chip.now = 1234;
    chip.pull(4, true);
    expect(input.changes()).toEqual([{ active: false, at: 1234 }]);
  });

  it('leaves nothing open, whatever it finds', async () => {
    const { devices, gpio } = deviceWorld();
    const input = await gpio.input({ chip: CHIP, line: 4, activeLow: false }, { debounceMs: 0 });
    await expect(gpio.input({ chip: CHIP, line: 4, activeLow: false }, { debounceMs: 0 })).rejects.toThrow(
      'The GPIO line 4 of router-gpio cannot be used (EBUSY). A driver of the kernel or another program has it',
    );
    await expect(gpio.input({ chip: 'none', line: 4, activeLow: false }, { debounceMs: 0 })).rejects.toThrow(
      'This machine has no GPIO chip none, it has gpio-brcmstb, router-gpio',
    );
    await expect(gpio.input({ chip: CHIP, line: 8, activeLow: false }, { debounceMs: 0 })).rejects.toThrow(
      'which has 8',
    );
    expect(devices.count).toBe(1);
    input.close();
    expect(devices.count).toBe(0);
  });

  it('says who may not open the chips', async () => {
    const devices = new FakeDevices();
    devices.add('/dev/gpiochip0', () => {
      throw systemError('EACCES');
    });
    const asked = new GpioDevice(devices).output({ chip: CHIP, line: 1, activeLow: false }, { active: true });
    await expect(asked).rejects.toThrow('Run this as root, or as a member of the group that owns the device ("gpio").');
  });
});

/** What the package does of it, over lines in memory; numbers begin at 512. */
function sysfsWorld() {
  const sysfs = new FakeSysfs();
  const BASE = 517;
  for (const [name, label, base, lines] of [
    ['gpiochip512', 'raspberrypi-exp-gpio', '512', '5'],
    [`gpiochip${BASE}`, CHIP, String(BASE), '8'],
  ] as const) {
    sysfs.addFile(`/gpio/${name}/label`, label);
    sysfs.addFile(`/gpio/${name}/base`, base);
    sysfs.addFile(`/gpio/${name}/ngpio`, lines);
  }
  const high: boolean[] = Array.from({ length: 8 }, () => false);
  const used = new Set<number>();
  const watchers = new Map<number, () => void>();
  const made: unknown[][] = [];
  class FakeOnoff {
    readonly #line: number;
    readonly #low: boolean;

    constructor(number: number, direction: string, edge: string, options: { readonly activeLow: boolean }) {
      made.push([number, direction, edge, options]);
      this.#line = number - BASE;
      this.#low = options.activeLow;
      if (used.has(this.#line)) throw systemError('EBUSY');
      used.add(this.#line);
      // The direction is the level on the wire, whatever is active (Documentation/ABI/obsolete/sysfs-gpio).
      if (direction !== 'in') high[this.#line] = direction === 'high';
    }

    readSync(): number {
      return high[this.#line] !== this.#low ? 1 : 0;
    }

    writeSync(value: number): void {
      high[this.#line] = (value === 1) !== this.#low;
    }

    watch(callback: (error: Error | null, value: number) => void): void {
      watchers.set(this.#line, () => callback(null, this.readSync()));
    }

    unexport(): void {
      used.delete(this.#line);
      watchers.delete(this.#line);
    }
  }
  let now = 0;
  const load = (async () => FakeOnoff) as unknown as SysfsGpioParts['load'];
  const gpio = new SysfsGpio({ root: '/gpio', files: sysfs, load, now: () => now });
  const pull = (line: number, level: boolean) => {
    if (high[line] === level) return;
    now += 10;
    high[line] = level;
    watchers.get(line)?.();
  };
  const world: GpioWorld = { gpio, chip: CHIP, lines: [4, 1], pull, isHigh: (line) => high[line] ?? false, pass: none };
  return { gpio, made, world, close: none };
}

describe('gpio, sysfs, over a package that is made up', () => {
  for (const { name, run } of suiteOf(gpioContract, sysfsWorld).cases) it(name, run);

  it('counts from where the kernel has put the chip', async () => {
    const { gpio, made } = sysfsWorld();
    await gpio.input({ chip: CHIP, line: 3, activeLow: true }, { debounceMs: 20 });
    await gpio.output({ chip: CHIP, line: 0, activeLow: true }, { active: false });
    expect(made).toEqual([
      [520, 'in', 'both', { activeLow: true, debounceTimeout: 20 }],
      [517, 'high', 'none', { activeLow: true }],
    ]);
  });
});
