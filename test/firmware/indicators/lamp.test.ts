import { beforeEach, describe, expect, it } from 'vitest';
import { Lamp } from '../../../firmware/indicators/lamp.ts';
import type { LedKind } from '../../../hal/leds.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { FakeLed } from './fake-led.ts';

let clock: SimulatedClock;
let led: FakeLed;
let logged: string[];

function lampOf(kinds?: readonly LedKind[]): Lamp {
  led = new FakeLed('green:vpn', () => clock.now(), kinds);
  return new Lamp({ led, clock, log: (line) => logged.push(line) });
}

/** Lets time pass beat by beat: an LED answers in between. */
async function pass(ms: number): Promise<void> {
  const end = clock.now() + ms;
  await new Promise(setImmediate);
  while (clock.nextTimer !== undefined && clock.nextTimer <= end) {
    clock.advanceTo(clock.nextTimer);
    await new Promise(setImmediate);
  }
  clock.advanceTo(end);
}

/** When it was lit and when dark, s. */
const beats = () =>
  led.asked.map(([at, display]) => [at, display.kind === 'steady' && display.level === 1 ? 'on' : 'off']);

beforeEach(() => {
  clock = new SimulatedClock();
  logged = [];
});

describe('a lamp', () => {
  it('leaves to the kernel what that can do, and says so', () => {
    const lamp = lampOf();
    lamp.show({ kind: 'blink', onMs: 100, offMs: 200 });
    expect(led.last).toEqual({ kind: 'timer', onMs: 100, offMs: 200 });
    expect(lamp.by).toBe('kernel (timer)');
    lamp.show({ kind: 'netdev', device: 'eth1', link: false });
    expect(led.last).toEqual({ kind: 'netdev', device: 'eth1' });
    expect(lamp.by).toBe('kernel (netdev)');
    lamp.show({ kind: 'lit' });
    expect(led.last).toEqual({ kind: 'steady', level: 1 });
    expect(lamp.by).toBe('culvert');
    expect(clock.nextTimer).toBeUndefined();
  });

  it('flashes the number of a step, then pauses, and again', async () => {
    lampOf().show({ kind: 'count', count: 3 });
    await pass(2_999);
    expect(beats()).toEqual([
      [0, 'on'],
      [250, 'off'],
      [500, 'on'],
      [750, 'off'],
      [1000, 'on'],
      [1250, 'off'],
      [2750, 'on'],
    ]);
  });

  it('blinks and follows the link by itself where the kernel has no such trigger', async () => {
    const lamp = lampOf(['steady']);
    lamp.show({ kind: 'blink', onMs: 100, offMs: 300 });
    expect(lamp.by).toBe('culvert');
    await pass(800);
    expect(beats()).toEqual([
      [0, 'on'],
      [100, 'off'],
      [400, 'on'],
      [500, 'off'],
      [800, 'on'],
    ]);
    lamp.show({ kind: 'netdev', device: 'eth1', link: true });
    expect(led.last).toEqual({ kind: 'steady', level: 1 });
    lamp.show({ kind: 'netdev', device: 'eth1', link: false });
    expect(led.last).toEqual({ kind: 'steady', level: 0 });
    await pass(5_000);
    expect(led.last).toEqual({ kind: 'steady', level: 0 });
  });

  it('counts no further when it shows something else', async () => {
    const lamp = lampOf();
    lamp.show({ kind: 'count', count: 3 });
    await pass(100);
    lamp.show({ kind: 'lit' });
    await pass(5_000);
    expect(beats()).toEqual([
      [0, 'on'],
      [100, 'on'],
    ]);
  });

  it('asks the LED once for the same thing', () => {
    const lamp = lampOf();
    for (let times = 0; times < 3; times++) lamp.show({ kind: 'blink', onMs: 100, offMs: 100 });
    expect(led.asked).toHaveLength(1);
  });

  it('says once that the LED fails, tries again each time, and says that it is back', async () => {
    const lamp = lampOf();
    led.refusal = new Error('The LED green:vpn is gone.');
    for (let times = 0; times < 3; times++) {
      lamp.show({ kind: 'lit' });
      await pass(1);
    }
    expect(logged).toEqual(['The LED green:vpn is gone.']);
    expect(lamp.trouble).toBe('The LED green:vpn is gone');
    led.refusal = undefined;
    lamp.show({ kind: 'lit' });
    await pass(1);
    expect(logged.at(-1)).toBe('the LED green:vpn can be used again');
    expect(lamp.trouble).toBeUndefined();
    expect(led.last).toEqual({ kind: 'steady', level: 1 });
  });

  it('shows in the end what it showed before, and nothing after that', async () => {
    const lamp = lampOf();
    lamp.show({ kind: 'count', count: 2 });
    await lamp.stop();
    expect(led.restored).toBe(1);
    const before = led.asked.length;
    await pass(5_000);
    lamp.show({ kind: 'lit' });
    expect(led.asked).toHaveLength(before);
  });
});
