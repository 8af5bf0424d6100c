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
}

/** Whether two ends are the same address and port. */
export function sameEndpoint(a: UdpEndpoint, b: UdpEndpoint): boolean {
  return a.port === b.port && a.address === b.address;
}

/** `address:port`, with brackets around an IPv6 address. */
export function formatEndpoint(end: UdpEndpoint): string {
  return end.address.includes(':') ? `[${end.address}]:${end.port}` : `${end.address}:${end.port}`;
}
