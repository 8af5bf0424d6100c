/** A routing table from which nothing that belongs in a tunnel ever escapes to the default route. */
import type { Route } from '../../hal/links.ts';
import { PrefixIndex } from '../config/prefix-index.ts';
import { parseIpPrefix } from '../protocol/ip-prefix.ts';
import { ROUTE_PROTOCOL, THROW_METRIC, TUNNEL_METRIC, UNREACHABLE_METRIC } from './marks.ts';

/** A prefix that leads into a standing tunnel. */
export interface ThroughTunnel {
  readonly prefix: string;
  readonly device: string;
  /** Of packets of this router itself. */
  readonly source?: string;
}

export interface GuardedTable {
  /** Every prefix that leads to a tunnel or, without it, nowhere. */
  readonly prefixes: readonly string[];
  readonly routes: readonly Route[];
}

/**
 * @param prefixes that belong in tunnels, whether these stand or not; canonical.
 * @param exempt what is nearer than any tunnel, and is left to other tables.
 */
export function guardedTable(
  table: number,
  prefixes: readonly string[],
  through: readonly ThroughTunnel[],
  exempt: readonly string[],
): GuardedTable {
  const guarded = [...new Set([...prefixes, ...through.map(({ prefix }) => prefix)])];
  const behind = new PrefixIndex(
    guarded.flatMap((prefix) => {
      const outer = parseIpPrefix(prefix);
      return outer === undefined ? [] : [[outer, prefix] as const];
    }),
  );
  const thrown = [...new Set(exempt)].filter((prefix) => isBehind(behind, prefix));
  const route = (part: Pick<Route, 'prefix' | 'type' | 'device' | 'metric' | 'source'>): Route => {
    return { ...part, table, protocol: ROUTE_PROTOCOL };
  };
  return {
    prefixes: guarded,
    routes: [
      ...guarded.map((prefix) => route({ prefix, type: 'unreachable', metric: UNREACHABLE_METRIC })),
      ...thrown.map((prefix) => route({ prefix, type: 'throw', metric: THROW_METRIC })),
      ...firstOfEach(through).map((one) => route({ ...one, type: 'unicast', metric: TUNNEL_METRIC })),
    ],
  };
}

/** Two tunnels cannot have one prefix at the same time: the first to have it keeps it. */
function firstOfEach(entries: readonly ThroughTunnel[]): ThroughTunnel[] {
  const seen = new Map<string, ThroughTunnel>();
  for (const entry of entries) if (!seen.has(entry.prefix)) seen.set(entry.prefix, entry);
  return [...seen.values()];
}

function isBehind(index: PrefixIndex<string>, text: string): boolean {
  const inner = parseIpPrefix(text);
  if (inner === undefined) return false;
  const [outer] = index.containing(inner);
  return outer !== undefined;
}
