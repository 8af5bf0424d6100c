import { describe, expect, it } from 'vitest';
import { DataSequence } from '../../../../firmware/dataplane/userspace/data-sequence.ts';

describe('DataSequence', () => {
  it('numbers from zero and wraps after 65535', () => {
    const sequence = new DataSequence();
    expect([sequence.take(), sequence.take()]).toEqual([0, 1]);
    for (let count = 2; count < 0xffff; count++) sequence.take();
    expect([sequence.take(), sequence.take()]).toEqual([0xffff, 0]);
  });

  it('accepts newer messages, gaps included, and refuses duplicates and overtaken ones', () => {
    const sequence = new DataSequence();
    expect(sequence.accept(5)).toBe(true);
    expect(sequence.accept(5)).toBe(false);
    expect(sequence.accept(9)).toBe(true);
    expect(sequence.accept(7)).toBe(false);
    expect(sequence.accept(10)).toBe(true);
  });

  it('goes on across the wrap', () => {
    const sequence = new DataSequence();
    expect(sequence.accept(0xfffe)).toBe(true);
    expect(sequence.accept(1)).toBe(true);
    expect(sequence.accept(0xffff)).toBe(false);
    expect(sequence.accept(2)).toBe(true);
  });

  it('takes eight old messages in a row as a new numbering', () => {
    const sequence = new DataSequence();
    sequence.accept(1000);
    for (let ns = 0; ns < 7; ns++) expect(sequence.accept(ns)).toBe(false);
    expect(sequence.accept(7)).toBe(true);
    expect(sequence.accept(8)).toBe(true);
  });

  it('does not count old messages that are no run', () => {
    const sequence = new DataSequence();
    sequence.accept(1000);
    for (let count = 0; count < 100; count++) expect(sequence.accept(count % 2)).toBe(false);
    for (let ns = 0; ns < 7; ns++) expect(sequence.accept(ns)).toBe(false);
    expect(sequence.accept(1001)).toBe(true);
    expect(sequence.accept(7)).toBe(false);
  });
});
