/** Routes and rules; `marks.ts` explains the plan. */
import type { Route, Rule } from '../../hal/links.ts';
import { interfaceNetworks } from '../config/interface-networks.ts';
import type { PrefixIndex } from '../config/prefix-index.ts';
import type { Configuration } from '../config/schema.ts';
import { contains, formatCidr, hostPrefix, networkOf, parseIpv4 } from '../protocol/ip-address.ts';
import { canonicalPrefix, ipContains, isIpv6Text, parseIpPrefix } from '../protocol/ip-prefix.ts';
import { routedPrefixes } from './configured-prefixes.ts';
import type { LiveState, LiveTunnel } from './desired.ts';
import { guardedTable } from './guarded-table.ts';
import { belongsElsewhere, guardIndex, type SourceGuard, sourceGuards } from './guards.ts';
import { MAIN_TABLE, OUTER_MARK, ROUTE_PROTOCOL, RULE_PRIORITY, TUNNEL_TABLE } from './marks.ts';
import { sourceDevices, sourceRouting } from './source-routing.ts';
import { defaultRoutes, type LiveUplink, learnedRoutes, uplinkRouting } from './uplink-routing.ts';

/**
 * What never belongs into a tunnel even when 0.0.0.0/0 or ::/0 does: multicast, the limited broadcast and link-local
 * addresses stay on their link.
 */
const LINK_SCOPED_PREFIXES = ['224.0.0.0/4', '255.255.255.255/32', 'fe80::/10', 'ff00::/8'] as const;

/** rtm_protocol of routes that the kernel made by itself, and by a Router Advertisement. */
const KERNEL_PROTOCOLS: ReadonlySet<number> = new Set([2, 9]);

export interface DesiredRouting {
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly guards: readonly SourceGuard[];
}

/** What every table is built on. */
export interface Foundations {
  /** Networks of which this machine is a part by a device of its own, tunnels aside. */
  readonly connected: readonly string[];
  /** What is nearer than any tunnel. */
  readonly exempt: readonly string[];
  readonly guards: readonly SourceGuard[];
}

/** The first half of {@link desiredRouting}: with hundreds of users each half takes milliseconds. */
export function routingFoundations(
  configuration: Configuration,
  tunnels: readonly LiveTunnel[],
  mainRoutes: readonly Route[],
): Foundations {
  const connected = connectedNetworks(configuration, tunnels, mainRoutes);
  const exempt = [...connected, ...staticDestinations(configuration), ...LINK_SCOPED_PREFIXES];
  return { connected, exempt, guards: sourceGuards(configuration, exempt) };
}

export function desiredRouting(
  configuration: Configuration,
  { tunnels, uplinks = [] }: Pick<LiveState, 'tunnels' | 'uplinks'>,
  { connected, exempt, guards }: Foundations,
): DesiredRouting {
  const guarding = guardIndex(guards);
  const bySource = sourceDevices(configuration);
  const throughTunnels = tunnels
    .filter(({ device }) => !bySource.has(device))
    .flatMap((tunnel) =>
      tunnelRoutes(tunnel, connected, guarding).map((prefix) => ({
        prefix,
        device: tunnel.device,
        ...(tunnel.source === undefined || isIpv6Text(prefix) ? {} : { source: tunnel.source }),
      })),
    );
  const tunnelTable = guardedTable(TUNNEL_TABLE, routedPrefixes(configuration), throughTunnels, exempt);
  const sources = sourceRouting(configuration, tunnels, exempt);
  const byUplink = uplinkRouting(uplinks, exempt);
  const asked = sources.rules.length > 0 || tunnelTable.prefixes.some((prefix) => !isIpv6Text(prefix));
  return {
    routes: [
      ...tunnelTable.routes,
      ...sources.tables.flatMap(({ routes }) => routes),
      ...byUplink.routes,
      ...mainTableRoutes(configuration, uplinks),
    ],
    rules: [
      ...(asked ? [TUNNEL_RULE] : []),
      ...(tunnelTable.prefixes.some(isIpv6Text) ? [TUNNEL_RULE_6] : []),
      ...sources.rules,
      ...byUplink.rules,
    ],
    guards,
  };
}

