/** The 16-bit Frame Check Sequence of PPP (RFC 1662 section C.2): x^16 + x^12 + x^5 + 1, least significant bit first. */

/** Where a computation begins. */
export const FCS16_INITIAL = 0xffff;
/** What a computation over a frame and its own FCS ends with. */
export const FCS16_GOOD = 0xf0b8;

const POLYNOMIAL = 0x8408;

/** What one octet does to the low octet of an FCS. Exported for loops that do it while they look at octets anyway. */
export const FCS16_TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** Goes on with an FCS over `octets[start..end)`. What is sent is its complement, low octet first. */
export function fcs16(octets: Uint8Array, start: number, end: number, fcs: number = FCS16_INITIAL): number {
  let value = fcs;
  for (let at = start; at < end; at++)
    value = (value >>> 8) ^ (FCS16_TABLE[(value ^ (octets[at] as number)) & 0xff] as number);
  return value;
}
