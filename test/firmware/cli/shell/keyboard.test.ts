import { describe, expect, it } from 'vitest';
import { Keyboard } from '../../../../firmware/cli/shell/keyboard.ts';

describe('what is typed ahead', () => {
  it('is counted until it is taken, and whoever holds more back is told of each that was', async () => {
    const keyboard = new Keyboard();
    let told = 0;
    keyboard.onRoom = () => {
      told += 1;
    };
    keyboard.feed(Buffer.from('abc\r'));
    expect(keyboard.typedAhead).toBe(4);
    const text = await keyboard.next();
    expect([keyboard.typedAhead, told]).toEqual([1, 1]);
    if (text !== undefined) keyboard.putBack(text);
    expect(keyboard.typedAhead).toBe(4);
    await keyboard.next();
    await keyboard.next();
    expect([keyboard.typedAhead, told]).toEqual([0, 3]);
  });

  it('is nothing where somebody waits for it, and after ^C', async () => {
    const keyboard = new Keyboard();
    const waiting = keyboard.next();
    keyboard.feed(Buffer.from('a'));
    await waiting;
    expect(keyboard.typedAhead).toBe(0);
    let interrupted = false;
    keyboard.onInterrupt = () => {
      interrupted = true;
    };
    keyboard.feed(Buffer.from('abc\u0003'));
    expect([keyboard.typedAhead, interrupted]).toEqual([0, true]);
  });
});
