/** IP addresses: text to octets and back. */
import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 16 octets in network order; `undefined` for anything but a plain address (no zone, no prefix length). */
export function parseIpAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::');
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const octets = new Uint8Array(16);
  octets.set(left, 0);
  octets.set(right, 16 - right.length);
  return octets;
}

/** The groups of one side of the `::`, as octets; the last may be a dotted quad. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** @param octets 4 or 16. @returns the dotted quad, or the canonical text of RFC 5952. */
export function formatIpAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) throw new RangeError(`an IP address has 4 or 16 octets, not ${octets.length}`);
  const view = new DataView(octets.buffer, octets.byteOffset, 16);
  const words = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2));
  // RFC 5952 section 5: an IPv4-mapped address shows its dotted quad.
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) {
    return `::ffff:${octets.slice(12).join('.')}`;
  }
  const gap = longestZeroRun(words);
  const hex = words.map((word) => word.toString(16));
  if (gap.length < 2) return hex.join(':');
  return `${hex.slice(0, gap.start).join(':')}::${hex.slice(gap.start + gap.length).join(':')}`;
}

/** RFC 5952 section 4.2.3: the longest run, the first of equals. */
function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= words.length; index++) {
    if (words[index] === 0) continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}

/** Whether the text is `0.0.0.0` or `::` in any spelling. */
export function isUnspecified(text: string): boolean {
  return parseIpAddress(text)?.every((octet) => octet === 0) ?? false;
}

/** An address and the length of the prefix that it lies in. */
export interface AddressWithLength {
  readonly octets: Uint8Array;
  /** Bits, 0..32 or 0..128. */
  readonly length: number;
}

/** Reads `192.0.2.1/24`; `undefined` for anything else. */
export function parseAddressWithLength(text: string): AddressWithLength | undefined {
  const [address = '', bits = '', ...rest] = text.split('/');
  const octets = parseIpAddress(address);
  if (!octets || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const length = Number(bits);
  return length <= octets.length * 8 ? { octets, length } : undefined;
}

/** The address with all bits after the first `length` cleared. */
export function maskAddress(octets: Uint8Array, length: number): Uint8Array {
  return octets.map((octet, index) => {
    const bits = Math.min(Math.max(length - index * 8, 0), 8);
    return octet & (0xff00 >> bits) & 0xff;
  });
}
