/**
 * What goes into and comes out of the PPP machine (RFC 1661 and its family). The machine itself is `link.ts`.
 *
 * Frames on both sides are *bare*: a two-octet protocol number and the information field, without address, control,
 * flags or FCS. The carrier (L2TP, PPPoE, HDLC) puts on and takes off what it needs; `header.ts` reads all four forms.
 */
import type { EapMethodName } from '../eap/methods.ts';
import type { Failure } from '../machine.ts';
import type { LcpHistory } from './lcp-record.ts';

/** Names as configuration and status use them. */
export type PppAuthentication = 'pap' | 'chap' | 'mschapv1' | 'mschapv2' | 'eap';

/** We prove who we are. */
export interface Authenticatee {
  readonly user: string;
  readonly password: string;
  /** What we are willing to answer. Default: all but MS-CHAPv1, which is broken. */
  readonly methods?: readonly PppAuthentication[];
  /** What we are willing to do within EAP, the best first. Default: all. */
  readonly eapMethods?: readonly EapMethodName[];
}

/** We ask the peer who it is. */
export type Authenticator = {
  /** Name in CHAP Challenges. */
  readonly name: string;
  /** What we ask for, the best first; the peer's Configure-Nak moves us along this list and nowhere else. */
  readonly methods: readonly PppAuthentication[];
} & (
  | {
      /** What we ask for within EAP, the best first. Default: all. */
      readonly eapMethods?: readonly EapMethodName[];
      /** The password of a user; `undefined` when there is no such user (the exchange then takes as long and fails the same). */
      readonly password: (user: string) => string | undefined;
    }
  /** Each proof comes out as `verify` and waits for {@link Verdict} by `PppLink.verdict` (a RADIUS server). */
  | { readonly judge: 'elsewhere' }
);

/** The methods whose proof is the Value of a CHAP Response. */
export type ChapMethod = Exclude<PppAuthentication, 'pap' | 'eap'>;

/** What the peer proved itself with, for somebody else to judge. Octets are as they came, names not fit to print. */
export type PeerProof =
  | {
      readonly method: 'pap';
      readonly name: Uint8Array;
      readonly password: Uint8Array;
      /** Of the Authenticate-Request, 0..255, where it is known. */
      readonly identifier?: number;
    }
  | {
      readonly method: ChapMethod;
      readonly name: Uint8Array;
      /** Of Challenge and Response, 0..255. */
      readonly identifier: number;
      readonly challenge: Uint8Array;
      /** The Value field of the Response, of any length. */
      readonly response: Uint8Array;
    }
  /** An EAP packet of the peer, passed through (RFC 3579); `name` is the identity that it told first. */
  | { readonly method: 'eap'; readonly name: Uint8Array; readonly packet: Uint8Array };

/** What is to be said of a proof. */
export type Verdict =
  | {
      readonly kind: 'accept';
      /** Who the peer is from now on. */
      readonly user: string;
      /** Text of the Success packet; for MS-CHAPv2 the `S=` that proves this side, without which the peer refuses. */
      readonly message?: string;
      /** EAP: the Success packet. */
      readonly packet?: Uint8Array;
    }
  /** With the text of the Failure packet (MS-CHAP: `E=...`), or EAP's Failure packet. */
  | { readonly kind: 'reject'; readonly message?: string; readonly packet?: Uint8Array }
  /** EAP: the next request for the peer. */
  | { readonly kind: 'continue'; readonly packet: Uint8Array }
  /** Nobody could be asked. The peer is refused. */
  | { readonly kind: 'unavailable'; readonly failure: Failure };

/** IPv4 as assigned by us to the peer. */
export interface Ipv4Assignment {
  readonly localAddress: string;
  readonly peerAddress: string;
  /** None, one or two (RFC 1877). */
  readonly dns: readonly string[];
}

export type IpcpPolicy =
  /** Take the address that the peer gives. */
  | { readonly role: 'client'; readonly requestDns: boolean; readonly address?: string }
  /** Give the peer one; called once, after authentication, with the name that the peer proved (if it had to). */
  | { readonly role: 'server'; readonly assign: (user: string | undefined) => Ipv4Assignment | Failure };

/** IPv6CP (RFC 5072), the same for both roles: each end names the identifier of its own. */
export interface Ipv6cpPolicy {
  /** Eight octets to ask for first; the peer may give others. Default: random. */
  readonly interfaceId?: Uint8Array;
  /** Eight octets, suggested to a peer that has none. Default: random. */
  readonly peerInterfaceId?: Uint8Array;
}

/**
 * What carries the frames. `tunnel`: L2TP; `pppoe`: no compressed headers and no ACCM are asked for or granted (RFC 2516 section 7);
 * `serial`: asynchronous framing, so that ACCMs count (RFC 1662 section 7.1).
 */
export type PppMedium = 'tunnel' | 'pppoe' | 'serial';

