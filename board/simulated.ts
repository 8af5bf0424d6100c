import type { BoardDescription } from './board.ts';

/** Any Linux machine or network namespace: its network interfaces, and LEDs and a button that are files in the state directory. */
export const simulated: BoardDescription = {
  name: 'simulated',
  description: 'any Linux machine; LEDs and buttons are files in the folder "board" of the state directory',
  leds: [
    { purpose: 'power', file: 'power' },
    { purpose: 'wan', file: 'wan' },
    { purpose: 'vpn', file: 'vpn' },
    { purpose: 'lte', file: 'lte' },
    { purpose: 'lan', file: 'lan' },
  ],
  buttons: [{ purpose: 'reset', file: 'reset' }],
};
