/** Rules about remote syslog and metrics. */
import { MaterialError, readChain } from '../certificates/material.ts';
import { canonicalIp, contains, hostPrefix, parseCidr, parseIpv4 } from '../protocol/ip-address.ts';
import { memberPath } from './json-path.ts';
import { SYSLOG_PORTS, type SyslogServerConfiguration } from './monitoring-schema.ts';
import { type ConfigurationRule, type Finding, repeated } from './rule.ts';
import type { Configuration } from './schema.ts';

export const MONITORING_RULES: readonly ConfigurationRule[] = [
  {
    name: 'syslog-server-twice',
    severity: 'error',
    description: 'Each syslog server stands once in the list.',
    check: serverTwice,
  },
  {
    name: 'syslog-authority-unreadable',
    severity: 'error',
    description: 'The authorities of a syslog server can be read.',
    check: authorityUnreadable,
  },
  {
    name: 'syslog-without-tls',
    severity: 'warning',
    description: 'Authorities and the name of a syslog server mean something with the transport "tls" alone.',
    check: withoutTls,
  },
  {
    name: 'syslog-in-clear',
    severity: 'warning',
    description:
      'A log that leaves by the uplink for a public address is encrypted: it names users, addresses and peers.',
    check: inClear,
  },
  {
    name: 'metrics-on-wan',
    severity: 'warning',
    description: 'Metrics are not served to the outside: their listener has no address of a WAN interface.',
    check: metricsOnWan,
  },
  {
    name: 'metrics-address',
    severity: 'warning',
    description: 'Metrics are served on an address that this router has.',
    check: metricsAddress,
  },
];

/** Networks that are nobody's in the internet (RFC 1918, RFC 6598, RFC 3927) and loopback. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', '127.0.0.0/8'];
/** The same of IPv6: unique local (RFC 4193), link-local, loopback. */
const PRIVATE_IPV6 = /^(f[cd]|fe[89ab]|::1$)/;
const UNSPECIFIED = ['0.0.0.0', '::'];

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly server: SyslogServerConfiguration;
}

function servers(configuration: Configuration): Entry[] {
  return Object.entries(configuration.system.syslog).map(([name, server]) => ({
    name,
    path: memberPath('system.syslog', name),
    server,
  }));
}

function* serverTwice(configuration: Configuration): Iterable<Finding> {
  const end = ({ server }: Entry): string => {
    const { address, transport, port = SYSLOG_PORTS[transport] } = server;
    return `${canonicalIp(address) ?? address.toLowerCase()} port ${port} with ${transport.toUpperCase()}`;
  };
  for (const [entry, earlier] of repeated(servers(configuration), end)) {
    const found = `${end(entry)}, as "${earlier.name}" has`;
    yield { path: `${entry.path}.address`, found, allowed: 'each server once, or every line would come twice' };
  }
}

function* authorityUnreadable(configuration: Configuration): Iterable<Finding> {
  for (const { path, server } of servers(configuration)) {
    if (server.ca === undefined) continue;
    try {
      readChain({ certificate: '', chain: server.ca });
    } catch (error) {
      if (!(error instanceof MaterialError)) throw error;
      yield { path: `${path}.ca`, found: error.message, allowed: error.remedy };
    }
  }
}

function* withoutTls(configuration: Configuration): Iterable<Finding> {
  for (const { path, server } of servers(configuration)) {
    if (server.transport === 'tls') continue;
    for (const key of ['ca', 'serverName'] as const) {
      if (server[key] === undefined) continue;
      const found = `something, with the transport "${server.transport}"`;
      yield { path: `${path}.${key}`, found, allowed: 'nothing, or the transport "tls": nobody is checked without it' };
    }
  }
}

function* inClear(configuration: Configuration): Iterable<Finding> {
  for (const { path, server } of servers(configuration)) {
    const { transport, route, address } = server;
    if (transport === 'tls' || route !== 'uplink' || !isPublic(address)) continue;
    const allowed = 'better "tls", or the route "tunnels": whoever is on the way reads names, addresses and users';
    yield { path: `${path}.transport`, found: `"${transport}" to ${address}, which is in the internet`, allowed };
  }
}

/** Of a name nobody knows. */
function isPublic(address: string): boolean {
  const canonical = canonicalIp(address);
  if (canonical === undefined) return false;
  const ipv4 = parseIpv4(canonical);
  if (ipv4 === undefined) return !PRIVATE_IPV6.test(canonical);
  return !PRIVATE.some((text) => {
    const network = parseCidr(text);
    return network !== undefined && contains(network, hostPrefix(ipv4));
  });
}

function* metricsOnWan(configuration: Configuration): Iterable<Finding> {
  const { metrics } = configuration.system;
  if (metrics === undefined) return;
  const listen = canonicalIp(metrics.listen) ?? metrics.listen;
  const path = 'system.metrics.listen';
  const outside = addresses(configuration).filter(({ zone }) => zone === 'wan');
  const own = outside.find(({ address }) => address === listen);
  const allowed =
    'better the address of a LAN or management interface, or 127.0.0.1: there is no TLS, and a stranger may ask';
  if (own !== undefined) yield { path, found: `${listen} of interface "${own.name}" in the zone "wan"`, allowed };
  else if (UNSPECIFIED.includes(listen)) {
    const wan = Object.values(configuration.interfaces).some(({ zone }) => zone === 'wan');
    if (wan) yield { path, found: `${listen}, every address, those in the zone "wan" too`, allowed };
  }
}

function* metricsAddress(configuration: Configuration): Iterable<Finding> {
  const { metrics } = configuration.system;
  if (metrics === undefined) return;
  const listen = canonicalIp(metrics.listen) ?? metrics.listen;
  if (UNSPECIFIED.includes(listen) || listen === '::1' || listen.startsWith('127.')) return;
  if (addresses(configuration).some(({ address }) => address === listen)) return;
  // An interface that this configuration leaves as it is may have it.
  if (Object.values(configuration.interfaces).some(({ ipv4 }) => ipv4?.method !== 'static')) return;
  const found = `${listen}, which no interface has`;
  yield { path: 'system.metrics.listen', found, allowed: 'an address of an interface here, or 127.0.0.1' };
}

/** Of the interfaces, as the configuration gives them. */
function addresses({ interfaces }: Configuration): { name: string; zone: string; address: string }[] {
  return Object.entries(interfaces).flatMap(([name, { zone, ipv4, ipv6 }]) =>
    [ipv4?.method === 'static' ? ipv4.address : undefined, ipv6?.address].flatMap((text) => {
      const address = text?.split('/')[0];
      return address === undefined ? [] : [{ name, zone, address: canonicalIp(address) ?? address }];
    }),
  );
}
