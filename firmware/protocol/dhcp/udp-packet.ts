/** IPv4 and UDP headers around a DHCP message (RFC 791, RFC 768): before there is an address, no socket of the kernel's would do. */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { fold, onesComplementSum, putIpv4Checksum } from '../esp/internet-checksum.ts';
import { UDP } from '../esp/ip-packet.ts';

export const SERVER_PORT = 67;
export const CLIENT_PORT = 68;

const IPV4_HEADER = 20;
const UDP_HEADER = 8;
/** Nobody between two hosts of a network has to count it down, and a relay's way is short (RFC 1122 section 3.2.1.7: 64). */
const TIME_TO_LIVE = 64;
/** DSCP CS6, network control (RFC 4594 section 3.1): a renewal must get through a full uplink. */
const TRAFFIC_CLASS = 0xc0;
const DONT_FRAGMENT = 0x4000;
const FRAGMENT_BITS = 0x3fff;

export interface UdpDatagram {
  /** Unsigned. */
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

export function encodeUdpPacket({
  source,
  destination,
  sourcePort,
  destinationPort,
  payload,
}: UdpDatagram): Uint8Array {
  const udpLength = UDP_HEADER + payload.length;
  const total = IPV4_HEADER + udpLength;
  const packet = new ByteWriter(total)
    .u8(0x45)
    .u8(TRAFFIC_CLASS)
    .u16(total)
    .u16(0)
    .u16(DONT_FRAGMENT)
    .u8(TIME_TO_LIVE)
    .u8(UDP)
    .u16(0)
    .u32(source)
    .u32(destination)
    .u16(sourcePort)
    .u16(destinationPort)
    .u16(udpLength)
    .u16(0)
    .bytes(payload);
  const checksum = ~udpSum(packet.finish(), IPV4_HEADER, udpLength) & 0xffff;
  packet.patchU16(IPV4_HEADER + 6, checksum === 0 ? 0xffff : checksum);
  const bytes = packet.finish();
  putIpv4Checksum(bytes, 0, IPV4_HEADER);
  return bytes;
}

/**
 * What came in, behind the Ethernet header; padding of a short frame is left aside.
 * @param checksumPending the UDP checksum was left to a card that does not exist.
 * @throws DecodeError for what is no whole UDP datagram, or damaged.
 */
export function decodeUdpPacket(packet: Uint8Array, checksumPending: boolean): UdpDatagram {
  const reader = new ByteReader(packet);
  const first = reader.u8('IPv4 header');
  const headerLength = (first & 0x0f) * 4;
  if (first >> 4 !== 4 || headerLength < IPV4_HEADER) throw new DecodeError('no IPv4 header');
  reader.skip(1, 'IPv4 header');
  const total = reader.u16('Total Length');
  if (total > packet.length || total < headerLength + UDP_HEADER) throw new DecodeError(`Total Length ${total}`);
  reader.skip(2, 'Identification');
  if ((reader.u16('Fragment Offset') & FRAGMENT_BITS) !== 0) throw new DecodeError('a fragment');
  reader.skip(1, 'Time to Live');
  if (reader.u8('Protocol') !== UDP) throw new DecodeError('no UDP');
  if (onesComplementSum(packet, 0, headerLength) !== 0xffff) throw new DecodeError('a wrong header checksum');
  reader.skip(2, 'Header Checksum');
  const [source, destination] = [reader.u32('Source Address'), reader.u32('Destination Address')];
  reader.skip(headerLength - IPV4_HEADER, 'IPv4 options');
  const [sourcePort, destinationPort] = [reader.u16('Source Port'), reader.u16('Destination Port')];
  const length = reader.u16('UDP Length');
  if (length < UDP_HEADER || length > total - headerLength) throw new DecodeError(`UDP Length ${length}`);
  const checksum = reader.u16('UDP Checksum');
  if (checksum !== 0 && !checksumPending && udpSum(packet, headerLength, length) !== 0xffff)
    throw new DecodeError('a wrong UDP checksum');
  return { source, destination, sourcePort, destinationPort, payload: reader.bytes(length - UDP_HEADER, 'UDP data') };
}

/** Sum over the datagram at `at` and its pseudo header (RFC 768). */
function udpSum(packet: Uint8Array, at: number, length: number): number {
  return fold(onesComplementSum(packet, 12, 8) + UDP + length + onesComplementSum(packet, at, length));
}
