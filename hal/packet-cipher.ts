/**
 * Encryption and authentication of ESP packets (RFC 4303), one cipher object per SA and direction, in place, without
 * allocation per packet.
 *
 * A packet lies in a buffer as on the wire: SPI and Sequence Number (8 octets), IV, text, ICV. The text is the payload
 * with padding, Pad Length and Next Header. Who calls writes the header, the IV and the padding.
 */

/** What a cipher object is opened with. Names and sizes: `packet-cipher-suite.ts`. */
export interface PacketCipherSpec {
  /** `aes128`, `aes256ctr`, `aes128gcm16`, `aes192ccm8`, `chacha20poly1305`, `3des` ... */
  readonly encryption: string;
  /** Key, with the salt at its end where the cipher has one. Copied; the caller may wipe it afterwards. */
  readonly encryptionKey: Uint8Array;
  /** `sha1`, `sha256`, `sha256-96`, `sha384`, `sha512`, `md5`; absent with a combined-mode cipher. */
  readonly integrity?: string;
  readonly integrityKey?: Uint8Array;
  readonly direction: 'seal' | 'open';
}

export interface PacketCipher {
  /** Octets of IV between the header and the text. */
  readonly ivOctets: number;
  /** Octets of ICV at the end. */
  readonly icvOctets: number;
  /** The text is a multiple of this: 16 or 8 in CBC, 1 elsewhere. (ESP wants a multiple of 4 besides.) */
  readonly blockOctets: number;
  /** What the IV must be: `counter`, never the same twice under one key; `random`, unpredictable (CBC). */
  readonly iv: 'counter' | 'random';
  /**
   * Encrypts the text of the packet at `bytes[at..at+length)` and writes the ICV into its last octets.
   *
   * @param sequenceHigh high 32 bits of an extended sequence number, authenticated but not sent (RFC 4303 section
   *   2.2.1); -1 where the SA has 32-bit sequence numbers.
   * @throws RangeError when the packet does not fit the buffer, or the text is empty or no multiple of `blockOctets`.
   */
  seal(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): void;
  /**
   * Checks the ICV, in constant time, and decrypts the text in place.
   *
   * @returns whether the packet is authentic. If not, its text means nothing any more.
   * @throws RangeError as {@link seal}: who calls has checked the lengths.
   */
  open(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): boolean;
  /** Wipes and frees the key. The object must not be used afterwards; closing twice is harmless. */
  close(): void;
}

/** What an authenticator is opened with. */
export interface PacketAuthenticatorSpec {
  /** As {@link PacketCipherSpec.integrity}. */
  readonly integrity: string;
  /** Copied; the caller may wipe it afterwards. */
  readonly integrityKey: Uint8Array;
}

/**
 * Authentication of packets without encryption (RFC 4302): an HMAC over octets of which some, where it stands itself, count
 * as zeros.
 */
export interface PacketAuthenticator {
  /** Octets of ICV. */
  readonly icvOctets: number;
  /**
   * Writes the ICV of `bytes[at..at+length)` to `bytes[icvAt..)`, which counts as zeros where it is within.
   *
   * @param sequenceHigh high 32 bits of an extended sequence number, authenticated behind all of it but not sent (RFC 4302
   *   section 2.5.1); -1 where the SA has 32-bit sequence numbers.
   * @throws RangeError when the octets or the ICV do not lie within the buffer.
   */
  sign(bytes: Uint8Array, at: number, length: number, icvAt: number, sequenceHigh: number): void;
  /**
   * Checks the ICV in constant time; there are zeros in its place afterwards.
   *
   * @returns whether the octets are authentic.
   * @throws RangeError as {@link sign}.
   */
  verify(bytes: Uint8Array, at: number, length: number, icvAt: number, sequenceHigh: number): boolean;
  /** Wipes and frees the key. The object must not be used afterwards; closing twice is harmless. */
  close(): void;
}

export interface PacketCipherFactory {
  /** What does the arithmetic, for status: `evp` or `node:crypto`. */
  readonly engine: string;
  /** @throws HalError when no such algorithm exists here or a key has the wrong length. */
  open(spec: PacketCipherSpec): PacketCipher;
  /** @throws HalError when no such algorithm exists here or a key has the wrong length. */
  openAuthenticator(spec: PacketAuthenticatorSpec): PacketAuthenticator;
}
