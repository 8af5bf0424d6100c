/** What goes into and comes out of the IKE machines, IKEv1 (`v1/`) and IKEv2 (`v2/`) alike. */
import type { Failure } from '../machine.ts';
import type { UdpPath } from '../udp-path.ts';
import type { AddressLeases, AssignedConfiguration, IkeAuthentication, PasswordOf } from './authentication.ts';
import type { Recognition } from './profiles/recognition.ts';
import type { EspProposal, IkeProposal } from './proposals.ts';

/** Who a side says it is (RFC 7296 section 3.5; RFC 2407 section 4.6.2). */
export type IkeIdentity =
  | { readonly kind: 'ipv4'; readonly value: string }
  | { readonly kind: 'ipv6'; readonly value: string }
  | { readonly kind: 'fqdn'; readonly value: string }
  | { readonly kind: 'email'; readonly value: string }
  /** ID_DER_ASN1_DN: a distinguished name, DER. */
  | { readonly kind: 'dn'; readonly value: Uint8Array }
  /** ID_KEY_ID: octets that mean something to the two sides only. */
  | { readonly kind: 'key-id'; readonly value: Uint8Array };

/** A range of addresses, protocols and ports (RFC 7296 section 3.13.1). */
export interface TrafficSelector {
  /** IP protocol, 0 for any. */
  readonly protocol: number;
  readonly firstPort: number;
  readonly lastPort: number;
  /** Inclusive; both of one family. */
  readonly firstAddress: string;
  readonly lastAddress: string;
}

/** A secret of both sides that makes keys which a quantum computer does not find (RFC 8784). */
export interface PostQuantumKey {
  readonly id: string;
  readonly key: Uint8Array;
  /** Nothing without it. */
  readonly mandatory: boolean;
}

/** One peer, or one kind of peer, as configured. */
export interface IkeConnection {
  readonly name: string;
  readonly version: 1 | 2;
  /** IP address of the peer; `any` for a responder that takes callers from everywhere. */
  readonly remote: string;
  readonly localId?: IkeIdentity;
  /** What the peer must prove to be; absent: whatever the key belongs to. */
  readonly remoteId?: IkeIdentity;
  readonly authentication: IkeAuthentication;
  /** As caller: ask the peer for an inner address, and use it as the local selector. */
  readonly requestAddress?: boolean;
  /** As the one that is called: inner addresses for those who ask. */
  readonly leases?: AddressLeases;
  /** IKEv1: Aggressive Mode instead of Main Mode, as caller; and answered, as the one that is called. Default false. */
  readonly aggressive?: boolean;
  /** IKEv1, as caller: a user who is logged in where the peer has proved itself (XAUTH, draft-beaulieu-ike-xauth-02). */
  readonly xauth?: { readonly user: string; readonly password: string };
  /** IKEv1, as the one that is called: callers that have proved themselves log in as one of these besides. Not with {@link xauth}. */
  readonly xauthUsers?: PasswordOf;
  readonly mode: 'transport' | 'tunnel';
  /** For transport mode absent: the two outer addresses, UDP, and the ports below. */
  readonly localSelectors?: readonly TrafficSelector[];
  readonly remoteSelectors?: readonly TrafficSelector[];
  /** Transport mode for L2TP: protocol 17 and these ports; 0 for any. */
  readonly transportPorts?: { readonly protocol: number; readonly local: number; readonly remote: number };
  readonly ikeProposals: readonly IkeProposal[];
  readonly espProposals: readonly EspProposal[];
  /** Seconds; a rekey begins before, with jitter. Default 14400 and 3600. */
  readonly ikeLifetime?: number;
  readonly childLifetime?: number;
  /** Pretend a NAT, so that ESP is wrapped in UDP. */
  readonly forceEncapsulation?: boolean;
  /** IKEv2, not with EAP. */
  readonly ppk?: PostQuantumKey;
  /** IKEv2: who called proves itself again after so many seconds, by a new IKE SA beside the old one. Default 0: never. */
  readonly reauthSeconds?: number;
  /** Liveness check (DPD), seconds of silence. Default 10; 0: never. */
  readonly dpdSeconds?: number;
}

/** Key material of one direction of a child SA. */
export interface ChildKeys {
  /** Name as in the transform table, `aes128gcm16`, `aes256`, `3des` ... */
  readonly encryption: string;
  /** Key, with the salt at its end where the cipher has one. */
  readonly encryptionKey: Uint8Array;
  /** Absent with a combined-mode cipher. */
  readonly integrity?: string;
  readonly integrityKey?: Uint8Array;
}

