/** Names of sessions in accounting. */
import { hex } from '../../protocol/bytes.ts';
import type { RandomSource } from '../../protocol/machine.ts';

/** Octets by which the Acct-Session-Ids of this run differ from those of all others. */
const RUN_OCTETS = 8;

/** Acct-Session-Ids of this run: random octets and a number. */
export function sessionNames(random: RandomSource): () => string {
  const run = hex(random.bytes(RUN_OCTETS));
  let count = 0;
  return () => {
    count += 1;
    return `${run}-${count}`;
  };
}
