/**
 * What an SA wants of the algorithms that were negotiated for it. The arithmetic is done elsewhere and handed in; an
 * object with these members serves, whoever made it.
 */
export interface EspCipher {
  /** Octets of IV behind the Sequence Number. */
  readonly ivOctets: number;
  /** Octets of ICV at the end of the packet. */
  readonly icvOctets: number;
  /** The encrypted text is a multiple of this: 16 or 8 in CBC, 1 elsewhere. */
  readonly blockOctets: number;
  /** What the IV must be: `counter`, never the same twice under one key; `random`, unpredictable (CBC). */
  readonly iv: 'counter' | 'random';
  /**
   * Encrypts in place the text of the packet at `bytes[at..at+length)`, in which header, IV, padding and trailer are
   * written already, and writes the ICV into its last octets.
   *
   * @param sequenceHigh high half of an extended sequence number, authenticated but not sent (RFC 4303 section 2.2.1);
   *   -1 with 32-bit sequence numbers.
   */
  seal(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): void;
  /** Checks the ICV, in constant time, and decrypts in place. @returns whether the packet is authentic. */
  open(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): boolean;
  /** Wipes the key. */
  close(): void;
}
