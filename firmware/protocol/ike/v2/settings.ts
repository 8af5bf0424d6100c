/** What of an IKEv2 endpoint can be set, and the defaults. */
import type { IkeConnection } from '../ike-types.ts';

/** Limits and times; each has a default. */
export interface IkeV2Limits {
  /** First retransmission of a request after so many ms; then twice as long each time. Default 1000. */
  readonly retransmitFirstMs: number;
  /** Longest time between two retransmissions, ms. Default 8000. */
  readonly retransmitCapMs: number;
  /** Retransmissions before the peer counts as silent. Default 5: some 30 s in all. */
  readonly retransmitTries: number;
  /** IKE SAs of callers that have not proved who they are, in all. Default 256. */
  readonly halfOpen: number;
  /** The same from one address. Default 32: several clients behind one NAT begin at once after a power cut. */
  readonly halfOpenPerAddress: number;
  /** Half-open IKE SAs from which on a COOKIE is asked for before anything is computed. Default 16. */
  readonly cookieThreshold: number;
  /** How long a caller may take from IKE_SA_INIT to IKE_AUTH, ms. Default 30,000, as long as one retransmits. */
  readonly halfOpenMs: number;
  /** IKE SAs in all. Default 4096. */
  readonly ikeSas: number;
  /** The same with one address, behind which there may be many peers. Default 512. */
  readonly ikeSasPerAddress: number;
  /** Child SAs of one IKE SA, those being replaced included. Default 32. */
  readonly childrenPerIkeSa: number;
  /** Octets of an IKE message above which it is fragmented. Default 1220: fits 1280 with IPv6, UDP and the marker. */
  readonly fragmentOctets: number;
}

export const DEFAULT_LIMITS: IkeV2Limits = {
  retransmitFirstMs: 1000,
  retransmitCapMs: 8000,
  retransmitTries: 5,
  halfOpen: 256,
  halfOpenPerAddress: 32,
  cookieThreshold: 16,
  halfOpenMs: 30_000,
  ikeSas: 4096,
  ikeSasPerAddress: 512,
  childrenPerIkeSa: 32,
  fragmentOctets: 1220,
};

export interface IkeV2Options {
  /** Those of version 2; others are left aside. The order decides between equals. */
  readonly connections: readonly IkeConnection[];
  readonly limits?: Partial<IkeV2Limits>;
  /**
   * 32 octets that stay the same over reboots (RFC 6290 section 5.1), so that a peer notices a reboot at once.
   * Absent: no tokens are made; those of peers are honoured nevertheless.
   */
  readonly qcdSecret?: Uint8Array;
  /** Whether to say with a Vendor ID payload whose implementation this is. Default true. */
  readonly vendorId?: boolean;
  /**
   * Whether ESP goes in UDP with another Culvert that wants it, too, though there is no NAT: more networks let UDP pass
   * than ESP. Needs the vendor id. Default true.
   */
  readonly encapsulateAmongOurselves?: boolean;
  /** Asked when an SPI for inbound ESP is drawn: one that others have is not taken. */
  readonly spiInUse?: (spi: number) => boolean;
}

/** Counts of what strangers and networks do. */
export interface IkeV2Counters {
  received: number;
  /** Not a message of IKEv2, or not a well-formed one. */
  malformed: number;
  /** For no IKE SA of ours. */
  unknownSpi: number;
  /** Does not verify under the keys of the SA it names. */
  badIntegrity: number;
  /** Repeated request, answered from the cache. */
  duplicate: number;
  /** Message ID that is neither awaited nor the last one. */
  wrongMessageId: number;
  /** COOKIE asked for. */
  cookieSent: number;
  /** Dropped: too many half-open IKE SAs, or too many IKE SAs. */
  halfOpenLimit: number;
  /** No connection takes callers from there. */
  notAccepting: number;
  noProposalChosen: number;
  authenticationFailed: number;
  retransmitted: number;
}

export function newCounters(): IkeV2Counters {
  return {
    received: 0,
    malformed: 0,
    unknownSpi: 0,
    badIntegrity: 0,
    duplicate: 0,
    wrongMessageId: 0,
    cookieSent: 0,
    halfOpenLimit: 0,
    notAccepting: 0,
    noProposalChosen: 0,
    authenticationFailed: 0,
    retransmitted: 0,
  };
}

/** Seconds, where the connection says nothing. */
export const DEFAULT_IKE_LIFETIME = 14_400;
export const DEFAULT_CHILD_LIFETIME = 3600;
export const DEFAULT_DPD_SECONDS = 10;
