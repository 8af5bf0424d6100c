import type { Failure } from '../protocol/machine.ts';

/** What the router around a tunnel has to know when its inside comes up or goes: addresses, routes, DNS. */
export interface TunnelNetwork {
  /** Of the connection or server. */
  readonly name: string;
  readonly device: string;
  readonly localAddress: string;
  /** Absent on a server's interface, which has many peers. */
  readonly peerAddress?: string;
  /** Of both families. */
  readonly dns: readonly string[];
  /** While IPv6 is up in it: our addresses with their prefix lengths, link-local ones included. */
  readonly ipv6?: { readonly addresses: readonly string[]; readonly mtu?: number };
  /** Routed into the device, CIDR. */
  readonly prefixes: readonly string[];
}

export interface TunnelNetworks {
  /** Why what a peer assigned for the device cannot be taken; `undefined` when it can. */
  review(
    device: string,
    assigned: { readonly localAddress: string; readonly dns: readonly string[] },
  ): Failure | undefined;
  /** Resolves when addresses and routes stand. @throws Error in words when they could not be made. */
  up(network: TunnelNetwork): Promise<void>;
  /** Called before the device goes. @param device by which the tunnel is known: names of clients and servers may be equal. */
  down(device: string): Promise<void>;
}
