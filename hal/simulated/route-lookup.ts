/** Which route a simulated machine takes, and the source address that goes with it (RFC 1122 section 3.3.4.3). */
import { formatIpAddress, maskAddress, parseAddressWithLength, parseIpAddress } from '../ip-address.ts';
import type { Route, Rule } from '../links.ts';

const TABLE_LOCAL = 255;

/** An address of the machine with the network that it is on, which is that of its peer where there is one. */
export interface AddressEntry {
  readonly device: string;
  /** `192.0.2.1/24` */
  readonly address: string;
  readonly network: string;
}

export interface RoutingState {
  /** In the order of priorities, of all families. */
  readonly rules: readonly Rule[];
  readonly addresses: readonly AddressEntry[];
  routes(family: 4 | 6, table: number): readonly Route[];
  isUp(device: string): boolean;
}

/** @param remote octets of an address. @returns text of the source address; `undefined` when there is no way there. */
export function sourceTowards(state: RoutingState, remote: Uint8Array, mark: number): string | undefined {
  const family = remote.length === 4 ? 4 : 6;
  let next = 0;
  for (const rule of state.rules) {
    if (rule.priority < next || !matches(rule, family, mark)) continue;
    next = rule.goto ?? next;
    if (rule.table === undefined) continue;
    if (rule.table === TABLE_LOCAL) {
      const own = ownAddressFor(state, remote);
      if (own !== undefined) return own;
      continue;
    }
    const route = bestRoute(state, family, rule.table, remote);
    if (!route || route.type === 'throw') continue;
    return route.type === 'unicast' ? sourceOf(state, route, remote) : undefined;
  }
  return undefined;
}

/** Whether the rule is for a packet of this machine that has no source yet. */
function matches(rule: Rule, family: 4 | 6, mark: number): boolean {
  if (rule.family !== family || rule.notMark === mark) return false;
  if (rule.mark !== undefined && rule.mark !== mark) return false;
  return rule.source === undefined || contains(rule.source, new Uint8Array(family === 4 ? 4 : 16));
}

/** An address of the machine is reached from itself, and any of 127.0.0.0/8 from 127.0.0.1. */
function ownAddressFor({ addresses }: RoutingState, remote: Uint8Array): string | undefined {
  const text = formatIpAddress(remote);
  const entry =
    addresses.find(({ address }) => withoutLength(address) === text) ??
    addresses.find(({ device, network }) => device === 'lo' && contains(network, remote));
  return entry && withoutLength(entry.address);
}

/** The longest prefix, and of equals the least metric, of those whose device is up. */
function bestRoute(state: RoutingState, family: 4 | 6, table: number, remote: Uint8Array): Route | undefined {
  const usable = state
    .routes(family, table)
    .filter((route) => contains(route.prefix, remote))
    // Of several next hops one and the same: the kernel's choice is by a hash, which nobody may count on.
    .map((route) => ({ ...route, ...route.nexthops?.find(({ device }) => state.isUp(device)) }))
    .filter((route) => route.type !== 'unicast' || (route.device !== undefined && state.isUp(route.device)));
  return usable.toSorted((a, b) => lengthOf(b.prefix) - lengthOf(a.prefix) || (a.metric ?? 0) - (b.metric ?? 0))[0];
}

/** What the route says; else an address of its device, best one of the network that the next hop is on; else any other. */
function sourceOf({ addresses }: RoutingState, route: Route, remote: Uint8Array): string | undefined {
  if (route.source !== undefined) return route.source;
  const ofFamily = addresses.filter(
    ({ address, device }) => device !== 'lo' && address.includes(':') === (remote.length === 16),
  );
  const onDevice = ofFamily.filter(({ device }) => device === route.device);
  const nextHop = (route.gateway === undefined ? undefined : parseIpAddress(route.gateway)) ?? remote;
  const entry = onDevice.find(({ network }) => contains(network, nextHop)) ?? onDevice[0] ?? ofFamily[0];
  return entry && withoutLength(entry.address);
}

function contains(prefix: string, address: Uint8Array): boolean {
  const parsed = parseAddressWithLength(prefix);
  if (!parsed || parsed.octets.length !== address.length) return false;
  return formatIpAddress(maskAddress(address, parsed.length)) === formatIpAddress(parsed.octets);
}

function lengthOf(prefix: string): number {
  return parseAddressWithLength(prefix)?.length ?? 0;
}

function withoutLength(address: string): string {
  return address.split('/')[0] ?? '';
}
