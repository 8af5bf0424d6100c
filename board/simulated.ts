import type { BoardDescription } from './board.ts';

/** Any Linux machine or network namespace: what it has of network interfaces, and no LEDs, buttons or console. */
export const simulated: BoardDescription = {
  name: 'simulated',
  description: 'any Linux machine, without LEDs, buttons and modems',
  leds: [],
  buttons: [],
};
