/**
 * Prefixes of both families, as text and as numbers, where it does not matter which family one is of. Numbers are `bigint`:
 * for configuration and routes, never per packet. `ip-address.ts` has IPv4 alone, in plain numbers.
 */
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from './ip-address.ts';

/** An address with a prefix length. Host bits may be set. */
export interface IpPrefix {
  readonly family: 4 | 6;
  readonly address: bigint;
  /** 0..32 or 0..128. */
  readonly length: number;
}

/** Bits of an address. */
const BITS = { 4: 32, 6: 128 } as const;

/** `192.0.2.1/24` or `2001:db8::1/64`; the length must be there. Host bits are kept. */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const found = known.get(text);
  if (found !== undefined) return found;
  const prefix = parseNewPrefix(text);
  if (prefix === undefined) return undefined;
  if (known.size >= MOST_PARSED) known.clear();
  known.set(text, prefix);
  return prefix;
}

/** Prefixes that were parsed already: each of a configuration is asked for a dozen times at every change of the network. */
const known = new Map<string, IpPrefix>();

/** More than a large configuration has; some 100 octets each. */
const MOST_PARSED = 4096;

function parseNewPrefix(text: string): IpPrefix | undefined {
  const [address = '', length = '', ...more] = text.split('/');
  const parsed = parseIpAddress(address);
  if (parsed === undefined || more.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  return Number(length) > BITS[parsed.family] ? undefined : { ...parsed, length: Number(length) };
}

/** As {@link parseIpPrefix}, but host bits must be zero: a network, such as a route's destination. */
export function parseIpNetwork(text: string): IpPrefix | undefined {
  const prefix = parseIpPrefix(text);
  return prefix === undefined || ipNetworkOf(prefix).address !== prefix.address ? undefined : prefix;
}

/** One address as the longest prefix. */
export function ipHostPrefix(text: string): IpPrefix | undefined {
  const parsed = parseIpAddress(text);
  return parsed && { ...parsed, length: BITS[parsed.family] };
}

/** `address/length`, canonical. */
export function formatIpPrefix(prefix: IpPrefix): string {
  return `${formatIpAddress(prefix)}/${prefix.length}`;
}

/** The address alone, canonical. */
export function formatIpAddress({ family, address }: Pick<IpPrefix, 'family' | 'address'>): string {
  if (family === 4) return formatIpv4(Number(address));
  return formatIpv6(Array.from({ length: 8 }, (_, group) => Number((address >> BigInt(112 - 16 * group)) & 0xffffn)));
}

/** The prefix with its host bits cleared. */
export function ipNetworkOf({ family, address, length }: IpPrefix): IpPrefix {
  const host = BigInt(BITS[family] - length);
  return { family, address: (address >> host) << host, length };
}

/** The last address of the prefix. */
export function lastIpAddress(prefix: IpPrefix): bigint {
  return ipNetworkOf(prefix).address + (1n << BigInt(BITS[prefix.family] - prefix.length)) - 1n;
}

/** Whether every address of `inner` lies in `outer`; equal prefixes contain each other. */
export function ipContains(outer: IpPrefix, inner: IpPrefix): boolean {
  if (outer.family !== inner.family || inner.length < outer.length) return false;
  return ipNetworkOf(outer).address === ipNetworkOf({ ...inner, length: outer.length }).address;
}

/** Whether the two prefixes have an address in common. */
export function ipOverlaps(a: IpPrefix, b: IpPrefix): boolean {
  return ipContains(a, b) || ipContains(b, a);
}

/** The same network, host bits left aside. */
export function sameIpNetwork(a: IpPrefix, b: IpPrefix): boolean {
  return a.length === b.length && ipContains(a, b);
}

/** The canonical text of a prefix as a network; text that is none stays as it is. */
export function canonicalPrefix(text: string): string {
  const prefix = parseIpPrefix(text);
  return prefix === undefined ? text : formatIpPrefix(ipNetworkOf(prefix));
}

/** Whether `text` is of IPv6; it is known to be an address or a prefix. */
export function isIpv6Text(text: string): boolean {
  return text.includes(':');
}

function parseIpAddress(text: string): Pick<IpPrefix, 'family' | 'address'> | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return { family: 4, address: BigInt(ipv4) };
  const groups = parseIpv6(text);
  return groups && { family: 6, address: groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n) };
}
