/**
 * ECN at the end of a tunnel (RFC 6040). The DSCP of the outer header is not taken over (RFC 2983 section 3.1, the
 * pipe). The kernel writes the outer headers of what goes out, with neither: that is RFC 6040's compatibility mode
 * (section 4.1).
 */

/** Low two bits of the traffic class octet (RFC 3168 section 5). */
export const NOT_ECT = 0;
export const ECT_1 = 1;
export const ECT_0 = 2;
export const CE = 3;

const ECN_BITS = 0x03;

/** The packet must be dropped: it cannot carry the congestion mark that it met. */
export const DROP = -1;

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
