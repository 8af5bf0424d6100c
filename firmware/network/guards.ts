/**
 * What must not come in clear: packets from networks that belong behind a tunnel of IPsec. Known from the configuration
 * alone, so that it stands while the tunnel is down, too.
 */
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import type { Configuration } from '../config/schema.ts';
import { contains, parseCidr } from '../protocol/ip-address.ts';
import { clientPrefixes, connectionPrefixes, serverPrefixes } from './configured-prefixes.ts';

/** Whence packets with a source inside `prefix` may come. */
export interface SourceGuard {
  /** CIDR. The longest prefix decides. */
  readonly prefix: string;
  /** The only TUN by which they may come; absent: from everywhere. */
  readonly device?: string;
}

/**
 * The longest prefix first, so that the first that matches decides. A prefix that begins with 0.0.0.0 is left out: it says
 * "the rest of the world", from which clear packets come rightly.
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
    isProtected && device !== undefined
      ? prefixes.filter((prefix) => parseCidr(prefix)?.address !== 0).map((prefix) => ({ prefix, device }))
      : [],
  );
  const clear = tunnels.flatMap(({ prefixes, isProtected }) => (isProtected ? [] : prefixes));
  const free = [...exempt, ...clear].filter((prefix) => guards.some((guard) => holds(guard.prefix, prefix)));
  const firstOfEach = new Map<string, SourceGuard>();
  // What is exempt comes first: where a connected network equals a remote prefix, the connected network wins.
  for (const guard of [...free.map((prefix) => ({ prefix })), ...guards]) {
    if (!firstOfEach.has(guard.prefix)) firstOfEach.set(guard.prefix, guard);
  }
  // In one order whatever the kernel lists first, or the table would be replaced for nothing.
  return [...firstOfEach.values()].sort(
    (a, b) => lengthOf(b.prefix) - lengthOf(a.prefix) || (a.prefix < b.prefix ? -1 : 1),
  );
}

function lengthOf(prefix: string): number {
  return parseCidr(prefix)?.length ?? 0;
}

function holds(outer: string, inner: string): boolean {
  const [a, b] = [parseCidr(outer), parseCidr(inner)];
  return a !== undefined && b !== undefined && contains(a, b);
}
