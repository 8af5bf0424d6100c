/** The IPv4 header (RFC 791 section 3.1). */
import { formatIpv4 } from '../../protocol/ip-address.ts';
import { FieldError, FieldReader, type Octets, slice } from './field-reader.ts';
import type { IpPacket } from './ip-packet.ts';

/** Least header, octets. */
const HEADER = 20;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;

/**
 * The packet at the beginning of `octets`; what follows its Total Length is padding of the link.
 * @throws FieldError when the header is not one.
 */
export function readIpv4(octets: Octets): IpPacket {
  const reader = new FieldReader(octets);
  const headerLength = (reader.u8('Version and IHL') & 0xf) * 4;
  if (headerLength < HEADER) throw new FieldError(0, 'IHL', `a header of ${headerLength} octets, at least 20 wanted`);
  reader.u8('Type of Service');
  const announced = reader.u16('Total Length');
  const id = reader.u16('Identification');
  const bits = reader.u16('Flags and Fragment Offset');
  reader.u8('Time to Live');
  const protocol = reader.u8('Protocol');
  reader.u16('Header Checksum');
  const source = formatIpv4(reader.u32('Source Address'));
  const destination = formatIpv4(reader.u32('Destination Address'));
  reader.bytes(headerLength - HEADER, 'Options');
  // A capture on the sending machine may stand before segmentation: the length is 0 then.
  const length = announced === 0 ? octets.bytes.length + octets.missing : announced;
  const there = octets.bytes.length + octets.missing;
  if (length < headerLength) throw new FieldError(2, 'Total Length', `${length} octets, less than the header`);
  if (length > there) throw new FieldError(2, 'Total Length', `${length} octets announced, the frame has ${there}`);
  const offset = (bits & FRAGMENT_OFFSET) * 8;
  const more = (bits & MORE_FRAGMENTS) !== 0;
  const packet = { version: 4, source, destination, protocol, payload: slice(octets, headerLength, length) } as const;
  return more || offset > 0 ? { ...packet, fragment: { id, offset, more } } : packet;
}
