import assert from 'node:assert/strict';
import { HalError } from '../../../hal/hal-error.ts';
import type { LedDisplay, Leds } from '../../../hal/leds.ts';
import type { Contract } from './contract.ts';

export interface LedsWorld {
  readonly leds: Leds;
  /** A LED with every kind of display, which is dark now. */
  readonly name: string;
  /** What is lit, as seen past the port: 0 dark to 1 full, or the trigger that has it. */
  lit(): Promise<number | string>;
  /** A network device that there is. */
  readonly device: string;
  /** The LED is gone. */
  remove(): void | Promise<void>;
}

const DISPLAYS: readonly LedDisplay[] = [
  { kind: 'timer', onMs: 100, offMs: 100 },
  { kind: 'timer', onMs: 50, offMs: 950 },
  { kind: 'heartbeat' },
  { kind: 'timer', onMs: 200, offMs: 200 },
  { kind: 'steady', level: 0 },
];

export const ledsContract: Contract<LedsWorld> = {
  name: 'leds',
  cases: [
    {
      name: 'names those that there are',
      run: async ({ leds, name }) => assert.ok((await leds.names()).includes(name)),
    },
    {
      name: 'a LED is lit and dark',
      run: async ({ leds, name, lit }) => {
        const led = await leds.open(name);
        assert.equal(led.name, name);
        await led.show({ kind: 'steady', level: 1 });
        assert.equal(await lit(), 1);
        assert.deepEqual(await led.shown(), { kind: 'steady', level: 1 });
        await led.show({ kind: 'steady', level: 0 });
        assert.equal(await lit(), 0);
        await led.restore();
      },
    },
    {
      name: 'a level that is not dark is lit',
      run: async ({ leds, name, lit }) => {
        const led = await leds.open(name);
        await led.show({ kind: 'steady', level: 0.001 });
        assert.ok(Number(await lit()) > 0);
        await led.restore();
      },
    },
    {
      name: 'shows one thing after another, and says so',
      run: async ({ leds, name, lit }) => {
        const led = await leds.open(name);
        for (const display of DISPLAYS) {
          assert.ok(led.kinds.has(display.kind), display.kind);
          await led.show(display);
          assert.deepEqual(await led.shown(), display);
          if (display.kind !== 'steady') assert.equal(await lit(), display.kind);
        }
        await led.restore();
      },
    },
    {
      name: 'follows a network device',
      run: async ({ leds, name, device, lit }) => {
        const led = await leds.open(name);
        await led.show({ kind: 'netdev', device });
        assert.deepEqual(await led.shown(), { kind: 'netdev', device });
        assert.equal(await lit(), 'netdev');
        await led.restore();
      },
    },
    {
      name: 'calls take effect in their order',
      run: async ({ leds, name }) => {
        const led = await leds.open(name);
        await Promise.all(DISPLAYS.map((display) => led.show(display)));
        assert.deepEqual(await led.shown(), DISPLAYS.at(-1));
        await led.restore();
      },
    },
    {
      name: 'shows in the end what it showed before',
      run: async ({ leds, name, lit }) => {
        const first = await leds.open(name);
        await first.show({ kind: 'timer', onMs: 300, offMs: 700 });
        const led = await leds.open(name);
        await led.show({ kind: 'steady', level: 1 });
        await led.restore();
        assert.deepEqual(await led.shown(), { kind: 'timer', onMs: 300, offMs: 700 });
        await first.restore();
        assert.equal(await lit(), 0);
      },
    },
    {
      name: 'there is none of another name, in words',
      run: ({ leds }) => assert.rejects(leds.open('nobody:green:nothing'), words),
    },
    {
      name: 'one that is gone refuses in words',
      run: async ({ leds, name, remove }) => {
        const led = await leds.open(name);
        await remove();
        await assert.rejects(led.show({ kind: 'steady', level: 1 }), words);
        await assert.rejects(led.shown(), words);
      },
    },
  ],
};

function words(error: unknown): boolean {
  return error instanceof HalError && /^[A-Z].* .*\.$/.test(error.message);
}
