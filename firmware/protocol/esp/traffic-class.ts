/**
 * DSCP and ECN of the outer and the inner header of a tunnel. The DSCP is copied outwards and not back (RFC 2983 section
 * 3.1, the pipe for what comes in; RFC 4301 section 5.1.2.1); ECN follows RFC 6040 in normal mode.
 */

/** Low two bits of the traffic class octet (RFC 3168 section 5). */
export const NOT_ECT = 0;
export const ECT_1 = 1;
export const ECT_0 = 2;
export const CE = 3;

const ECN_BITS = 0x03;

/** The packet must be dropped: it cannot carry the congestion mark that it met. */
export const DROP = -1;

/** How the outer DSCP is chosen: as the inner one, or always the same, 0..63, so that nothing can be read from it. */
export type OuterDscp = 'copy' | number;

/** The outer traffic class octet for an inner one: ECN is copied (RFC 6040 section 4.1, normal mode). */
export function outerTrafficClass(inner: number, dscp: OuterDscp): number {
  return dscp === 'copy' ? inner : ((dscp & 0x3f) << 2) | (inner & ECN_BITS);
}

/** RFC 6040 section 4.2, figure 4. Rows: inner; columns: outer, both Not-ECT, ECT(1), ECT(0), CE. */
const DECAPSULATED: readonly (readonly number[])[] = [
  [NOT_ECT, NOT_ECT, NOT_ECT, DROP],
  [ECT_1, ECT_1, ECT_1, CE],
  [ECT_0, ECT_1, ECT_0, CE],
  [CE, CE, CE, CE],
];

/** The inner ECN field after decapsulation, or {@link DROP}. Both arguments: traffic class octets or their ECN alone. */
export function decapsulatedEcn(inner: number, outer: number): number {
  return DECAPSULATED[inner & ECN_BITS]?.[outer & ECN_BITS] ?? DROP;
}
