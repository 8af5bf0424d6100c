/**
 * What goes into and comes out of the L2TPv2 machine (RFC 2661). The machine itself is `endpoint.ts`.
 */
import type { Failure, Instant } from '../machine.ts';
import type { UdpPath } from '../udp-path.ts';

/** Reliable delivery of control messages (RFC 2661 section 5.8). */
export interface RetransmitPolicy {
  /** First time-out, ms; doubles with every try. Default 1000. */
  readonly firstMs: number;
  /** Longest time-out, ms. Default 8000. */
  readonly capMs: number;
  /** Retransmissions before the tunnel is given up. Default 5. */
  readonly attempts: number;
}

/** Keepalive (RFC 2661 section 6.5). */
export interface HelloPolicy {
  /** Silence after which the first Hello is sent, ms. Default 4000. */
  readonly idleMs: number;
  /** Distance between probes while none is answered, ms. Default 1000. */
  readonly probeMs: number;
  /** Unanswered probes after which the tunnel is dead. Default 8. */
  readonly probes: number;
}

/** Bounds on what strangers can make this endpoint hold. */
export interface EndpointLimits {
  /** Tunnels that have not got to SCCCN, per remote address, or per protected channel. Default 4. */
  readonly halfOpenPerAddress: number;
  /** The same, over all addresses. Default 64. */
  readonly halfOpenTotal: number;
  /** Tunnels in all. Default 1024. */
  readonly tunnels: number;
  /** Sessions of one tunnel. Default 256. */
  readonly sessionsPerTunnel: number;
}

export interface L2tpEndpointOptions {
  /** Host Name AVP, 1..255 octets. */
  readonly hostName: string;
  /** Vendor Name AVP. Default `Culvert`. */
  readonly vendorName?: string;
  /** Present where the endpoint answers SCCRQs (an LNS). Without it a stranger's SCCRQ is dropped and counted. */
  readonly accept?: {
    /** Tunnel secret. With it every peer is challenged and a peer without the secret refused. */
    readonly secret?: string;
    /** Hide AVPs that carry secrets once the tunnel is authenticated. Default false (interop: many peers cannot unhide). */
    readonly hideAvps?: boolean;
    /** Whether calls of peers are taken (ICRQ: we are the LNS). Default true. */
    readonly incomingCalls?: boolean;
    /** SCCRP retransmissions towards a peer that has not proved its address. Default 3. */
    readonly replyAttempts?: number;
  };
  /**
   * Present where peers may have this side place calls (OCRQ: we are the LAC). @returns why this one is refused; nothing where
   * it is taken: a `call-requested` follows, and waits for `answerCall` or `closeSession`.
   */
  readonly outgoingCalls?: (request: CallRequest) => CloseCause | undefined;
  /**
   * DSCP of sessions, 0..63: asked of the peer for calls of ours, and answered to the peer's (Session DS AVP, RFC 3308).
   * Default 0: nothing is said.
   */
  readonly dscp?: number;
  /** Receive Window Size AVP, messages. Default 16. */
  readonly receiveWindow?: number;
  readonly retransmit?: Partial<RetransmitPolicy>;
  readonly hello?: Partial<HelloPolicy>;
  readonly limits?: Partial<EndpointLimits>;
  /** How long a closed tunnel still answers retransmissions (RFC 2661 section 5.7), ms. Default 31000. */
  readonly lingerMs?: number;
}

export interface OpenTunnelOptions {
  readonly path: UdpPath;
  /** Tunnel secret: answer the peer's challenge, and challenge the peer. */
  readonly secret?: string;
  readonly hideAvps?: boolean;
  /** Send a Tie Breaker AVP (RFC 2661 section 4.4.3). Default true where the endpoint also accepts tunnels. */
  readonly tieBreaker?: boolean;
  /** Follow the source port of the SCCRP (RFC 2661 section 8.1). Default true. */
  readonly followReplyPort?: boolean;
}

/** What a LAC tells of the access line of a call (RFC 5515 section 5). Rates in bit/s; what is absent is not told. */
export interface AccessLine {
  /** Names of the line, 2..63 octets. */
  readonly circuitId?: string;
  readonly remoteId?: string;
  /** Rates as the subscriber has them: `down` is what the subscriber receives. */
  readonly down: AccessLineRates;
  readonly up: AccessLineRates;
  /** Section 5.18: 1 ADSL1, 2 ADSL2, 3 ADSL2+, 4 VDSL1, 5 VDSL2, 6 SDSL, 7 unknown. */
  readonly type?: number;
}

