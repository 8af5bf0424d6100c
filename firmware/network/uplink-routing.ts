/** Routes and rules of uplinks: the default route of the one that carries the traffic, and a table for each that stands. */
import type { NextHop, Route, Rule } from '../../hal/links.ts';
import type { Configuration } from '../config/schema.ts';
import { formatCidr, networkOf, parseCidr } from '../protocol/ip-address.ts';
import {
  FIRST_UPLINK_TABLE,
  MAIN_TABLE,
  OUTER_MARK,
  ROUTE_PROTOCOL,
  STEADY_PRIORITY,
  STEADY_TABLE,
  UPLINK_PRIORITY,
} from './marks.ts';

/** An uplink that has an address. */
export interface LiveUplink {
  /** Name in the configuration; of an implicit one that of its interface. */
  readonly name: string;
  readonly device: string;
  /** Ours, with its prefix length. */
  readonly address: string;
  /** The next router; absent on a point-to-point device. */
  readonly gateway?: string;
  /** Further networks by it; those without a gateway are on its link. */
  readonly routes?: readonly UplinkRoute[];
  /** The address is ours to put on the device. */
  readonly assign: boolean;
  /** 0..7, its own as long as it is configured; absent: it is the only one, and needs no table. */
  readonly slot?: number;
  /** Whether what has no other way goes by it: everything, or where several share it, what this router itself calls out for. */
  readonly carries: boolean;
  /** 1..256: its part of new connections, where several share them. */
  readonly share?: number;
}

/** CIDR, and the next router. */
export interface UplinkRoute {
  readonly prefix: string;
  readonly gateway?: string;
}

const ANYWHERE = '0.0.0.0/0';

/**
 * A table for each uplink, asked by packets from its address: out by it, but for what is nearer.
 * @param exempt networks on cables of this machine, destinations of static routes, and what never leaves its link.
 */
export function uplinkRouting(
  uplinks: readonly LiveUplink[],
  exempt: readonly string[],
): { readonly routes: readonly Route[]; readonly rules: readonly Rule[] } {
  const tables = uplinks.flatMap((uplink) => (uplink.slot === undefined ? [] : [{ ...uplink, slot: uplink.slot }]));
  const steady = steadyRouting(uplinks, exempt);
  return {
    routes: [...tables.flatMap((uplink) => tableOf(uplink, exempt)), ...steady.routes],
    rules: [
      ...tables.map(
        ({ address, slot }): Rule => ({
          priority: UPLINK_PRIORITY,
          family: 4,
          source: `${plainAddress(address)}/32`,
          table: FIRST_UPLINK_TABLE + slot,
          protocol: ROUTE_PROTOCOL,
        }),
      ),
      ...steady.rules,
    ],
  };
}

/** Outer packets go by the one that carries, while several share the rest. */
function steadyRouting(
  uplinks: readonly LiveUplink[],
  exempt: readonly string[],
): { readonly routes: readonly Route[]; readonly rules: readonly Rule[] } {
  const carrying = uplinks.find(({ carries }) => carries);
  if (carrying === undefined || sharing(uplinks).length === 0) return { routes: [], rules: [] };
  const common = { table: STEADY_TABLE, protocol: ROUTE_PROTOCOL } as const;
  // What a server says is behind an uplink is in the main table, as are connected networks.
  const learned = uplinks.flatMap(({ routes = [] }) => routes.map(({ prefix }) => prefix));
  const nearer = [...new Set([...exempt, ...learned])].filter((prefix) => !prefix.includes(':') && prefix !== ANYWHERE);
  return {
    routes: [
      ...nearer.map((prefix): Route => ({ ...common, prefix, type: 'throw' })),
      { ...common, prefix: ANYWHERE, type: 'unicast', ...wayOf(carrying) },
    ],
    rules: [{ priority: STEADY_PRIORITY, family: 4, mark: OUTER_MARK, table: STEADY_TABLE, protocol: ROUTE_PROTOCOL }],
  };
}

/** Next hops of those that share the traffic; none where one carries it alone. */
function sharing(uplinks: readonly LiveUplink[]): readonly NextHop[] {
  const hops = uplinks.flatMap((uplink): NextHop[] =>
    uplink.share === undefined ? [] : [{ ...wayOf(uplink), weight: uplink.share }],
  );
  return hops.length < 2 ? [] : hops;
}

function wayOf({ device, gateway }: LiveUplink): Pick<NextHop, 'device' | 'gateway'> {
  return { device, ...(gateway === undefined ? {} : { gateway }) };
}

/** The default route in the main table: by what the configuration says, or by the uplink that carries the traffic. */
export function defaultRoutes(configuration: Configuration, uplinks: readonly LiveUplink[]): Route[] {
  const fixed = Object.values(configuration.interfaces).flatMap(({ device, ipv4 }) =>
    ipv4?.method === 'static' && ipv4.gateway !== undefined ? [{ device, gateway: ipv4.gateway }] : [],
  );
  const carrying = uplinks.filter(({ carries }) => carries);
  // Without uplinks in the configuration nothing is judged, and the route stands whatever becomes of the cable.
  const nexthops = sharing(uplinks);
  if (hasUplinks(configuration) && nexthops.length > 0) {
    return [{ type: 'unicast', table: MAIN_TABLE, protocol: ROUTE_PROTOCOL, prefix: ANYWHERE, nexthops }];
  }
  const chosen = hasUplinks(configuration) || fixed.length === 0 ? carrying : fixed;
  return chosen.map(({ device, gateway }) => ({
    type: 'unicast',
    table: MAIN_TABLE,
    protocol: ROUTE_PROTOCOL,
    prefix: ANYWHERE,
    device,
    ...(gateway === undefined ? {} : { gateway }),
  }));
}

/** What a server says is behind it (RFC 3442), in the main table as long as it stands. */
export function learnedRoutes(uplinks: readonly LiveUplink[]): Route[] {
  const common = { type: 'unicast', table: MAIN_TABLE, protocol: ROUTE_PROTOCOL } as const;
  return uplinks.flatMap(({ device, routes = [] }) => routes.map((route): Route => ({ ...common, ...route, device })));
}

/** Whether it says by itself which uplinks there are. */
export function hasUplinks({ uplinks }: Pick<Configuration, 'uplinks'>): boolean {
  return Object.keys(uplinks).length > 0;
}

/** Without its prefix length. */
export function plainAddress(address: string): string {
  return address.split('/')[0] ?? address;
}

function tableOf(
  { device, address, gateway, routes = [], slot }: LiveUplink & { slot: number },
  exempt: readonly string[],
): Route[] {
  const common = { table: FIRST_UPLINK_TABLE + slot, protocol: ROUTE_PROTOCOL } as const;
  const prefix = parseCidr(address);
  // Two uplinks may be in networks of the same numbers, behind two routers of the same make: each finds its own.
  const own = prefix === undefined || gateway === undefined ? [] : [formatCidr(networkOf(prefix))];
  return [
    ...own.map((network): Route => ({ ...common, prefix: network, type: 'unicast', device })),
    ...routes.map((route): Route => ({ ...common, ...route, type: 'unicast', device })),
    ...exempt
      .filter((network) => !own.includes(network) && !network.includes(':') && network !== ANYWHERE)
      .filter((network) => !routes.some(({ prefix }) => prefix === network))
      .map((network): Route => ({ ...common, prefix: network, type: 'throw' })),
    { ...common, prefix: ANYWHERE, type: 'unicast', device, ...(gateway === undefined ? {} : { gateway }) },
  ];
}
