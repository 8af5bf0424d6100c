/** Tunnel and session ids: random, so that a stranger has to guess them, and never 0 (RFC 2661 section 5.3). */
import type { RandomSource } from '../machine.ts';

/** Draws before the ids are searched one by one: with half of them taken, that many fail once in 65,000 times. */
const DRAWS = 16;

/** An id of 1..65535 that is not taken. @throws RangeError when all 65535 are. */
export function freeId(random: RandomSource, isTaken: (id: number) => boolean): number {
  let id = 0;
  for (let i = 0; i < DRAWS; i++) {
    const [high = 0, low = 0] = random.bytes(2);
    id = (high << 8) | low;
    if (id !== 0 && !isTaken(id)) return id;
  }
  for (let i = 0; i < 0xffff; i++) {
    id = (id % 0xffff) + 1;
    if (!isTaken(id)) return id;
  }
  throw new RangeError('no id is free');
}
