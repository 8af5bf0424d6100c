/**
 * What must not come in clear: packets from networks that belong behind a tunnel of IPsec. Known from the configuration
 * alone, so that it stands while the tunnel is down, too.
 */
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import { PrefixIndex } from '../config/prefix-index.ts';
import type { Configuration } from '../config/schema.ts';
import { ipNetworkOf, lastIpAddress, parseIpPrefix } from '../protocol/ip-prefix.ts';
import { clientPrefixes, connectionPrefixes, serverPrefixes } from './configured-prefixes.ts';

/**
 * Shortest prefix that is a network behind a tunnel, bits. A shorter one (0.0.0.0/0 or 2000::/3, or the same in pieces)
 * says "the rest of the world", from which clear packets come rightly.
 */
const SHORTEST_NETWORK = { 4: 8, 6: 7 } as const;

/** Bits of an address. */
const BITS = { 4: 32, 6: 128 } as const;

/** Whence packets with a source inside `prefix` may come. */
export interface SourceGuard {
  /** CIDR. The longest prefix decides. */
  readonly prefix: string;
  /** The only TUN by which they may come; absent: from everywhere. */
  readonly device?: string;
}

/**
 * The longest prefix first, so that the first that matches decides. What is wider than any network is left out.
 * @param exempt networks that are nearer than any tunnel: directly connected ones, and those of static routes.
 */
export function sourceGuards(configuration: Configuration, exempt: readonly string[]): SourceGuard[] {
  const devices = tunnelInterfaceNames(configuration);
  const { clients, servers } = configuration.l2tp;
  const tunnels = [
    ...Object.entries(clients).map(([name, client]) => ({
      prefixes: clientPrefixes(client),
      isProtected: client.ipsec !== undefined,
      device: devices.clients.get(name),
    })),
    ...Object.entries(servers).map(([name, server]) => ({
      prefixes: serverPrefixes(server),
      isProtected: server.ipsec !== undefined,
      device: devices.servers.get(name),
    })),
    ...Object.entries(configuration.ipsec.connections).map(([name, connection]) => ({
      prefixes: connectionPrefixes(connection),
      isProtected: true,
      device: devices.connections.get(name),
    })),
  ];
  const guards = tunnels.flatMap(({ prefixes, isProtected, device }): SourceGuard[] =>
    isProtected && device !== undefined ? prefixes.filter(isNetwork).map((prefix) => ({ prefix, device })) : [],
  );
  const clear = tunnels.flatMap(({ prefixes, isProtected }) => (isProtected ? [] : prefixes));
  const index = guardIndex(guards);
  const free = [...exempt, ...clear].filter((prefix) => holderOf(index, prefix) !== undefined);
  const firstOfEach = new Map<string, SourceGuard>();
  // What is exempt comes first: where a connected network equals a remote prefix, the connected network wins.
  for (const guard of [...free.map((prefix) => ({ prefix })), ...guards]) {
    if (!firstOfEach.has(guard.prefix)) firstOfEach.set(guard.prefix, guard);
  }
  // In one order whatever the kernel lists first, or the table would be replaced for nothing.
  return [...firstOfEach.values()]
    .map((guard) => ({ guard, length: parseIpPrefix(guard.prefix)?.length ?? 0 }))
    .sort((a, b) => b.length - a.length || (a.guard.prefix < b.guard.prefix ? -1 : 1))
    .map(({ guard }) => guard);
}

/** Guards by what they hold, the longest prefix first. */
export function guardIndex(guards: readonly SourceGuard[]): PrefixIndex<SourceGuard> {
  return new PrefixIndex(
    guards.flatMap((guard) => {
      const prefix = parseIpPrefix(guard.prefix);
      return prefix === undefined ? [] : [[prefix, guard] as const];
    }),
  );
}

/** Addresses that may come by one TUN only; both ends are included. */
export interface GuardedRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
  readonly device: string;
}

/**
 * What the guards come to: ranges without overlap, in order, IPv4 first; what may come from everywhere is in none.
 */
export function guardedRanges(guards: readonly SourceGuard[]): GuardedRange[] {
  return [...rangesOf(guards, 4), ...rangesOf(guards, 6)];
}

function rangesOf(guards: readonly SourceGuard[], family: 4 | 6): GuardedRange[] {
  const parts = guards.flatMap(({ prefix, device }) => {
    const network = parseIpPrefix(prefix);
    return network?.family === family ? [{ network, device }] : [];
  });
  const places = new PrefixIndex(parts.map(({ network, device }) => [network, { device }] as const));
  const edges = [
    ...new Set(parts.flatMap(({ network }) => [ipNetworkOf(network).address, lastIpAddress(network) + 1n])),
  ].sort((a, b) => (a < b ? -1 : 1));
  const ranges: GuardedRange[] = [];
  for (const [index, first] of edges.entries()) {
    const last = (edges[index + 1] ?? first) - 1n;
    // Between two edges all addresses are in the same prefixes.
    const [part] = places.containing({ family, address: first, length: BITS[family] });
    const device = part?.device;
    if (device === undefined || last < first) continue;
    const before = ranges.at(-1);
    if (before?.device === device && before.last + 1n === first) ranges[ranges.length - 1] = { ...before, last };
    else ranges.push({ family, first, last, device });
  }
  return ranges;
}

/** Whether packets for this host belong into another device than `device`, by the longest guard that holds it. */
export function belongsElsewhere(guards: PrefixIndex<SourceGuard>, host: string, device: string): boolean {
  const guard = holderOf(guards, host);
  return guard?.device !== undefined && guard.device !== device;
}

function isNetwork(prefix: string): boolean {
  const parsed = parseIpPrefix(prefix);
  return parsed !== undefined && parsed.length >= SHORTEST_NETWORK[parsed.family];
}

function holderOf(guards: PrefixIndex<SourceGuard>, text: string): SourceGuard | undefined {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) return undefined;
  const [first] = guards.containing(prefix);
  return first;
}
