/** What the IPsec service is told and what can be seen of it. */
import type { CertificateMaterial } from '../../certificates/material.ts';
import type { SaKey } from '../../dataplane/data-plane.ts';
import type { IkeIdentity } from '../../protocol/ike/ike-types.ts';
import type { ProfileName } from '../../protocol/ike/profiles/peer-profile.ts';
import type { EspProposal, IkeProposal } from '../../protocol/ike/proposals.ts';
import type { Failure } from '../../protocol/machine.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import type { ConnectionState } from '../steps.ts';
import type { ChannelId } from './channel.ts';

/** How the two sides prove who they are, as configured: texts, so that what is unchanged compares equal. */
export type IpsecAuthentication =
  | { readonly kind: 'psk'; readonly psk: string }
  | {
      readonly kind: 'certificate';
      /** With its private key. */
      readonly own: CertificateMaterial;
      /** Whose certificates are believed. */
      readonly authorities: readonly CertificateMaterial[];
    }
  /** As caller, IKEv2: the peer by certificate, this side by EAP. */
  | {
      readonly kind: 'eap-client';
      readonly user: string;
      readonly password: string;
      readonly authorities: readonly CertificateMaterial[];
    }
  /** As the one that is called, IKEv2: the other half of it. */
  | {
      readonly kind: 'eap-server';
      readonly own: CertificateMaterial;
      /** Passwords by user name. */
      readonly users: Readonly<Record<string, string>>;
    };

/** An entry of `ipsec.connections`. */
export interface IpsecConnectionSettings {
  readonly name: string;
  readonly version: 1 | 2;
  /** IP address or DNS name of the peer; `any`: takes callers from everywhere and calls nobody. */
  readonly remote: string;
  readonly authentication: IpsecAuthentication;
  /** Version 1, as caller: who logs in once the peer has proved itself (XAUTH). */
  readonly login?: { readonly user: string; readonly password: string };
  /** Version 1, as the one that is called: passwords by user name; callers log in besides. Not with {@link login}. */
  readonly logins?: Readonly<Record<string, string>>;
  /** Version 1: Aggressive Mode instead of Main Mode, both ways. */
  readonly aggressive?: boolean;
  readonly localId?: IkeIdentity;
  readonly remoteId?: IkeIdentity;
  readonly mode: 'transport' | 'tunnel';
  /** `ah`, in tunnel mode alone: packets are authenticated, and not encrypted. Default `esp`. */
  readonly protocol?: 'esp' | 'ah';
  /**
   * Which of the default offers a caller makes; `auto`: the modern one, the legacy one, and then what has worked. That of a
   * peer stands for its lists, in either role, and its lifetimes.
   */
  readonly profile: 'auto' | 'modern' | 'legacy' | ProfileName;
  /** Instead of the default offers and of what is accepted by default. */
  readonly ikeProposals?: readonly IkeProposal[];
  /** With `ah` of AH. */
  readonly espProposals?: readonly EspProposal[];
  /** `always`: ESP in UDP even without a NAT. */
  readonly encapsulation: 'auto' | 'always';
  /** Seconds; what the profile says, or the defaults of the machines, when absent. */
  readonly ikeLifetime?: number;
  readonly childLifetime?: number;
  /** A post-quantum preshared key beside the proof (IKEv2). */
  readonly ppk?: { readonly id: string; readonly key: string; readonly mandatory: boolean };
  /** Seconds after which who called proves itself again (IKEv2); absent or 0: never. */
  readonly reauthSeconds?: number;
  /** Seconds of silence after which the peer is asked whether it lives; 0: never. */
  readonly dpdSeconds: number;
  /** Tunnel mode: what lies at either end, CIDR, and the TUN between them. */
  readonly tunnel?: {
    readonly device: string;
    readonly localSubnets: readonly string[];
    readonly remoteSubnets: readonly string[];
    /** `policy`: the two sides agree on these networks; `route`: on everything, and what is routed into the TUN goes. */
    readonly routing: 'policy' | 'route';
    /** Octets of inner packet. */
    readonly mtu: number;
    /** `traffic`: TUN and routes stand, and the first packet that goes there, which is held, has it call. */
    readonly start: 'boot' | 'traffic' | 'manual';
    /** With `traffic`: seconds without a packet either way after which it hangs up; 0: never. */
    readonly idleSeconds?: number;
    /** The peer assigns the address of this end. */
    readonly virtualAddress?: true;
    /** Inner addresses for callers, `first-last`, and what DNS servers they are told. */
    readonly pool?: { readonly range: string; readonly dns: readonly string[] };
  };
}

