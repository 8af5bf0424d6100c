/**
 * The octets of a line that somebody else has opened and will close, for a thread that blocks in a {@link Poller}: a serial line
 * behind a modem's CONNECT.
 */
export interface OctetLineFactory {
  /**
   * @param descriptor open, raw and non-blocking; it is not closed here, and must stay open as long as the line is used. Nobody
   * else reads from it or writes to it meanwhile.
   */
  adopt(descriptor: number): OctetLine;
}

export interface OctetLine {
  /** For {@link Poller}. */
  readonly handle: number;
  /** @returns octets read, -1 when none are waiting. @throws HalError when the line was hung up or unplugged. */
  read(into: Uint8Array): number;
  /** @returns octets taken, 0 when there is no room now. @throws HalError as {@link read}. */
  write(octets: Uint8Array): number;
}
