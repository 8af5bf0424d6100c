/**
 * TCP MSS clamping: lowers the Maximum Segment Size option (RFC 9293 section 3.7.1) of a SYN to what fits the tunnel.
 *
 * Path-MTU discovery fails wherever somebody filters ICMP; a SYN that announces the right size makes it unnecessary.
 * The option is only ever lowered. The checksum is corrected by the difference (RFC 1624), so a segment that was
 * damaged before stays recognisably damaged. Whatever cannot be understood passes unchanged: the end hosts judge it.
 */
import { type InnerPacket, IPV4_HEADER, IPV6_HEADER, octet, u16 } from './inner-packet.ts';

/** TCP header without options, octets. */
const TCP_HEADER = 20;
/** IP protocol number of TCP. */
const TCP = 6;
/** SYN bit of the flags octet. */
const SYN = 0x02;
/** Option kinds (RFC 9293 section 3.1). */
const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;
/** Length of the MSS option, octets: kind, length and the 16-bit value. */
const MSS_OPTION_LENGTH = 4;

/** IPv6 extension headers that may stand before TCP (RFC 8200 section 4). */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
/** Extension headers followed before giving up. Honest packets have at most four; the bound keeps the walk short. */
const MAX_EXTENSION_HEADERS = 8;

/**
 * Lowers the MSS of a TCP SYN in place.
 * @param bytes the buffer in which the packet lies.
 * @param packet what `readInnerPacket` found there; its lengths are within the buffer.
 * @param mtu largest inner IP packet that the tunnel carries, octets.
 * @returns whether something was changed.
 */
export function clampMss(bytes: Uint8Array, packet: InnerPacket, mtu: number): boolean {
  const tcp = packet.version === 4 ? tcpInIpv4(bytes, packet) : tcpInIpv6(bytes, packet);
  const end = packet.offset + packet.length;
  if (tcp < 0 || tcp + TCP_HEADER > end || (octet(bytes, tcp + 13) & SYN) === 0) return false;
  const optionsEnd = tcp + (octet(bytes, tcp + 12) >> 4) * 4;
  if (optionsEnd > end) return false;
  // RFC 6691: the fixed headers only, whatever options either header carries.
  const limit = mtu - (packet.version === 4 ? IPV4_HEADER : IPV6_HEADER) - TCP_HEADER;
  return limit > 0 && clampOptions(bytes, tcp, optionsEnd, limit);
}

/** Offset of the TCP header, or -1 when there is none in this packet. */
function tcpInIpv4(bytes: Uint8Array, packet: InnerPacket): number {
  const laterFragment = (u16(bytes, packet.offset + 6) & 0x1fff) !== 0;
  if (laterFragment || octet(bytes, packet.offset + 9) !== TCP) return -1;
  return packet.offset + packet.headerLength;
}

/** Offset of the TCP header behind any extension headers, or -1 when there is none in this packet. */
function tcpInIpv6(bytes: Uint8Array, packet: InnerPacket): number {
  const end = packet.offset + packet.length;
  let next = octet(bytes, packet.offset + 6);
  let at = packet.offset + packet.headerLength;
  for (let headers = 0; headers <= MAX_EXTENSION_HEADERS; headers++) {
    if (next === TCP) return at;
    if (at + 8 > end) return -1;
    if (next === FRAGMENT) {
      if ((u16(bytes, at + 2) & 0xfff8) !== 0) return -1;
      next = octet(bytes, at);
      at += 8;
    } else if (next === HOP_BY_HOP || next === ROUTING || next === DESTINATION_OPTIONS) {
      next = octet(bytes, at);
      at += 8 + octet(bytes, at + 1) * 8;
    } else {
      return -1;
    }
  }
  return -1;
}

function clampOptions(bytes: Uint8Array, tcp: number, end: number, limit: number): boolean {
  let changed = false;
  let at = tcp + TCP_HEADER;
  while (at < end) {
    const kind = octet(bytes, at);
    if (kind === END_OF_OPTIONS) break;
    if (kind === NO_OPERATION) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? octet(bytes, at + 1) : 0;
    if (length < 2 || at + length > end) break;
    if (kind === MAXIMUM_SEGMENT_SIZE && length === MSS_OPTION_LENGTH && u16(bytes, at + 2) > limit) {
      replaceU16(bytes, tcp, at + 2, limit);
      changed = true;
    }
    at += length;
  }
  return changed;
}

/**
 * Overwrites the 16-bit value at `at` and corrects the checksum of the TCP header at `tcp` (RFC 1624 section 3, eqn.
 * 3).
 */
function replaceU16(bytes: Uint8Array, tcp: number, at: number, value: number): void {
  const old = u16(bytes, at);
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 0xff;
  // Options have no alignment: at an odd distance the value's octets fall into two words, which is a swap in the sum.
  const odd = ((at - tcp) & 1) === 1;
  const before = odd ? swap(old) : old;
  const after = odd ? swap(value) : value;
  let sum = (~u16(bytes, tcp + 16) & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  const checksum = ~sum & 0xffff;
  bytes[tcp + 16] = checksum >>> 8;
  bytes[tcp + 17] = checksum & 0xff;
}

function swap(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}
