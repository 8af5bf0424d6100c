/** Where a UDP datagram came from and went to: what a protocol core needs to know of the network, and all it knows. */

/** One end of a UDP path. */
export interface UdpEndpoint {
  /** IPv4 dotted quad or IPv6 in canonical text form (RFC 5952), without zone or brackets. */
  readonly address: string;
  /** 1..65535; 0 on a local end means: not bound yet. */
  readonly port: number;
}

/** A pair of ends, as this machine sees it. A reply leaves from `local`, the address that was asked. */
export interface UdpPath {
  readonly remote: UdpEndpoint;
  readonly local: UdpEndpoint;
  /**
   * The protected channel by which the datagram came or shall go, where there is one. It tells peers apart that have the
   * same address and port, as several clients behind one NAT do, and is the same wherever the peer moves.
   */
  readonly bearer?: number;
}

/** Whether two ends are the same address and port. */
export function sameEndpoint(a: UdpEndpoint, b: UdpEndpoint): boolean {
  return a.port === b.port && a.address === b.address;
}

/** Whether two paths have the same ends. */
export function samePath(a: UdpPath, b: UdpPath): boolean {
  return sameEndpoint(a.local, b.local) && sameEndpoint(a.remote, b.remote);
}

/** Whether two paths lead to the same peer: by the same channel, where there is one, whatever its address is by now. */
export function samePeer(a: UdpPath, b: UdpPath): boolean {
  if (a.bearer === undefined && b.bearer === undefined) return sameEndpoint(a.remote, b.remote);
  return a.bearer === b.bearer && a.remote.port === b.remote.port;
}

/** `address:port`, with brackets around an IPv6 address. */
export function formatEndpoint(end: UdpEndpoint): string {
  return end.address.includes(':') ? `[${end.address}]:${end.port}` : `${end.address}:${end.port}`;
}
