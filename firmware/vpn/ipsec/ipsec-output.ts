/** What the IPsec machine asks of whoever gives it hands. */
import type { PolicyKey, SaKey, SaSpec } from '../../dataplane/data-plane.ts';
import type { AssignedConfiguration } from '../../protocol/ike/authentication.ts';
import type { TrafficSelector } from '../../protocol/ike/ike-types.ts';
import type { Failure } from '../../protocol/machine.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { ConnectionState, Step } from '../steps.ts';
import type { ChannelId } from './channel.ts';
import type { WorkingOffer } from './ipsec-types.ts';

/** A policy without what lies inside, which is the business of the channel's user. */
export interface ChannelPolicy {
  readonly key: PolicyKey;
  readonly connection: string;
  /** The pair to send by; absent: nothing is sent. */
  readonly sa?: SaKey;
  readonly localSelectors: readonly TrafficSelector[];
  readonly remoteSelectors: readonly TrafficSelector[];
}

/** An SA pair without its socket. */
export interface ChannelSa extends Omit<SaSpec, 'socket'> {
  /** By the socket of UDP encapsulation that has the path's local port; else bare, and the ports of `path` are 0. */
  readonly udpEncapsulation: boolean;
}

export type IpsecOutput =
  | {
      readonly kind: 'send';
      /** Without non-ESP marker. */
      readonly datagram: Uint8Array;
      readonly path: UdpPath;
      /** From the socket of UDP encapsulation; else from the one on port 500. */
      readonly encapsulation: boolean;
    }
  | { readonly kind: 'nat-keepalive'; readonly path: UdpPath }
  | { readonly kind: 'put-policy'; readonly policy: ChannelPolicy }
  /** Its SA pairs were removed before. */
  | { readonly kind: 'remove-policy'; readonly channel: ChannelId }
  | { readonly kind: 'put-sa'; readonly sa: ChannelSa }
  | { readonly kind: 'remove-sa'; readonly sa: SaKey }
  /** `path`: of what goes through it: inner ports, this side's address, `bearer`. */
  | {
      readonly kind: 'channel-up';
      readonly channel: ChannelId;
      readonly connection: string;
      readonly path: UdpPath;
      /** This side has called. */
      readonly initiator: boolean;
      /** What the peer assigned to this side, which had asked for it. */
      readonly configuration?: AssignedConfiguration;
    }
  /** It is over, up or not; nothing more is said of it. Not after its owner has closed it. */
  | {
      readonly kind: 'channel-down';
      readonly channel: ChannelId;
      readonly connection: string;
      readonly failure: Failure;
    }
  | { readonly kind: 'remember'; readonly connection: string; readonly offer: WorkingOffer }
  | { readonly kind: 'step'; readonly connection: string; readonly step: Step }
  /** `failure` without `failed`: a caller was turned away. */
  | {
      readonly kind: 'state';
      readonly connection: string;
      readonly state: ConnectionState;
      readonly failure?: Failure;
    };
