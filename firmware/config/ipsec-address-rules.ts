/** Rules about inner addresses of IPsec: those that the peer assigns, and those that callers are given. */

import { lastAddress, networkOf, parseRange } from '../protocol/ip-address.ts';
import { interfaceNetworks } from './interface-networks.ts';
import { ipsecEntries } from './ipsec-entries.ts';
import { ANY_PEER } from './ipsec-schema.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';

/** Addresses of one pool: as many callers as anybody has, and few enough to be looked through. */
const MAX_POOL = 65_536;

export const IPSEC_ADDRESS_RULES: readonly ConfigurationRule[] = [
  {
    name: 'ipsec-virtual-address',
    severity: 'error',
    description: 'Who has an inner address assigned calls one peer, in tunnel mode, whether packets come or not.',
    check: virtualAddress,
  },
  {
    name: 'ipsec-pool',
    severity: 'error',
    description:
      'Callers are given addresses in tunnel mode, on a connection with the peer "any" and routing "policy".',
    check: pool,
  },
  {
    name: 'ipsec-pool-overlap',
    severity: 'error',
    description: "A pool of IPsec has no address of an interface's network or of another pool.",
    check: poolOverlap,
  },
];

function* virtualAddress(configuration: Configuration): Iterable<Finding> {
  for (const { path, virtualAddress: wanted, mode, remote, start } of ipsecEntries(configuration)) {
    if (!wanted) continue;
    const at = `${path}.virtualAddress`;
    if (mode !== 'tunnel') yield { path: at, found: 'true in transport mode', allowed: 'false, or the mode "tunnel"' };
    else if (remote === ANY_PEER) {
      yield {
        path: at,
        found: 'true with the peer "any"',
        allowed: 'the address or name of a peer to ask, or a "pool" to give from',
      };
    } else if (start === 'traffic') {
      const found = 'true with start "traffic": packets would be held before there is an address for them';
      yield { path: at, found, allowed: 'false, or start "boot" or "manual"' };
    }
  }
}

function* pool(configuration: Configuration): Iterable<Finding> {
  for (const { path, pool: text, dns, mode, remote, routing } of ipsecEntries(configuration)) {
    if (text === undefined) {
      if (dns.length > 0) yield { path: `${path}.dns`, found: dns.join(', '), allowed: 'none without a "pool"' };
      continue;
    }
    const at = `${path}.pool`;
    const allowed = 'a pool on a connection with the peer "any", mode "tunnel" and routing "policy"';
    if (mode !== 'tunnel') yield { path: at, found: `${text} in transport mode`, allowed };
    else if (remote !== ANY_PEER) yield { path: at, found: `${text} for one peer`, allowed };
    else if (routing !== 'policy') yield { path: at, found: `${text} with routing "route"`, allowed };
    const range = parseRange(text);
    const size = range === undefined ? 0 : range.last - range.first + 1;
    if (size < 1)
      yield { path: at, found: `${text}, which ends before it begins`, allowed: 'the first address, then the last' };
    if (size > MAX_POOL)
      yield { path: at, found: `${text}, ${size} addresses`, allowed: `at most ${MAX_POOL} addresses` };
  }
}

function* poolOverlap(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks(configuration).map(({ name, prefix }) => ({
    what: `the network of interface "${name}"`,
    first: networkOf(prefix).address,
    last: lastAddress(prefix),
  }));
  const ofServers = Object.entries(configuration.l2tp.servers).flatMap(([name, server]) => {
    const range = parseRange(server.pool);
    return range === undefined ? [] : [{ what: `the pool of L2TP server "${name}"`, ...range }];
  });
  const taken = [...networks, ...ofServers];
  for (const { path, pool: text } of ipsecEntries(configuration)) {
    const range = parseRange(text ?? '');
    if (range === undefined) continue;
    const other = taken.find(({ first, last }) => first <= range.last && range.first <= last);
    if (other !== undefined) {
      yield {
        path: `${path}.pool`,
        found: `${text}, which overlaps ${other.what}`,
        allowed: 'addresses that nothing else has',
      };
    }
    taken.push({ what: `the pool at ${path}.pool`, ...range });
  }
}
