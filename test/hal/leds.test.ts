import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GpioLed } from '../../hal/gpio-led.ts';
import { LinuxLeds } from '../../hal/linux/leds.ts';
import { SimulatedGpio } from '../../hal/simulated/gpio.ts';
import { SimulatedLeds } from '../../hal/simulated/leds.ts';
import { type OpenWorld, suiteOf } from './contract/contract.ts';
import { type LedsWorld, ledsContract } from './contract/leds.ts';
import { describeSimulated } from './contract/run.ts';
import { FakeSysfs } from './linux/fake-sysfs.ts';

describeSimulated(ledsContract, (): OpenWorld<LedsWorld> => {
  const folder = mkdtempSync(join(tmpdir(), 'culvert-leds-'));
  const name = 'green:wan';
  const file = join(folder, name);
  const lit = async () => {
    const [kind = '', level] = readFileSync(file, 'utf8').trim().split(' ');
    return kind === 'steady' ? Number(level) : kind;
  };
  return {
    world: { leds: new SimulatedLeds(folder, [name]), name, lit, device: 'eth0', remove: () => rmSync(file) },
    close: () => rmSync(folder, { recursive: true }),
  };
});

function linuxWorld(): OpenWorld<LedsWorld> & { readonly sysfs: FakeSysfs; readonly leds: LinuxLeds } {
  const sysfs = new FakeSysfs();
  const name = 'green:wan';
  sysfs.addLed(name);
  const leds = new LinuxLeds({ root: '/leds', files: sysfs });
  const lit = async () => {
    const led = sysfs.leds.get(name);
    return led?.trigger === 'none' ? led.brightness / led.most : (led?.trigger ?? '');
  };
  const remove = () => void sysfs.leds.delete(name);
  return { sysfs, leds, world: { leds, name, lit, device: 'lo', remove }, close: () => undefined };
}

describe('leds, Linux, on a kernel that is made up', () => {
  for (const { name, run } of suiteOf(ledsContract, linuxWorld).cases) it(name, run);

  it('puts the trigger of the system back', async () => {
    const { sysfs, leds } = linuxWorld();
    sysfs.addLed('ACT', { trigger: 'mmc0' });
    const led = await leds.open('ACT');
    expect(await led.shown()).toEqual({ kind: 'other', trigger: 'mmc0' });
    await led.show({ kind: 'timer', onMs: 50, offMs: 50 });
    await led.restore();
    expect(sysfs.leds.get('ACT')?.trigger).toBe('mmc0');
  });

  it('of a LED with one level lights that, and one with many as much as asked', async () => {
    const { sysfs, leds } = linuxWorld();
    sysfs.addLed('PWR', { most: 1 });
    await (await leds.open('PWR')).show({ kind: 'steady', level: 0.4 });
    expect(sysfs.leds.get('PWR')?.brightness).toBe(1);
    await (await leds.open('green:wan')).show({ kind: 'steady', level: 0.5 });
    expect(sysfs.leds.get('green:wan')?.brightness).toBe(128);
  });

  it('does not begin a blinking anew that is only changed', async () => {
    const { sysfs, leds } = linuxWorld();
    const led = await leds.open('green:wan');
    await led.show({ kind: 'timer', onMs: 50, offMs: 50 });
    await led.show({ kind: 'timer', onMs: 60, offMs: 50 });
    expect(sysfs.written.filter((line) => line.includes('/trigger='))).toEqual(['green:wan/trigger=timer']);
  });

  it('knows which triggers this kernel lacks', async () => {
    const { sysfs, leds } = linuxWorld();
    sysfs.addLed('bare', { triggers: ['none', 'heartbeat'] });
    const led = await leds.open('bare');
    expect([...led.kinds]).toEqual(['steady', 'heartbeat']);
    await expect(led.show({ kind: 'timer', onMs: 1, offMs: 1 })).rejects.toThrow(
      /no timer: load the module ledtrig-timer/,
    );
  });

  it('says who may not change it', async () => {
    const { sysfs, leds } = linuxWorld();
    const led = await leds.open('green:wan');
    sysfs.readOnly = true;
    await expect(led.show({ kind: 'steady', level: 1 })).rejects.toThrow(
      'The LED green:wan cannot be changed (its brightness): EACCES. Run this as root, or give its files to the user of this program.',
    );
  });

  it.each(['', '..', 'a/b', '.hidden'])('takes %j for no name of a LED', async (name) => {
    await expect(linuxWorld().leds.open(name)).rejects.toThrow('cannot name a LED');
  });
});

describe('a LED on a GPIO line', () => {
  it('is lit and dark, and left dark', async () => {
    const gpio = new SimulatedGpio('chip', 4, () => 0);
    const line = { chip: 'chip', line: 2, activeLow: true };
    const led = new GpioLed('line 2 of chip', await gpio.output(line, { active: false }));
    expect([...led.kinds]).toEqual(['steady']);
    await led.show({ kind: 'steady', level: 1 });
    expect(gpio.isHigh(2)).toBe(false);
    expect(await led.shown()).toEqual({ kind: 'steady', level: 1 });
    await expect(led.show({ kind: 'heartbeat' })).rejects.toThrow('can only be lit or dark');
    await led.restore();
    expect(gpio.isHigh(2)).toBe(true);
  });
});
