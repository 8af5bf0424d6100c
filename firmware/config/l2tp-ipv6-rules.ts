/** Rules about IPv6 inside the tunnels of L2TP. */
import {
  formatIpPrefix,
  type IpPrefix,
  ipContains,
  ipHostPrefix,
  ipNetworkOf,
  ipOverlaps,
  isIpv6Text,
  parseIpPrefix,
  sameIpNetwork,
} from '../protocol/ip-prefix.ts';
import { itemPath, memberPath } from './json-path.ts';
import { PrefixIndex } from './prefix-index.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';
import { ipTunnelRoutes } from './tunnel-routes.ts';

/** Length of what a session gets: the only one that stateless autoconfiguration takes (RFC 4862 section 5.5.3). */
const SESSION_PREFIX = 64;
/** Shortest pool: 65536 sessions, as many as the IPv4 pool may have addresses. */
const SHORTEST_POOL = 48;
/** Least MTU of a link with IPv6 (RFC 8200 section 5), octets. */
const MIN_MTU = 1280;

/** Never networks behind a router: link-local, multicast, loopback (RFC 4291 section 2.4). */
const LINK_SCOPED = ['fe80::/10', 'ff00::/8', '::1/128'].flatMap((text) => parseIpPrefix(text) ?? []);
/** 2000::/3 and fc00::/7: what a unicast network that is routed lies in (RFC 4291 section 2.4, RFC 4193). */
const UNICAST = ['2000::/3', 'fc00::/7'].flatMap((text) => parseIpPrefix(text) ?? []);

export const L2TP_IPV6_RULES: readonly ConfigurationRule[] = [
  {
    name: 'ipv6-switched-off',
    severity: 'error',
    description: 'Networks of IPv6 stand only where IPv6 is switched on for the client or the server.',
    check: switchedOff,
  },
  {
    name: 'ipv6-mru',
    severity: 'error',
    description: 'With IPv6 the MRU is at least 1280 octets.',
    check: tooSmallMru,
  },
  {
    name: 'ipv6-route',
    severity: 'error',
    description: 'A network behind a tunnel is one that can be behind a router: not link-local, multicast or loopback.',
    check: linkScopedRoute,
  },
  {
    name: 'ipv6-route-connected',
    severity: 'error',
    description: 'An IPv6 network behind a tunnel is not that of an interface.',
    check: connectedRoute,
  },
  {
    name: 'ipv6-pool',
    severity: 'error',
    description: 'A prefix pool has 48 to 64 bits and lies inside 2000::/3 or fc00::/7.',
    check: unfitPool,
  },
  {
    name: 'ipv6-pool-overlap',
    severity: 'error',
    description:
      'A prefix pool overlaps no network of an interface, no other pool, and holds no network behind another tunnel.',
    check: poolOverlap,
  },
  {
    name: 'ipv6-local-address',
    severity: 'error',
    description:
      "A server's IPv6 address inside the tunnels is that of a host, of its own pool or of no other network.",
    check: localAddress,
  },
  {
    name: 'ipv6-user-prefix',
    severity: 'error',
    description:
      "A user's own prefix has 64 bits and overlaps no network of an interface and no pool of another server.",
    check: userPrefix,
  },
];

interface Network {
  readonly what: string;
  readonly prefix: IpPrefix;
}

interface Pool extends Network {
  readonly server: string;
  readonly path: string;
}

function interfaceNetworks6(configuration: Configuration): Network[] {
  return Object.entries(configuration.interfaces).flatMap(([name, { ipv6 }]) => {
    const prefix = parseIpPrefix(ipv6?.address ?? '');
    return prefix === undefined ? [] : [{ what: `interface "${name}"`, prefix }];
  });
}

function pools(configuration: Configuration): Pool[] {
  return Object.entries(configuration.l2tp.servers).flatMap(([server, { ipv6 }]) => {
    const prefix = parseIpPrefix(ipv6?.pool ?? '');
    const path = `${memberPath('l2tp.servers', server)}.ipv6.pool`;
    return prefix === undefined ? [] : [{ server, path, prefix, what: `the pool of server "${server}"` }];
  });
}

/** Networks of IPv6 where IPv6 is switched off: nothing would ever be carried there. */
function* switchedOff(configuration: Configuration): Iterable<Finding> {
  for (const [name, { ipv6, routes }] of Object.entries(configuration.l2tp.clients)) {
    const path = memberPath('l2tp.clients', name);
    if (!ipv6) yield* ofIpv6(`${path}.routes`, routes, `"ipv6": true in ${path}, or IPv4 networks only`);
  }
  for (const [name, { ipv6, users }] of Object.entries(configuration.l2tp.servers)) {
    if (ipv6 !== undefined) continue;
    const path = memberPath('l2tp.servers', name);
    const allowed = `"ipv6" with a pool in ${path}, or IPv4 networks only`;
    for (const [user, { ipv6Prefix, routes }] of Object.entries(users)) {
      const base = memberPath(`${path}.users`, user);
      yield* ofIpv6(`${base}.routes`, routes, allowed);
      if (ipv6Prefix !== undefined) yield { path: `${base}.ipv6Prefix`, found: ipv6Prefix, allowed };
    }
  }
}

function* ofIpv6(path: string, routes: readonly string[], allowed: string): Iterable<Finding> {
  for (const [index, route] of routes.entries()) {
    if (isIpv6Text(route)) yield { path: itemPath(path, index), found: `${route}, without IPv6`, allowed };
  }
}

