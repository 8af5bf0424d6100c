/** What the decoder says of one message in a capture. `culvert decode --json` prints these, and diagnosis reads them. */

/** A value as JSON has it; octets are lower-case hexadecimal without separators. */
export type FieldValue =
  | string
  | number
  | boolean
  | null
  | readonly FieldValue[]
  | { readonly [name: string]: FieldValue };

/** The meaning of a message: the RFC's names of its fields, in camelCase. */
export type Fields = { readonly [name: string]: FieldValue };

/** Why the rest of a message cannot be read. What was read before stands in `fields`. */
export interface DecodeFault {
  /** Octets from the beginning of the message to the field that cannot be read. */
  readonly offset: number;
  /** Name of that field. */
  readonly field: string;
  /** One sentence without a full stop. */
  readonly reason: string;
}

/** A message, before it is said where it stood. */
export interface DecodedBody {
  /** `l2tp`, `ppp-lcp`, `ppp-chap`, `ppp-ipcp`, `ikev1`, `ikev2`, `esp`, `ah`, `ip` ... */
  readonly protocol: string;
  /** One readable line. */
  readonly summary: string;
  readonly fields: Fields;
  readonly error?: DecodeFault;
}

/** One end of a message. */
export interface MessageEnd {
  /** IPv4 or IPv6, textual; empty where the capture has no IP header. */
  readonly address: string;
  /** UDP port; 0 where there is none. */
  readonly port: number;
}

/** Where and when a message stood in the capture. */
export interface MessagePlace {
  /** 1-based number of the packet in the file; of the last one, where a message was reassembled from several. */
  readonly frame: number;
  /** Milliseconds since 1970, as the capture has it. */
  readonly time: number;
  /** Of the innermost IP and UDP header around the message. */
  readonly source: MessageEnd;
  readonly destination: MessageEnd;
}

export interface DecodedMessage extends MessagePlace, DecodedBody {}
