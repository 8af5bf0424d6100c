/** Keys with which the decoder reads what is encrypted: one object, whatever files it came from. */

/** What an ICV is checked with, as far as it can be. */
export type DecodeIntegrity =
  /** An integrity algorithm of the transform table. */
  | { readonly kind: 'known'; readonly name: string }
  /** There is an ICV of so many octets, which cannot be checked here. */
  | { readonly kind: 'unchecked'; readonly icvOctets: number }
  /** There is none: of a combined mode, or at all. */
  | { readonly kind: 'none' };

/** What encrypts: an encryption algorithm of the transform table, nothing, or one that cannot be read here. */
export type DecodeCipher =
  | { readonly kind: 'known'; readonly name: string }
  | { readonly kind: 'null' }
  | { readonly kind: 'unreadable'; readonly name: string };

/** Of an ISAKMP SA. */
export interface Ikev1Keys {
  /** The initiator's cookie, 8 octets. */
  readonly cookieI: Uint8Array;
  /** Of the cipher that the SA negotiated: as long as that asks for. */
  readonly key: Uint8Array;
}

/** Of an IKE SA of IKEv2 (RFC 7296 section 2.14). */
export interface Ikev2Keys {
  /** 8 octets each. */
  readonly spiI: Uint8Array;
  readonly spiR: Uint8Array;
  readonly cipher: DecodeCipher;
  /** With the salt at the end, where the cipher has one. */
  readonly skEi: Uint8Array;
  readonly skEr: Uint8Array;
  readonly integrity: DecodeIntegrity;
  /** Empty where `integrity` needs none. */
  readonly skAi: Uint8Array;
  readonly skAr: Uint8Array;
}

/** Of one direction of a child SA. */
export interface EspKeys {
  readonly family: 4 | 6;
  /** Outer addresses; `*` stands for any octets. */
  readonly source: string;
  readonly destination: string;
  /** Absent: any. */
  readonly spi?: number;
  readonly cipher: DecodeCipher;
  /** With the salt at the end, where the cipher has one. */
  readonly encryptionKey: Uint8Array;
  readonly integrity: DecodeIntegrity;
  readonly integrityKey: Uint8Array;
  /** Whether the sequence number has 64 bits; absent: not said, and both are tried. */
  readonly extendedSequenceNumbers?: boolean;
}

export interface DecodeKeys {
  readonly ikev1: readonly Ikev1Keys[];
  readonly ikev2: readonly Ikev2Keys[];
  readonly esp: readonly EspKeys[];
}

export const NO_KEYS: DecodeKeys = { ikev1: [], ikev2: [], esp: [] };
