/** Which DNS servers are asked for the names of VPN servers: by way of the uplink, never through a tunnel. */
import type { Configuration } from '../config/schema.ts';
import { canonicalIp } from '../protocol/ip-address.ts';

/** As many as the resolver of the C library asks (MAXNS). */
const MAX_SERVERS = 3;

/**
 * The DNS servers of the uplink that carries the traffic; else those of the WAN interfaces; where there are none, those of the
 * operating system.
 * @param resolvConf text of the system's resolv.conf; `undefined` when it has none.
 * @returns at most three addresses, none twice.
 */
export function uplinkDnsServers(
  configuration: Configuration,
  resolvConf: string | undefined,
  uplink: readonly string[] = [],
): string[] {
  const configured = Object.values(configuration.interfaces).flatMap(({ zone, ipv4 }) =>
    zone === 'wan' ? (ipv4?.dns ?? []) : [],
  );
  const known = uplink.length > 0 ? uplink : configured;
  const servers = known.length > 0 ? known : nameservers(resolvConf ?? '');
  return [...new Set(servers.flatMap((text) => canonicalIp(text) ?? []))].slice(0, MAX_SERVERS);
}

/** The addresses of the `nameserver` lines, in order, with anything that is no address left out. */
export function nameservers(resolvConf: string): string[] {
  return resolvConf.split('\n').flatMap((line) => {
    const address = /^nameserver[ \t]+(\S+)[ \t]*$/.exec(line.trimEnd())?.[1];
    return address === undefined ? [] : (canonicalIp(address) ?? []);
  });
}
