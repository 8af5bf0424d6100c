/** A raw IPv4 socket hands out packets with their IP header (raw(7)), a raw IPv6 socket without (RFC 3542 section 3). */

/** Octets of an IPv4 header without options (RFC 791 section 3.1). */
const LEAST_HEADER = 20;

/**
 * Where the payload begins, by the header's own length field, of which nothing is believed but what lies within bounds.
 * @param received octets of `packet` that were received, from its start.
 * @returns 20..60, or `received`, so that the payload is empty, when there is no whole IPv4 header.
 */
export function payloadOffset(packet: Uint8Array, received: number): number {
  const first = packet[0] ?? 0;
  const header = (first & 0x0f) * 4;
  return first >> 4 === 4 && header >= LEAST_HEADER && header <= received ? header : received;
}
