/** The difference between wanted and actual routes and rules, as steps. */
import type { Route, Rule } from '../../hal/links.ts';
import type { Failure } from '../protocol/machine.ts';
import { MAIN_TABLE, TUNNEL_TABLE } from './marks.ts';
import { destinationKey, isOurRule, isOurs, sameRoute } from './ownership.ts';
import type { Step } from './step.ts';

export interface RoutingPlan {
  readonly steps: readonly Step[];
  readonly failures: readonly Failure[];
}

/**
 * In an order in which inner packets are never let out in clear text: the tunnel table is filled before the rule leads
 * into it, both before the main table gets its default route, and what is no longer wanted goes last.
 */
export function planRouting(
  desired: { readonly routes: readonly Route[]; readonly rules: readonly Rule[] },
  actual: { readonly routes: readonly Route[]; readonly rules: readonly Rule[] },
): RoutingPlan {
  const standing = Map.groupBy(actual.routes, destinationKey);
  const step = (route: Route) => routeStep(route, standing.get(destinationKey(route)) ?? []);
  const tunnel = desired.routes.filter(({ table }) => table !== MAIN_TABLE).map(step);
  const main = desired.routes.filter(({ table }) => table === MAIN_TABLE).map(step);
  const ours = actual.rules.filter(isOurRule);
  const addRules = desired.rules.filter((rule) => !ours.some((other) => sameRule(rule, other))).map(ruleAddition);
  const removeRules = ruleRemovals(ours.filter((rule) => !desired.rules.some((other) => sameRule(rule, other))));
  const wanted = new Set(desired.routes.map(destinationKey));
  const removeRoutes = actual.routes
    .filter((route) => isOurs(route) && !wanted.has(destinationKey(route)))
    .map(routeRemoval);
  const results = [...tunnel, ...addRules, ...main, ...removeRules, ...removeRoutes];
  return {
    steps: results.filter((result) => result !== undefined && 'changes' in result),
    failures: results.filter((result) => result !== undefined && 'reason' in result),
  };
}

/**
 * Nothing where the route is there already, whoever made it.
 * @param standing those to the same destination.
 */
function routeStep(route: Route, standing: readonly Route[]): Step | Failure | undefined {
  if (standing.some((other) => sameRoute(route, other))) return undefined;
  const step: Step = {
    done: `${describeRoute(route)} set`,
    changes: [{ kind: 'replace-route', route }],
    repaired: `${describeRoute(route)} was ${standing.length > 0 ? 'changed' : 'removed'} by somebody else, and is put back`,
  };
  const foreign = standing.find((other) => !isOurs(other));
  if (foreign === undefined) return step;
  if (foreign.type === 'unicast' && foreign.device === undefined) {
    return {
      step: 'network',
      reason: `${describeRoute(route)} cannot be set: somebody else's route with several next hops stands there`,
      remedy: 'remove that route, or give the one of the configuration another metric',
    };
  }
  return { ...step, records: { kind: 'displaced-route', route: { ...foreign } } };
}

export function routeRemoval(route: Route): Step {
  return { done: `${describeRoute(route)} removed`, changes: [{ kind: 'remove-route', route }] };
}

function ruleAddition(rule: Rule): Step {
  return {
    done: `${describeRule(rule)} added`,
    changes: [{ kind: 'add-rule', rule }],
    repaired: `${describeRule(rule)} was removed by somebody else, and is put back`,
  };
}

/** Those of sources first: as long as one stands, outer packets have to jump over it. */
export function ruleRemovals(rules: readonly Rule[]): Step[] {
  const ordered = [...rules.filter(({ source }) => source), ...rules.filter(({ source }) => source === undefined)];
  return ordered.map((rule) => ({
    done: `${describeRule(rule)} removed`,
    changes: [{ kind: 'remove-rule', rule }],
  }));
}

function sameRule(a: Rule, b: Rule): boolean {
  const sameSelector = a.notMark === b.notMark && a.mark === b.mark && a.source === b.source;
  return a.priority === b.priority && a.family === b.family && sameSelector && a.table === b.table && a.goto === b.goto;
}

function describeRule({ priority, source, table, goto }: Rule): string {
  const from = source === undefined ? '' : ` from ${source}`;
  return `rule of priority ${priority}${from} for ${table === undefined ? `rule ${goto}` : `table ${table}`}`;
}

function describeRoute({ type, prefix, gateway, device, nexthops = [], table }: Route): string {
  const hops = nexthops.map(
    (hop) => ` ${hop.gateway === undefined ? '' : `via ${hop.gateway} `}on ${hop.device} (${hop.weight})`,
  );
  const how = type === 'unicast' ? '' : `${type} `;
  const via = gateway === undefined ? '' : ` via ${gateway}`;
  const on = device === undefined ? '' : ` on ${device}`;
  return `${how}route to ${prefix}${via}${on}${hops.join(' and')}${tableText(table)}`;
}

function tableText(table: number): string {
  if (table === MAIN_TABLE) return '';
  return table === TUNNEL_TABLE ? ' in the tunnel table' : ` in table ${table}`;
}
