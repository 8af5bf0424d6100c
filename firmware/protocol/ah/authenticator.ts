/**
 * What an SA wants of the algorithm that was negotiated for it. The arithmetic is done elsewhere and handed in; an object
 * with these members serves, whoever made it.
 */
export interface AhAuthenticator {
  readonly icvOctets: number;
  /**
   * Writes the ICV of `bytes[at..at+length)` to `bytes[icvAt..)`, which is within and counts as zeros.
   *
   * @param sequenceHigh high half of an extended sequence number, authenticated behind all of it but not sent (RFC 4302
   *   section 2.5.1); -1 with 32-bit sequence numbers.
   */
  sign(bytes: Uint8Array, at: number, length: number, icvAt: number, sequenceHigh: number): void;
  /** Checks the ICV, in constant time. @returns whether the octets are authentic; zeros are in its place then. */
  verify(bytes: Uint8Array, at: number, length: number, icvAt: number, sequenceHigh: number): boolean;
  /** Wipes the key. */
  close(): void;
}