export interface AccessLineRates {
  readonly actual?: number;
  readonly minimum?: number;
  readonly attainable?: number;
  readonly maximum?: number;
}

/** An incoming call that we announce (we are the LAC): ICRQ (RFC 2661 section 6.6). */
export interface OpenSessionOptions {
  /** The access line AVPs of ICRQ. */
  readonly accessLine?: AccessLine;
  /** Ask for sequence numbers on data messages: Sequencing Required AVP in ICCN. Default false. */
  readonly sequencing?: boolean;
  /** (Tx) Connect Speed AVP, bit/s. Default 100,000,000. */
  readonly connectSpeed?: number;
  readonly calledNumber?: string;
  readonly callingNumber?: string;
  readonly subAddress?: string;
  /** What PPP did before the call was handed on: the proxy AVPs of ICCN. */
  readonly proxy?: ProxyAvps;
}

/** A call that we have the peer place (we are the LNS): OCRQ (RFC 2661 section 6.9). */
export interface OpenCallOptions {
  /** Whom to call, 0..255 octets. */
  readonly calledNumber: string;
  readonly subAddress?: string;
  /** Lowest and highest acceptable line speed, bit/s. Default 0 and 4294967295. */
  readonly minimumBps?: number;
  readonly maximumBps?: number;
}

/** A call that the peer has us place; text is the peer's, not fit to print. */
export interface CallRequest {
  readonly calledNumber: string;
  readonly subAddress?: string;
  /** Bit/s. */
  readonly minimumBps: number;
  readonly maximumBps: number;
}

/**
 * Proxy LCP and authentication AVPs (RFC 2661 section 4.4.5): what the LAC and the caller said to each other before. All of
 * it is a peer's word. The three CONFREQs are the options of a Configure-Request, without its code, identifier and length.
 */
export interface ProxyAvps {
  readonly initialReceivedLcpConfreq?: Uint8Array;
  readonly lastSentLcpConfreq?: Uint8Array;
  readonly lastReceivedLcpConfreq?: Uint8Array;
  /** 1 textual, 2 CHAP, 3 PAP, 4 none, 5 MS-CHAPv1; RFC 2661 has no number for MS-CHAPv2 and EAP. */
  readonly authenType?: number;
  readonly authenName?: string;
  readonly authenChallenge?: Uint8Array;
  /** Of the CHAP Challenge, or of the PAP request, 0..255. */
  readonly authenId?: number;
  readonly authenResponse?: Uint8Array;
}

/** How a tunnel (StopCCN) or session (CDN) is ended: the Result Code AVP (RFC 2661 section 4.4.2). */
export interface CloseCause {
  /** Result code 1..65535. */
  readonly resultCode: number;
  /** General error code, only with result code 2. */
  readonly errorCode?: number;
  /** Text for the peer, UTF-8. */
  readonly message?: string;
  /** Why PPP ended, for a CDN (RFC 3145). */
  readonly pppDisconnect?: PppDisconnect;
}

/** PPP Disconnect Cause Code AVP (RFC 3145 section 2). */
export interface PppDisconnect {
  /** 0..65535. */
  readonly code: number;
  /** PPP protocol number of the control protocol that failed; 0: none. */
  readonly protocol: number;
  /** 0 global error, 1 at the peer, 2 at the local end. */
  readonly direction: number;
  readonly message?: string;
}

/** What the peer told of itself in SCCRQ or SCCRP; text is the peer's, already made printable. */
export interface L2tpPeer {
  readonly hostName: string;
  readonly vendorName?: string;
  readonly firmwareRevision?: number;
  readonly receiveWindow: number;
}

