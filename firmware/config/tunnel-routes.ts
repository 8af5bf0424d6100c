/** Every network of the configuration that is behind a tunnel, with whose it is: what several rules ask. */
import { type Ipv4Prefix, parseCidr } from '../protocol/ip-address.ts';
import { itemPath, memberPath } from './json-path.ts';
import type { Configuration } from './schema.ts';

export interface TunnelRoute {
  /** `client "hq"`, `user "bob" of server "office"`, `IPsec connection "plant"`. */
  readonly owner: string;
  readonly path: string;
  readonly prefix: Ipv4Prefix;
}

export function tunnelRoutes(configuration: Configuration): TunnelRoute[] {
  const ofClients = Object.entries(configuration.l2tp.clients).flatMap(([name, { routes }]) =>
    routesOf(`client "${name}"`, `${memberPath('l2tp.clients', name)}.routes`, routes),
  );
  const ofUsers = Object.entries(configuration.l2tp.servers).flatMap(([server, { users }]) =>
    Object.entries(users).flatMap(([user, { routes }]) => {
      const base = memberPath(`${memberPath('l2tp.servers', server)}.users`, user);
      return routesOf(`user "${user}" of server "${server}"`, `${base}.routes`, routes);
    }),
  );
  const ofConnections = Object.entries(configuration.ipsec.connections).flatMap(([name, { mode, remoteSubnets }]) => {
    const path = `${memberPath('ipsec.connections', name)}.remoteSubnets`;
    return mode === 'tunnel' ? routesOf(`IPsec connection "${name}"`, path, remoteSubnets) : [];
  });
  return [...ofClients, ...ofUsers, ...ofConnections];
}

function routesOf(owner: string, path: string, routes: readonly string[]): TunnelRoute[] {
  return routes.flatMap((text, index) => {
    const prefix = parseCidr(text);
    return prefix === undefined ? [] : [{ owner, path: itemPath(path, index), prefix }];
  });
}
