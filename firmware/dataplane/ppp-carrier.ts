/** How PPP frames travel where there is no L2TP around them. */

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
  /** Asynchronous HDLC framing (RFC 1662) on an open descriptor, which whoever opened it closes after the carrier was removed. */
  | { readonly kind: 'serial'; readonly descriptor: number };
