/** Rules about the IPv6 addresses of interfaces. */
import {
  formatIpPrefix,
  type IpPrefix,
  ipContains,
  ipNetworkOf,
  ipOverlaps,
  parseIpPrefix,
} from '../protocol/ip-prefix.ts';
import { memberPath } from './json-path.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';

/** What no interface has as its own: unspecified, loopback, mapped IPv4, multicast (RFC 4291 section 2.4). */
const UNFIT = ['::/127', '::ffff:0:0/96', 'ff00::/8'].flatMap((text) => parseIpPrefix(text) ?? []);
/** The same on every link (RFC 4291 section 2.5.6). */
const LINK_LOCAL = parseIpPrefix('fe80::/10');

export const INTERFACE_IPV6_RULES: readonly ConfigurationRule[] = [
  {
    name: 'interface-address-ipv6',
    severity: 'error',
    description: 'An IPv6 address of an interface is that of a host: not unspecified, loopback or multicast.',
    check: usableAddress,
  },
  {
    name: 'networks-overlap-ipv6',
    severity: 'error',
    description: 'The IPv6 networks of the interfaces do not overlap, but for link-local ones.',
    check: networksOverlap,
  },
];

interface Network {
  readonly name: string;
  readonly path: string;
  readonly prefix: IpPrefix;
}

function networks(configuration: Configuration): Network[] {
  return Object.entries(configuration.interfaces).flatMap(([name, { ipv6 }]) => {
    const prefix = parseIpPrefix(ipv6?.address ?? '');
    return prefix === undefined ? [] : [{ name, prefix, path: `${memberPath('interfaces', name)}.ipv6.address` }];
  });
}

function* usableAddress(configuration: Configuration): Iterable<Finding> {
  for (const { path, prefix } of networks(configuration)) {
    const host = { ...prefix, length: 128 };
    if (!UNFIT.some((range) => ipContains(range, host))) continue;
    const found = `${formatIpPrefix(prefix)}, which is unspecified, loopback, mapped IPv4 or multicast`;
    yield { path, found, allowed: 'the address of a host' };
  }
}

function* networksOverlap(configuration: Configuration): Iterable<Finding> {
  const all = networks(configuration).filter(({ prefix }) => !(LINK_LOCAL && ipContains(LINK_LOCAL, prefix)));
  for (const [index, { path, prefix }] of all.entries()) {
    const other = all.slice(0, index).find((earlier) => ipOverlaps(earlier.prefix, prefix));
    if (other === undefined) continue;
    const theirs = `${formatIpPrefix(ipNetworkOf(other.prefix))} of interface "${other.name}"`;
    const found = `${formatIpPrefix(prefix)}, which overlaps ${theirs}`;
    yield { path, found, allowed: 'a network of its own for every interface' };
  }
}
