/** Which routes and rules are ours, recognised without any record. */
import { isDeepStrictEqual } from 'node:util';
import type { Route, Rule } from '../../hal/links.ts';
import { LAST_TABLE, MAIN_TABLE, OUTER_PRIORITY, ROUTE_PROTOCOL, STEADY_PRIORITY, TUNNEL_TABLE } from './marks.ts';

/** A route that this router made, in this run or an earlier one. */
export function isOurs(route: Route): boolean {
  return route.protocol === ROUTE_PROTOCOL;
}

/** A rule that this router made. */
export function isOurRule(rule: Rule): boolean {
  const { protocol, priority, table = rule.goto } = rule;
  const inPlace = priority >= OUTER_PRIORITY && priority <= STEADY_PRIORITY;
  return protocol === ROUTE_PROTOCOL && inPlace && table !== undefined && table >= TUNNEL_TABLE && table <= LAST_TABLE;
}

/** Whether the table is one in which we may have routes. */
export function isOurTable(table: number): boolean {
  return table === MAIN_TABLE || (table >= TUNNEL_TABLE && table <= LAST_TABLE);
}

/**
 * Whether the two routes send packets the same way; whose they are and which source address they prefer is left aside.
 */
export function sameRoute(a: Route, b: Route): boolean {
  const sameWay = a.type === b.type && a.device === b.device && a.gateway === b.gateway;
  return sameWay && isDeepStrictEqual(a.nexthops, b.nexthops);
}

/** Whether the kernel would take one of the routes for the other: table, prefix and metric. */
export function sameDestination(a: Route, b: Route): boolean {
  return destinationKey(a) === destinationKey(b);
}

/** Text that is the same for two routes exactly if {@link sameDestination} says so. */
export function destinationKey({ table, prefix, metric = 0 }: Route): string {
  return `${table} ${prefix} ${metric}`;
}
