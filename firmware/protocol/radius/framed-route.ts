/** Framed-Route (RFC 2865 section 5.22): `prefix[/length] [gateway [metric...]]`, and its like of IPv6, read strictly. */
import { canonicalIp, formatCidr, isIpv6, netmask, parseIpv4 } from '../ip-address.ts';
import { canonicalPrefix, isIpv6Text, parseIpNetwork } from '../ip-prefix.ts';

export interface FramedRoute {
  /** CIDR. */
  readonly prefix: string;
  /** Absent: the user itself, which the RFC writes as 0.0.0.0; of IPv6 `::`. */
  readonly gateway?: string;
}

/** A metric: of several, all are of one route, whose only way is through the user here. */
const METRIC = /^-?[0-9]{1,10}$/;
const MAX_METRICS = 8;

/** @returns a sentence about what is wrong, without a full stop, when it is no such route. */
export function parseFramedRoute(text: string): FramedRoute | string {
  const [destination = '', gateway, ...metrics] = text.trim().split(/\s+/);
  const [address, digits, ...more] = destination.split('/');
  const network = parseIpv4(address ?? '');
  if (network === undefined || more.length > 0) return 'it does not begin with a network';
  const length = digits === undefined ? classLength(network) : /^(0|[1-9][0-9]?)$/.test(digits) ? Number(digits) : 33;
  if (length > 32) return 'the length of its prefix is not in 0 to 32';
  if ((network & ~netmask(length)) >>> 0 !== 0) return 'bits outside of its prefix length are set';
  const via = gateway === undefined ? 0 : parseIpv4(gateway);
  if (via === undefined) return 'its gateway is no address';
  if (metrics.length > MAX_METRICS || !metrics.every((metric) => METRIC.test(metric)))
    return 'its metrics are no numbers';
  return {
    prefix: formatCidr({ address: network, length }),
    ...(via === 0 || gateway === undefined ? {} : { gateway }),
  };
}

/** Framed-IPv6-Route (RFC 3162 section 2.5), in the form in which servers write it. @returns as {@link parseFramedRoute}. */
export function parseFramedIpv6Route(text: string): FramedRoute | string {
  const [destination = '', gateway, ...metrics] = text.trim().split(/\s+/);
  if (!isIpv6Text(destination) || parseIpNetwork(destination) === undefined) return 'it does not begin with a network';
  if (gateway !== undefined && !isIpv6(gateway)) return 'its gateway is no address';
  if (metrics.length > MAX_METRICS || !metrics.every((metric) => METRIC.test(metric)))
    return 'its metrics are no numbers';
  const via = gateway === undefined ? '::' : canonicalIp(gateway);
  return {
    prefix: canonicalPrefix(destination),
    ...(via === undefined || via === '::' ? {} : { gateway: via }),
  };
}

/** The length that goes without saying: that of the address's class. */
function classLength(address: number): number {
  const first = address >>> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}
