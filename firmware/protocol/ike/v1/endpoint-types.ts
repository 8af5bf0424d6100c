/** Options, views and counters of {@link IkeV1Endpoint}. */
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { IkeConnection, IkePeer } from '../ike-types.ts';
import type { EspProposal, IkeProposal } from '../proposals.ts';

/** Bounds on what strangers and peers can make this side hold. */
export interface IkeV1Limits {
  /** Main Modes of strangers in progress, in all and from one address. */
  readonly halfOpenTotal: number;
  readonly halfOpenPerAddress: number;
  /** Established ISAKMP SAs, in all and with one address: behind it there may be many peers. */
  readonly ikeSas: number;
  readonly ikeSasPerAddress: number;
  /** Phase 2 exchanges in progress within one ISAKMP SA. */
  readonly exchangesPerIkeSa: number;
  /** Child SAs of one peer, those that are being replaced included. */
  readonly childrenPerIkeSa: number;
}

export const DEFAULT_LIMITS: IkeV1Limits = {
  halfOpenTotal: 256,
  // Many clients may start behind one NAT at a time, after a power cut, say.
  halfOpenPerAddress: 32,
  ikeSas: 2048,
  ikeSasPerAddress: 256,
  exchangesPerIkeSa: 16,
  childrenPerIkeSa: 64,
};

export interface IkeV1Options {
  /** Those of version 1 only; others are ignored. */
  readonly connections: readonly IkeConnection[];
  readonly limits?: Partial<IkeV1Limits>;
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

/** How often something happened, since the endpoint began. */
export interface IkeV1Counters {
  received: number;
  /** Not what the RFCs allow, or decrypted with another key. */
  malformed: number;
  /** No SA has these cookies. */
  unknownCookies: number;
  /** A request came again and was answered, if at all, from memory. */
  duplicate: number;
  /** Late or out of place: ignored. */
  unexpected: number;
  /** Too many half-open exchanges. */
  halfOpenLimit: number;
  /** Message 1 for which nothing is configured, or without a common proposal. */
  refused: number;
  aggressiveMode: number;
  authenticationFailed: number;
  /** Notifications that anybody may have sent. */
  unauthenticatedNotify: number;
  /** Exchange types that this side does not speak. */
  unsupportedExchange: number;
}

export interface IkeV1ChildView {
  readonly id: number;
  readonly mode: 'transport' | 'tunnel';
  readonly proposal: EspProposal;
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  readonly udpEncapsulation: boolean;
  /** Another one has taken over; it only receives. */
  readonly replaced: boolean;
  readonly rekeyAt: Instant;
  readonly expiresAt: Instant;
}

export interface IkeV1View {
  readonly ikeId: number;
  readonly connection: string;
  readonly initiator: boolean;
  /** `replaced`: another SA has taken over, this one only still answers. */
  readonly state: 'phase-1' | 'established' | 'replaced';
  readonly path: UdpPath;
  readonly proposal?: IkeProposal;
  readonly peer?: IkePeer;
  readonly rekeyAt?: Instant;
  readonly expiresAt?: Instant;
  readonly children: readonly IkeV1ChildView[];
  /** The last thing that went wrong without ending the SA: a refused Quick Mode, say. */
  readonly lastFailure?: Failure;
}
