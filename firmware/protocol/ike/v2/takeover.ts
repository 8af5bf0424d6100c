/** How one IKE SA takes over from another (RFC 7296 sections 2.8 and 2.18). */
import type { Instant } from '../../machine.ts';
import { dropFollowUp } from './follow-up.ts';
import { type IkeSa, REPLACED_MS } from './ike-sa.ts';

/** `next` inherits the children of `old`, and what was still to be asked. `old` is left to be deleted. */
export function adopt(now: Instant, old: IkeSa, next: IkeSa): void {
  old.state = { name: 'replaced', by: next };
  old.expiresAt = now + REPLACED_MS;
  old.rekeyAt = undefined;
  old.peerRekey = undefined;
  dropFollowUp(old);
  next.inherit(old);
  // It may have moved since the new one was begun.
  next.path = old.path;
  next.nat = old.nat;
  next.establish(now, old);
  for (const child of old.children.values()) {
    child.sa = { ...child.sa, ikeId: next.id };
    next.children.set(child.sa.id, child);
  }
  old.children.clear();
  next.opened = old.opened;
  next.lost = old.lost;
  next.childlessSince = old.childlessSince;
  next.childFailure = old.childFailure;
  const { current } = old.window;
  // Its answer would come under an SA that is over.
  if (current?.duty === 'addresses') next.window.add(current);
  for (const exchange of old.window.takeQueue()) {
    if (exchange.duty !== 'ike-rekey' && exchange.duty !== 'ike-delete') next.window.add(exchange);
  }
}

/** Octet by octet; where one ends, it is the lower one (section 2.8.1). */
function isLower(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) < 0;
}

/** The nonces of one exchange. */
export interface Nonces {
  readonly nonceI: Uint8Array;
  readonly nonceR: Uint8Array;
}

/** Whether the exchange with `ours` has the lowest of the four nonces: what it made is redundant (section 2.8.1). */
export function losesCollision(ours: Nonces, theirs: Nonces): boolean {
  return isLower(lowest(ours), lowest(theirs));
}

function lowest({ nonceI, nonceR }: Nonces): Uint8Array {
  return isLower(nonceI, nonceR) ? nonceI : nonceR;
}
