/** Whether two sets of traffic selectors have packets in common. */
import type { TrafficSelector } from '../../protocol/ike/ike-types.ts';
import { ipHostPrefix } from '../../protocol/ip-prefix.ts';

/** The first selector of `ours` that holds an address which `theirs` hold, too; protocols and ports are left aside. */
export function firstOverlap(
  ours: readonly TrafficSelector[],
  theirs: readonly TrafficSelector[],
): TrafficSelector | undefined {
  return ours.find((one) => theirs.some((other) => haveAddressesInCommon(one, other)));
}

function haveAddressesInCommon(a: TrafficSelector, b: TrafficSelector): boolean {
  const [firstA, lastA, firstB, lastB] = [a.firstAddress, a.lastAddress, b.firstAddress, b.lastAddress].map(
    ipHostPrefix,
  );
  if (!firstA || !lastA || !firstB || !lastB || firstA.family !== firstB.family) return false;
  return firstA.address <= lastB.address && firstB.address <= lastA.address;
}
