/** What ping and traceroute are asked, and what they tell, one object after the other. */
import { type IcmpFamily, MOST_ECHO_DATA } from '../../protocol/icmp/icmp-message.ts';
import type { Bound } from '../capture/capture-limits.ts';

/** Bounds of what is asked for, and what holds where nothing is said. Whoever asks more of a router than this floods somebody. */
export const REACH_BOUNDS = {
  /** Echo requests. */
  count: { least: 1, most: 10_000, default: 5 },
  /** Octets of data in each, behind the headers of IP and ICMP. */
  size: { least: 0, most: MOST_ECHO_DATA, default: 56 },
  /** Between two requests, ms. */
  interval: { least: 200, most: 60_000, default: 1000 },
  /** Hops of a traceroute. */
  hops: { least: 1, most: 64, default: 30 },
} as const satisfies Record<string, Bound>;

/** Way of the router's own choice: the one that a packet of the branch would take. */
export const VIA_TUNNEL = 'tunnel';
/** Past every tunnel, as the outer packets of tunnels go. */
export const VIA_UPLINK = 'uplink';

export interface ReachRequest {
  /** A name, which is resolved through the uplink, or an address. */
  readonly host: string;
  /** {@link VIA_TUNNEL}, {@link VIA_UPLINK}, or a connection or interface by which the packets leave. */
  readonly via: string;
}

export interface PingRequest extends ReachRequest {
  readonly count: number;
  readonly size: number;
  readonly interval: number;
  readonly dontFragment: boolean;
}

export interface TracerouteRequest extends ReachRequest {
  readonly hops: number;
  readonly size: number;
  readonly dontFragment: boolean;
}

export interface ReachBegan {
  readonly kind: 'began';
  readonly host: string;
  readonly address: string;
  readonly family: IcmpFamily;
  readonly via: string;
  /** By which the packets are made to leave; absent: the routes decide. */
  readonly device?: string;
  /** Octets of data. */
  readonly size: number;
}

/** Why one request got no answer of the host. */
export interface ReachError {
  /** Who says so; absent: this router itself. */
  readonly from?: string;
  /** A sentence without a full stop. */
  readonly reason: string;
  /** Octets of the largest packet that gets on, where that is it. */
  readonly pathMtu?: number;
}

/** How it went. */
export interface PingEnd {
  readonly kind: 'end';
  readonly sent: number;
  readonly received: number;
  readonly duplicates: number;
  readonly errors: number;
  /** Round trip, ms; absent where nothing came back. */
  readonly times?: { readonly least: number; readonly average: number; readonly most: number };
  /** The smallest that anybody on the path told, octets. */
  readonly pathMtu?: number;
  /** `size` of the largest request that fits into it. */
  readonly largestSize?: number;
}

export type PingEvent =
  | ReachBegan
  | {
      readonly kind: 'reply';
      /** From 1. */
      readonly sequence: number;
      readonly from: string;
      /** Octets of data. */
      readonly size: number;
      readonly hopLimit: number;
      readonly ms: number;
      readonly duplicate?: true;
    }
  | { readonly kind: 'no-reply'; readonly sequence: number }
  | ({ readonly kind: 'error'; readonly sequence: number } & ReachError)
  | PingEnd;

/** One of the requests for a hop; empty: nobody answered. */
export interface HopProbe extends Partial<ReachError> {
  /** Round trip, ms. */
  readonly ms?: number;
}

export type TracerouteEvent =
  | ReachBegan
  | { readonly kind: 'hop'; readonly hop: number; readonly probes: readonly HopProbe[] }
  | {
      readonly kind: 'end';
      /** The host itself has answered. */
      readonly reached: boolean;
      readonly hops: number;
      readonly pathMtu?: number;
    };
