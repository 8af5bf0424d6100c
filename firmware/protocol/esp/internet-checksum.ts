/** The Internet checksum (RFC 1071), whole and by difference (RFC 1624 section 3, equation 3). */
import { putU16, u8, u16 } from './octets.ts';

/** Folds carries into 16 bits. `sum` is at least 0 and below 2^32. */
export function fold(sum: number): number {
  let folded = (sum & 0xffff) + (sum >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/** Sum of the 16-bit words of `bytes[at..at+length)`, folded; an odd octet at the end counts as the high one. */
export function onesComplementSum(bytes: Uint8Array, at: number, length: number): number {
  let sum = 0;
  const even = at + length - (length & 1);
  for (let i = at; i < even; i += 2) sum += u16(bytes, i);
  if ((length & 1) === 1) sum += u8(bytes, even) << 8;
  return fold(sum);
}

/** Computes and writes the header checksum of the IPv4 header at `at`, of `length` octets. */
export function putIpv4Checksum(bytes: Uint8Array, at: number, length: number): void {
  putU16(bytes, at + 10, 0);
  putU16(bytes, at + 10, ~onesComplementSum(bytes, at, length));
}

/** The checksum after a 16-bit word that it covers changed from `before` to `after`. */
export function adjustedChecksum(checksum: number, before: number, after: number): number {
  return ~fold((~checksum & 0xffff) + (~before & 0xffff) + after) & 0xffff;
}
