/**
 * What a PPP peer may assign. A peer, wrong or hostile, that hands out an address or a DNS server of the branch's own
 * network would draw the branch's traffic into its tunnel; such an assignment is refused and the session ended in
 * words.
 */
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import { interfaceNetworks } from '../config/interface-networks.ts';
import type { Configuration } from '../config/schema.ts';
import {
  contains,
  formatCidr,
  hostPrefix,
  networkOf,
  parseCidr,
  parseIpv4,
  parseRange,
  rangeToCidrs,
} from '../protocol/ip-address.ts';
import { canonicalPrefix, ipContains, ipHostPrefix, parseIpPrefix } from '../protocol/ip-prefix.ts';
import type { Failure } from '../protocol/machine.ts';
import type { LiveTunnel } from './desired.ts';

/** What came from the peer. */
export interface PeerAssignment {
  /** For us, plain IPv4. */
  readonly address: string;
  /** The peer's own; many peers name none (`0.0.0.0`) or an address of no meaning, which is harmless. */
  readonly peerAddress?: string;
  readonly dns: readonly string[];
  /** Destinations that the peer says are behind it, CIDR. */
  readonly routes?: readonly string[];
}

/** A network that the peer has no say in. */
export interface LocalNetwork {
  /** For people: `the network of interface "lan"`. */
  readonly what: string;
  readonly zone: 'wan' | 'lan' | 'management' | 'tunnel';
  /** CIDR, host bits clear. */
  readonly prefix: string;
}

/** Never the address of another machine, or of one of ours inside a tunnel. */
const SPECIAL_PREFIXES: readonly (readonly [string, string])[] = [
  ['0.0.0.0/8', 'which means no address (RFC 1122 section 3.2.1.3)'],
  ['127.0.0.0/8', 'which is loopback (RFC 1122 section 3.2.1.3)'],
  ['224.0.0.0/4', 'which is multicast (RFC 1112 section 4)'],
  ['240.0.0.0/4', 'which is reserved or broadcast (RFC 1112 section 4)'],
];

/** Where a peer's DNS server or own address may lie although our own inner address may not: outside is outside. */
const OUTSIDE_ZONE = 'wan';

