import assert from 'node:assert/strict';
import type { Gpio } from '../../../hal/gpio.ts';
import { HalError } from '../../../hal/hal-error.ts';
import type { Contract } from './contract.ts';

export interface GpioWorld {
  readonly gpio: Gpio;
  /** Label of a chip with two free lines, both low. */
  readonly chip: string;
  readonly lines: readonly [input: number, output: number];
  /** Somebody pulls a line from outside, for longer than it takes to debounce. */
  pull(line: number, high: boolean): void | Promise<void>;
  /** What is on the wire. */
  isHigh(line: number): boolean | Promise<boolean>;
  /** Lets happen what happens by itself: the kernel debounces. */
  pass(): void | Promise<void>;
}

const quick = { debounceMs: 0 };

export const gpioContract: Contract<GpioWorld> = {
  name: 'gpio',
  cases: [
    {
      name: 'an output has its level from the beginning, and the next ones',
      run: async ({ gpio, chip, lines: [, line], isHigh }) => {
        const output = await gpio.output({ chip, line, activeLow: false }, { active: true });
        assert.equal(await isHigh(line), true);
        output.set(false);
        assert.equal(await isHigh(line), false);
        output.close();
      },
    },
    {
      name: 'an output that is active low is the other way round on the wire',
      run: async ({ gpio, chip, lines: [, line], isHigh }) => {
        const output = await gpio.output({ chip, line, activeLow: true }, { active: false });
        assert.equal(await isHigh(line), true);
        output.set(true);
        assert.equal(await isHigh(line), false);
        output.close();
      },
    },
    {
      name: 'an input tells how it is',
      run: async ({ gpio, chip, lines: [line], pull, pass }) => {
        const input = await gpio.input({ chip, line, activeLow: false }, quick);
        assert.equal(input.active, false);
        await pull(line, true);
        await pass();
        assert.equal(input.active, true);
        input.close();
      },
    },
    {
      name: 'an input tells each change once, in order, with its time',
      run: async ({ gpio, chip, lines: [line], pull, pass }) => {
        const input = await gpio.input({ chip, line, activeLow: false }, { debounceMs: 5 });
        assert.deepEqual(input.changes(), []);
        await pull(line, true);
        await pass();
        await pull(line, false);
        await pass();
        const changes = input.changes();
        assert.deepEqual(
          changes.map(({ active }) => active),
          [true, false],
        );
        const [first, second] = changes;
        assert.ok(first !== undefined && second !== undefined && first.at <= second.at);
        assert.deepEqual(input.changes(), []);
        input.close();
      },
    },
    {
      name: 'an input that is active low is the other way round',
      run: async ({ gpio, chip, lines: [line], pull, pass }) => {
        const input = await gpio.input({ chip, line, activeLow: true }, quick);
        assert.equal(input.active, true);
        await pull(line, true);
        await pass();
        assert.deepEqual(
          input.changes().map(({ active }) => active),
          [false],
        );
        input.close();
      },
    },
    {
      name: 'a line can be had again when it is closed, and is closed once',
      run: async ({ gpio, chip, lines: [line] }) => {
        for (let round = 0; round < 2; round++) {
          const input = await gpio.input({ chip, line, activeLow: false }, quick);
          input.close();
          input.close();
          assert.throws(() => input.changes(), HalError);
        }
      },
    },
    {
      name: 'there is no such chip or line, in words',
      run: async ({ gpio, chip, lines: [line] }) => {
        const none = gpio.input({ chip: 'pinctrl-nothing', line, activeLow: false }, quick);
        await assert.rejects(none, (error) => error instanceof HalError && error.message.includes(chip));
        await assert.rejects(gpio.output({ chip, line: 5000, activeLow: false }, { active: false }), HalError);
      },
    },
  ],
};
