import type { AccessLine, HelloPolicy } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure } from '../../protocol/machine.ts';
import type { PppAuthentication } from '../../protocol/ppp/link-types.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { ConnectionState, Step } from '../steps.ts';
import type { ClientIpv6, ClientIpv6Parts } from './client-ipv6.ts';
import type { DataOptions, SessionShape } from './session-shape.ts';

/** What the client's machine asks about the protected channel of the present attempt, while it has one. */
export interface ChannelView {
  /** Whether any protected packet has come in by it. */
  readonly heard: () => boolean;
  /** ESP goes in UDP. */
  readonly udpEncapsulation: () => boolean;
}

/** What a dialling client is told. */
export interface L2tpClientOptions {
  /** Host Name AVP. */
  readonly hostName: string;
  /** IP address or DNS name, resolved anew at every attempt. */
  readonly server: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly authentication: readonly PppAuthentication[];
  readonly secret?: string;
  readonly hideAvps: boolean;
  /**
   * Called Number at which this client is called: it holds the tunnel, and the server places the call (RFC 2661 section 6.9).
   * Absent: it calls.
   */
  readonly answers?: string;
  /** What the server is told of the access line of this branch, asked anew at every call (RFC 5515). Default: nothing. */
  readonly accessLine?: () => AccessLine | undefined;
  /** Octets; asked for as MRU, and the most that is sent. */
  readonly mru: number;
  readonly data?: DataOptions;
  /** Failures in a row after which nothing is dialled any more until somebody asks for it. Default 0: for ever. */
  readonly maxFail?: number;
  readonly hello?: Partial<HelloPolicy>;
  /** Present when L2TP must go inside IPsec: then nothing is dialled but through a channel. */
  readonly protection?: ChannelView;
  /** Speak IPv6CP beside IPCP. Default: no. */
  readonly ipv6?: boolean;
  /** Judges what follows from the server's advertisements; a failure leaves that address out. */
  readonly reviewIpv6?: ClientIpv6Parts['review'];
  /** Judges what the server assigned; a failure ends the attempt. */
  readonly reviewAssignment?: (network: ClientNetwork) => Failure | undefined;
}

/** What IPCP brought. */
export interface ClientNetwork {
  readonly localAddress: string;
  readonly peerAddress: string;
  readonly dns: readonly string[];
  /** Octets of inner packet. */
  readonly mtu: number;
}

export type L2tpClientOutput =
  /** Answer with `resolved` or `resolveFailed`. */
  | { readonly kind: 'resolve'; readonly name: string }
  /** Set up a protected channel to this address; answer with `channelUp` or `channelDown`. */
  | { readonly kind: 'open-channel'; readonly address: string }
  /** Nothing came back through the channel: whoever sets up the next one should know. */
  | { readonly kind: 'report-mute' }
  /** Nothing more goes through the channel. No `channelDown` is expected for it. */
  | { readonly kind: 'close-channel' }
  | { readonly kind: 'send'; readonly datagram: Uint8Array; readonly path: UdpPath }
  | { readonly kind: 'put-session'; readonly shape: SessionShape }
  | { readonly kind: 'remove-session' }
  | { readonly kind: 'ppp-send'; readonly frame: Uint8Array }
  | ({ readonly kind: 'network-up' } & ClientNetwork)
  | { readonly kind: 'network-down' }
  /** IPv6 stands, has changed, or is gone (absent); between `network-up` and `network-down`. */
  | { readonly kind: 'ipv6'; readonly ipv6?: ClientIpv6 }
  | ({ readonly kind: 'step' } & Step)
  | { readonly kind: 'state'; readonly state: ConnectionState; readonly failure?: Failure }
  /** Nothing is left of a connection that nobody wants any more. */
  | { readonly kind: 'ended' };
