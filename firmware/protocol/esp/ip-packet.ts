/**
 * Reads an IP packet where it lies in a buffer, as far as IPsec needs: addresses, protocol, ports, fragmentation (RFC
 * 791 section 3.1, RFC 8200 sections 3 and 4). The packet may be anything. One result object serves for all packets.
 */
import { u8, u16 } from './octets.ts';

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
const DCCP = 33;
export const ICMPV6 = 58;
const SCTP = 132;
const UDP_LITE = 136;

/** Shortest IPv4 header, octets. */
export const IPV4_HEADER = 20;
/** Fixed IPv6 header, octets. */
export const IPV6_HEADER = 40;

/** IPv6 extension headers that may stand before the payload. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
/** Extension headers followed before giving up. Honest packets have at most four; the bound keeps the walk short. */
const MAX_EXTENSION_HEADERS = 8;

/** {@link IpPacket.ports} of a packet that has none, or whose ports cannot be seen. */
export const NO_PORT = -1;

export interface IpPacket {
  version: 4 | 6;
  /** Offset of the packet. */
  offset: number;
  /** Octets by its own length field; what follows is padding. */
  length: number;
  /** Offsets of the addresses. */
  sourceAt: number;
  destinationAt: number;
  /** 4 or 16. */
  addressOctets: number;
  /** Of the payload, behind any extension headers of IPv6. */
  protocol: number;
  payloadAt: number;
  /** Part of a datagram, the first one included. */
  fragment: boolean;
  /** 0..65535, or {@link NO_PORT}; of ICMP both are type and code (RFC 4301 section 4.4.1.1). */
  sourcePort: number;
  destinationPort: number;
}

/** A fresh result object. */
export function newIpPacket(): IpPacket {
  return {
    version: 4,
    offset: 0,
    length: 0,
    sourceAt: 0,
    destinationAt: 0,
    addressOctets: 4,
    protocol: 0,
    payloadAt: 0,
    fragment: false,
    sourcePort: NO_PORT,
    destinationPort: NO_PORT,
  };
}

/**
 * Reads the packet at `bytes[at..end)` into `into`.
 * @returns false when it is no IP packet, is cut short, or contradicts itself; `into` means nothing then.
 */
export function readIpPacket(bytes: Uint8Array, at: number, end: number, into: IpPacket): boolean {
  if (at < 0 || end > bytes.length || at >= end) return false;
  into.offset = at;
  into.fragment = false;
  const version = u8(bytes, at) >> 4;
  if (version === 4) return readIpv4(bytes, at, end, into);
  return version === 6 && readIpv6(bytes, at, end, into);
}

function readIpv4(bytes: Uint8Array, at: number, end: number, into: IpPacket): boolean {
  if (end - at < IPV4_HEADER) return false;
  const header = (u8(bytes, at) & 0x0f) * 4;
  const length = u16(bytes, at + 2);
  if (header < IPV4_HEADER || length < header || length > end - at) return false;
  const fragmentField = u16(bytes, at + 6);
  into.version = 4;
  into.length = length;
  into.sourceAt = at + 12;
  into.destinationAt = at + 16;
  into.addressOctets = 4;
  into.protocol = u8(bytes, at + 9);
  into.payloadAt = at + header;
  into.fragment = (fragmentField & 0x3fff) !== 0;
  readPorts(bytes, into, (fragmentField & 0x1fff) !== 0);
  return true;
}

function readIpv6(bytes: Uint8Array, at: number, end: number, into: IpPacket): boolean {
  if (end - at < IPV6_HEADER) return false;
  const length = IPV6_HEADER + u16(bytes, at + 4);
  if (length > end - at) return false;
  into.version = 6;
  into.length = length;
  into.sourceAt = at + 8;
  into.destinationAt = at + 24;
  into.addressOctets = 16;
  return skipExtensionHeaders(bytes, into);
}

function skipExtensionHeaders(bytes: Uint8Array, into: IpPacket): boolean {
  const end = into.offset + into.length;
  let next = u8(bytes, into.offset + 6);
  let at = into.offset + IPV6_HEADER;
  let later = false;
  for (let headers = 0; !later && isExtensionHeader(next); headers++) {
    if (headers === MAX_EXTENSION_HEADERS || at + 8 > end) return false;
    if (next === FRAGMENT) {
      into.fragment = (u16(bytes, at + 2) & 0xfff9) !== 0;
      later = (u16(bytes, at + 2) & 0xfff8) !== 0;
    }
    const octets = next === FRAGMENT ? 8 : 8 + u8(bytes, at + 1) * 8;
    next = u8(bytes, at);
    at += octets;
  }
  if (at > end) return false;
  into.protocol = next;
  into.payloadAt = at;
  readPorts(bytes, into, later);
  return true;
}

function isExtensionHeader(next: number): boolean {
  return next === HOP_BY_HOP || next === ROUTING || next === FRAGMENT || next === DESTINATION_OPTIONS;
}

function readPorts(bytes: Uint8Array, into: IpPacket, laterFragment: boolean): void {
  const end = laterFragment ? into.payloadAt : into.offset + into.length;
  into.sourcePort = sourcePortOf(bytes, into.protocol, into.payloadAt, end);
  into.destinationPort = destinationPortOf(bytes, into.protocol, into.payloadAt, end);
}

/** Of the payload at `bytes[at..end)`; type and code for ICMP; {@link NO_PORT} where there is none. */
export function sourcePortOf(bytes: Uint8Array, protocol: number, at: number, end: number): number {
  return portAt(bytes, protocol, at, at, end);
}

/** As {@link sourcePortOf}. */
export function destinationPortOf(bytes: Uint8Array, protocol: number, at: number, end: number): number {
  return portAt(bytes, protocol, at, at + 2, end);
}

function portAt(bytes: Uint8Array, protocol: number, at: number, portField: number, end: number): number {
  if (at + 4 > end) return NO_PORT;
  switch (protocol) {
    case TCP:
    case UDP:
    case DCCP:
    case SCTP:
    case UDP_LITE:
      return u16(bytes, portField);
    case ICMP:
    case ICMPV6:
      return u16(bytes, at);
    default:
      return NO_PORT;
  }
}
