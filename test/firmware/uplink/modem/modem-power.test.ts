import { expect, it } from 'vitest';
import { ModemPower } from '../../../../firmware/uplink/modem/modem-power.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SimulatedGpio } from '../../../../hal/simulated/gpio.ts';

const LINE = { chip: 'chip', line: 5, activeLow: true };

it('has power from the start, and is without it for three seconds', async () => {
  const clock = new SimulatedClock();
  const gpio = new SimulatedGpio('chip', 8, () => clock.now());
  gpio.pull(5, true);
  const power = new ModemPower(LINE, gpio, clock);
  await power.on();
  expect(gpio.isHigh(5)).toBe(false);
  const cycled = power.cycle();
  await new Promise(setImmediate);
  clock.advance(2_999);
  expect(gpio.isHigh(5)).toBe(true);
  clock.advance(1);
  await cycled;
  expect(gpio.isHigh(5)).toBe(false);
});

it('says why it cannot, and tries again', async () => {
  const clock = new SimulatedClock();
  await expect(new ModemPower(LINE, undefined, clock).on()).rejects.toThrow('this machine has no GPIO lines');
  const gpio = new SimulatedGpio('chip', 8, () => 0);
  const taken = await gpio.output(LINE, { active: true });
  const power = new ModemPower(LINE, gpio, clock);
  await expect(power.on()).rejects.toThrow('in use');
  taken.close();
  await power.on();
});
