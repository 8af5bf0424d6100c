import type { Instant } from '../machine.ts';

/** The earliest of some deadlines; `undefined` when there is none. */
export function earliest(...deadlines: readonly (Instant | undefined)[]): Instant | undefined {
  return deadlines.reduce((first, next) => {
    if (first === undefined) return next;
    return next === undefined ? first : Math.min(first, next);
  }, undefined);
}
