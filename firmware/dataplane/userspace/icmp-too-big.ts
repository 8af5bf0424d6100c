/**
 * Tells the sender of an IP packet that it is too big: ICMP "fragmentation needed" (RFC 792, RFC 1191 section 4) or
 * ICMPv6 Packet Too Big (RFC 4443 section 3.2).
 *
 * The error bears the address that the packet was for. The kernel takes it in from the TUN, and from there it refuses
 * whatever bears an address of its own as martian; hosts match errors by the packet that is quoted.
 */
import { fold, onesComplementSum, putIpv4Checksum } from '../../protocol/esp/internet-checksum.ts';
import { ICMP, ICMPV6, IPV4_HEADER, IPV6_HEADER, type IpPacket } from '../../protocol/esp/ip-packet.ts';
import { putU16, putU32, u8, u16 } from '../../protocol/esp/octets.ts';

/** Type, code, checksum, and four octets whose meaning depends on them. */
const ICMP_HEADER = 8;
const DESTINATION_UNREACHABLE = 3;
const FRAGMENTATION_NEEDED = 4;
/** Types from here to the second are no errors, but questions, answers and the like. */
const ECHO_REPLY = 0;
const ICMP_ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);
const PACKET_TOO_BIG_V6 = 2;
/** ICMPv6 types below are errors (RFC 4443 section 2.1). */
const FIRST_ICMPV6_INFORMATIONAL = 128;
const TTL = 64;
/** Octets of the whole error at most (RFC 1812 section 4.3.2.3; RFC 4443 section 3.2: the least IPv6 MTU). */
const MAX_ERROR = 576;
const MAX_ERROR_V6 = 1280;

/** Room that {@link putTooBig} needs, octets. */
export const TOO_BIG_ROOM = MAX_ERROR_V6;

/**
 * Writes the error to the start of `into`.
 * @param packet which is too big, in `bytes`.
 * @param mtu octets of the largest packet that fits.
 * @returns its octets; 0 when there must be none (RFC 1122 section 3.2.2, RFC 4443 section 2.4): for an error, for a
 *   fragment but the first, for what goes to many or comes from nobody.
 */
export function putTooBig(into: Uint8Array, bytes: Uint8Array, packet: IpPacket, mtu: number): number {
  return packet.version === 4 ? putIpv4(into, bytes, packet, mtu) : putIpv6(into, bytes, packet, mtu);
}

function putIpv4(into: Uint8Array, bytes: Uint8Array, packet: IpPacket, mtu: number): number {
  const { offset, sourceAt, destinationAt, payloadAt, protocol } = packet;
  if ((u16(bytes, offset + 6) & 0x1fff) !== 0) return 0;
  if (!isUnicast(u8(bytes, sourceAt)) || !isUnicast(u8(bytes, destinationAt))) return 0;
  if (protocol === ICMP && ICMP_ERRORS.has(payloadAt < offset + packet.length ? u8(bytes, payloadAt) : ECHO_REPLY)) {
    return 0;
  }
  const quoted = Math.min(packet.length, MAX_ERROR - IPV4_HEADER - ICMP_HEADER);
  const length = IPV4_HEADER + ICMP_HEADER + quoted;
  into.fill(0, 0, IPV4_HEADER + ICMP_HEADER);
  into[0] = 0x45;
  putU16(into, 2, length);
  into[8] = TTL;
  into[9] = ICMP;
  into.set(bytes.subarray(destinationAt, destinationAt + 4), 12);
  into.set(bytes.subarray(sourceAt, sourceAt + 4), 16);
  putIpv4Checksum(into, 0, IPV4_HEADER);
  into[IPV4_HEADER] = DESTINATION_UNREACHABLE;
  into[IPV4_HEADER + 1] = FRAGMENTATION_NEEDED;
  putU16(into, IPV4_HEADER + 6, mtu);
  into.set(bytes.subarray(offset, offset + quoted), IPV4_HEADER + ICMP_HEADER);
  putU16(into, IPV4_HEADER + 2, ~onesComplementSum(into, IPV4_HEADER, ICMP_HEADER + quoted));
  return length;
}

/** Neither nobody, nor this host, nor a group (RFC 1122 section 3.2.1.3), by the first octet. */
function isUnicast(firstOctet: number): boolean {
  return firstOctet !== 0 && firstOctet !== 127 && firstOctet < 224;
}

function putIpv6(into: Uint8Array, bytes: Uint8Array, packet: IpPacket, mtu: number): number {
  const { offset, sourceAt, destinationAt, payloadAt, protocol } = packet;
  // RFC 4443 section 2.4 (e.3) would allow it for what went to a group, but a group cannot be the sender.
  if (u8(bytes, sourceAt) === 0xff || u8(bytes, destinationAt) === 0xff) return 0;
  if (bytes.subarray(sourceAt, sourceAt + 16).every((octet) => octet === 0)) return 0;
  const isError = payloadAt < offset + packet.length && u8(bytes, payloadAt) < FIRST_ICMPV6_INFORMATIONAL;
  if (protocol === ICMPV6 && isError) return 0;
  const quoted = Math.min(packet.length, MAX_ERROR_V6 - IPV6_HEADER - ICMP_HEADER);
  const length = IPV6_HEADER + ICMP_HEADER + quoted;
  into.fill(0, 0, IPV6_HEADER + ICMP_HEADER);
  into[0] = 0x60;
  putU16(into, 4, ICMP_HEADER + quoted);
  into[6] = ICMPV6;
  into[7] = TTL;
  into.set(bytes.subarray(destinationAt, destinationAt + 16), 8);
  into.set(bytes.subarray(sourceAt, sourceAt + 16), 24);
  into[IPV6_HEADER] = PACKET_TOO_BIG_V6;
  putU32(into, IPV6_HEADER + 4, mtu);
  into.set(bytes.subarray(offset, offset + quoted), IPV6_HEADER + ICMP_HEADER);
  const pseudoHeader = onesComplementSum(into, 8, 32) + ICMP_HEADER + quoted + ICMPV6;
  const sum = fold(pseudoHeader + onesComplementSum(into, IPV6_HEADER, ICMP_HEADER + quoted));
  putU16(into, IPV6_HEADER + 2, ~sum);
  return length;
}
