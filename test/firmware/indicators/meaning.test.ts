import { describe, expect, it } from 'vitest';
import type { LedPurpose } from '../../../board/board.ts';
import { type Condition, NO_MODEM } from '../../../firmware/indicators/condition.ts';
import { meaningOf, type Signal } from '../../../firmware/indicators/meaning.ts';
import { type Pattern, patternText } from '../../../firmware/indicators/pattern.ts';

const READY: Condition = {
  phase: 'ready',
  wan: { state: 'up', why: 'wan is up' },
  vpn: { state: 'up', why: 'hq is up' },
  lte: NO_MODEM,
};
const blink = (onMs: number, offMs = onMs): Pattern => ({ kind: 'blink', onMs, offMs });
const DARK: Pattern = { kind: 'dark' };
const LIT: Pattern = { kind: 'lit' };

const shown = (purpose: LedPurpose, condition: Partial<Condition>, signal?: Signal) =>
  meaningOf({ purpose }, { ...READY, ...condition }, signal, (device) => device === 'eth1').pattern;

describe('what a LED says', () => {
  it.each([
    ['power', { phase: 'booting' }, blink(100)],
    ['power', { phase: 'failsafe' }, blink(50)],
    ['power', { phase: 'upgrading' }, blink(200)],
    ['power', { phase: 'ready' }, LIT],
    ['wan', { phase: 'booting' }, DARK],
    ['wan', { wan: { state: 'off', why: '' } }, DARK],
    ['wan', { wan: { state: 'dialling', why: '' } }, blink(500)],
    ['wan', {}, LIT],
    ['wan', { wan: { state: 'degraded', why: '' } }, blink(1800, 200)],
    ['vpn', { vpn: { state: 'off', why: '' } }, DARK],
    ['vpn', { vpn: { state: 'negotiating', why: '' } }, blink(500)],
    ['vpn', {}, LIT],
    ['vpn', { vpn: { state: 'failed', stage: 4, why: '' } }, { kind: 'count', count: 4 }],
    ['lte', {}, DARK],
    ['lte', { lte: { state: 'searching', why: '' } }, blink(100, 900)],
    ['lte', { lte: { state: 'registered', bars: 3, why: '' } }, { kind: 'count', count: 3 }],
    ['lte', { lte: { state: 'registered', bars: 5, why: '' } }, LIT],
    ['lte', { lte: { state: 'registered', bars: 0, why: '' } }, { kind: 'count', count: 1 }],
    ['lte', { lte: { state: 'registered', why: '' } }, LIT],
    ['lan', {}, DARK],
    ['lan', { lanDevice: 'eth1' }, { kind: 'netdev', device: 'eth1', link: true }],
    ['lan', { lanDevice: 'eth2' }, { kind: 'netdev', device: 'eth2', link: false }],
    ['status', {}, LIT],
    ['status', { phase: 'failsafe' }, blink(50)],
    ['status', { wan: { state: 'off', why: '' }, vpn: { state: 'failed', stage: 4, why: '' } }, DARK],
    ['status', { vpn: { state: 'failed', stage: 4, why: '' } }, { kind: 'count', count: 4 }],
    ['status', { vpn: { state: 'off', why: '' } }, LIT],
  ] as const)('%s, of %j', (purpose, condition, pattern) => {
    expect(shown(purpose, condition)).toEqual(pattern);
  });

  it('for the LAN it follows the port of the board before that of the configuration', () => {
    const condition = { ...READY, lanDevice: 'eth2' };
    const { pattern, why } = meaningOf({ purpose: 'lan', nic: 'eth1' }, condition, undefined, () => false);
    expect(pattern).toEqual({ kind: 'netdev', device: 'eth1', link: false });
    expect(why).toBe('eth1 has no link');
  });

  it.each([
    [{ kind: 'identify' }, blink(250)],
    [{ kind: 'countdown', left: 4 }, blink(500)],
    [{ kind: 'countdown', left: 1 }, blink(80)],
    [{ kind: 'armed' }, LIT],
    [{ kind: 'accepted' }, LIT],
    [{ kind: 'refused' }, blink(60)],
  ] as const)('every LED shows the signal %j', (signal, pattern) => {
    for (const purpose of ['power', 'wan', 'vpn', 'lte', 'lan', 'status'] as const)
      expect(shown(purpose, { phase: 'failsafe' }, signal)).toEqual(pattern);
  });

  it.each([
    [{ kind: 'count', count: 1 }, 'flashes once, then pauses'],
    [{ kind: 'count', count: 3 }, 'flashes 3 times, then pauses'],
    [blink(50), 'blinks, 50 ms on and 50 ms off'],
    [{ kind: 'netdev', device: 'eth1', link: true }, 'lit with the link of eth1, flickers with its packets'],
  ] as const)('%j is said as: %s', (pattern, words) => {
    expect(patternText(pattern)).toBe(words);
  });
});
