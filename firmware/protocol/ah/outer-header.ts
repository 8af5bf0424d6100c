/** The IPv4 header in front of AH (RFC 791 section 3.1), of which the ICV covers what nobody changes on the way. */
import { IPV4_HEADER } from '../esp/ip-packet.ts';
import { putU16, u8, u16 } from '../esp/octets.ts';
import { AH } from './packet.ts';

/** Version 4, and a header of five words. */
const VERSION_AND_LENGTH = 0x45;
const DONT_FRAGMENT = 0x40;
const TIME_TO_LIVE = 64;
/** Identifications there are, zero apart: the kernel replaces that. */
const IDENTIFICATIONS = 0xffff;

/** Fields that count as zeros in the ICV (RFC 4302 section 3.3.3.1.1.1), by their offsets. */
const TRAFFIC_CLASS = 1;
const FLAGS = 6;
const TTL = 8;
const CHECKSUM = 10;

/**
 * Writes the header for `octets` of packet, as the ICV wants it: zeros in what is mutable, until {@link putMutable}.
 * @param source @param destination 4 octets. @param sequence of the packet, from which its Identification follows.
 */
export function putOuterHeader(
  bytes: Uint8Array,
  at: number,
  octets: number,
  source: Uint8Array,
  destination: Uint8Array,
  sequence: number,
): void {
  bytes.fill(0, at, at + IPV4_HEADER);
  bytes[at] = VERSION_AND_LENGTH;
  putU16(bytes, at + 2, octets);
  putU16(bytes, at + 4, (sequence % IDENTIFICATIONS) + 1);
  bytes[at + 9] = AH;
  bytes.set(source, at + 12);
  bytes.set(destination, at + 16);
}

/** Writes what is mutable, but the checksum, which the kernel does. @param trafficClass octet (TOS). */
export function putMutable(bytes: Uint8Array, at: number, trafficClass: number, mayFragment: boolean): void {
  bytes[at + TRAFFIC_CLASS] = trafficClass;
  bytes[at + FLAGS] = mayFragment ? 0 : DONT_FRAGMENT;
  bytes[at + TTL] = TIME_TO_LIVE;
}

/** Clears what is mutable. */
export function clearMutable(bytes: Uint8Array, at: number): void {
  bytes[at + TRAFFIC_CLASS] = 0;
  putU16(bytes, at + FLAGS, 0);
  bytes[at + TTL] = 0;
  putU16(bytes, at + CHECKSUM, 0);
}

/** Octets of an IPv4 header at `at` by its own length field; less than {@link IPV4_HEADER} when it is none. */
export function headerOctets(bytes: Uint8Array, at: number): number {
  const first = u8(bytes, at);
  return first >> 4 === 4 ? (first & 0x0f) * 4 : 0;
}

/** Octets of the packet at `at` by its own length field. */
export function totalOctets(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + 2);
}

/** Whether the packet at `at` is but a part of one: who reassembles does so before AH (RFC 4302 section 3.4.1). */
export function isFragment(bytes: Uint8Array, at: number): boolean {
  return (u16(bytes, at + FLAGS) & 0x3fff) !== 0;
}
