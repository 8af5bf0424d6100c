/**
 * Reads the header of an inner IP packet where it lies in a buffer (RFC 791 section 3.1, RFC 8200 section 3).
 *
 * The packet came from a peer or from the kernel; neither is believed. One result object serves for all packets.
 */

/** Shortest IPv4 header, octets. */
export const IPV4_HEADER = 20;
/** Fixed IPv6 header, octets. */
export const IPV6_HEADER = 40;

/** What {@link readInnerPacket} found. */
export interface InnerPacket {
  version: 4 | 6;
  /** Octet of the buffer at which the packet begins. */
  offset: number;
  /** Octets of the packet by its own length field; what follows in the buffer is padding. */
  length: number;
  /** Octets of the IP header: with options for IPv4, the fixed part for IPv6. */
  headerLength: number;
  /** IPv4 source, unsigned 32-bit; 0 for IPv6. */
  source: number;
  /** IPv4 destination, unsigned 32-bit; 0 for IPv6. */
  destination: number;
}

/** A fresh result object. */
export function newInnerPacket(): InnerPacket {
  return { version: 4, offset: 0, length: 0, headerLength: 0, source: 0, destination: 0 };
}

/**
 * Reads the header of the packet at `bytes[offset..end)` into `into`.
 * @returns false when it is no IP packet, is cut short, or its lengths contradict each other; `into` means nothing
 * then.
 */
export function readInnerPacket(bytes: Uint8Array, offset: number, end: number, into: InnerPacket): boolean {
  if (offset < 0 || end > bytes.length || offset >= end) return false;
  switch (octet(bytes, offset) >> 4) {
    case 4:
      return readIpv4(bytes, offset, end, into);
    case 6:
      return readIpv6(bytes, offset, end, into);
    default:
      return false;
  }
}

function readIpv4(bytes: Uint8Array, offset: number, end: number, into: InnerPacket): boolean {
  if (end - offset < IPV4_HEADER) return false;
  const headerLength = (octet(bytes, offset) & 0x0f) * 4;
  const length = u16(bytes, offset + 2);
  if (headerLength < IPV4_HEADER || length < headerLength || length > end - offset) return false;
  into.version = 4;
  into.offset = offset;
  into.length = length;
  into.headerLength = headerLength;
  into.source = u32(bytes, offset + 12);
  into.destination = u32(bytes, offset + 16);
  return true;
}

function readIpv6(bytes: Uint8Array, offset: number, end: number, into: InnerPacket): boolean {
  if (end - offset < IPV6_HEADER) return false;
  const length = IPV6_HEADER + u16(bytes, offset + 4);
  if (length > end - offset) return false;
  into.version = 6;
  into.offset = offset;
  into.length = length;
  into.headerLength = IPV6_HEADER;
  into.source = 0;
  into.destination = 0;
  return true;
}

/** One octet; the caller has checked the bounds, a read beyond them gives 0. */
export function octet(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** Two octets, big-endian. */
export function u16(bytes: Uint8Array, at: number): number {
  return (octet(bytes, at) << 8) | octet(bytes, at + 1);
}

/** Four octets, big-endian, unsigned. */
export function u32(bytes: Uint8Array, at: number): number {
  return ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;
}
