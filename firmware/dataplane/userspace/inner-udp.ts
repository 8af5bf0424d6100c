/** The UDP header inside ESP in transport mode (RFC 768, RFC 3193 section 2). */
import { fold, onesComplementSum } from '../../protocol/esp/internet-checksum.ts';
import { UDP } from '../../protocol/esp/ip-packet.ts';
import { putU16, u16 } from '../../protocol/esp/octets.ts';
import { UDP_HEADER } from './packet-room.ts';

/** Octets of IPv6 addresses. */
const IPV6_ADDRESS = 16;

/**
 * Writes the header of a datagram whose data follows at `at + 8`, `length` octets in all.
 *
 * Over IPv4 without checksum, for the ICV vouches for more. Over IPv6 a datagram without would be refused (RFC 8200
 * section 8.1).
 * @param addressOctets 4 or 16.
 * @param addressSum of the 16-bit words of both addresses.
 */
export function putUdpHeader(
  bytes: Uint8Array,
  at: number,
  sourcePort: number,
  destinationPort: number,
  length: number,
  addressOctets: number,
  addressSum: number,
): void {
  putU16(bytes, at, sourcePort);
  putU16(bytes, at + 2, destinationPort);
  putU16(bytes, at + 4, length);
  putU16(bytes, at + 6, 0);
  if (addressOctets !== IPV6_ADDRESS) return;
  const checksum = ~fold(addressSum + UDP + length + onesComplementSum(bytes, at, length)) & 0xffff;
  putU16(bytes, at + 6, checksum === 0 ? 0xffff : checksum);
}

/**
 * Octets of data of the datagram at `bytes[at..at+length)`, by its own length; -1 when it is none. The checksum is not
 * looked at: the ICV has vouched for the datagram, and behind a NAT it may be wrong (RFC 3948 section 3.1.2).
 */
export function udpDataOctets(bytes: Uint8Array, at: number, length: number): number {
  if (length < UDP_HEADER) return -1;
  const octets = u16(bytes, at + 4);
  return octets < UDP_HEADER || octets > length ? -1 : octets - UDP_HEADER;
}
