/** The IPv6 header and its extension headers (RFC 8200 sections 3 and 4). */
import { formatIpv6 } from '../../protocol/ip-address.ts';
import { FieldError, FieldReader, type Octets, slice } from './field-reader.ts';
import { type FragmentPlace, type IpPacket, IpProtocol } from './ip-packet.ts';

const HEADER = 40;
/** Extension headers that are stepped over; the RFC's own order has seven. */
const MAX_EXTENSIONS = 16;

const FRAGMENT = 44;
/** Next Header, length in units of 8 octets beyond the first: Hop-by-Hop, Routing, Destination, Mobility, HIP, Shim6. */
const COMMON_EXTENSIONS: readonly number[] = [0, 43, 60, 135, 139, 140];

/** What stands behind the extension headers. */
export interface UpperLayer {
  readonly protocol: number;
  readonly payload: Octets;
  readonly fragment?: FragmentPlace;
}

/** @throws FieldError when a header is not one. */
export function readIpv6(octets: Octets): IpPacket {
  const reader = new FieldReader(octets);
  reader.u32('Version, Traffic Class and Flow Label');
  const announced = reader.u16('Payload Length');
  const nextHeader = reader.u8('Next Header');
  reader.u8('Hop Limit');
  const source = address(reader, 'Source Address');
  const destination = address(reader, 'Destination Address');
  const there = octets.bytes.length + octets.missing - HEADER;
  if (announced > there)
    throw new FieldError(4, 'Payload Length', `${announced} octets announced, the frame has ${there}`);
  // Zero before segmentation, and in jumbograms, whose length stands in an option.
  const payload = slice(octets, HEADER, announced === 0 ? undefined : HEADER + announced);
  return { version: 6, source, destination, ...stepOverExtensions(nextHeader, payload, HEADER) };
}

/**
 * Steps over extension headers, up to the upper layer or a Fragment header that tells of a part.
 * @param base offset of `payload` in its packet, for faults
 * @throws FieldError when a header leaves the packet
 */
export function stepOverExtensions(first: number, payload: Octets, base: number): UpperLayer {
  let protocol = first;
  let rest = payload;
  let at = base;
  for (let header = 0; header < MAX_EXTENSIONS; header += 1) {
    const length = extensionLength(protocol, rest, at);
    if (length === undefined) return { protocol, payload: rest };
    const reader = new FieldReader(rest, at);
    const next = reader.u8('Next Header');
    reader.u8('Header Length');
    const behind = slice(rest, length);
    if (protocol === FRAGMENT) {
      const bits = reader.u16('Fragment Offset');
      const fragment = { id: reader.u32('Identification'), offset: bits & 0xfff8, more: (bits & 1) !== 0 };
      // A datagram in a single fragment (RFC 6946).
      if (fragment.offset > 0 || fragment.more) return { protocol: next, payload: behind, fragment };
    }
    protocol = next;
    rest = behind;
    at += length;
  }
  throw new FieldError(at, 'Next Header', `more than ${MAX_EXTENSIONS} extension headers`);
}

/** Octets of the extension header; `undefined` where the number is that of an upper layer. */
function extensionLength(protocol: number, octets: Octets, at: number): number | undefined {
  const common = COMMON_EXTENSIONS.includes(protocol);
  if (!common && protocol !== FRAGMENT && protocol !== IpProtocol.ah) return undefined;
  const reader = new FieldReader(octets, at);
  reader.u8('Next Header');
  const units = reader.u8('Header Length');
  // The Authentication Header counts in units of 4 octets (RFC 4302 section 2.2).
  const length = protocol === FRAGMENT ? 8 : protocol === IpProtocol.ah ? (units + 2) * 4 : (units + 1) * 8;
  const there = octets.bytes.length + octets.missing;
  if (length > there) throw new FieldError(at + 1, 'Header Length', `${length} octets announced, ${there} left`);
  return length;
}

function address(reader: FieldReader, field: string): string {
  const groups: number[] = [];
  for (let group = 0; group < 8; group += 1) groups.push(reader.u16(field));
  return formatIpv6(groups);
}
