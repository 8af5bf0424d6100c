/** What a server grants, read of its OFFER or ACK and judged: a stranger may be wrong or hostile. */
import {
  contains,
  formatCidr,
  formatIpv4,
  hostPrefix,
  type Ipv4Prefix,
  lastAddress,
  netmask,
  networkOf,
  parseCidr,
  parseIpv4,
} from '../ip-address.ts';
import type { Failure } from '../machine.ts';
import type { DhcpMessage } from './message.ts';

export interface Lease {
  /** With the network's length: `192.0.2.7/24`. */
  readonly address: string;
  /** Of the default route; absent: there is none. */
  readonly gateway?: string;
  /** Further routes (RFC 3442); without a gateway: on the link. */
  readonly routes: readonly { readonly prefix: string; readonly gateway?: string }[];
  /** None to three. */
  readonly dns: readonly string[];
  readonly domain?: string;
  /** Octets, 576..65535, where the server names one. */
  readonly mtu?: number;
  /** Who granted it. */
  readonly server: string;
  /** Seconds from the request; `Infinity`: for ever (RFC 2131 section 3.3). */
  readonly seconds: number;
  /** T1 and T2, seconds: 0 < T1 < T2 < `seconds`, or all `Infinity`. */
  readonly renewalSeconds: number;
  readonly rebindingSeconds: number;
}

/** Lease time that means for ever. */
const INFINITE = 0xffff_ffff;
/** A lease that ends sooner would be asked for all the time, seconds. */
const SHORTEST_LEASE = 10;
/** T1 and T2 where the server does not say (RFC 2131 section 4.4.5). */
const T1 = 0.5;
const T2 = 0.875;
/** The smallest MTU that every IPv4 host takes (RFC 791 section 3.1). */
const SMALLEST_MTU = 576;
const MOST_DNS = 3;
/** Routes that a server may set beside the default one. */
const MOST_ROUTES = 16;

const REMEDY = 'correct the DHCP server, or give the interface a static address';

function refuse(reason: string): Failure {
  return { step: 'DHCP', reason, remedy: REMEDY };
}

/** @returns the lease, or why it cannot be one. */
export function readLease(message: DhcpMessage): Lease | Failure {
  const { options, yourAddress } = message;
  const server = options.serverIdentifier;
  if (server === undefined || !isHost(server)) return refuse('the DHCP server does not say who it is (option 54)');
  const who = `the DHCP server ${server}`;
  if (!isHost(yourAddress)) return refuse(`${who} gives the address ${yourAddress}, which no host can have`);
  const prefix = prefixOf(yourAddress, options.subnetMask);
  if (typeof prefix === 'string') return refuse(`${who} gives the netmask ${prefix}, which is none`);
  if (prefix.length < 31 && (prefix.address === networkOf(prefix).address || prefix.address === lastAddress(prefix)))
    return refuse(`${who} gives ${formatCidr(prefix)}, which is the network's own or its broadcast address`);
  const seconds = options.leaseSeconds ?? 0;
  if (seconds < SHORTEST_LEASE)
    return refuse(`${who} gives the address for ${seconds} seconds, which is too short to use`);
  const ways = waysOf(message, prefix);
  if ('reason' in ways) return ways;
  const mtu = options.interfaceMtu;
  return {
    address: formatCidr(prefix),
    ...ways,
    dns: (options.dns ?? []).filter(isHost).slice(0, MOST_DNS),
    ...(options.domainName === undefined ? {} : { domain: options.domainName }),
    ...(mtu === undefined || mtu < SMALLEST_MTU ? {} : { mtu }),
    server,
    ...timesOf(seconds, options.renewalSeconds, options.rebindingSeconds),
  };
}

/** An address that one host can have: not 0/8, loopback, multicast or reserved. */
function isHost(text: string): boolean {
  const address = parseIpv4(text) ?? 0;
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}

/** @returns the text of a mask that is none. Without a mask the address's class says it (RFC 950 section 2.1). */
function prefixOf(address: string, mask: string | undefined): Ipv4Prefix | string {
  const number = parseIpv4(address) ?? 0;
  if (mask === undefined) {
    const first = number >>> 24;
    return { address: number, length: first < 128 ? 8 : first < 192 ? 16 : 24 };
  }
  const bits = parseIpv4(mask) ?? 0;
  const length = Math.clz32(~bits >>> 0);
  return length === 0 || netmask(length) !== bits ? mask : { address: number, length };
}

/** Where RFC 3442's routes are given, the routers of option 3 do not count. */
function waysOf({ options }: DhcpMessage, own: Ipv4Prefix): Pick<Lease, 'gateway' | 'routes'> | Failure {
  const given = options.classlessRoutes?.slice(0, MOST_ROUTES);
  const wrong = given?.find(({ router }) => router !== '0.0.0.0' && !isHost(router));
  if (wrong !== undefined) return refuse(`the DHCP server gives a route by ${wrong.router}, which no host can have`);
  const gateway = given === undefined ? options.routers?.find(isHost) : given.find(isDefault)?.router;
  const routes = (given ?? [])
    .filter((route) => !isDefault(route) && isUsefulRoute(route.prefix))
    .map(({ prefix, router }) => (router === '0.0.0.0' ? { prefix } : { prefix, gateway: router }));
  if (gateway === undefined || gateway === '0.0.0.0') return { routes };
  const hop = parseIpv4(gateway) ?? 0;
  if (hop === own.address) return refuse(`the DHCP server gives ${gateway} both as address and as router`);
  // A router outside the network is on the link all the same: providers give addresses of length 32 so.
  const near = [own, ...routes.map(({ prefix }) => parseCidr(prefix))];
  const isNear = near.some((prefix) => prefix !== undefined && contains(prefix, hostPrefix(hop)));
  return { gateway, routes: isNear ? routes : [{ prefix: `${formatIpv4(hop)}/32` }, ...routes] };
}

function isDefault({ prefix }: { readonly prefix: string }): boolean {
  return prefix === '0.0.0.0/0';
}

/** Not loopback, multicast or reserved. */
function isUsefulRoute(prefix: string): boolean {
  return isHost(prefix.split('/')[0] ?? '');
}

/** What the server says of T1 and T2 counts while it makes sense. */
function timesOf(
  seconds: number,
  t1: number | undefined,
  t2: number | undefined,
): Pick<Lease, 'seconds' | 'renewalSeconds' | 'rebindingSeconds'> {
  if (seconds === INFINITE)
    return {
      seconds: Number.POSITIVE_INFINITY,
      renewalSeconds: Number.POSITIVE_INFINITY,
      rebindingSeconds: Number.POSITIVE_INFINITY,
    };
  const makeSense = t1 !== undefined && t2 !== undefined && t1 > 0 && t1 < t2 && t2 < seconds;
  return {
    seconds,
    renewalSeconds: makeSense ? t1 : seconds * T1,
    rebindingSeconds: makeSense ? t2 : seconds * T2,
  };
}
