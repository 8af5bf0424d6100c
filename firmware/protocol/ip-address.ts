/**
 * IP addresses and prefixes as text and as numbers. An IPv4 address is an unsigned 32-bit number, in host order, so
 * that comparing and counting are plain arithmetic. Text is read strictly: what `inet_aton` would guess at is refused.
 */

/** An IPv4 address with a prefix length. Host bits may be set: `192.0.2.1/24` is an interface's address. */
export interface Ipv4Prefix {
  /** Unsigned, 0..4294967295. */
  readonly address: number;
  /** 0..32. */
  readonly length: number;
}

/** The highest IPv4 address as a number. */
const MAX_IPV4 = 0xffffffff;

/** Groups of 16 bits in an IPv6 address (RFC 4291 section 2.2). */
const IPV6_GROUPS = 8;

/** Four decimal octets without leading zeros; anything else is `undefined`. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    address = address * 256 + octet;
  }
  return address;
}

/** `address` as dotted quad; taken modulo 2^32. */
export function formatIpv4(address: number): string {
  return `${(address >>> 24) & 255}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** `192.0.2.1/24`; the length must be there. Host bits are kept. */
export function parseCidr(text: string): Ipv4Prefix | undefined {
  const match = /^([0-9.]{7,15})\/(0|[1-9][0-9]?)$/.exec(text);
  const address = parseIpv4(match?.[1] ?? '');
  const length = Number(match?.[2]);
  return address === undefined || length > 32 ? undefined : { address, length };
}

/** As {@link parseCidr}, but host bits must be zero: a network, such as a route's destination. */
export function parseNetwork(text: string): Ipv4Prefix | undefined {
  const prefix = parseCidr(text);
  return prefix === undefined || networkOf(prefix).address !== prefix.address ? undefined : prefix;
}

/** `address/length`. */
export function formatCidr(prefix: Ipv4Prefix): string {
  return `${formatIpv4(prefix.address)}/${prefix.length}`;
}

/** The netmask of a prefix length (0..32), unsigned. */
export function netmask(length: number): number {
  return length === 0 ? 0 : (MAX_IPV4 << (32 - length)) >>> 0;
}

/** The prefix with its host bits cleared. */
export function networkOf(prefix: Ipv4Prefix): Ipv4Prefix {
  return { address: (prefix.address & netmask(prefix.length)) >>> 0, length: prefix.length };
}

/** The last address of the prefix: its broadcast address, where it has one (length 30 and less). */
export function lastAddress(prefix: Ipv4Prefix): number {
  return (prefix.address | ~netmask(prefix.length)) >>> 0;
}

/** One address as a prefix of length 32. */
export function hostPrefix(address: number): Ipv4Prefix {
  return { address, length: 32 };
}

/** Whether every address of `inner` lies in `outer`; equal prefixes contain each other. */
export function contains(outer: Ipv4Prefix, inner: Ipv4Prefix): boolean {
  return inner.length >= outer.length && networkOf(outer).address === (inner.address & netmask(outer.length)) >>> 0;
}

/** Whether the two prefixes have an address in common. */
export function overlaps(a: Ipv4Prefix, b: Ipv4Prefix): boolean {
  return contains(a, b) || contains(b, a);
}

/** The same network, host bits left aside. */
export function sameNetwork(a: Ipv4Prefix, b: Ipv4Prefix): boolean {
  return a.length === b.length && networkOf(a).address === networkOf(b).address;
}

/**
 * The fewest prefixes that hold exactly the addresses `first`..`last`, in order: at most 62.
 * Empty when `first` is above `last`.
 */
export function rangeToCidrs(first: number, last: number): Ipv4Prefix[] {
  const prefixes: Ipv4Prefix[] = [];
  for (let at = first; at <= last; ) {
    let length = 32;
    while (length > 0) {
      const wider = { address: at, length: length - 1 };
      if (networkOf(wider).address !== at || lastAddress(wider) > last) break;
      length -= 1;
    }
    prefixes.push({ address: at, length });
    at += 2 ** (32 - length);
  }
  return prefixes;
}

/** `first-last` as two addresses; order is not checked. Spaces around the hyphen are allowed. */
export function parseRange(text: string): { readonly first: number; readonly last: number } | undefined {
  const match = /^([0-9.]{7,15}) ?- ?([0-9.]{7,15})$/.exec(text);
  const first = parseIpv4(match?.[1] ?? '');
  const last = parseIpv4(match?.[2] ?? '');
  return first === undefined || last === undefined ? undefined : { first, last };
}

/** The eight groups of an IPv6 address in any text form of RFC 4291 section 2.2, without zone or brackets. */
export function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = readGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? readGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = IPV6_GROUPS - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : undefined;
  return missing < 1 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Whether `text` is an IPv6 address. */
export function isIpv6(text: string): boolean {
  return parseIpv6(text) !== undefined;
}

/** Whether `text` is an IPv4 or IPv6 address. */
export function isIpAddress(text: string): boolean {
  return parseIpv4(text) !== undefined || isIpv6(text);
}

/** Canonical text of an IPv6 address (RFC 5952 section 4): lower case, longest run of zeros shortened. */
export function formatIpv6(groups: readonly number[]): string {
  let best = { at: -1, length: 1 };
  for (let at = 0; at < groups.length; at += 1) {
    let length = 0;
    while (groups[at + length] === 0) length += 1;
    if (length > best.length) best = { at, length };
  }
  const text = groups.map((group) => group.toString(16));
  if (best.at < 0) return text.join(':');
  return `${text.slice(0, best.at).join(':')}::${text.slice(best.at + best.length).join(':')}`;
}

/** The canonical text of an IPv4 or IPv6 address; `undefined` when it is neither. */
export function canonicalIp(text: string): string | undefined {
  if (parseIpv4(text) !== undefined) return text;
  const groups = parseIpv6(text);
  return groups === undefined ? undefined : formatIpv6(groups);
}

/** Groups between colons; the last one may be a dotted quad (two groups) where `quadAllowed`. Empty text: none. */
function readGroups(text: string, quadAllowed: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (quadAllowed && index === parts.length - 1 && part.includes('.')) {
      const quad = parseIpv4(part);
      if (quad === undefined) return undefined;
      groups.push(quad >>> 16, quad & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
