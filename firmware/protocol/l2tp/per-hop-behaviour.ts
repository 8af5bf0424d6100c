/** Session DS AVP (RFC 3308 section 4): how both ends mark a session's packets, as a PHB code (RFC 3140). */
import type { AvpFields } from './control-message.ts';

/** A PHB code of a standard DSCP has it in its six highest bits, and nothing else (RFC 3140 section 2, case 1). */
const DSCP_SHIFT = 10;
const OTHER_BITS = (1 << DSCP_SHIFT) - 1;

/** For a request or its answer. @param dscp 0..63; 0: nothing is said. */
export function sessionDsFields(dscp: number): AvpFields {
  return dscp === 0 ? {} : { sessionDs: dscp << DSCP_SHIFT };
}

/** The DSCP in a message; `undefined` where it has none, or a code of another kind. */
export function dscpOf({ sessionDs }: AvpFields): number | undefined {
  return sessionDs === undefined || (sessionDs & OTHER_BITS) !== 0 ? undefined : sessionDs >>> DSCP_SHIFT;
}
