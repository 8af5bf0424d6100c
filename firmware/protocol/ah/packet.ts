/**
 * The Authentication Header (RFC 4302 section 2) behind an IPv4 header without options: Next Header, Payload Len, RESERVED,
 * SPI, Sequence Number, ICV, and padding to a multiple of 32 bits.
 */
import { putU16, putU32, u8, u32 } from '../esp/octets.ts';

/** IP protocol number of AH. */
export const AH = 51;

/** Octets in front of the ICV. */
export const AH_FIXED = 12;
/** Of the SPI within the header. */
export const AH_SPI = 4;

/** AH ends on a multiple of these octets: in IPv4, and in IPv6 (section 2.6.2), where others pad to in IPv4, too. */
const ALIGNMENT = 4;
const ALIGNMENT_IPV6 = 8;

/** Longest ICV: HMAC-SHA2-512-256. */
const MAX_ICV = 32;
/** Most octets of the header, whatever the algorithm. */
export const MAX_AH_HEADER = AH_FIXED + MAX_ICV;

/** Octets of the header as this side sends it. */
export function ahHeaderOctets(icvOctets: number): number {
  return aligned(AH_FIXED + icvOctets, ALIGNMENT);
}

/** Octets of the header at `at`, by its own Payload Len (section 2.2). */
export function statedAhHeaderOctets(bytes: Uint8Array, at: number): number {
  return (u8(bytes, at + 1) + 2) * 4;
}

/** Whether a header of that size can hold such an ICV: padded as for IPv4, or needlessly as for IPv6. */
export function isAhHeaderSize(octets: number, icvOctets: number): boolean {
  const least = AH_FIXED + icvOctets;
  return octets === aligned(least, ALIGNMENT) || octets === aligned(least, ALIGNMENT_IPV6);
}

/** Protocol of what follows the header at `at`. */
export function ahNextHeader(bytes: Uint8Array, at: number): number {
  return u8(bytes, at);
}

/** SPI of the header at `at`. */
export function ahSpi(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + AH_SPI);
}

/** Low 32 bits of the sequence number of the header at `at`. */
export function ahSequence(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + 8);
}

/** Writes the header but its ICV; padding is zeros. */
export function putAhHeader(
  bytes: Uint8Array,
  at: number,
  octets: number,
  nextHeader: number,
  spi: number,
  sequenceLow: number,
): void {
  bytes[at] = nextHeader;
  bytes[at + 1] = octets / 4 - 2;
  putU16(bytes, at + 2, 0);
  putU32(bytes, at + 4, spi);
  putU32(bytes, at + 8, sequenceLow);
  bytes.fill(0, at + AH_FIXED, at + octets);
}

function aligned(octets: number, to: number): number {
  return Math.ceil(octets / to) * to;
}
