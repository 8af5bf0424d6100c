/** Routes and rules of uplinks: the default route of the one that carries the traffic, and a table for each that stands. */
import type { Route, Rule } from '../../hal/links.ts';
import type { Configuration } from '../config/schema.ts';
import { formatCidr, networkOf, parseCidr } from '../protocol/ip-address.ts';
import { FIRST_UPLINK_TABLE, MAIN_TABLE, ROUTE_PROTOCOL, UPLINK_PRIORITY } from './marks.ts';

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
  /** Whether it has the default route. */
  readonly carries: boolean;
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
  return {
    routes: tables.flatMap((uplink) => tableOf(uplink, exempt)),
    rules: tables.map(({ address, slot }) => ({
      priority: UPLINK_PRIORITY,
      family: 4,
      source: `${plainAddress(address)}/32`,
      table: FIRST_UPLINK_TABLE + slot,
      protocol: ROUTE_PROTOCOL,
    })),
  };
}

/** The default route in the main table: by what the configuration says, or by the uplink that carries the traffic. */
export function defaultRoutes(configuration: Configuration, uplinks: readonly LiveUplink[]): Route[] {
  const fixed = Object.values(configuration.interfaces).flatMap(({ device, ipv4 }) =>
    ipv4?.method === 'static' && ipv4.gateway !== undefined ? [{ device, gateway: ipv4.gateway }] : [],
  );
  const carrying = uplinks.filter(({ carries }) => carries);
  // Without uplinks in the configuration nothing is judged, and the route stands whatever becomes of the cable.
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