export interface PppLinkOptions {
  /** Default `tunnel`. */
  readonly medium?: PppMedium;
  /** Maximum-Receive-Unit that we ask for, octets, 128..65535. */
  readonly mru: number;
  /** Largest information field that we ever send, whatever MRU the peer takes, octets. Default: `mru`. */
  readonly mtu?: number;
  readonly authenticatee?: Authenticatee;
  readonly authenticator?: Authenticator;
  /**
   * Whether a peer of this name is handed on to another LNS instead of being judged here (RFC 2661, tunnel switching). Its
   * proof then comes out as `handed-over`, nothing is answered, and the link is done. With EAP that is judged here the name is
   * never looked at.
   */
  readonly handOver?: (name: Uint8Array) => boolean;
  /** Absent: IPv4 is rejected, and the link lives by IPv6 alone. One of `ipcp` and `ipv6cp` is wanted. */
  readonly ipcp?: IpcpPolicy;
  /**
   * Absent: IPv6 is rejected. Beside `ipcp` it is welcome and not necessary: the link lives on without it, and
   * goes without it where it carries less than 1280 octets either way.
   */
  readonly ipv6cp?: Ipv6cpPolicy;
  /** LCP Echo-Request: every `intervalMs` without input; dead after `failures` unanswered. Default 10 s, 4. */
  readonly echo?: { readonly intervalMs: number; readonly failures: number };
  /** Restart timer and counters (RFC 1661 section 4.6). Default 1 s (over a tunnel), 10, 2, 5. */
  readonly restart?: {
    readonly intervalMs: number;
    readonly maxConfigure: number;
    readonly maxTerminate: number;
    readonly maxFailure: number;
  };
  /** How long authentication may take in all, ms. Default 30000. */
  readonly authenticationMs?: number;
  /** How long IPCP (IPv6CP, where there is no `ipcp`) may take in all once authenticated, ms. Default 30000. */
  readonly networkMs?: number;
  /** Ask for protocol-field and address-control compression. Default true; over PPPoE never. */
  readonly compressHeaders?: boolean;
}

/** RFC 1661 section 3.2, plus `open` for a network layer that is up. */
export type PppPhase = 'dead' | 'establish' | 'authenticate' | 'network' | 'open' | 'terminate';

/** A link as `show status` tells it. */
export interface PppView {
  readonly phase: PppPhase;
  /** How the peer proved itself; where it need not, how we did. */
  readonly authentication?: PppAuthentication;
  readonly localAddress?: string;
  readonly peerAddress?: string;
  readonly dns: readonly string[];
  /** Eight octets each, while IPv6CP is opened. */
  readonly localInterfaceId?: Uint8Array;
  readonly peerInterfaceId?: Uint8Array;
  /** Octets. */
  readonly peerMru: number;
  /** Who was proved by `authentication`. */
  readonly user?: string;
}

export type PppOutput =
  /** A bare frame for the wire; control frames always go with full headers. */
  | { readonly kind: 'send'; readonly frame: Uint8Array }
  /** A control packet went out or came in; echoes and retransmissions are not traced. */
  | {
      readonly kind: 'trace';
      readonly direction: 'sent' | 'received';
      /** `LCP`, `PAP`, `CHAP`, `IPCP`, `CCP` ... */
      readonly protocol: string;
      /** `Configure-Request`, `Challenge`, `Success` ... */
      readonly message: string;
    }
  /** The peer says something to people, printable: EAP Notification, LCP Identification, LCP Time-Remaining. */
  | { readonly kind: 'notice'; readonly protocol: string; readonly text: string }
  | { readonly kind: 'phase'; readonly phase: PppPhase }
  /** LCP is opened: how user packets may be sent to the peer. */
  | {
      readonly kind: 'link-up';
      /** The peer agreed to receive compressed headers. */
      readonly protocolCompression: boolean;
      readonly addressControlCompression: boolean;
      /** Largest information field towards the peer, octets: the smaller of its MRU and our `mtu`. */
      readonly mtu: number;
      /** On a serial line: control characters that the peer wants escaped, bit n for octet n. */
      readonly peerAccm?: number;
    }
  /** With `judge: 'elsewhere'`: this proof is to be judged. A later one makes an earlier one void. */
  | { readonly kind: 'verify'; readonly id: number; readonly proof: PeerProof }
  /** The peer is for somebody else, who goes on with what was negotiated so far, or begins anew. Nothing follows. */
  | { readonly kind: 'handed-over'; readonly proof: PeerProof; readonly lcp: LcpHistory }
  | {
      readonly kind: 'authenticated';
      /** `we` proved ourselves to the peer, or the `peer` to us. */
      readonly who: 'we' | 'peer';
      readonly user: string;
      readonly method: PppAuthentication;
    }
  /** IPCP is opened. */
  | {
      readonly kind: 'network-up';
      readonly localAddress: string;
      readonly peerAddress: string;
      readonly dns: readonly string[];
    }
  /** IPCP left Opened (renegotiation or end): user packets stop until the next `network-up`. */
  | { readonly kind: 'network-down' }
  /** IPv6CP is opened, before or after IPCP. Eight octets each (RFC 5072 section 4.1). */
  | { readonly kind: 'ipv6-up'; readonly localInterfaceId: Uint8Array; readonly peerInterfaceId: Uint8Array }
  /** IPv6CP left Opened: IPv6 user packets stop until the next `ipv6-up`. */
  | { readonly kind: 'ipv6-down' }
  /** The end. Nothing follows; the machine is done and has no deadline. */
  | { readonly kind: 'down'; readonly failure: Failure };
