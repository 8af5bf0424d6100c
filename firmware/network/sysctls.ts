/** Parameters of the kernel: those of the machine, which are put back at the end, and those of our own TUNs. */
import type { Configuration } from '../config/schema.ts';
import type { DesiredNetwork, LiveTunnel } from './desired.ts';

const SOURCE_MARK_KEY = 'net.ipv4.conf.all.src_valid_mark';
/** By which of several next hops a flow goes: 1: by its ports as well as its addresses. Only kernels that know several have it. */
export const MULTIPATH_KEY = 'net.ipv4.fib_multipath_hash_policy';
const FORWARDING6_KEY = 'net.ipv6.conf.all.forwarding';

export interface WantedSysctl {
  readonly key: string;
  /** Present: only where it has this value. */
  readonly from?: string;
  readonly to: string;
  /** To be put back at the end. */
  readonly undone: boolean;
}

/** In the order in which they are to be set. */
export function desiredSysctls(configuration: Configuration, desired: DesiredNetwork): WantedSysctl[] {
  const marks = desired.markReplies ? [{ key: SOURCE_MARK_KEY, from: '0', to: '1', undone: true }] : [];
  const shared = sharesRoutes(desired) ? [{ key: MULTIPATH_KEY, from: '0', to: '1', undone: true }] : [];
  if (!desired.forwarding6) return [...marks, ...shared];
  // A router takes no Router Advertisements by default; an uplink that lives by them must go on to do so.
  const uplinks = Object.values(configuration.interfaces).flatMap(({ device, zone }) =>
    zone === 'wan' ? [{ key: ofDevice(device, 'accept_ra'), from: '1', to: '2', undone: true }] : [],
  );
  return [...marks, ...shared, ...uplinks, { key: FORWARDING6_KEY, from: '0', to: '1', undone: true }];
}

/** Whether what the journal tells of this parameter is still wanted. */
export function isWantedSysctl(
  key: string,
  desired: Pick<DesiredNetwork, 'markReplies' | 'forwarding6' | 'routes'>,
): boolean {
  if (key === MULTIPATH_KEY) return sharesRoutes(desired);
  return key === SOURCE_MARK_KEY ? desired.markReplies : desired.forwarding6;
}

function sharesRoutes({ routes }: Pick<DesiredNetwork, 'routes'>): boolean {
  return routes.some(({ nexthops }) => nexthops !== undefined);
}

/**
 * Of the TUN of a tunnel with IPv6: its addresses come from us alone. The peer knows no other link-local address than that
 * of IPv6CP, and Router Advertisements are taken by our own machine. The device goes with the process: nothing to undo.
 */
export function tunnelSysctls({ device, ipv6 }: LiveTunnel): WantedSysctl[] {
  if (ipv6 === undefined) return [];
  const values = [
    // No link-local address of the kernel's own (IN6_ADDR_GEN_MODE_NONE).
    ['addr_gen_mode', '1'],
    ['accept_ra', '0'],
    ['autoconf', '0'],
    ['accept_redirects', '0'],
    ['disable_ipv6', '0'],
    ...(ipv6.mtu === undefined ? [] : [['mtu', String(ipv6.mtu)] as const]),
  ] as const;
  return values.map(([name, to]) => ({ key: ofDevice(device, name), to, undone: false }));
}

/** A dot in a name is a slash there. */
function ofDevice(device: string, name: string): string {
  return `net.ipv6.conf.${device.replaceAll('.', '/')}.${name}`;
}