export type TunnelSettings = IpsecConnectionSettings & Required<Pick<IpsecConnectionSettings, 'tunnel'>>;

/** What is remembered of a connection that worked, so that the next attempt begins with it. */
export interface WorkingOffer {
  /** `modern` also where there is but one list: configured, or of the profile of a peer. */
  readonly offer: 'modern' | 'legacy';
  readonly port: 500 | 4500;
  readonly udpEncapsulation: boolean;
}

/** Keeps {@link WorkingOffer}s over restarts, by name of the connection. */
export interface OfferMemory {
  get(connection: string): WorkingOffer | undefined;
  set(connection: string, offer: WorkingOffer): void;
}

export interface ChildSaInfo {
  readonly protocol: 'esp' | 'ah';
  readonly channel: ChannelId;
  readonly sa: SaKey;
  readonly mode: 'transport' | 'tunnel';
  /** In words: `AES-256-GCM with 16-octet ICV`, with PFS group if there was one. */
  readonly algorithms: string;
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  /** The channel sends by this one; others only receive until they are gone. */
  readonly sending: boolean;
  readonly udpEncapsulation: boolean;
  /** Until the hard end, seconds. */
  readonly secondsLeft: number;
  /** `10.1.0.0/16`, `192.0.2.1 UDP port 1701` ... */
  readonly localSelectors: readonly string[];
  readonly remoteSelectors: readonly string[];
}

export interface IkeSaInfo {
  readonly version: 1 | 2;
  readonly initiator: boolean;
  readonly state: 'connecting' | 'up' | 'replaced';
  readonly path: UdpPath;
  /** Where the peer was before it moved (a NAT that forgot its mapping) while the SA stood. */
  readonly movedFrom?: UdpEndpoint;
  /** In words; empty until they are chosen. */
  readonly algorithms: string;
  /** `branch.example`, made printable; empty until it is proved. */
  readonly peerIdentity: string;
  /** Who it proved to be by EAP or XAUTH, made printable. */
  readonly peerUser?: string;
  /** By vendor id, in words; empty when unknown. */
  readonly peerImplementation: string;
  /** What it looks like by its first message, in words; absent when like nobody who is known. */
  readonly peerLooksLike?: string;
  readonly natLocal: boolean;
  readonly natRemote: boolean;
  /** Until the hard end, seconds. */
  readonly secondsLeft?: number;
  readonly children: readonly ChildSaInfo[];
}

/** One entry of `ipsec.connections` as it is now. */
export interface IpsecConnectionInfo {
  readonly name: string;
  readonly version: 1 | 2;
  readonly mode: 'transport' | 'tunnel';
  /** As configured. */
  readonly remote: string;
  /** A connection with `remote: "any"` is `up` while it takes calls. */
  readonly state: ConnectionState;
  /** Wall clock of the last change of state, ms. */
  readonly stateSince: number;
  /** Why the last attempt failed, while none has succeeded since; of one that takes calls: the last caller turned away. */
  readonly failure?: Failure;
  /** Nobody has called, and packets will have it call. */
  readonly waitsForTraffic?: true;
  /** TUN of tunnel mode, while it is up. */
  readonly device?: string;
  readonly ikeSas: readonly IkeSaInfo[];
}
