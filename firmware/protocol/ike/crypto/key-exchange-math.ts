/**
 * What a family of groups has to give. The private value lives inside the library's key object, which clears it when it
 * is freed: whoever drops this drops the secret.
 */
export interface KeyExchangeMath {
  readonly publicValue: Uint8Array;
  /** @throws DecodeError when the peer's public value is bad. */
  readonly sharedSecret: (peer: Uint8Array) => Uint8Array;
}
