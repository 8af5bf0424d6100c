import assert from 'node:assert/strict';
import type { ButtonPlace, Buttons } from '../../../hal/buttons.ts';
import { HalError } from '../../../hal/hal-error.ts';
import type { Contract } from './contract.ts';

export interface ButtonsWorld {
  readonly buttons: Buttons;
  /** Of a button that nobody presses. */
  readonly place: ButtonPlace;
  /** No button is there. */
  readonly absent: ButtonPlace;
  /** For longer than it takes to debounce. */
  press(pressed: boolean): void | Promise<void>;
  /** Lets happen what happens by itself. */
  pass(): void | Promise<void>;
}

export const buttonsContract: Contract<ButtonsWorld> = {
  name: 'buttons',
  cases: [
    {
      name: 'a button tells when it is pressed and let go, each once',
      run: async ({ buttons, place, press, pass }) => {
        const button = await buttons.open(place);
        assert.notEqual(button.place, '');
        assert.equal(button.pressed, false);
        assert.deepEqual(button.changes(), []);
        await press(true);
        await pass();
        const [pressed, ...more] = button.changes();
        assert.equal(pressed?.pressed, true);
        assert.deepEqual(more, []);
        assert.equal(button.pressed, true);
        await press(false);
        await pass();
        const [released] = button.changes();
        assert.equal(released?.pressed, false);
        assert.ok(pressed !== undefined && released !== undefined && pressed.at <= released.at);
        assert.deepEqual(button.changes(), []);
        button.close();
      },
    },
    {
      name: 'one that is held when it is opened says so',
      run: async ({ buttons, place, press, pass }) => {
        await press(true);
        await pass();
        const button = await buttons.open(place);
        assert.equal(button.pressed, true);
        assert.deepEqual(button.changes(), []);
        await press(false);
        await pass();
        assert.equal(button.changes().at(-1)?.pressed, false);
        button.close();
      },
    },
    {
      name: 'there is none at another place, in words',
      run: async ({ buttons, absent }) => {
        await assert.rejects(buttons.open(absent), (error) => error instanceof HalError && error.message.endsWith('.'));
      },
    },
    {
      name: 'one that is closed tells nothing any more',
      run: async ({ buttons, place }) => {
        const button = await buttons.open(place);
        button.close();
        button.close();
        assert.throws(() => button.changes(), HalError);
        assert.throws(() => button.pressed, HalError);
      },
    },
  ],
};