/** Everything without the outer mark asks the tunnel table first. */
export const TUNNEL_RULE: Rule = {
  priority: RULE_PRIORITY,
  family: 4,
  notMark: OUTER_MARK,
  table: TUNNEL_TABLE,
  protocol: ROUTE_PROTOCOL,
};

export const TUNNEL_RULE_6: Rule = { ...TUNNEL_RULE, family: 6 };

function connectedNetworks(
  configuration: Configuration,
  tunnels: readonly LiveTunnel[],
  mainRoutes: readonly Route[],
): string[] {
  const tunnelDevices = new Set(tunnels.map(({ device }) => device));
  const live = mainRoutes.filter(
    (route) =>
      route.type === 'unicast' &&
      route.gateway === undefined &&
      isOnLink(route) &&
      route.device !== undefined &&
      !tunnelDevices.has(route.device) &&
      parseIpPrefix(route.prefix)?.length !== 0 &&
      // One prefix covers those of all links.
      !holds('fe80::/10', route.prefix),
  );
  const configured = interfaceNetworks(configuration).map(({ prefix }) => formatCidr(networkOf(prefix)));
  const configured6 = Object.values(configuration.interfaces).flatMap(({ ipv6 }) => ipv6?.address ?? []);
  return unique([...live.map(({ prefix }) => prefix), ...configured, ...configured6.map(canonicalPrefix)]);
}

/** Routes of IPv6 have no scope to tell by. */
function isOnLink({ prefix, scope, protocol }: Route): boolean {
  return isIpv6Text(prefix) ? KERNEL_PROTOCOLS.has(protocol) : scope === 'link';
}

/**
 * Destinations of static routes: the administrator named them, so they win over a wider tunnel. Not the default route.
 */
function staticDestinations(configuration: Configuration): string[] {
  return configuration.routes.map(({ prefix }) => prefix).filter((prefix) => prefix !== '0.0.0.0/0');
}

/**
 * What leads into a standing tunnel: its prefixes, and its peer where that is not a neighbour on a connected network. Nor
 * may a peer draw packets to itself that belong behind a protected tunnel, by calling itself what one calls them there.
 */
function tunnelRoutes(tunnel: LiveTunnel, connected: readonly string[], guards: PrefixIndex<SourceGuard>): string[] {
  const prefixes = tunnel.prefixes
    .map(canonicalPrefix)
    .filter((prefix) => tunnel.ipv6 !== undefined || !isIpv6Text(prefix));
  const peer = parseIpv4(tunnel.peerAddress ?? '');
  if (peer === undefined || peer === 0 || tunnel.peerAddress === tunnel.localAddress) return unique(prefixes);
  const host = formatCidr(hostPrefix(peer));
  const elsewhere = connected.some((network) => holds(network, host)) || belongsElsewhere(guards, host, tunnel.device);
  return elsewhere ? unique(prefixes) : unique([...prefixes, host]);
}

function mainTableRoutes(configuration: Configuration, uplinks: readonly LiveUplink[]): Route[] {
  const networks = interfaceNetworks(configuration);
  const fixed = configuration.routes.map(({ prefix, gateway, device, metric }): Route => {
    const hop = hostPrefix(parseIpv4(gateway ?? '') ?? 0);
    const through = device ?? networks.find((network) => contains(network.prefix, hop))?.device;
    return {
      ...MAIN_ROUTE,
      prefix,
      ...(through === undefined ? {} : { device: through }),
      ...(gateway === undefined ? {} : { gateway }),
      ...(metric === undefined || metric === 0 ? {} : { metric }),
    };
  });
  // What the administrator says wins, and of two uplinks the first.
  const taken = new Set(
    [...fixed, ...networks.map(({ prefix }) => ({ prefix: formatCidr(networkOf(prefix)) }))].map(
      ({ prefix }) => prefix,
    ),
  );
  const learned = learnedRoutes(uplinks).filter(({ prefix }) => !taken.has(prefix) && taken.add(prefix));
  // Before the default routes, whose routers may be reached by them.
  return [...learned, ...defaultRoutes(configuration, uplinks), ...fixed];
}

const MAIN_ROUTE = { type: 'unicast', table: MAIN_TABLE, protocol: ROUTE_PROTOCOL } as const;

function holds(outer: string, inner: string): boolean {
  const [a, b] = [parseIpPrefix(outer), parseIpPrefix(inner)];
  return a !== undefined && b !== undefined && ipContains(a, b);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
