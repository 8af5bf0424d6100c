/** Ns and Nr are serial numbers modulo 65536 (RFC 2661 section 5.8): only distances mean anything. */

const MODULUS_MASK = 0xffff;
/** From here on a distance reads backwards: the last received number and the 32767 before it are duplicates. */
const HALF = 0x8000;

/** The number `count` steps behind `value`; `count` may be any integer of 0 or more. */
export function advance(value: number, count = 1): number {
  return (value + count) & MODULUS_MASK;
}

/** Steps from `from` up to `to`, 0..65535. */
export function distance(from: number, to: number): number {
  return (to - from) & MODULUS_MASK;
}

/** Whether `ns` was received before, when `expected` is the number that comes next. */
export function isDuplicate(ns: number, expected: number): boolean {
  return distance(expected, ns) >= HALF;
}

/** Whether `nr` acknowledges nothing new, being older than `oldest`, the first number not acknowledged yet. */
export function isStale(nr: number, oldest: number): boolean {
  return distance(oldest, nr) >= HALF;
}
