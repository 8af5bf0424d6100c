/**
 * The PPP header as L2TP carries it (without flags and FCS, RFC 2661 section 5.3): an Address and a Control field
 * (FF 03) that may be compressed away (RFC 1661 section 6.6), and a Protocol field of two octets or one (section 6.5).
 *
 * All four forms are read at any time, whatever was negotiated: peers send FF 03 and leave it out as they please.
 * The data plane calls these for every packet, so nothing is allocated.
 */
import { PPP_LCP } from './protocol-numbers.ts';

const ADDRESS_ALL_STATIONS = 0xff;
const CONTROL_UNNUMBERED_INFORMATION = 0x03;

/** Longest header, octets: Address, Control and a two-octet Protocol field. */
export const MAX_PPP_HEADER = 4;

/** What {@link readPppHeader} found; one object is made once and filled again for every packet. */
export interface PppHeader {
  /** 0..65535. An even one is no valid number and counts as an unknown protocol (RFC 1661 section 2). */
  protocol: number;
  /** Where the information field begins in the buffer. */
  offset: number;
  /** Octets of the information field. */
  length: number;
}

/** An empty result object for {@link readPppHeader}. */
export function emptyPppHeader(): PppHeader {
  return { protocol: 0, offset: 0, length: 0 };
}

/**
 * Reads the header that begins at `offset` of a frame that ends before `end`.
 *
 * @param into receives the result; unchanged when there is none.
 * @returns false when the frame is too short to hold a Protocol field, or the bounds are not inside the buffer.
 */
export function readPppHeader(buffer: Uint8Array, offset: number, end: number, into: PppHeader): boolean {
  if (offset < 0 || end > buffer.length) return false;
  let at = offset;
  if (end - at >= 2 && buffer[at] === ADDRESS_ALL_STATIONS && buffer[at + 1] === CONTROL_UNNUMBERED_INFORMATION) {
    at += 2;
  }
  if (at >= end) return false;
  const first = buffer[at] ?? 0;
  let protocol = first;
  // The least significant bit marks the last octet of the field (ISO 3309, RFC 1661 section 6.5).
  if ((first & 1) === 1) {
    at += 1;
  } else {
    if (end - at < 2) return false;
    protocol = (first << 8) | (buffer[at + 1] ?? 0);
    at += 2;
  }
  into.protocol = protocol;
  into.offset = at;
  into.length = end - at;
  return true;
}

/** Octets that {@link writePppHeader} will write, 1..4. */
export function pppHeaderLength(
  protocol: number,
  protocolCompression: boolean,
  addressControlCompression: boolean,
): number {
  if (protocol === PPP_LCP) return MAX_PPP_HEADER;
  return (addressControlCompression ? 0 : 2) + (protocolCompression && isCompressible(protocol) ? 1 : 2);
}

/**
 * Writes a header at `offset`, which must leave room for {@link MAX_PPP_HEADER} octets. LCP is never compressed, and a
 * number that has no one-octet form is not either (RFC 1661 sections 6.5 and 6.6).
 *
 * @returns octets written, 1..4.
 */
export function writePppHeader(
  buffer: Uint8Array,
  offset: number,
  protocol: number,
  protocolCompression: boolean,
  addressControlCompression: boolean,
): number {
  let at = offset;
  if (!addressControlCompression || protocol === PPP_LCP) {
    buffer[at] = ADDRESS_ALL_STATIONS;
    buffer[at + 1] = CONTROL_UNNUMBERED_INFORMATION;
    at += 2;
  }
  if (!protocolCompression || !isCompressible(protocol)) {
    buffer[at] = protocol >>> 8;
    at += 1;
  }
  buffer[at] = protocol & 0xff;
  return at + 1 - offset;
}

/** One octet can carry odd numbers below 0x100, but not 0xff: that octet begins an Address field. */
function isCompressible(protocol: number): boolean {
  return protocol < ADDRESS_ALL_STATIONS && (protocol & 1) === 1;
}
