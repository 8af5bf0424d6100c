/** The routing tables of a simulated machine. */
import { isDeepStrictEqual } from 'node:util';
import { HalError } from '../hal-error.ts';
import { formatIpAddress, maskAddress, parseAddressWithLength } from '../ip-address.ts';
import type { LinkAddress, Route } from '../links.ts';

const TABLE_MAIN = 254;

/** RTPROT_KERNEL. */
const PROTOCOL_KERNEL = 2;

/** Metric of an IPv6 route that was given none, and of a connected IPv6 network. */
const IPV6_DEFAULT_METRIC = 1024;
const IPV6_CONNECTED_METRIC = 256;

export class SimulatedRoutes {
  #routes: Route[] = [];

  all(): readonly Route[] {
    return [...this.#routes];
  }

  /** Instead of all that are there; as the kernel shows them. */
  load(routes: readonly Route[]): void {
    this.#routes = [...routes];
  }

  list(family: 4 | 6, table: number): readonly Route[] {
    return this.#routes.filter((route) => route.table === table && familyOf(route) === family);
  }

  /** Puts the route in the place of that of the same prefix, metric and table, or adds it. */
  replace(route: Route): void {
    const stored = normalized(route);
    this.#routes = this.#routes.filter((other) => !samePlace(other, stored));
    this.#routes.push(stored);
  }

  /** Removes the first that matches; what `route` leaves out matches anything. @throws HalError ESRCH. */
  remove(route: Route): void {
    const prefix = normalized(route).prefix;
    const index = this.#routes.findIndex(
      (other) =>
        other.prefix === prefix &&
        other.table === route.table &&
        other.type === route.type &&
        other.protocol === route.protocol &&
        (route.metric === undefined || (other.metric ?? 0) === route.metric) &&
        (route.device === undefined || route.type !== 'unicast' || other.device === route.device) &&
        (route.gateway === undefined || other.gateway === route.gateway) &&
        (route.nexthops === undefined || isDeepStrictEqual(other.nexthops, route.nexthops)),
    );
    if (index < 0) throw new HalError(`The route to ${route.prefix} is not in table ${route.table}.`, 'ESRCH');
    this.#routes.splice(index, 1);
  }

  removeDevice(device: string): void {
    // One of several next hops is dead then, and shown on; without any left the route goes.
    this.#routes = this.#routes.filter(
      (route) => route.device !== device && !route.nexthops?.every((hop) => hop.device === device),
    );
  }

  /** The route that the kernel makes for the network of an address. IPv4 makes none for a network of one host, its own. */
  addConnected(entry: LinkAddress & { readonly network: string }): void {
    if (entry.device === 'lo') return;
    if (entry.network.includes(':')) {
      this.replace({
        prefix: entry.network,
        type: 'unicast',
        device: entry.device,
        metric: IPV6_CONNECTED_METRIC,
        table: TABLE_MAIN,
        protocol: PROTOCOL_KERNEL,
      });
    } else if (entry.network !== entry.address || !entry.network.endsWith('/32')) {
      this.replace(this.#connectedIpv4(entry));
    }
  }

  /** Takes the address's own route away, and IPv4 routes that name it as their source. */
  removeConnected(entry: LinkAddress & { readonly network: string }): void {
    const [local] = entry.address.split('/');
    this.#routes = this.#routes.filter((route) => {
      const own = route.protocol === PROTOCOL_KERNEL && route.device === entry.device && route.prefix === entry.network;
      return !own && !(familyOf(route) === 4 && route.source === local);
    });
  }

  #connectedIpv4(entry: LinkAddress & { readonly network: string }): Route {
    const [source = ''] = entry.address.split('/');
    return {
      prefix: entry.network,
      type: 'unicast',
      device: entry.device,
      source,
      table: TABLE_MAIN,
      protocol: PROTOCOL_KERNEL,
      scope: 'link',
    };
  }
}

function familyOf(route: Route): 4 | 6 {
  return route.prefix.includes(':') ? 6 : 4;
}

function samePlace(a: Route, b: Route): boolean {
  return a.prefix === b.prefix && a.table === b.table && (a.metric ?? 0) === (b.metric ?? 0);
}

/** As the kernel shows it. @throws HalError EINVAL when the prefix is none. */
function normalized(route: Route): Route {
  const parsed = parseAddressWithLength(route.prefix);
  if (!parsed) throw new HalError(`${JSON.stringify(route.prefix)} is no prefix.`, 'EINVAL');
  const network = formatIpAddress(maskAddress(parsed.octets, parsed.length));
  const { device, scope, metric, ...rest } = route;
  const family = familyOf(route);
  if (family === 4 && network !== formatIpAddress(parsed.octets)) {
    throw new HalError(`${route.prefix} has bits set after its prefix length.`, 'EINVAL');
  }
  const shownScope =
    scope ?? (family === 4 && route.type === 'unicast' && !route.gateway && !route.nexthops ? 'link' : 'global');
  const shownMetric = family === 6 ? metric || IPV6_DEFAULT_METRIC : metric || undefined;
  return {
    ...rest,
    prefix: `${network}/${parsed.length}`,
    ...(device !== undefined && route.type === 'unicast' ? { device } : {}),
    ...(shownMetric === undefined ? {} : { metric: shownMetric }),
    ...(family === 6 || shownScope === 'global' ? {} : { scope: shownScope }),
  };
}
