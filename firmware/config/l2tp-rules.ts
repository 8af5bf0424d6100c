/** Rules about L2TP clients and servers, and about what they share with the interfaces. */
import {
  contains,
  formatCidr,
  hostPrefix,
  type Ipv4Prefix,
  lastAddress,
  networkOf,
  parseIpv4,
  parseRange,
  sameNetwork,
} from '../protocol/ip-address.ts';
import { formatIpPrefix, ipHostPrefix } from '../protocol/ip-prefix.ts';
import { type InterfaceNetwork, interfaceNetworks } from './interface-networks.ts';
import { memberPath } from './json-path.ts';
import { PrefixIndex } from './prefix-index.ts';
import { type ConfigurationRule, type Finding, ipv4, isHostAddress, repeated } from './rule.ts';
import type { Configuration } from './schema.ts';
import { ipTunnelRoutes, tunnelRoutes } from './tunnel-routes.ts';

/** Addresses in one pool: a /16, more than any branch router serves. */
const MAX_POOL = 65536;

export const L2TP_RULES: readonly ConfigurationRule[] = [
  {
    name: 'pool-order',
    severity: 'error',
    description: 'An address pool begins with the lower address, and holds addresses of hosts.',
    check: poolOrder,
  },
  {
    name: 'pool-size',
    severity: 'error',
    description: 'An address pool has at most 65536 addresses.',
    check: poolSize,
  },
  {
    name: 'pool-overlap',
    severity: 'error',
    description: 'An address pool shares no address with the network of an interface or with another pool.',
    check: poolOverlap,
  },
  {
    name: 'pool-behind-tunnel',
    severity: 'error',
    description:
      'No network behind a client or an IPsec connection has addresses of a pool in it, unless it is wider than the pool.',
    check: poolBehindTunnel,
  },
  {
    name: 'local-address',
    severity: 'error',
    description:
      "A server's address inside the tunnels is that of a host, outside all pools and the networks of the interfaces.",
    check: localAddress,
  },
  {
    name: 'user-address',
    severity: 'error',
    description:
      "A user's own address is that of a host, outside the networks of the interfaces and the pools of other servers.",
    check: userAddress,
  },
  {
    name: 'user-address-twice',
    severity: 'error',
    description: 'No two users have the same address.',
    check: userAddressTwice,
  },
  {
    name: 'user-address-behind-user',
    severity: 'error',
    description: "A user's own address is not in a network behind another user.",
    check: userAddressBehindUser,
  },
  {
    name: 'tunnel-route-twice',
    severity: 'error',
    description: 'Each network is behind one tunnel: one client, one user or one IPsec connection.',
    check: tunnelRouteTwice,
  },
  {
    name: 'tunnel-route-connected',
    severity: 'error',
    description:
      'A network behind a tunnel is not that of an interface; where both ends use the same, one has to renumber.',
    check: tunnelRouteConnected,
  },
  {
    name: 'listen-twice',
    severity: 'error',
    description: 'No two servers listen on the same address and port.',
    check: listenTwice,
  },
  {
    name: 'listen-elsewhere',
    severity: 'warning',
    description: 'A server listens on an address that an interface has, or on all of them.',
    check: listenElsewhere,
  },
  {
    name: 'on-demand-routes',
    severity: 'error',
    description: 'A client that dials on demand has an IPv4 network whose packets it dials for.',
    check: onDemandRoutes,
  },
  {
    name: 'on-demand-masquerade',
    severity: 'error',
    description:
      'A client that dials on demand does not masquerade: packets are held before there is an address to appear under.',
    check: onDemandMasquerade,
  },
  {
    name: 'proxy-of-strangers',
    severity: 'warning',
    description: 'A server that believes what a LAC says of its callers shares a secret or IPsec with that LAC.',
    check: proxyOfStrangers,
  },
];

interface Pool {
  readonly server: string;
  readonly path: string;
  readonly text: string;
  readonly first: number;
  readonly last: number;
}

interface UserAddress {
  readonly server: string;
  readonly user: string;
  readonly path: string;
  readonly text: string;
  readonly address: Ipv4Prefix;
}

/** `10.20.0.0/24 of interface "wan"`. */
function describe({ name, prefix }: InterfaceNetwork): string {
  return `${formatCidr(networkOf(prefix))} of interface "${name}"`;
}

function pools(configuration: Configuration): Pool[] {
  return Object.entries(configuration.l2tp.servers).flatMap(([server, { pool }]) => {
    const range = parseRange(pool);
    const path = `${memberPath('l2tp.servers', server)}.pool`;
    return range === undefined ? [] : [{ server, path, text: pool, ...range }];
  });
}

/** Whether the pool has an address of the network. */
function reaches({ first, last }: Pool, prefix: Ipv4Prefix): boolean {
  return networkOf(prefix).address <= last && first <= lastAddress(prefix);
}

