/** The remote prefixes that the configuration names, by what they are behind. */
import type { IpsecConnectionConfiguration } from '../config/ipsec-schema.ts';
import type { L2tpClientConfiguration, L2tpServerConfiguration } from '../config/l2tp-schema.ts';
import type { Configuration } from '../config/schema.ts';
import { poolPrefixes } from '../config/tunnel-routes.ts';
import { contains, formatCidr, hostPrefix, parseIpv4, parseRange, rangeToCidrs } from '../protocol/ip-address.ts';
import { canonicalPrefix, ipContains, parseIpPrefix } from '../protocol/ip-prefix.ts';

/**
 * Every remote prefix of the configuration to which packets from everywhere are routed, of both families and canonical,
 * whether its tunnel stands or not.
 */
export function routedPrefixes({ l2tp, ipsec }: Configuration): string[] {
  return unique([
    ...Object.values(l2tp.clients).flatMap(clientPrefixes),
    ...Object.values(l2tp.servers).flatMap(serverPrefixes),
    ...Object.values(ipsec.connections).flatMap((connection) =>
      isBySource(connection) ? [] : connectionPrefixes(connection),
    ),
  ]);
}

export function clientPrefixes({ routes }: L2tpClientConfiguration): readonly string[] {
  return routes.map(canonicalPrefix);
}

/** The pools, the users' own addresses and prefixes, and what is behind them. */
export function serverPrefixes({ pool, ipv6, users }: L2tpServerConfiguration): readonly string[] {
  const range = parseRange(pool);
  const parts = range === undefined ? [] : rangeToCidrs(range.first, range.last);
  const ofUsers = Object.values(users).flatMap(({ address, routes }) => {
    const host = hostPrefix(parseIpv4(address ?? '') ?? 0);
    // An address of the pool is in one of the pool's prefixes already.
    const known = address === undefined || parts.some((part) => contains(part, host));
    return known ? routes : [formatCidr(host), ...routes];
  });
  const ipv6Pool = ipv6 === undefined ? [] : [ipv6.pool];
  const ipv6OfUsers = Object.values(users).flatMap(({ ipv6Prefix }) =>
    ipv6Prefix === undefined || ipv6Pool.some((outer) => holds(outer, ipv6Prefix)) ? [] : [ipv6Prefix],
  );
  return unique([...parts.map(formatCidr), ...[...ofUsers, ...ipv6Pool, ...ipv6OfUsers].map(canonicalPrefix)]);
}

/** What is behind the peers of an IPsec connection in tunnel mode; in transport mode L2TP says what is behind it. */
export function connectionPrefixes({ mode, remoteSubnets, pool }: IpsecConnectionConfiguration): readonly string[] {
  return mode === 'tunnel' ? [...remoteSubnets, ...poolPrefixes(pool)] : [];
}

/** Packets go into the tunnel by their source as well, and not by their destination alone. */
export function isBySource({ mode, routing }: IpsecConnectionConfiguration): boolean {
  return mode === 'tunnel' && routing === 'policy';
}

function holds(outer: string, inner: string): boolean {
  const [a, b] = [parseIpPrefix(outer), parseIpPrefix(inner)];
  return a !== undefined && b !== undefined && ipContains(a, b);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
