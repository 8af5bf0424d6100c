/** What a user who has proved itself gets, whoever says so: the configuration or a RADIUS server. */
import { formatCidr, parseRange, rangeToCidrs } from '../../protocol/ip-address.ts';
import { ipContains, parseIpPrefix } from '../../protocol/ip-prefix.ts';
import type { Failure } from '../../protocol/machine.ts';
import { printable } from '../../protocol/printable.ts';
import type { RadiusGrant } from '../../protocol/radius/grant.ts';

/** A user of the configuration. */
export interface ServerUser {
  readonly password: string;
  /** Always this address instead of one of the pool. */
  readonly address?: string;
  /** Always this /64, CIDR, instead of one of the IPv6 pool. */
  readonly ipv6Prefix?: string;
  /** Networks behind this user, CIDR of both families: routed to it, and allowed as its sources. */
  readonly routes?: readonly string[];
}

export type UserGrant = Omit<RadiusGrant, 'remarks'>;

export const NOTHING_GRANTED: UserGrant = { routes: [], dns: [], classes: [] };

export function localGrant({ address, ipv6Prefix, routes = [] }: ServerUser): UserGrant {
  return {
    ...NOTHING_GRANTED,
    routes,
    ...(address === undefined ? {} : { address }),
    ...(ipv6Prefix === undefined ? {} : { ipv6Prefix }),
  };
}

/** What a grant from outside is held against. */
export interface GrantSurroundings {
  readonly localAddress: string;
  /** `first-last` */
  readonly pool: string;
  /** CIDR: of its IPv6 prefixes, where it gives any. */
  readonly ipv6Pool?: string;
  readonly users: Readonly<Record<string, ServerUser>>;
  /** CIDR: what sessions of other users have at present. */
  readonly taken: () => readonly string[];
  /** What the router says to it; `undefined`: nothing against it. */
  readonly review: (granted: { readonly address: string } | { readonly route: string }) => Failure | undefined;
}

export interface ReviewedGrant {
  readonly grant: UserGrant;
  /** What cannot be given, a sentence each without a full stop. */
  readonly remarks: readonly string[];
  /** The session cannot be: its address is impossible. */
  readonly failure?: Failure;
}

const REMEDY = 'correct what the RADIUS server grants this user';

/**
 * An address that cannot be given ends the session: whoever dials in relies on it. A route that cannot be given is left
 * out, in words.
 */
export function reviewGrant(granted: RadiusGrant, around: GrantSurroundings): ReviewedGrant {
  const { remarks, ...grant } = granted;
  const left: string[] = [...remarks];
  const routes = grant.routes.filter((route) => {
    const reason = routeTrouble(route, around);
    if (reason !== undefined) left.push(`Framed-Route ${route} is left out: ${reason}`);
    return reason === undefined;
  });
  const prefixTrouble = grant.ipv6Prefix === undefined ? undefined : ipv6Trouble(grant.ipv6Prefix, around);
  if (prefixTrouble !== undefined) left.push(`Framed-IPv6-Prefix ${grant.ipv6Prefix} is left out: ${prefixTrouble}`);
  const { ipv6Prefix, ...others } = grant;
  const given = prefixTrouble === undefined && ipv6Prefix !== undefined ? { ...others, ipv6Prefix } : others;
  const failure = grant.address === undefined ? undefined : addressTrouble(grant.address, around);
  return { grant: { ...given, routes }, remarks: left, ...(failure ? { failure } : {}) };
}

function addressTrouble(address: string, { localAddress, users, review }: GrantSurroundings): Failure | undefined {
  if (address === localAddress) {
    return { step: 'IPCP', reason: `the Framed-IP-Address is this router’s own, ${address}`, remedy: REMEDY };
  }
  const owner = Object.entries(users).find(([, user]) => user.address === address)?.[0];
  if (owner !== undefined) {
    const reason = `the Framed-IP-Address ${address} is that of user ${printable(owner)} in the configuration`;
    return { step: 'IPCP', reason, remedy: REMEDY };
  }
  return review({ address });
}

function routeTrouble(route: string, around: GrantSurroundings): string | undefined {
  const { localAddress, pool, ipv6Pool, users, taken, review } = around;
  const prefix = parseIpPrefix(route);
  if (prefix === undefined) return 'it is no network';
  const configured = Object.values(users).flatMap(({ address, ipv6Prefix, routes = [] }) => [
    ...routes,
    ...(address === undefined ? [] : [`${address}/32`]),
    ...(ipv6Prefix === undefined ? [] : [ipv6Prefix]),
  ]);
  // A wider one is no danger: the longest prefix wins.
  const within = (text: string): boolean => {
    const outer = parseIpPrefix(text);
    return outer !== undefined && ipContains(outer, prefix);
  };
  if (configured.some(within)) return 'it is inside a network of a user of the configuration';
  if (taken().some(within)) return 'another user has that network';
  if (route === `${localAddress}/32`) return 'it is this router’s own address';
  if (ipv6Pool !== undefined && within(ipv6Pool)) return `it is inside the pool ${ipv6Pool}`;
  const range = parseRange(pool);
  if (range !== undefined && rangeToCidrs(range.first, range.last).map(formatCidr).some(within)) {
    return `it is inside the pool ${pool}`;
  }
  return review({ route })?.reason;
}

/** The link takes a /64 for addresses that hosts make themselves, and that nobody else has. */
function ipv6Trouble(text: string, { ipv6Pool, users, taken, review }: GrantSurroundings): string | undefined {
  const prefix = parseIpPrefix(text);
  if (prefix?.length !== 64) return 'it is no /64';
  if (ipv6Pool === undefined) return 'this server gives no IPv6';
  const pool = parseIpPrefix(ipv6Pool);
  if (pool !== undefined && ipContains(pool, prefix)) return `it is inside the pool ${ipv6Pool}`;
  if (Object.values(users).some((user) => user.ipv6Prefix === text)) return 'it is that of a user of the configuration';
  return taken().includes(text) ? 'another user has it' : review({ route: text })?.reason;
}