function userAddresses(configuration: Configuration): UserAddress[] {
  return Object.entries(configuration.l2tp.servers).flatMap(([server, { users }]) =>
    Object.entries(users).flatMap(([user, { address }]) => {
      if (address === undefined) return [];
      const path = `${memberPath(`${memberPath('l2tp.servers', server)}.users`, user)}.address`;
      return [{ server, user, path, text: address, address: hostPrefix(ipv4(address)) }];
    }),
  );
}

function* poolOrder(configuration: Configuration): Iterable<Finding> {
  for (const { path, text, first, last } of pools(configuration)) {
    if (first > last) yield { path, found: text, allowed: 'the lower address first' };
    else if (!isHostAddress(first) || !isHostAddress(last)) {
      yield { path, found: text, allowed: 'addresses of hosts: not loopback, multicast or reserved' };
    }
  }
}

function* poolSize(configuration: Configuration): Iterable<Finding> {
  for (const { path, text, first, last } of pools(configuration)) {
    const size = last - first + 1;
    if (size > MAX_POOL) yield { path, found: `${text}, ${size} addresses`, allowed: `at most ${MAX_POOL} addresses` };
  }
}

function* poolOverlap(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks(configuration);
  const all = pools(configuration).filter(({ first, last }) => first <= last);
  for (const [index, pool] of all.entries()) {
    const network = networks.find(({ prefix }) => reaches(pool, prefix));
    if (network !== undefined) {
      const found = `${pool.text}, which overlaps ${describe(network)}`;
      yield { path: pool.path, found, allowed: 'addresses outside the networks of the interfaces' };
    }
    const other = all.slice(0, index).find((earlier) => earlier.first <= pool.last && pool.first <= earlier.last);
    if (other !== undefined) {
      const found = `${pool.text}, which overlaps ${other.text} of server "${other.server}"`;
      yield { path: pool.path, found, allowed: 'a pool of its own for every server' };
    }
  }
}

/**
 * A network behind a client or an IPsec connection that has addresses of a pool: whoever gets one could not be told from a
 * host there. Wider networks than the pool's own are none of that: head office routes 10.0.0.0/8, and the pool is a part
 * of it that is here.
 */
function* poolBehindTunnel(configuration: Configuration): Iterable<Finding> {
  const all = pools(configuration).filter(({ first, last }) => first <= last);
  for (const { owner, path, prefix } of tunnelRoutes(configuration)) {
    if (owner.startsWith('user')) continue;
    const pool = all.find((entry) => prefix.length >= Math.clz32(entry.first ^ entry.last) && reaches(entry, prefix));
    if (pool === undefined) continue;
    const found = `${formatCidr(prefix)}, which overlaps the pool ${pool.text} of server "${pool.server}"`;
    yield { path, found, allowed: 'a network without addresses of a pool, or another pool for the server' };
  }
}

function* localAddress(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks(configuration);
  for (const [name, server] of Object.entries(configuration.l2tp.servers)) {
    const path = `${memberPath('l2tp.servers', name)}.localAddress`;
    const address = ipv4(server.localAddress);
    const network = networks.find(({ prefix }) => contains(prefix, hostPrefix(address)));
    const pool = pools(configuration).find(({ first, last }) => first <= address && address <= last);
    if (!isHostAddress(address)) {
      yield { path, found: server.localAddress, allowed: 'the address of a host: not loopback, multicast or reserved' };
    }
    if (network !== undefined) {
      const found = `${server.localAddress}, which is inside ${describe(network)}`;
      yield { path, found, allowed: 'an address outside the networks of the interfaces' };
    }
    if (pool !== undefined) {
      const found = `${server.localAddress}, which is inside the pool ${pool.text}`;
      yield { path, found, allowed: 'an address outside the pools, which are for the users' };
    }
  }
}

function* userAddress(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks(configuration);
  const locals = new Set(Object.values(configuration.l2tp.servers).map((server) => server.localAddress));
  const all = pools(configuration);
  for (const { path, text, address, server } of userAddresses(configuration)) {
    const network = networks.find(({ prefix }) => contains(prefix, address));
    const foreign = all.find(
      (pool) => pool.server !== server && pool.first <= address.address && address.address <= pool.last,
    );
    if (!isHostAddress(address.address)) {
      yield { path, found: text, allowed: 'the address of a host: not loopback, multicast or reserved' };
    } else if (network !== undefined) {
      const found = `${text}, which is inside ${describe(network)}`;
      yield { path, found, allowed: 'an address outside the networks of the interfaces' };
    } else if (locals.has(text)) {
      yield { path, found: `${text}, which is a server's local address`, allowed: 'an address of the user alone' };
    } else if (foreign !== undefined) {
      const found = `${text}, which is inside the pool of server "${foreign.server}"`;
      yield { path, found, allowed: "an address outside the other servers' pools" };
    }
  }
}

function* userAddressTwice(configuration: Configuration): Iterable<Finding> {
  for (const [entry, earlier] of repeated(userAddresses(configuration), ({ text }) => text)) {
    const found = `${entry.text}, which user "${earlier.user}" of server "${earlier.server}" has already`;
    yield { path: entry.path, found, allowed: 'an address of the user alone' };
  }
}

