/** IPv6 addresses as octets, and how they are put together from a prefix and an interface identifier (RFC 4291). */
import { formatIpv6, parseIpv6 } from './ip-address.ts';

/** Octets of an address. */
export const IPV6_OCTETS = 16;
/** Octets of a prefix that an interface identifier follows (RFC 4291 section 2.5.1). */
const PREFIX_OCTETS = 8;

/** fe80::/64, the prefix of link-local addresses (RFC 4291 section 2.5.6). */
const LINK_LOCAL = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0);

/** @throws RangeError when `text` is no IPv6 address. */
export function ipv6Octets(text: string): Uint8Array {
  const groups = parseIpv6(text);
  if (groups === undefined) throw new RangeError(`${JSON.stringify(text)} is no IPv6 address`);
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}

/** The canonical text of sixteen octets. */
export function ipv6Text(octets: Uint8Array): string {
  const groups: number[] = [];
  for (let at = 0; at < IPV6_OCTETS; at += 2) groups.push(((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0));
  return formatIpv6(groups);
}

/** @param interfaceId eight octets. */
export function linkLocalAddress(interfaceId: Uint8Array): string {
  return joined(LINK_LOCAL, interfaceId);
}

/** The address with that identifier under a /64. @param prefix its first address; @param interfaceId eight octets. */
export function addressUnder(prefix: string, interfaceId: Uint8Array): string {
  return joined(ipv6Octets(prefix), interfaceId);
}

/** Whether it is in fe80::/10 (RFC 4291 section 2.4). */
export function isLinkLocal(address: Uint8Array): boolean {
  return address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}

/** Whether it is in ff00::/8. */
export function isMulticast(address: Uint8Array): boolean {
  return address[0] === 0xff;
}

function joined(prefix: Uint8Array, interfaceId: Uint8Array): string {
  const address = new Uint8Array(IPV6_OCTETS);
  address.set(prefix.subarray(0, PREFIX_OCTETS));
  address.set(interfaceId.subarray(0, PREFIX_OCTETS), PREFIX_OCTETS);
  return ipv6Text(address);
}
