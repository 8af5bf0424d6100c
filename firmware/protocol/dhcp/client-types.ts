import type { Failure, RandomSource } from '../machine.ts';
import type { Lease } from './lease.ts';

export interface DhcpClientOptions {
  /** Ours, 6 octets. */
  readonly mac: Uint8Array;
  /** Option 61. */
  readonly clientIdentifier: Uint8Array;
  /** Told to the server, where given. */
  readonly hostName?: string;
  /** Largest IPv4 packet of the link, octets: how long a reply may be. */
  readonly mtu: number;
  readonly random: RandomSource;
  /** Whether what a server offers fits what is here already. @returns why not; `undefined`: it does. */
  readonly judge: (lease: Lease) => Failure | undefined;
}

/** What a client had before, from the state directory. */
export interface RememberedAddress {
  /** Dotted quad. */
  readonly address: string;
  /** It was given back: it is wished for, and no more ours. */
  readonly released: boolean;
}

/** RFC 2131 figure 5; `probing` is its "check the address" between REQUESTING and BOUND, `stopped` is before and after all. */
export type DhcpState =
  | 'stopped'
  | 'init'
  | 'selecting'
  | 'requesting'
  | 'probing'
  | 'bound'
  | 'renewing'
  | 'rebinding'
  | 'rebooting';

export type DhcpOutput =
  /** An IPv4 packet, to be sent to this Ethernet address (6 octets). */
  | { readonly kind: 'send'; readonly destinationMac: Uint8Array; readonly packet: Uint8Array }
  /** An ARP packet, for everybody. */
  | { readonly kind: 'arp'; readonly packet: Uint8Array }
  /** ARP is sent and heard from now on, or no more. */
  | { readonly kind: 'listen-arp'; readonly on: boolean }
  /** A lease is there, or what is known of it has changed. */
  | { readonly kind: 'lease'; readonly lease: Lease }
  /** The lease is over: its address must not be used any more. */
  | { readonly kind: 'lost' }
  /** To be kept over restarts; `undefined`: to be forgotten. */
  | { readonly kind: 'remember'; readonly remembered: RememberedAddress | undefined }
  /** What stands in the way. It is tried on. */
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** For the log: a message sent or received. */
  | { readonly kind: 'step'; readonly direction: 'sent' | 'received'; readonly step: string; readonly detail: string };
