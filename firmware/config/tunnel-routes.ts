/** Every network of the configuration that is behind a tunnel, with whose it is: what several rules ask. */
import { formatCidr, type Ipv4Prefix, parseRange, rangeToCidrs } from '../protocol/ip-address.ts';
import { type IpPrefix, parseIpPrefix } from '../protocol/ip-prefix.ts';
import { itemPath, memberPath } from './json-path.ts';
import type { Configuration } from './schema.ts';

export interface TunnelRoute<Prefix> {
  /** `client "hq"`, `user "bob" of server "office"`, `IPsec connection "plant"`. */
  readonly owner: string;
  readonly path: string;
  readonly prefix: Prefix;
}

/** Those of IPv4. */
export function tunnelRoutes(configuration: Configuration): readonly TunnelRoute<Ipv4Prefix>[] {
  return ipTunnelRoutes(configuration).flatMap(({ owner, path, prefix: { family, address, length } }) =>
    family === 4 ? [{ owner, path, prefix: { address: Number(address), length } }] : [],
  );
}

/** Worked out once for all rules: a configuration that fits the schema is not changed any more. */
const known = new WeakMap<Configuration, readonly TunnelRoute<IpPrefix>[]>();

/** Those of both families. */
export function ipTunnelRoutes(configuration: Configuration): readonly TunnelRoute<IpPrefix>[] {
  const routes = known.get(configuration) ?? findRoutes(configuration);
  known.set(configuration, routes);
  return routes;
}

function findRoutes(configuration: Configuration): TunnelRoute<IpPrefix>[] {
  const ofClients = Object.entries(configuration.l2tp.clients).flatMap(([name, { routes }]) =>
    routesOf(`client "${name}"`, `${memberPath('l2tp.clients', name)}.routes`, routes),
  );
  const ofUsers = Object.entries(configuration.l2tp.servers).flatMap(([server, { users }]) =>
    Object.entries(users).flatMap(([user, { routes, ipv6Prefix }]) => {
      const base = memberPath(`${memberPath('l2tp.servers', server)}.users`, user);
      const owner = `user "${user}" of server "${server}"`;
      const own = parseIpPrefix(ipv6Prefix ?? '');
      const fixed = own === undefined ? [] : [{ owner, path: `${base}.ipv6Prefix`, prefix: own }];
      return [...fixed, ...routesOf(owner, `${base}.routes`, routes)];
    }),
  );
  const ofConnections = Object.entries(configuration.ipsec.connections).flatMap(
    ([name, { mode, remoteSubnets, pool }]) => {
      const path = `${memberPath('ipsec.connections', name)}.remoteSubnets`;
      if (mode !== 'tunnel') return [];
      const owner = `IPsec connection "${name}"`;
      const poolPath = `${memberPath('ipsec.connections', name)}.pool`;
      const ofPool = poolPrefixes(pool).flatMap((text) => parseIpPrefix(text) ?? []);
      return [...routesOf(owner, path, remoteSubnets), ...ofPool.map((prefix) => ({ owner, path: poolPath, prefix }))];
    },
  );
  return [...ofClients, ...ofUsers, ...ofConnections];
}

/** A range of addresses as prefixes, CIDR; none without a range. */
export function poolPrefixes(pool: string | undefined): readonly string[] {
  const range = parseRange(pool ?? '');
  return range === undefined ? [] : rangeToCidrs(range.first, range.last).map(formatCidr);
}

function routesOf(owner: string, path: string, routes: readonly string[]): TunnelRoute<IpPrefix>[] {
  return routes.flatMap((text, index) => {
    const prefix = parseIpPrefix(text);
    return prefix === undefined ? [] : [{ owner, path: itemPath(path, index), prefix }];
  });
}
