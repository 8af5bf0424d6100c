/**
 * Who a peer is. In clear it is an address and a port. What comes by a protected channel is known by the channel and
 * the inner port: behind one NAT several peers have the same address, and inside IPsec all of them port 1701.
 */
import type { UdpPath } from '../udp-path.ts';

/** Text that is the same for two paths exactly if they lead to the same peer (`samePeer`). */
export function peerKey({ bearer, remote }: UdpPath): string {
  return bearer === undefined ? `${remote.address} ${remote.port}` : `bearer ${bearer} ${remote.port}`;
}

/** Whether two paths lead to the same host, whatever its port. */
export function sameHost(a: UdpPath, b: UdpPath): boolean {
  if (a.bearer !== b.bearer) return false;
  return a.bearer !== undefined || a.remote.address === b.remote.address;
}
