/** As responder: an inner address for a caller, before its child is judged (RFC 7296 section 2.19). */

import { addressNotRequested, poolExhausted } from '../lease-failures.ts';
import type { ChildRefusal } from './child-negotiation.ts';
import { addressWish } from './configuration-payload.ts';
import type { IkeSa } from './ike-sa.ts';
import { notify } from './notify.ts';
import type { Payload } from './payload.ts';

/** Leases an address where the connection has some; from then on it is what lies at the caller's end. */
export function assign(sa: IkeSa, payloads: readonly Payload[]): ChildRefusal | undefined {
  const { leases, remoteSelectors } = sa.connection;
  if (leases === undefined) return undefined;
  const wish = addressWish(payloads);
  if (wish === undefined) {
    // With networks of its own it may do without.
    if (remoteSelectors !== undefined) return undefined;
    return { answer: notify('FAILED_CP_REQUIRED'), failure: addressNotRequested('configuration') };
  }
  sa.assigned = leases.lease(sa.id, sa.peer, wish.address);
  if (sa.assigned !== undefined) return undefined;
  return { answer: notify('INTERNAL_ADDRESS_FAILURE'), failure: poolExhausted('configuration') };
}
