/**
 * ICMPv6 messages of neighbour discovery in their IPv6 packet (RFC 4443 section 2.1, RFC 4861 section 3.1): what all of
 * them have in common, and the checks without which none is looked at.
 */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { fold, onesComplementSum } from '../esp/internet-checksum.ts';
import { IPV6_OCTETS, ipv6Octets } from '../ipv6-address.ts';

const IPV6_HEADER = 40;
const ICMPV6 = 58;
/** No router forwards a packet with it, so that it comes from this very link (RFC 4861 section 3.1). */
const HOP_LIMIT = 255;
/** Type, Code and Checksum. */
const ICMPV6_HEADER = 4;

export interface DiscoveryPacket {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly type: number;
  /** What follows the checksum. */
  readonly body: Uint8Array;
}

/** @param source and `destination` as text. @throws RangeError when one is no address. */
export function encodeDiscovery(source: string, destination: string, type: number, body: Uint8Array): Uint8Array {
  const length = ICMPV6_HEADER + body.length;
  const packet = new ByteWriter(IPV6_HEADER + length)
    .u32(0x60000000)
    .u16(length)
    .u8(ICMPV6)
    .u8(HOP_LIMIT)
    .bytes(ipv6Octets(source))
    .bytes(ipv6Octets(destination))
    .u8(type)
    .u8(0)
    .u16(0)
    .bytes(body);
  const checksum = ~checksumOf(packet.finish(), length) & 0xffff;
  return packet.patchU16(IPV6_HEADER + 2, checksum).finish();
}

/**
 * Reads a packet, behind which there may be padding. Extension headers are refused: honest hosts send none (RFC 6980
 * forbids the one that would harm, fragmentation).
 * @throws DecodeError for whatever RFC 4861 sections 6.1.1 and 6.1.2 want to be discarded, but what a type alone knows.
 */
export function decodeDiscovery(packet: Uint8Array): DiscoveryPacket {
  const reader = new ByteReader(packet);
  if (reader.u32('IPv6 header') >>> 28 !== 6) throw new DecodeError('no IPv6 packet');
  const length = reader.u16('Payload Length');
  if (reader.u8('Next Header') !== ICMPV6) throw new DecodeError('no ICMPv6 message right behind the IPv6 header');
  if (reader.u8('Hop Limit') !== HOP_LIMIT) throw new DecodeError('the Hop Limit is not 255');
  const source = reader.bytes(IPV6_OCTETS, 'Source Address').slice();
  const destination = reader.bytes(IPV6_OCTETS, 'Destination Address').slice();
  const message = new ByteReader(reader.bytes(length, 'ICMPv6 message'));
  const type = message.u8('Type');
  if (message.u8('Code') !== 0) throw new DecodeError('the Code is not 0');
  message.skip(2, 'Checksum');
  if (checksumOf(packet, length) !== 0xffff) throw new DecodeError('the ICMPv6 checksum is wrong');
  return { source, destination, type, body: message.rest() };
}

/** Sum over the message and its pseudo header (RFC 8200 section 8.1); over a right checksum, all ones. */
function checksumOf(packet: Uint8Array, length: number): number {
  const pseudoHeader = onesComplementSum(packet, 8, 2 * IPV6_OCTETS) + length + ICMPV6;
  return fold(pseudoHeader + onesComplementSum(packet, IPV6_HEADER, length));
}