function* tooSmallMru(configuration: Configuration): Iterable<Finding> {
  const entries = [
    ...Object.entries(configuration.l2tp.clients).map(([name, { ipv6, mru }]) => ({
      path: memberPath('l2tp.clients', name),
      mru,
      wanted: ipv6,
    })),
    ...Object.entries(configuration.l2tp.servers).map(([name, { ipv6, mru }]) => ({
      path: memberPath('l2tp.servers', name),
      mru,
      wanted: ipv6 !== undefined,
    })),
  ];
  for (const { path, mru, wanted } of entries) {
    if (!wanted || mru >= MIN_MTU) continue;
    yield { path: `${path}.mru`, found: `${mru}`, allowed: `with IPv6, at least ${MIN_MTU} octets` };
  }
}

function* linkScopedRoute(configuration: Configuration): Iterable<Finding> {
  for (const { path, prefix } of ipTunnelRoutes(configuration)) {
    if (!LINK_SCOPED.some((scope) => ipContains(scope, prefix))) continue;
    const found = `${formatIpPrefix(prefix)}, which never leaves its link`;
    yield { path, found, allowed: 'a network that can be behind a router' };
  }
}

function* connectedRoute(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks6(configuration);
  for (const { path, prefix } of ipTunnelRoutes(configuration)) {
    const network = networks.find((entry) => sameIpNetwork(entry.prefix, prefix));
    if (network === undefined) continue;
    const found = `${formatIpPrefix(prefix)}, which is the network of ${network.what}`;
    yield { path, found, allowed: 'a network that is not directly connected; one end has to renumber' };
  }
}

function* unfitPool(configuration: Configuration): Iterable<Finding> {
  for (const { path, prefix } of pools(configuration)) {
    const text = formatIpPrefix(prefix);
    if (prefix.length < SHORTEST_POOL || prefix.length > SESSION_PREFIX) {
      const allowed = `a prefix of ${SHORTEST_POOL} to ${SESSION_PREFIX} bits: every session gets a /${SESSION_PREFIX}`;
      yield { path, found: text, allowed };
    } else if (!UNICAST.some((range) => ipContains(range, prefix))) {
      yield { path, found: text, allowed: 'a prefix of hosts: inside 2000::/3 or fc00::/7' };
    }
  }
}

function* poolOverlap(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks6(configuration);
  const all = pools(configuration);
  const behind = firstInside(all, configuration);
  for (const [index, pool] of all.entries()) {
    const { path, prefix } = pool;
    const near = [...networks, ...all.slice(0, index)].find((entry) => ipOverlaps(entry.prefix, prefix));
    const other = near ?? behind.get(pool);
    if (other === undefined) continue;
    const found = `${formatIpPrefix(prefix)}, which overlaps ${formatIpPrefix(ipNetworkOf(other.prefix))} of ${other.what}`;
    yield { path, found, allowed: 'a prefix for the users of this server alone' };
  }
}

/** A network behind a client or a connection that lies in the pool, for each pool that has one. */
function firstInside(all: readonly Pool[], configuration: Configuration): ReadonlyMap<Pool, Network> {
  const index = new PrefixIndex(all.map((pool) => [pool.prefix, pool] as const));
  const found = new Map<Pool, Network>();
  for (const { owner, prefix } of ipTunnelRoutes(configuration)) {
    if (owner.startsWith('user')) continue;
    for (const pool of index.containing(prefix)) if (!found.has(pool)) found.set(pool, { what: owner, prefix });
  }
  return found;
}

function* localAddress(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks6(configuration);
  const all = pools(configuration);
  for (const [name, { ipv6 }] of Object.entries(configuration.l2tp.servers)) {
    const address = ipHostPrefix(ipv6?.localAddress ?? '');
    if (ipv6?.localAddress === undefined || address === undefined) continue;
    const path = `${memberPath('l2tp.servers', name)}.ipv6.localAddress`;
    const foreign = all.filter(({ server }) => server !== name);
    const other = [...networks, ...foreign].find(({ prefix }) => ipContains(prefix, address));
    if (!UNICAST.some((range) => ipContains(range, address))) {
      yield { path, found: ipv6.localAddress, allowed: 'the address of a host: inside 2000::/3 or fc00::/7' };
    } else if (other !== undefined) {
      const found = `${ipv6.localAddress}, which is inside ${formatIpPrefix(ipNetworkOf(other.prefix))} of ${other.what}`;
      yield { path, found, allowed: 'an address of the pool of this server, or of no other network' };
    }
  }
}

function* userPrefix(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks6(configuration);
  for (const [name, { users }] of Object.entries(configuration.l2tp.servers)) {
    const foreign = pools(configuration).filter(({ server }) => server !== name);
    for (const [user, { ipv6Prefix }] of Object.entries(users)) {
      const prefix = parseIpPrefix(ipv6Prefix ?? '');
      if (prefix === undefined) continue;
      const path = `${memberPath(`${memberPath('l2tp.servers', name)}.users`, user)}.ipv6Prefix`;
      const text = formatIpPrefix(prefix);
      const other = [...networks, ...foreign].find((entry) => ipOverlaps(entry.prefix, prefix));
      if (prefix.length !== SESSION_PREFIX || !UNICAST.some((range) => ipContains(range, prefix))) {
        yield { path, found: text, allowed: `a prefix of ${SESSION_PREFIX} bits inside 2000::/3 or fc00::/7` };
      } else if (other !== undefined) {
        const found = `${text}, which overlaps ${formatIpPrefix(ipNetworkOf(other.prefix))} of ${other.what}`;
        yield { path, found, allowed: 'a prefix of this user alone' };
      }
    }
  }
}