function* userAddressBehindUser(configuration: Configuration): Iterable<Finding> {
  const ofUsers = ipTunnelRoutes(configuration).filter(({ owner }) => owner.startsWith('user'));
  const routes = new PrefixIndex(ofUsers.map((route) => [route.prefix, route] as const));
  for (const { path, text, user, server } of userAddresses(configuration)) {
    const own = `user "${user}" of server "${server}"`;
    const address = ipHostPrefix(text);
    const around = address === undefined ? [] : [...routes.containing(address)];
    const other = around.find(({ owner }) => owner !== own);
    if (other === undefined) continue;
    const found = `${text}, which is inside ${formatIpPrefix(other.prefix)}, a route of ${other.owner}`;
    yield { path, found, allowed: "an address outside the other users' routes" };
  }
}

function* tunnelRouteTwice(configuration: Configuration): Iterable<Finding> {
  for (const [route, earlier] of repeated(ipTunnelRoutes(configuration), ({ prefix }) => formatIpPrefix(prefix))) {
    if (route.owner === earlier.owner) continue;
    const found = `${formatIpPrefix(route.prefix)}, which is a route of ${earlier.owner} already`;
    yield { path: route.path, found, allowed: 'each network behind one tunnel' };
  }
}

function* tunnelRouteConnected(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks(configuration);
  for (const { path, prefix } of tunnelRoutes(configuration)) {
    const network = networks.find((entry) => sameNetwork(entry.prefix, prefix));
    if (network === undefined) continue;
    const found = `${formatCidr(prefix)}, which is the network of interface "${network.name}"`;
    yield { path, found, allowed: 'a network that is not directly connected; one end has to renumber' };
  }
}

function* listenTwice(configuration: Configuration): Iterable<Finding> {
  const servers = inClearText(configuration);
  for (const [index, [name, server]] of servers.entries()) {
    const other = servers
      .slice(0, index)
      .find(([, earlier]) => earlier.port === server.port && sameListener(earlier.listen, server.listen));
    if (other === undefined) continue;
    const found = `${server.listen} port ${server.port}, where server "${other[0]}" listens already`;
    yield { path: `${memberPath('l2tp.servers', name)}.listen`, found, allowed: 'an address and port of its own' };
  }
}

/** A server behind IPsec opens no port of its own. */
function inClearText(configuration: Configuration) {
  return Object.entries(configuration.l2tp.servers).filter(([, { ipsec }]) => ipsec === undefined);
}

/** Two listeners collide when they are the same, or one of them is all addresses. */
function sameListener(a: string, b: string): boolean {
  const family = (text: string) => (parseIpv4(text) === undefined ? 6 : 4);
  return a === b || (family(a) === family(b) && [a, b].some((text) => text === '0.0.0.0' || text === '::'));
}

function* listenElsewhere(configuration: Configuration): Iterable<Finding> {
  const own = interfaceNetworks(configuration).map(({ prefix }) => prefix.address);
  for (const [name, { listen }] of inClearText(configuration)) {
    const address = parseIpv4(listen);
    if (address === undefined || address === 0 || own.includes(address)) continue;
    const found = `${listen}, which no interface of this configuration has`;
    yield {
      path: `${memberPath('l2tp.servers', name)}.listen`,
      found,
      allowed: "an interface's address, or 0.0.0.0 for all",
    };
  }
}

/** What leads nowhere is never dialled for. IPv6 goes into the tunnel only while it is up. */
function* onDemandRoutes({ l2tp }: Configuration): Iterable<Finding> {
  for (const [name, { start, routes }] of Object.entries(l2tp.clients)) {
    if (start !== 'on-demand' || routes.some((route) => !route.includes(':'))) continue;
    const allowed = 'an IPv4 network at least, whose packets this client is to dial for';
    yield { path: `${memberPath('l2tp.clients', name)}.routes`, found: JSON.stringify(routes), allowed };
  }
}

/** Before the tunnel is up there is no address to appear under, and connection tracking keeps the wrong one. */
function* onDemandMasquerade({ l2tp }: Configuration): Iterable<Finding> {
  for (const [name, { start, masquerade }] of Object.entries(l2tp.clients)) {
    if (start !== 'on-demand' || !masquerade) continue;
    const path = `${memberPath('l2tp.clients', name)}.masquerade`;
    yield { path, found: 'true', allowed: 'false, because packets are held before the server has assigned an address' };
  }
}

/** Anybody can be the LAC then, and tell what it likes of its callers. */
function* proxyOfStrangers(configuration: Configuration): Iterable<Finding> {
  for (const [name, { proxyAuthentication, secret, ipsec }] of Object.entries(configuration.l2tp.servers)) {
    if (proxyAuthentication === 'off' || secret !== undefined || ipsec !== undefined) continue;
    yield {
      path: `${memberPath('l2tp.servers', name)}.proxyAuthentication`,
      found: `"${proxyAuthentication}" with neither a tunnel secret nor IPsec, so that any LAC is believed`,
      allowed: '"off", or a secret or ipsec that only the LAC knows',
    };
  }
}
