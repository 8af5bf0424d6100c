/** LEDs, buttons and watchdog, for people. */
import type { BoardStatus } from '../api/router-control.ts';
import { table } from './table.ts';

type Led = BoardStatus['leds'][number];
type Button = BoardStatus['buttons'][number];

export function boardText({ board, description, leds, buttons, watchdog }: BoardStatus): readonly string[] {
  return [
    `${board}: ${description}`,
    '',
    ...(leds.length === 0 ? ['no LEDs on this board'] : ledLines(leds)),
    '',
    ...(buttons.length === 0 ? ['no buttons on this board'] : buttons.flatMap(buttonLines)),
    '',
    watchdog === undefined ? 'no watchdog on this board' : watchdogLine(watchdog),
  ];
}

function ledLines(leds: readonly Led[]): readonly string[] {
  const rows = leds.map(({ purpose, device, by, shows, reason }) => [
    purpose,
    device,
    orDash(by),
    reason === undefined ? shows : `not there: ${reason}`,
  ]);
  const meanings = leds.map(({ purpose, why }) => [`${purpose}:`, why]);
  return [...table([['LED', 'DEVICE', 'BY', 'SHOWS'], ...rows]), '', 'They say', ...table(meanings)];
}

function buttonLines({ purpose, device, state, does, reason }: Button): readonly string[] {
  const because = reason === undefined ? '' : `: ${reason}`;
  return [`button ${purpose} at ${device}: ${state}${because}`, `  ${does}`];
}

function watchdogLine({ device, identity, timeoutSeconds, state, reason }: NonNullable<BoardStatus['watchdog']>) {
  const who = identity === '' ? device : `${device} (${identity}, ${timeoutSeconds} s)`;
  return `watchdog ${who}: ${state}${reason === undefined ? '' : `: ${reason}`}`;
}

function orDash(text: string): string {
  return text === '' ? '-' : text;
}
