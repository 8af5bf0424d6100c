/** IP addresses as they stand in payloads: 4 or 16 octets. */
import { ByteReader, ByteWriter, DecodeError, EncodeError } from '../bytes.ts';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../ip-address.ts';

/** @throws EncodeError when `text` is no IP address. */
export function addressOctets(text: string): Uint8Array {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return new ByteWriter(4).u32(ipv4).finish();
  const groups = parseIpv6(text);
  if (groups === undefined) throw new EncodeError('not an IP address');
  const writer = new ByteWriter(16);
  for (const group of groups) writer.u16(group);
  return writer.finish();
}

export function isAddressOctets(octets: Uint8Array): boolean {
  return octets.length === 4 || octets.length === 16;
}

/** @param octets 4 or 16 of them. @throws DecodeError when there are others. */
export function addressText(octets: Uint8Array): string {
  if (!isAddressOctets(octets)) throw new DecodeError(`address of ${octets.length} octets`);
  const reader = new ByteReader(octets);
  if (octets.length === 4) return formatIpv4(reader.u32('address'));
  const groups: number[] = [];
  while (reader.remaining > 0) groups.push(reader.u16('address'));
  return formatIpv6(groups);
}

/** The netmask of `length` bits, as long as the address. */
export function prefixMask(octets: 4 | 16 | number, length: number): Uint8Array {
  return Uint8Array.from({ length: octets }, (_, at) => {
    const bits = Math.min(Math.max(length - at * 8, 0), 8);
    return (0xff << (8 - bits)) & 0xff;
  });
}

/** Length of the prefix that is exactly `first`..`last`; `undefined` when there is none. */
export function maskLength(first: Uint8Array, last: Uint8Array): number | undefined {
  let length = 0;
  for (; length < first.length * 8; length += 1) if (bit(first, length) !== bit(last, length)) break;
  for (let at = length; at < first.length * 8; at += 1) {
    if (bit(first, at) !== 0 || bit(last, at) !== 1) return undefined;
  }
  return length;
}

/** The last address under a netmask. @throws DecodeError when the mask has holes. */
export function lastOfPrefix(first: Uint8Array, mask: Uint8Array): Uint8Array {
  let length = 0;
  while (length < mask.length * 8 && bit(mask, length) === 1) length += 1;
  for (let at = length; at < mask.length * 8; at += 1)
    if (bit(mask, at) === 1) throw new DecodeError('netmask with holes');
  return first.map((octet, at) => octet | (~(mask[at] ?? 0) & 0xff));
}

function bit(octets: Uint8Array, index: number): number {
  return ((octets[index >> 3] ?? 0) >> (7 - (index & 7))) & 1;
}
