import { describe, expect, it } from 'vitest';
import { BOUNCE_MS, ButtonMachine, type ButtonMeaning, STUCK_MS } from '../../../firmware/indicators/button-machine.ts';

/** Presses at 1000 ms, lets go after `held` ms, and looks every 50 ms, as the desk does. */
function press(held: number, machine = new ButtonMachine()): readonly string[] {
  const meanings: ButtonMeaning[] = [];
  meanings.push(...machine.change(true, 1000));
  for (let now = 1000; now < 1000 + held; now += 50) meanings.push(...machine.advance(now));
  meanings.push(...machine.change(false, 1000 + held));
  meanings.push(...machine.advance(1000 + held + BOUNCE_MS));
  return meanings.map((meaning) => ('left' in meaning ? `countdown ${meaning.left}` : meaning.kind));
}

const COUNTDOWN = ['countdown 4', 'countdown 3', 'countdown 2', 'countdown 1'];

describe('what a press means', () => {
  it.each([
    [40, ['short']],
    [999, ['short']],
    [1000, ['countdown 4', 'cancelled']],
    [4999, [...COUNTDOWN, 'cancelled']],
    [5000, [...COUNTDOWN, 'armed', 'reset']],
    [59_000, [...COUNTDOWN, 'armed', 'reset']],
    [STUCK_MS, [...COUNTDOWN, 'armed', 'stuck', 'unstuck']],
    [STUCK_MS * 3, [...COUNTDOWN, 'armed', 'stuck', 'unstuck']],
  ])('held for %i ms', (held, meanings) => {
    expect(press(held)).toEqual(meanings);
  });

  it('is the same however late it is looked at', () => {
    const machine = new ButtonMachine();
    machine.change(true, 1000);
    expect([...machine.change(false, 7000), ...machine.advance(7100)].map(({ kind }) => kind)).toEqual([
      'countdown',
      'countdown',
      'countdown',
      'countdown',
      'armed',
      'reset',
    ]);
  });

  it('is none when the contact only bounces', () => {
    const machine = new ButtonMachine();
    for (let at = 0; at < 200; at += 20) expect(machine.change(at % 40 === 0, at)).toEqual([]);
    expect(machine.advance(500)).toEqual([]);
    expect(machine.held).toBe(false);
  });

  it('is one press, whose contact bounces at both ends', () => {
    const machine = new ButtonMachine();
    const meanings = [
      [true, 0],
      [false, 5],
      [true, 10],
      [false, 400],
      [true, 404],
      [false, 409],
    ].flatMap(([pressed, at]) => machine.change(pressed === true, Number(at)));
    expect([...meanings, ...machine.advance(600)]).toEqual([{ kind: 'short' }]);
  });

  it('means nothing when it was held from the start, until the next one', () => {
    const machine = new ButtonMachine(true);
    expect(machine.advance(100_000)).toEqual([]);
    machine.change(false, 100_001);
    expect(machine.advance(100_500)).toEqual([]);
    expect(press(200, machine)).toEqual(['short']);
  });

  it('says when it has to be looked at again', () => {
    const machine = new ButtonMachine();
    expect(machine.deadline).toBeUndefined();
    machine.change(true, 100);
    expect(machine.deadline).toBe(130);
    machine.advance(130);
    expect(machine.deadline).toBe(1100);
    machine.advance(1100);
    expect(machine.deadline).toBe(2100);
    machine.advance(5100);
    expect(machine.deadline).toBe(100 + STUCK_MS);
    machine.advance(100 + STUCK_MS);
    expect(machine.deadline).toBeUndefined();
    expect(machine.stuck).toBe(true);
  });
});