/** @returns why the assignment is refused; `undefined` when it is not. */
export function checkAssignment(assignment: PeerAssignment, networks: readonly LocalNetwork[]): Failure | undefined {
  const inner = networks.filter(({ zone }) => zone !== OUTSIDE_ZONE);
  const own = checkAddress('the address that the peer gave', assignment.address, networks);
  if (own !== undefined) return own;
  for (const server of assignment.dns) {
    const refusal = checkAddress('the DNS server that the peer gave', server, inner);
    if (refusal !== undefined) return refusal;
  }
  const peer = parseIpv4(assignment.peerAddress ?? '');
  if (peer !== undefined && peer !== 0) {
    const refusal = checkAddress('its own address that the peer gave', assignment.peerAddress ?? '', inner);
    if (refusal !== undefined) return refusal;
  }
  for (const route of assignment.routes ?? []) {
    const refusal = checkRoute('the route that the peer gave', route, inner);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** What a DHCP server on the outside gives. */
export interface OfferedLease {
  /** With the length of the network, all of which would be on the outside. */
  readonly address: string;
  readonly gateway?: string;
  readonly dns: readonly string[];
  readonly routes: readonly { readonly prefix: string }[];
}

/**
 * @param networks all but those of the interface that the lease is for.
 * @returns why it is refused; `undefined` when it is not.
 */
export function checkLease(
  { address, gateway, dns, routes }: OfferedLease,
  networks: readonly LocalNetwork[],
): Failure | undefined {
  const inner = networks.filter(({ zone }) => zone !== OUTSIDE_ZONE);
  const own = parseIpPrefix(address);
  const plain = address.split('/')[0] ?? '';
  // Two providers may give addresses of one network; in one of ours, what belongs here would be looked for out there.
  const across = inner.find(({ prefix }) => {
    const ours = parseIpPrefix(prefix);
    return own !== undefined && ours !== undefined && (ipContains(ours, own) || ipContains(own, ours));
  });
  const overlap =
    across &&
    refuse(
      `the network of the address that the server gave, ${address}, overlaps ${across.what} (${across.prefix})`,
      RENUMBER,
    );
  const refusal =
    overlap ??
    checkAddress('the address that the server gave', plain, inner) ??
    (gateway === undefined ? undefined : checkAddress('the router that the server gave', gateway, inner)) ??
    dns.map((server) => checkAddress('the DNS server that the server gave', server, inner)).find(Boolean) ??
    routes.map(({ prefix }) => checkRoute('the route that the server gave', prefix, inner)).find(Boolean);
  return refusal && { ...refusal, step: 'DHCP' };
}

/** What a RADIUS server grants a user of ours. @returns why it cannot be given; `undefined` when it can. */
export function checkGrant(
  granted: { readonly address: string } | { readonly route: string },
  networks: readonly LocalNetwork[],
): Failure | undefined {
  const refusal =
    'address' in granted
      ? checkAddress('the Framed-IP-Address', granted.address, networks)
      : checkRoute('the Framed-Route', granted.route, networks);
  return refusal && { ...refusal, remedy: 'correct what the RADIUS server grants this user' };
}

/**
 * What {@link checkAssignment} has to be held against: the interfaces' networks, the servers' pools and local
 * addresses, and the inner addresses of all standing tunnels but that of `device`, which is being set up.
 */
export function localNetworks(
  configuration: Configuration,
  tunnels: readonly LiveTunnel[],
  device: string,
): LocalNetwork[] {
  const ofInterfaces = interfaceNetworks(configuration).map(
    ({ name, zone, prefix }): LocalNetwork => ({
      what: `the network of interface "${name}"`,
      zone,
      prefix: formatCidr(networkOf(prefix)),
    }),
  );
  const ofInterfaces6 = Object.entries(configuration.interfaces).flatMap(([name, { zone, ipv6 }]): LocalNetwork[] =>
    ipv6 === undefined
      ? []
      : [{ what: `the IPv6 network of interface "${name}"`, zone, prefix: canonicalPrefix(ipv6.address) }],
  );
  const serverDevices = tunnelInterfaceNames(configuration).servers;
  const ofServers = Object.entries(configuration.l2tp.servers).flatMap(([name, { pool, localAddress, ipv6 }]) => {
    if (serverDevices.get(name) === device) return [];
    const range = parseRange(pool);
    const parts = range === undefined ? [] : rangeToCidrs(range.first, range.last).map(formatCidr);
    const own6 = ipv6?.localAddress === undefined ? [] : [`${ipv6.localAddress}/128`];
    const parts6 = ipv6 === undefined ? [] : [canonicalPrefix(ipv6.pool), ...own6];
    return [...parts, `${localAddress}/32`, ...parts6].map(
      (prefix): LocalNetwork => ({ what: `the addresses of server "${name}"`, zone: 'tunnel', prefix }),
    );
  });
  const ofTunnels = tunnels
    .filter((tunnel) => tunnel.device !== device)
    .flatMap(({ device: other, localAddress, ipv6 }) => {
      const global = ipv6?.addresses.filter((address) => !address.startsWith('fe80:')) ?? [];
      return [`${localAddress}/32`, ...global].map(
        (prefix): LocalNetwork => ({ what: `our address on ${other}`, zone: 'tunnel', prefix }),
      );
    });
  return [...ofInterfaces, ...ofInterfaces6, ...ofServers, ...ofTunnels];
}

/**
 * The same for an IPv6 address that follows from what the peer advertises: one of ours, or a DNS server.
 * @returns why it is not used; `undefined` when it is.
 */
export function checkAdvertised(
  what: 'address' | 'dns',
  text: string,
  networks: readonly LocalNetwork[],
): Failure | undefined {
  const host = ipHostPrefix(text);
  const subject = what === 'address' ? 'the address' : 'the DNS server';
  const judged = what === 'address' ? networks : networks.filter(({ zone }) => zone !== OUTSIDE_ZONE);
  const network = judged.find(({ prefix }) => {
    const outer = parseIpPrefix(prefix);
    return outer !== undefined && host !== undefined && ipContains(outer, host);
  });
  if (network === undefined) return undefined;
  const reason = `${subject} that the peer advertises, ${text}, lies in ${network.what} (${network.prefix}): it is not used`;
  return { step: 'IPv6', reason, remedy: RENUMBER };
}

function checkAddress(what: string, text: string, networks: readonly LocalNetwork[]): Failure | undefined {
  const address = parseIpv4(text);
  if (address === undefined) return refuse(`${what} is no IPv4 address`, NOT_THEIRS);
  const host = hostPrefix(address);
  for (const [prefix, why] of SPECIAL_PREFIXES) {
    if (isInside(prefix, host)) return refuse(`${what} is ${text}, ${why}`, NOT_THEIRS);
  }
  const network = networks.find(({ prefix }) => isInside(prefix, host));
  if (network === undefined) return undefined;
  return refuse(`${what}, ${text}, lies in ${network.what} (${network.prefix})`, RENUMBER);
}

function checkRoute(what: string, text: string, networks: readonly LocalNetwork[]): Failure | undefined {
  const route = parseIpPrefix(text);
  if (route === undefined) return refuse(`${what} is no network`, NOT_THEIRS);
  // A wider route is no danger: the longest prefix, ours, wins.
  const network = networks.find(({ prefix }) => {
    const ours = parseIpPrefix(prefix);
    return ours !== undefined && ipContains(ours, route);
  });
  if (network === undefined) return undefined;
  return refuse(`${what}, ${text}, covers ${network.what} (${network.prefix})`, RENUMBER);
}

const NOT_THEIRS = 'correct the address pool and the DNS servers at the other end';
const RENUMBER = 'let the other end assign from another network, or give the network here another number';

function isInside(prefix: string, host: { readonly address: number; readonly length: number }): boolean {
  const outer = parseCidr(prefix);
  return outer !== undefined && contains(outer, host);
}

function refuse(reason: string, remedy: string): Failure {
  return { step: 'IPCP', reason, remedy };
}
