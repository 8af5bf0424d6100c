/** Kinds of IPv6 packets that a session treats apart. */
import { ICMPV6, type IpPacket } from '../../protocol/esp/ip-packet.ts';
import { u8 } from '../../protocol/esp/octets.ts';

/** First octet of ff00::/8 (RFC 4291 section 2.7). */
const MULTICAST = 0xff;
/** ICMPv6 types of RFC 4861 sections 4.1 and 4.2. */
const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;

/** Whether the address at `bytes[at..at+16)` is of a group. */
export function isMulticast6(bytes: Uint8Array, at: number): boolean {
  return u8(bytes, at) === MULTICAST;
}

/** Whether the IPv6 packet solicits or advertises routers, in whatever form: behind extension headers, too. */
export function isRouterDiscovery(bytes: Uint8Array, packet: IpPacket): boolean {
  if (packet.protocol !== ICMPV6 || packet.payloadAt >= packet.offset + packet.length) return false;
  const type = u8(bytes, packet.payloadAt);
  return type === ROUTER_SOLICITATION || type === ROUTER_ADVERTISEMENT;
}
