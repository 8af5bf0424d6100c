/** How PPP frames travel where there is no L2TP around them: lines, and the sessions on them. */
import type { SessionKey, SessionNetworkSpec } from './data-plane.ts';

export type PppCarrier =
  /** PPPoE sessions (RFC 2516): frames of Ethernet type 0x8864 on a device. */
  | {
      readonly kind: 'pppoe';
      readonly device: string;
      /** Six octets. */
      readonly peerMac: Uint8Array;
      /** 1..65534 */
      readonly sessionId: number;
    }
  /**
   * Asynchronous HDLC framing (RFC 1662) on an open, raw, non-blocking descriptor, which whoever opened it closes after the line
   * was closed. Nobody else reads from it or writes to it meanwhile.
   */
  | { readonly kind: 'serial'; readonly descriptor: number };

/** Chosen by the control plane, unique for the life of the engine, any positive integer. */
export type LineId = number;

export interface LineSpec {
  readonly id: LineId;
  readonly carrier: PppCarrier;
}

/** The PPP session on a line, one at a time. On PPPoE, Address and Control fields are never sent (RFC 2516 section 6). */
export interface LineSessionSpec {
  readonly key: SessionKey;
  readonly line: LineId;
  /** Serial: control characters that the peer wants escaped (RFC 1662 section 7.1), bit n for octet n. Default: all. */
  readonly peerAccm?: number;
  /** As of a session inside L2TP. */
  readonly network?: SessionNetworkSpec;
}
