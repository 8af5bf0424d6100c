/**
 * Routes and rules of connections that take packets by their source as well: IPsec between networks with
 * `routing: "policy"`. For each source network there is a table, which the packets from there ask; `marks.ts` explains the
 * plan.
 */
import type { Rule } from '../../hal/links.ts';
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import type { Configuration } from '../config/schema.ts';
import { canonicalPrefix, parseIpPrefix } from '../protocol/ip-prefix.ts';
import { connectionPrefixes, isBySource } from './configured-prefixes.ts';
import type { LiveTunnel } from './desired.ts';
import { type GuardedTable, guardedTable, type ThroughTunnel } from './guarded-table.ts';
import {
  FIRST_SOURCE_PRIORITY,
  FIRST_SOURCE_TABLE,
  OUTER_MARK,
  OUTER_PRIORITY,
  ROUTE_PROTOCOL,
  RULE_PRIORITY,
} from './marks.ts';

/** Of packets of this router that have no source yet: the route chooses one for them. */
const UNCHOSEN_SOURCE = '0.0.0.0/32';

/** What is for a socket that carries a tunnel looks into no table of a source. */
const OUTER_RULE: Rule = {
  priority: OUTER_PRIORITY,
  family: 4,
  mark: OUTER_MARK,
  goto: RULE_PRIORITY,
  protocol: ROUTE_PROTOCOL,
};

export interface SourceRouting {
  readonly tables: readonly GuardedTable[];
  readonly rules: readonly Rule[];
}

/** @param exempt what is nearer than any tunnel. */
export function sourceRouting(
  configuration: Configuration,
  tunnels: readonly LiveTunnel[],
  exempt: readonly string[],
): SourceRouting {
  const bySource = new Map<string, { prefixes: string[]; through: ThroughTunnel[] }>();
  for (const { sources, prefixes, through } of sourcePolicies(configuration, tunnels)) {
    for (const source of sources) {
      const known = bySource.get(source) ?? { prefixes: [], through: [] };
      bySource.set(source, known);
      known.prefixes.push(...prefixes);
      // Without an address of its own at this end, the router has nothing to say to the other.
      known.through.push(...through.filter((route) => source !== UNCHOSEN_SOURCE || route.source !== undefined));
    }
  }
  const entries = [...bySource].map(([source, parts], index) => ({ source, parts, table: FIRST_SOURCE_TABLE + index }));
  return {
    tables: entries.map(({ table, parts }) => guardedTable(table, parts.prefixes, parts.through, exempt)),
    rules: entries.length === 0 ? [] : [OUTER_RULE, ...entries.map(({ source, table }) => sourceRule(source, table))],
  };
}

/** TUNs of the connections that take packets by their source as well. */
export function sourceDevices(configuration: Configuration): ReadonlySet<string> {
  const devices = tunnelInterfaceNames(configuration).connections;
  return new Set(
    Object.entries(configuration.ipsec.connections).flatMap(([name, connection]) =>
      isBySource(connection) ? [devices.get(name) ?? ''] : [],
    ),
  );
}

interface SourcePolicy {
  readonly sources: readonly string[];
  readonly prefixes: readonly string[];
  /** Empty while the tunnel is down. */
  readonly through: readonly ThroughTunnel[];
}

function sourcePolicies(configuration: Configuration, tunnels: readonly LiveTunnel[]): SourcePolicy[] {
  const devices = tunnelInterfaceNames(configuration).connections;
  const standing = new Map(tunnels.map((tunnel) => [tunnel.device, tunnel]));
  return Object.entries(configuration.ipsec.connections).flatMap(([name, connection]) => {
    if (!isBySource(connection)) return [];
    const tunnel = standing.get(devices.get(name) ?? '');
    const assigned = tunnel?.localAddress === '' ? undefined : tunnel?.localAddress;
    const own = assigned ?? tunnel?.source;
    const through = (tunnel?.prefixes ?? []).map((prefix) => ({
      prefix: canonicalPrefix(prefix),
      device: tunnel?.device ?? '',
      ...(own === undefined ? {} : { source: own }),
    }));
    const local = [...connection.localSubnets, ...(assigned === undefined ? [] : [`${assigned}/32`])];
    const sources = [UNCHOSEN_SOURCE, ...local.map(canonicalPrefix)];
    return [{ sources, prefixes: connectionPrefixes(connection), through }];
  });
}

/** The longer the prefix, the earlier its rule is asked. */
function sourceRule(source: string, table: number): Rule {
  const length = parseIpPrefix(source)?.length ?? 0;
  const priority = FIRST_SOURCE_PRIORITY + 32 - length;
  // From everywhere is what the kernel shows as no source at all.
  return { priority, family: 4, ...(length === 0 ? {} : { source }), table, protocol: ROUTE_PROTOCOL };
}
