/** Rules about static routes, among each other and beside the tunnels. */
import { contains, formatCidr, hostPrefix, networkOf } from '../protocol/ip-address.ts';
import {
  formatIpPrefix,
  type IpPrefix,
  ipContains,
  ipHostPrefix,
  parseIpPrefix,
  sameIpNetwork,
} from '../protocol/ip-prefix.ts';
import { tunnelInterfaceNames } from './interface-names.ts';
import { type InterfaceNetwork, interfaceNetworks } from './interface-networks.ts';
import { itemPath, memberPath } from './json-path.ts';
import { PrefixIndex } from './prefix-index.ts';
import { type ConfigurationRule, type Finding, ipv4, repeated } from './rule.ts';
import type { Configuration } from './schema.ts';
import { nearest } from './spelling.ts';
import { ipTunnelRoutes, type TunnelRoute } from './tunnel-routes.ts';

export const ROUTE_RULES: readonly ConfigurationRule[] = [
  {
    name: 'route-next-hop',
    severity: 'error',
    description:
      'A static route has a gateway inside the network of an interface, or the device of an interface, or both.',
    check: routeNextHop,
  },
  {
    name: 'route-twice',
    severity: 'error',
    description:
      'Static routes and the gateway lead to each destination once for every metric, and to no network of an interface.',
    check: routeTwice,
  },
  {
    name: 'route-through-tunnel',
    severity: 'error',
    description:
      'A static route does not lead into a tunnel: what is behind one stands in its own routes or remote networks.',
    check: throughTunnel,
  },
  {
    name: 'route-of-tunnel',
    severity: 'error',
    description:
      'A network is behind a router or behind a tunnel: a static route to the same network would empty the tunnel.',
    check: ofTunnel,
  },
  {
    name: 'route-out-of-tunnel',
    severity: 'warning',
    description: 'A static route takes no part of a network out of a tunnel that is protected by IPsec.',
    check: outOfTunnel,
  },
];

function* routeNextHop(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks(configuration);
  const devices = Object.values(configuration.interfaces).map((entry) => entry.device);
  // What network such a device will be in, a server says.
  const leased = new Set(
    Object.values(configuration.interfaces).flatMap(({ device, ipv4 }) => (ipv4?.method === 'dhcp' ? [device] : [])),
  );
  for (const [index, { gateway, device }] of configuration.routes.entries()) {
    const path = itemPath('routes', index);
    if (gateway === undefined && device === undefined) {
      yield { path, found: 'neither a gateway nor a device', allowed: 'a gateway, a device, or both' };
      continue;
    }
    // A rule of its own tells where routes into a tunnel belong.
    if (device !== undefined && isTunnelDevice(device)) continue;
    if (device !== undefined && !devices.includes(device)) {
      yield { path: `${path}.device`, found: device, allowed: `the device of an interface: ${devices.join(', ')}` };
    } else if (
      gateway !== undefined &&
      !leased.has(device ?? '') &&
      networkBehind(networks, gateway, device) === undefined
    ) {
      const where = device === undefined ? 'an interface' : `the interface with the device ${device}`;
      yield { path: `${path}.gateway`, found: gateway, allowed: `an address inside the network of ${where}` };
    }
  }
}

function networkBehind(
  networks: readonly InterfaceNetwork[],
  gateway: string,
  device: string | undefined,
): InterfaceNetwork | undefined {
  const address = hostPrefix(ipv4(gateway));
  return networks.find(
    (network) =>
      (device === undefined || network.device === device) &&
      network.prefix.address !== address.address &&
      contains(network.prefix, address),
  );
}

function* routeTwice(configuration: Configuration): Iterable<Finding> {
  const defaults = Object.entries(configuration.interfaces).flatMap(([name, entry]) =>
    entry.ipv4?.gateway === undefined
      ? []
      : [{ prefix: '0.0.0.0/0', metric: 0, path: `${memberPath('interfaces', name)}.ipv4.gateway` }],
  );
  const routes = configuration.routes.map((route, index) => ({
    prefix: route.prefix,
    metric: route.metric ?? 0,
    path: itemPath('routes', index),
  }));
  for (const [route, earlier] of repeated(
    // Of several, one at a time is in the main table.
    [...defaults.slice(0, 1), ...routes],
    (entry) => `${entry.prefix} ${entry.metric}`,
  )) {
    const found = `${route.prefix} with metric ${route.metric}, which ${earlier.path} leads to already`;
    yield { path: `${route.path}.prefix`, found, allowed: 'each destination once for every metric' };
  }
  const networks = interfaceNetworks(configuration);
  for (const [index, route] of configuration.routes.entries()) {
    const own = networks.find((network) => formatCidr(networkOf(network.prefix)) === route.prefix);
    if (own === undefined) continue;
    const found = `${route.prefix}, the network of interface "${own.name}" itself`;
    yield { path: `${itemPath('routes', index)}.prefix`, found, allowed: 'a network that is not directly connected' };
  }
}

