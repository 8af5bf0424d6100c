/**
 * TCP MSS clamping: lowers the Maximum Segment Size option (RFC 9293 section 3.7.1) of a SYN to what fits the tunnel.
 *
 * Path-MTU discovery fails wherever somebody filters ICMP; a SYN that announces the right size makes it unnecessary.
 * The option is only ever lowered. The checksum is corrected by the difference (RFC 1624), so a segment that was
 * damaged before stays recognisably damaged. Whatever cannot be understood passes unchanged: the end hosts judge it.
 */
import { adjustedChecksum } from '../../protocol/esp/internet-checksum.ts';
import { IPV4_HEADER, IPV6_HEADER, type IpPacket, NO_PORT, TCP } from '../../protocol/esp/ip-packet.ts';
import { putU16, u8, u16 } from '../../protocol/esp/octets.ts';

/** TCP header without options, octets. */
const TCP_HEADER = 20;
/** SYN bit of the flags octet. */
const SYN = 0x02;
/** Option kinds (RFC 9293 section 3.1). */
const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;
/** Length of the MSS option, octets: kind, length and the 16-bit value. */
const MSS_OPTION_LENGTH = 4;

/**
 * Lowers the MSS of a TCP SYN in place.
 * @param bytes the buffer in which the packet lies.
 * @param packet what `readIpPacket` found there; its lengths are within the buffer.
 * @param mtu largest inner IP packet that the tunnel carries, octets.
 * @returns whether something was changed.
 */
export function clampMss(bytes: Uint8Array, packet: IpPacket, mtu: number): boolean {
  // Without ports: a later fragment, or too short.
  if (packet.protocol !== TCP || packet.sourcePort === NO_PORT) return false;
  const tcp = packet.payloadAt;
  const end = packet.offset + packet.length;
  if (tcp + TCP_HEADER > end || (u8(bytes, tcp + 13) & SYN) === 0) return false;
  const optionsEnd = tcp + (u8(bytes, tcp + 12) >> 4) * 4;
  if (optionsEnd > end) return false;
  // RFC 6691: the fixed headers only, whatever options either header carries.
  const limit = mtu - (packet.version === 4 ? IPV4_HEADER : IPV6_HEADER) - TCP_HEADER;
  return limit > 0 && clampOptions(bytes, tcp, optionsEnd, limit);
}

function clampOptions(bytes: Uint8Array, tcp: number, end: number, limit: number): boolean {
  let changed = false;
  let at = tcp + TCP_HEADER;
  while (at < end) {
    const kind = u8(bytes, at);
    if (kind === END_OF_OPTIONS) break;
    if (kind === NO_OPERATION) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? u8(bytes, at + 1) : 0;
    if (length < 2 || at + length > end) break;
    if (kind === MAXIMUM_SEGMENT_SIZE && length === MSS_OPTION_LENGTH && u16(bytes, at + 2) > limit) {
      replaceU16(bytes, tcp, at + 2, limit);
      changed = true;
    }
    at += length;
  }
  return changed;
}

/** Overwrites the 16-bit value at `at` and corrects the checksum of the TCP header at `tcp`. */
function replaceU16(bytes: Uint8Array, tcp: number, at: number, value: number): void {
  const old = u16(bytes, at);
  putU16(bytes, at, value);
  // Options have no alignment: at an odd distance the value's octets fall into two words, which is a swap in the sum.
  const odd = ((at - tcp) & 1) === 1;
  const checksum = adjustedChecksum(u16(bytes, tcp + 16), odd ? swap(old) : old, odd ? swap(value) : value);
  putU16(bytes, tcp + 16, checksum);
}

function swap(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}
