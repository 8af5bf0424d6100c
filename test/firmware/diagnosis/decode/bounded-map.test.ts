import { describe, expect, it } from 'vitest';
import { BoundedMap } from '../../../../firmware/diagnosis/decode/bounded-map.ts';

describe('a bounded map', () => {
  it('never holds more than it may, and tells of what had to make room', () => {
    const forgotten: number[] = [];
    const map = new BoundedMap<number, number>(8, (value) => forgotten.push(value));
    for (let key = 0; key < 100; key += 1) {
      map.set(key, key);
      expect(map.size).toBeLessThanOrEqual(8);
    }
    expect([...forgotten, ...map.values()]).toEqual(Array.from({ length: 100 }, (_, key) => key));
  });

  it('keeps what is used, however much else comes', () => {
    const map = new BoundedMap<number, string>(8);
    map.set(-1, 'kept');
    map.set(-2, 'not used');
    for (let key = 0; key < 100; key += 1) {
      map.set(key, '');
      expect(map.get(-1)).toBe('kept');
    }
    expect(map.has(-2)).toBe(false);
  });

  it('holds a key once, with its last value, and forgets what is deleted', () => {
    const forgotten: string[] = [];
    const map = new BoundedMap<number, string>(4, (value) => forgotten.push(value));
    map.set(1, 'first');
    map.set(2, 'b');
    map.set(3, 'c');
    map.set(1, 'again');
    expect([...map.entries()]).toEqual([
      [2, 'b'],
      [3, 'c'],
      [1, 'again'],
    ]);
    map.delete(2);
    expect(map.get(2)).toBeUndefined();
    expect(forgotten).toEqual([]);
  });
});
