import { describe, expect, it } from 'vitest';
import { type LifetimeEvent, SaLifetime } from '../../../../firmware/protocol/esp/lifetime.ts';

function events(lifetime: SaLifetime): readonly string[] {
  const all: string[] = [];
  for (let event: LifetimeEvent | undefined = lifetime.poll(); event; event = lifetime.poll()) {
    all.push(`${event.kind} ${event.unit}`);
  }
  return all;
}

describe('the lifetime of an SA', () => {
  it('ends by the clock: soft, then hard, each once, asked for at the right instants', () => {
    const lifetime = new SaLifetime({ seconds: { soft: 50, hard: 60 } }, 1000);
    expect(lifetime.nextDeadline()).toBe(51_000);
    lifetime.tick(50_999);
    expect(events(lifetime)).toEqual([]);
    lifetime.tick(51_000);
    lifetime.tick(52_000);
    expect(events(lifetime)).toEqual(['lifetime-soft seconds']);
    expect(lifetime.nextDeadline()).toBe(61_000);
    expect(lifetime.admits(1, 60_999)).toBe(true);
    expect(lifetime.admits(1, 61_000)).toBe(false);
    lifetime.tick(70_000);
    expect(events(lifetime)).toEqual(['lifetime-hard seconds']);
    expect(lifetime.nextDeadline()).toBeUndefined();
    expect(lifetime.expired).toBe(true);
  });

  it('ends by packets: the last one is carried, none after it', () => {
    const lifetime = new SaLifetime({ packets: { soft: 2, hard: 3 } }, 0);
    for (const wanted of [[], ['lifetime-soft packets'], ['lifetime-hard packets']]) {
      expect(lifetime.admits(10, 0)).toBe(true);
      lifetime.count(10);
      expect(events(lifetime)).toEqual(wanted);
    }
    expect(lifetime.admits(10, 0)).toBe(false);
    expect(lifetime.packets).toBe(3);
  });

  it('ends by octets: a packet that would be too many is not carried, and ends the SA', () => {
    const lifetime = new SaLifetime({ octets: { soft: 100, hard: 250 } }, 0);
    expect(lifetime.admits(100, 0)).toBe(true);
    lifetime.count(100);
    expect(events(lifetime)).toEqual(['lifetime-soft octets']);
    expect(lifetime.admits(150, 0)).toBe(true);
    expect(lifetime.admits(151, 0)).toBe(false);
    expect(events(lifetime)).toEqual(['lifetime-hard octets']);
    expect(lifetime.admits(1, 0)).toBe(false);
    expect(lifetime.octets).toBe(100);
  });

  it('tells the soft limit before the hard one when both are reached at once', () => {
    const lifetime = new SaLifetime({ octets: { soft: 10, hard: 20 } }, 0);
    expect(lifetime.admits(21, 0)).toBe(false);
    expect(events(lifetime)).toEqual(['lifetime-soft octets', 'lifetime-hard octets']);
  });

  it('asks for the successor once, whatever else becomes due', () => {
    const lifetime = new SaLifetime({ packets: { soft: 1, hard: 9 }, seconds: { soft: 1, hard: 9 } }, 0);
    lifetime.count(1);
    lifetime.tick(2000);
    expect(events(lifetime)).toEqual(['lifetime-soft packets']);
    expect(lifetime.nextDeadline()).toBe(9000);
  });

  it('never ends without limits', () => {
    const lifetime = new SaLifetime({}, 0);
    lifetime.count(1e12);
    lifetime.tick(1e15);
    expect(lifetime.admits(1e12, 1e15)).toBe(true);
    expect(lifetime.nextDeadline()).toBeUndefined();
    expect(events(lifetime)).toEqual([]);
  });

  it('counts what was carried, and the time since it began, against limits that replace others', () => {
    const lifetime = new SaLifetime({ octets: { soft: 100, hard: 200 }, seconds: { soft: 10, hard: 20 } }, 1000);
    lifetime.count(150);
    expect(events(lifetime)).toEqual(['lifetime-soft octets']);
    lifetime.replaceLimits({ octets: { soft: 300, hard: 400 }, seconds: { soft: 30, hard: 40 } });
    lifetime.tick(31_000);
    expect(events(lifetime)).toEqual([]);
    expect(lifetime.admits(250, 40_999)).toBe(true);
    expect(lifetime.admits(250, 41_000)).toBe(false);
    expect(events(lifetime)).toEqual(['lifetime-hard seconds']);
    lifetime.replaceLimits({});
    expect(lifetime.expired).toBe(true);
  });

  it('ends at once when the new limits are reached already, and keeps the old ones when the new are none', () => {
    const lifetime = new SaLifetime({}, 0);
    lifetime.count(150);
    expect(() => lifetime.replaceLimits({ octets: { soft: 0, hard: 1 } })).toThrow('no lifetime');
    expect(events(lifetime)).toEqual([]);
    lifetime.replaceLimits({ octets: { soft: 100, hard: 150 } });
    expect(events(lifetime)).toEqual(['lifetime-soft octets', 'lifetime-hard octets']);
  });

  it('refuses limits that are none', () => {
    for (const limit of [
      { soft: 0, hard: 1 },
      { soft: 2, hard: 1 },
      { soft: Number.NaN, hard: 1 },
    ]) {
      expect(() => new SaLifetime({ octets: limit }, 0)).toThrow('no lifetime');
    }
  });
});
