import type { Failure } from '../../protocol/machine.ts';
import type { Authenticatee, PppAuthentication, PppLinkOptions, PppMedium } from '../../protocol/ppp/link-types.ts';
import type { ConnectionState, Step } from '../../vpn/steps.ts';

/** What an uplink that dials is told. */
export interface PppUplinkOptions {
  /** Asked for anew at every call. Absent: this side proves nothing, which mobile networks are content with. */
  readonly authenticatee?: Authenticatee | undefined;
  /** Largest packet, octets, 576..65535; the line may carry less. Default: what the line carries. */
  readonly mtu?: number;
  readonly echo?: NonNullable<PppLinkOptions['echo']>;
}

/** A line that stands, as the machine must know it. */
export interface StandingLine {
  readonly medium: Exclude<PppMedium, 'tunnel'>;
  /** Largest PPP information field, octets. */
  readonly mru: number;
  /** In words. */
  readonly peer: string;
}

/** What LCP settled about the way to the peer. */
export interface LinkAgreement {
  readonly protocolCompression: boolean;
  readonly addressControlCompression: boolean;
  /** Largest packet towards the peer, octets. */
  readonly mtu: number;
  readonly peerAccm?: number;
}

/** What IPCP brought. */
export interface PppNetwork {
  readonly localAddress: string;
  readonly peerAddress: string;
  readonly dns: readonly string[];
}

export type PppUplinkOutput =
  /** Bring a line about; answer with `dialled` or `dialFailed`. */
  | { readonly kind: 'dial' }
  /** No line is wanted any more; answer with `dialFailed` when nothing is left of it. */
  | { readonly kind: 'cancel-dial' }
  | { readonly kind: 'ppp-send'; readonly frame: Uint8Array }
  /** LCP is opened. */
  | { readonly kind: 'link'; readonly link: LinkAgreement }
  /** Make the device; answer with `networkStands` or `fail`. */
  | { readonly kind: 'network-up'; readonly network: PppNetwork; readonly link: LinkAgreement }
  /** Remove the device. */
  | { readonly kind: 'network-down' }
  /** Let go of the line, and end it; answer with `hungUp`. */
  | { readonly kind: 'hang-up' }
  | ({ readonly kind: 'step' } & Step)
  /** What is shown has changed. */
  | { readonly kind: 'changed' }
  /** Nothing is left of a link that nobody wants any more. */
  | { readonly kind: 'ended' };

/** What there is to show, but for the device. */
export interface PppUplinkStatus {
  readonly state: ConnectionState;
  /** A line stands. */
  readonly carrier: boolean;
  readonly failure?: Failure;
  readonly doing: string;
  /** What the line leads to, while it stands. */
  readonly peer?: string;
  readonly authentication?: PppAuthentication;
}
