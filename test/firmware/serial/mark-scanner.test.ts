import { expect, it } from 'vitest';
import { START_MARK } from '../../../firmware/protocol/provisioning/frames.ts';
import { MarkScanner } from '../../../firmware/serial/mark-scanner.ts';

it('finds the mark in whatever pieces it comes, at the end of a line alone', () => {
  const text = Buffer.from(`culvert-pro\rculcu${START_MARK}x\r${START_MARK}\rbehind`);
  const end = text.lastIndexOf('\r');
  for (let piece = 1; piece < text.length; piece += 1) {
    const scanner = new MarkScanner(START_MARK);
    const found: number[] = [];
    for (let at = 0; at < text.length; at += piece) {
      const index = scanner.find(text.subarray(at, at + piece));
      if (index !== undefined) found.push(at + index);
    }
    expect(found).toEqual([end]);
  }
});
