/** What is known of a running connection and its surroundings, for a diagnosis. The router gathers it. */
import type { Failure } from '../../protocol/machine.ts';

export type ConnectionKind = 'l2tp-client' | 'l2tp-server' | 'ipsec';

/** A WAN interface as configured and as the kernel has it. */
export interface UplinkFacts {
  readonly name: string;
  readonly device: string;
  /** Of the device. */
  readonly state: 'missing' | 'down' | 'up';
  /** CIDR. */
  readonly addresses: readonly string[];
  readonly gateway?: string;
}

/** Packets of a session or of an SA pair. */
export interface TrafficFacts {
  readonly received: number;
  readonly sent: number;
  /** Packets dropped, by reason. */
  readonly drops: Readonly<Record<string, number>>;
}

export interface SessionFacts {
  readonly name: string;
  readonly up: boolean;
  readonly traffic: TrafficFacts;
}

export interface PppFacts {
  readonly up: boolean;
  readonly localAddress: string;
  readonly peerAddress: string;
  readonly authentication: string;
  readonly mtu?: number;
  readonly hasIpv6: boolean;
}

export interface IpsecFacts {
  readonly ikeUp: boolean;
  readonly peer: string;
  readonly algorithms: string;
  readonly nat: string;
  readonly note?: string;
  readonly children: readonly { readonly up: boolean; readonly algorithms: string; readonly traffic: TrafficFacts }[];
}

export interface LiveFacts {
  readonly name: string;
  readonly kind: ConnectionKind;
  readonly state: 'down' | 'connecting' | 'up' | 'failed';
  /** Of the last attempt, and of the IPsec connection below it. */
  readonly failures: readonly Failure[];
  readonly uplinks: readonly UplinkFacts[];
  /** Whom it calls; absent for those that wait to be called. */
  readonly server?: string;
  /** What its name came to, asked now through the uplink. */
  readonly addresses?: readonly string[] | Failure;
  /** The local address from which packets would leave for the first of them; absent: there is no way there. */
  readonly source?: string;
  /** Of the machine, and a time that certainly has passed, both ms since 1970. */
  readonly wall: number;
  readonly floor: number;
  readonly isProtected: boolean;
  readonly tunnel?: { readonly up: boolean; readonly peer: string; readonly peerTunnelId: number };
  readonly sessions: readonly SessionFacts[];
  readonly ppp: readonly PppFacts[];
  readonly ipsec: readonly IpsecFacts[];
  /** Networks that shall be behind it, and those of them that are routed into its device; absent while it has none. */
  readonly prefixes: readonly string[];
  readonly routed?: readonly string[];
  /** Networks of this router's own interfaces. */
  readonly networks: readonly { readonly name: string; readonly prefix: string }[];
  /** Packets dropped that belong to no session or SA, by reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** Lines of the connection's log, oldest first. */
  readonly log: readonly string[];
}
