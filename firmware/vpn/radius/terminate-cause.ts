import type { Failure } from '../../protocol/machine.ts';
import { TERMINATE_CAUSE } from '../../protocol/radius/attribute-table.ts';

/** Acct-Terminate-Cause (RFC 2866 section 5.10) by the step at which a session ended. */
const CAUSES: ReadonlyMap<string, number> = new Map([
  // LCP Terminate-Request, CDN and StopCCN: the user, or what dials for it, hung up.
  ['terminated', TERMINATE_CAUSE.userRequest],
  ['CDN', TERMINATE_CAUSE.userRequest],
  ['StopCCN', TERMINATE_CAUSE.userRequest],
  ['hello', TERMINATE_CAUSE.lostCarrier],
  ['echo', TERMINATE_CAUSE.lostCarrier],
  ['Session-Timeout', TERMINATE_CAUSE.sessionTimeout],
  ['Idle-Timeout', TERMINATE_CAUSE.idleTimeout],
  ['replaced', TERMINATE_CAUSE.portPreempted],
  ['internal error', TERMINATE_CAUSE.nasError],
]);

export function terminateCause({ step }: Failure): number {
  return CAUSES.get(step) ?? TERMINATE_CAUSE.nasRequest;
}
