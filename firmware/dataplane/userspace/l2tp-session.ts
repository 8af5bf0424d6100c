/** What the forwarder holds for one L2TP session beside its PPP: its programming, its header, its sequence numbers. */
import { type DataHeader, dataHeaderLength, newDataHeader } from '../../protocol/l2tp/data-message.ts';
import type { SessionSpec } from '../data-plane.ts';
import { DataSequence, NO_REORDERING } from './data-sequence.ts';
import { PppSession, type SessionNetwork } from './ppp-session.ts';

export class L2tpSession extends PppSession {
  readonly kind = 'l2tp';
  #spec: SessionSpec;
  #header: DataHeader;
  readonly sequence = new DataSequence();
  /** Whether the peer's last data message had sequence numbers: then ours have them too (RFC 2661 section 5.4). */
  peerSequences = false;
  /** Traffic class octet of outer packets: DSCP, and an ECN field of zero (RFC 2474 section 3, RFC 6040 section 4.1). */
  trafficClass = 0;

  /** Without a network until {@link program}. */
  constructor(spec: SessionSpec) {
    super(spec.key);
    this.#spec = spec;
    this.#header = newDataHeader(spec.peerTunnelId, spec.peerSessionId);
  }

  get spec(): SessionSpec {
    return this.#spec;
  }

  override get lost(): number {
    return this.sequence.lost;
  }

  override get reordered(): number {
    return this.sequence.reordered;
  }

  /** Sets how packets are wrapped and which ones pass; counters and sequence numbers stay. */
  program(spec: SessionSpec, network: SessionNetwork | undefined): void {
    this.#spec = spec;
    this.#header = newDataHeader(spec.peerTunnelId, spec.peerSessionId);
    this.#header.lengthField = spec.lengthField;
    this.trafficClass = (spec.dscp ?? 0) << 2;
    this.sequence.limits = spec.reorder ?? NO_REORDERING;
    this.network = network;
  }

  /** Octets of the L2TP header of the next message to the peer. */
  get headerOctets(): number {
    this.#header.sequenced = this.#spec.sequencing || this.peerSequences;
    return dataHeaderLength(this.#header);
  }

  /**
   * The L2TP header of the next message to the peer; takes a sequence number where one is due. Valid until the next
   * call.
   */
  nextHeader(): DataHeader {
    const header = this.#header;
    header.sequenced = this.#spec.sequencing || this.peerSequences;
    if (header.sequenced) header.ns = this.sequence.take();
    return header;
  }
}