export type L2tpOutput =
  /** A control datagram for the wire. */
  | { readonly kind: 'send'; readonly datagram: Uint8Array; readonly path: UdpPath }
  /** A control message went out or came in; ZLBs and retransmissions are not traced. */
  | {
      readonly kind: 'trace';
      readonly tunnelId: number;
      readonly sessionId: number;
      readonly direction: 'sent' | 'received';
      /** `SCCRQ`, `SCCRP` ... `SLI`. */
      readonly message: string;
    }
  /** The control connection stands. */
  | {
      readonly kind: 'tunnel-up';
      readonly tunnelId: number;
      readonly peerTunnelId: number;
      readonly path: UdpPath;
      readonly peer: L2tpPeer;
      /** True when the peer sent the SCCRQ. */
      readonly incoming: boolean;
    }
  /** The peer moved to another port: further datagrams, data too, go there. */
  | { readonly kind: 'tunnel-path'; readonly tunnelId: number; readonly path: UdpPath }
  /** The tunnel is gone with all its sessions (each of which had its own `session-down` before). */
  | { readonly kind: 'tunnel-down'; readonly tunnelId: number; readonly failure: Failure; readonly byPeer: boolean }
  /** Both session ids are known: from now on the peer may send frames. Always before `session-up`. */
  | {
      readonly kind: 'session-opening';
      readonly tunnelId: number;
      readonly sessionId: number;
      readonly peerTunnelId: number;
      readonly peerSessionId: number;
      readonly path: UdpPath;
      /** True when the call came from the peer: its ICRQ or its OCRQ. */
      readonly incoming: boolean;
      /** How packets of the session are to be marked, where this side wants it at all: what the peer agreed to. */
      readonly dscp?: number;
    }
  /** The peer has us place a call: `answerCall` once it stands, `closeSession` when it cannot. */
  | ({ readonly kind: 'call-requested'; readonly tunnelId: number; readonly sessionId: number } & CallRequest)
  /** The call stands: PPP may start. */
  | {
      readonly kind: 'session-up';
      readonly tunnelId: number;
      readonly sessionId: number;
      /** Data messages must carry Ns and Nr (Sequencing Required AVP). */
      readonly sequencing: boolean;
      /** Of the ICCN, where one came, bit/s. */
      readonly connectSpeed?: number;
      readonly callingNumber?: string;
      readonly calledNumber?: string;
      /** Of the ICCN, where it has any. */
      readonly proxy?: ProxyAvps;
    }
  | {
      readonly kind: 'session-down';
      readonly tunnelId: number;
      readonly sessionId: number;
      readonly failure: Failure;
      readonly byPeer: boolean;
    }
  /** Set-Link-Info from the LNS (RFC 2661 section 6.14): the ACCMs for an asynchronous line. */
  | {
      readonly kind: 'link-info';
      readonly tunnelId: number;
      readonly sessionId: number;
      readonly sendAccm: number;
      readonly receiveAccm: number;
    }
  /** WAN-Error-Notify from the LAC (RFC 2661 section 6.13). */
  | {
      readonly kind: 'wan-error';
      readonly tunnelId: number;
      readonly sessionId: number;
      readonly errors: WanErrors;
    };

/** Call Errors AVP (RFC 2661 section 4.4.6): counts since the call began. */
export interface WanErrors {
  readonly crcErrors: number;
  readonly framingErrors: number;
  readonly hardwareOverruns: number;
  readonly bufferOverruns: number;
  readonly timeoutErrors: number;
  readonly alignmentErrors: number;
}

export type TunnelState = 'wait-reply' | 'wait-connect' | 'established' | 'closing';
export type SessionState = 'wait-tunnel' | 'wait-reply' | 'wait-connect' | 'wait-cs-answer' | 'established';

/** A tunnel as `show status` tells it. */
export interface TunnelView {
  readonly tunnelId: number;
  readonly peerTunnelId: number;
  readonly state: TunnelState;
  readonly path: UdpPath;
  readonly peer?: L2tpPeer;
  readonly incoming: boolean;
  /** When the last valid control message, acknowledgement or user data came. */
  readonly lastHeard: Instant;
  readonly sessions: readonly {
    readonly sessionId: number;
    readonly peerSessionId: number;
    readonly state: SessionState;
  }[];
}

/** What was dropped and why; numbers only grow. */
export interface L2tpCounters {
  received: number;
  malformed: number;
  unknownTunnel: number;
  wrongSource: number;
  duplicate: number;
  outOfWindow: number;
  halfOpenLimit: number;
  notAccepting: number;
  authenticationFailed: number;
}