/** What the router makes for its tunnels is named like this (`interface-names.ts`). */
function isTunnelDevice(device: string): boolean {
  return /^(l2tp|ipsec)-/.test(device);
}

/** Where networks behind each tunnel stand, by its device. */
function tunnelPlaces(configuration: Configuration): ReadonlyMap<string, string> {
  const { clients, servers, connections } = tunnelInterfaceNames(configuration);
  return new Map([
    ...[...clients].map(([name, device]) => [device, `${memberPath('l2tp.clients', name)}.routes`] as const),
    ...[...servers].map(([name, device]) => [device, `${memberPath('l2tp.servers', name)}.users`] as const),
    ...[...connections].map(
      ([name, device]) => [device, `${memberPath('ipsec.connections', name)}.remoteSubnets`] as const,
    ),
  ]);
}

function* throughTunnel(configuration: Configuration): Iterable<Finding> {
  const wanted = [...configuration.routes.entries()].filter(([, { device }]) => isTunnelDevice(device ?? ''));
  if (wanted.length === 0) return;
  const places = tunnelPlaces(configuration);
  for (const [index, { device = '' }] of wanted) {
    const meant = places.has(device) ? device : nearest(device, [...places.keys()]);
    const place = meant === undefined ? undefined : places.get(meant);
    yield {
      path: `${itemPath('routes', index)}.device`,
      found: places.has(device) ? `${device}, which is a tunnel` : `${device}, and there is no such tunnel`,
      allowed:
        'the device of an interface; what is behind a tunnel stands in its routes, its users or its remoteSubnets',
      ...(place === undefined ? {} : { suggestion: place }),
    };
  }
}

/** Networks behind tunnels, to be found by what lies in them. */
function tunnelIndex(routes: readonly TunnelRoute<IpPrefix>[]): PrefixIndex<TunnelRoute<IpPrefix>> {
  return new PrefixIndex(routes.map((route) => [route.prefix, route] as const));
}

function* ofTunnel(configuration: Configuration): Iterable<Finding> {
  const tunnels = tunnelIndex(ipTunnelRoutes(configuration));
  for (const [index, { prefix: text }] of configuration.routes.entries()) {
    const prefix = parseIpPrefix(text);
    // The default route beside a default tunnel is the way of the tunnel itself.
    if (prefix === undefined || prefix.length === 0) continue;
    const [same] = tunnels.containing(prefix);
    if (same === undefined || !sameIpNetwork(same.prefix, prefix)) continue;
    yield {
      path: `${itemPath('routes', index)}.prefix`,
      found: `${text}, which is behind ${same.owner} as well`,
      allowed: 'a network that is not behind a tunnel: this route would carry its packets past the tunnel',
    };
  }
}

function* outOfTunnel(configuration: Configuration): Iterable<Finding> {
  const isProtected = protectedOwners(configuration);
  const tunnels = tunnelIndex(ipTunnelRoutes(configuration).filter(({ owner }) => isProtected.has(owner)));
  const peers = outerPeers(configuration);
  for (const [index, { prefix: text }] of configuration.routes.entries()) {
    const prefix = parseIpPrefix(text);
    if (prefix === undefined) continue;
    const [around] = tunnels.containing(prefix);
    // Whoever sends everything into the tunnel names the exceptions; and the way to a peer has to be one.
    if (around === undefined || around.prefix.length === 0 || sameIpNetwork(around.prefix, prefix)) continue;
    if (peers.some((peer) => ipContains(prefix, peer))) continue;
    yield {
      path: `${itemPath('routes', index)}.prefix`,
      found: `${text}, a part of ${formatIpPrefix(around.prefix)} behind ${around.owner}`,
      allowed: 'a network outside of it, unless packets to this part are to go in clear',
    };
  }
}

/** Owners of tunnel routes whose packets go through ESP. */
function protectedOwners({ l2tp, ipsec }: Configuration): ReadonlySet<string> {
  return new Set([
    ...Object.entries(l2tp.clients).flatMap(([name, client]) =>
      client.ipsec === undefined ? [] : [`client "${name}"`],
    ),
    ...Object.keys(ipsec.connections).map((name) => `IPsec connection "${name}"`),
  ]);
}

/** Addresses of servers and peers, as far as they are written as addresses. */
function outerPeers({ l2tp, ipsec }: Configuration): IpPrefix[] {
  const texts = [
    ...Object.values(l2tp.clients).map(({ server }) => server),
    ...Object.values(ipsec.connections).map(({ remote }) => remote),
  ];
  return texts.flatMap((text) => ipHostPrefix(text) ?? []);
}