/** A pair of ESP SAs, one each way. */
export interface ChildSa {
  /** Unique over the life of the machine. */
  readonly id: number;
  readonly ikeId: number;
  readonly connection: string;
  readonly mode: 'transport' | 'tunnel';
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  readonly inbound: ChildKeys;
  readonly outbound: ChildKeys;
  readonly extendedSequenceNumbers: boolean;
  /** ESP in UDP (RFC 3948), on the path of the IKE SA. */
  readonly udpEncapsulation: boolean;
  readonly path: UdpPath;
  readonly localSelectors: readonly TrafficSelector[];
  readonly remoteSelectors: readonly TrafficSelector[];
  /** Addresses inside the packets as each side sees them, where a NAT lies between (NAT-OA). */
  readonly natOriginal?: { readonly local?: string; readonly remote?: string };
  /** Hard end, seconds from now. */
  readonly lifetime: number;
}

/** What is known of a peer once its SA stands. */
export interface IkePeer {
  readonly identity: IkeIdentity;
  /** Who it proved to be by EAP or XAUTH. */
  readonly user?: string;
  /** By its vendor ids, in words; empty when unknown. */
  readonly implementation: string;
  /** By its first message, which anybody may imitate; absent when it looks like nobody who is known. */
  readonly looksLike?: Recognition;
  readonly natLocal: boolean;
  readonly natRemote: boolean;
  /**
   * Why ESP goes in UDP: a NAT; both ends are Culvert and agreed on it; or `forceEncapsulation` here. Absent: it does
   * not. A peer that pretends a NAT looks like one that is behind one.
   */
  readonly encapsulation?: 'nat' | 'agreement' | 'configuration';
}

/** Keys of an IKE SA: whoever has them reads what is encrypted under it. */
export type IkeSaSecrets =
  | {
      readonly version: 1;
      /** 8 octets each. */
      readonly cookieI: Uint8Array;
      readonly cookieR: Uint8Array;
      readonly encryption: string;
      readonly encryptionKey: Uint8Array;
    }
  | {
      readonly version: 2;
      /** 8 octets each. */
      readonly spiI: Uint8Array;
      readonly spiR: Uint8Array;
      readonly encryption: string;
      /** Absent with a combined-mode cipher. */
      readonly integrity?: string;
      readonly skEi: Uint8Array;
      readonly skEr: Uint8Array;
      /** Empty with a combined-mode cipher. */
      readonly skAi: Uint8Array;
      readonly skAr: Uint8Array;
    };

/**
 * Keys of an IKE SA and of its child SAs, for somebody who asked for them in so many words. The octets are those in use,
 * which are wiped when the SA ends: to be copied, and never to be logged.
 */
export interface IkeSecrets {
  readonly ikeId: number;
  readonly connection: string;
  /** Where IKE and ESP go now. */
  readonly path: UdpPath;
  /** There is a NAT before this side: others see it at another address than this side does. */
  readonly behindNat: boolean;
  readonly ike: IkeSaSecrets;
  readonly children: readonly ChildSa[];
}

export type IkeOutput =
  /** Without non-ESP marker: whoever owns the socket puts it before datagrams on port 4500. */
  | { readonly kind: 'send'; readonly datagram: Uint8Array; readonly path: UdpPath }
  | {
      readonly kind: 'trace';
      readonly ikeId: number;
      readonly direction: 'sent' | 'received';
      /** `IKE_SA_INIT request`, `Main Mode 3` ... */
      readonly message: string;
      readonly detail?: string;
    }
  | {
      readonly kind: 'ike-up';
      readonly ikeId: number;
      readonly connection: string;
      readonly initiator: boolean;
      readonly proposal: IkeProposal;
      readonly peer: IkePeer;
      readonly path: UdpPath;
      /** What the peer assigned, if this side asked. */
      readonly configuration?: AssignedConfiguration;
      /** The SA that this one takes over from (rekey): its children are this one's now. */
      readonly replaces?: number;
    }
  /**
   * Install both directions; with `replaces`, send on the new one at once and receive on both until `child-down`.
   * With `receiveOnly`, go on sending on the old one until `child-send`: the peer may not have the new one yet
   * (RFC 7296 section 2.8).
   */
  | { readonly kind: 'child-up'; readonly child: ChildSa; readonly replaces?: number; readonly receiveOnly?: true }
  /** From now on send on this one: it came with `receiveOnly`, or the one that was to replace it is given up. */
  | { readonly kind: 'child-send'; readonly childId: number }
  | { readonly kind: 'child-down'; readonly childId: number; readonly failure?: Failure }
  /**
   * An end moved (authenticated): further datagrams, ESP too, go this way. @see ChildSa.path
   * `peer`, with MOBIKE: what is known of NATs on it, by which ESP is wrapped in UDP or not from now on.
   */
  | { readonly kind: 'path'; readonly ikeId: number; readonly path: UdpPath; readonly peer?: IkePeer }
  /** With all its children, each of which had its `child-down` before. */
  | { readonly kind: 'ike-down'; readonly ikeId: number; readonly connection: string; readonly failure: Failure };
