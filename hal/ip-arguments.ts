/** Arguments of `ip`, each checked, so that none is ever taken for another word of its command line. */
import { HalError } from './hal-error.ts';
import { parseAddressWithLength, parseIpAddress } from './ip-address.ts';
import type { NextHop, Route, Rule } from './links.ts';
import { assertInterfaceName } from './names.ts';
import { parseMac } from './packet-socket.ts';

/** Largest table number, metric, mark and priority. */
export const MAX_U32 = 0xffff_ffff;

/** Largest number of a VLAN; 4095 is reserved (IEEE 802.1Q clause 9.6). */
export const MAX_VLAN = 4094;

/** Largest weight of a next hop: rtnh_hops is an octet, and 0 means 1. */
const MAX_WEIGHT = 256;

/** Largest rtm_protocol. */
const MAX_U8 = 0xff;

const SCOPES: readonly string[] = ['global', 'site', 'link', 'host', 'nowhere'];

/** @returns the address, as it was. @throws HalError when it is none. */
export function plainAddress(text: string): string {
  if (parseIpAddress(text)) return text;
  throw invalid(text, 'an IP address');
}

/** @returns the MAC address, as it was. @throws HalError when it is none that a device can have. */
export function macAddress(text: string): string {
  const octets = parseMac(text);
  // A group's address is nobody's own.
  if (octets !== undefined && ((octets[0] ?? 0) & 1) === 0 && octets.some((octet) => octet !== 0)) return text;
  throw invalid(text, 'the MAC address of a device');
}

/** `address/length`. @returns it as it was. @throws HalError when it is none. */
export function addressWithLength(text: string): string {
  if (parseAddressWithLength(text)) return text;
  throw invalid(text, 'an IP address with its prefix length');
}

/** 4 or 6, of an address or a prefix. */
export function familyOf(text: string): 4 | 6 {
  return text.includes(':') ? 6 : 4;
}

/** What follows `ip route replace` or `del`; the family is that of the prefix. */
export function routeArguments(route: Route): string[] {
  const args: string[] = route.type === 'unicast' ? [] : [route.type];
  args.push(addressWithLength(route.prefix));
  const hops = nextHopArguments(route);
  if (route.gateway !== undefined) {
    plainAddress(route.gateway);
    if (familyOf(route.gateway) === familyOf(route.prefix)) args.push('via', route.gateway);
    else args.push('via', familyOf(route.gateway) === 6 ? 'inet6' : 'inet', route.gateway);
  }
  if (route.device !== undefined) {
    assertInterfaceName(route.device);
    args.push('dev', route.device);
  }
  if (route.source !== undefined) args.push('src', plainAddress(route.source));
  if (route.metric !== undefined) args.push('metric', decimal(route.metric, MAX_U32, 'a metric'));
  if (route.scope !== undefined) {
    if (!SCOPES.includes(route.scope)) throw invalid(route.scope, 'a scope');
    args.push('scope', route.scope);
  }
  return [
    ...args,
    'table',
    decimal(route.table, MAX_U32, 'a table'),
    'proto',
    decimal(route.protocol, MAX_U8, 'a protocol'),
    ...hops,
  ];
}

/** They come last: what follows `nexthop` is of that one. */
function nextHopArguments({ nexthops, type, prefix, device, gateway }: Route): string[] {
  if (nexthops === undefined) return [];
  const alone = type === 'unicast' && familyOf(prefix) === 4 && device === undefined && gateway === undefined;
  if (!alone || nexthops.length < 2) throw invalid(prefix, 'the prefix of a route with several next hops');
  return nexthops.flatMap((hop: NextHop) => {
    assertInterfaceName(hop.device);
    if (hop.weight < 1) throw invalid(String(hop.weight), `a weight (1 to ${MAX_WEIGHT})`);
    const via = hop.gateway === undefined ? [] : ['via', plainAddress(hop.gateway)];
    return ['nexthop', ...via, 'dev', hop.device, 'weight', decimal(hop.weight, MAX_WEIGHT, 'a weight')];
  });
}

/** What follows `ip -F rule add` or `del`. */
export function ruleArguments(rule: Rule): string[] {
  if (rule.source !== undefined && rule.notMark !== undefined) throw invalid('not', 'for the mark alone');
  const source = rule.source === undefined ? [] : ['from', addressWithLength(rule.source)];
  const not = rule.notMark === undefined ? [] : ['not', 'fwmark', markOf(rule.notMark)];
  const mark = rule.mark === undefined ? [] : ['fwmark', markOf(rule.mark)];
  const owner = rule.protocol === undefined ? [] : ['protocol', decimal(rule.protocol, MAX_U8, 'a protocol')];
  const action =
    rule.goto === undefined
      ? ['lookup', decimal(rule.table ?? Number.NaN, MAX_U32, 'a table')]
      : ['goto', decimal(rule.goto, MAX_U32, 'a priority')];
  const priority = decimal(rule.priority, MAX_U32, 'a priority');
  return [...source, ...not, ...mark, ...action, 'priority', priority, ...owner];
}

/** Marks are bits: written as everybody writes them, in hexadecimal. */
function markOf(mark: number): string {
  decimal(mark, MAX_U32, 'a mark');
  return `0x${mark.toString(16)}`;
}

/** A number 0..`largest` in decimal. */
export function decimal(value: number, largest: number, what: string): string {
  if (Number.isInteger(value) && value >= 0 && value <= largest) return String(value);
  throw invalid(String(value), `${what} (0 to ${largest})`);
}

function invalid(text: string, what: string): HalError {
  return new HalError(`${JSON.stringify(text)} is not ${what}: correct it.`, 'EINVAL');
}
