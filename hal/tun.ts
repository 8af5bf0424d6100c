/** TUN devices: IP packets in and out of the kernel, one packet a read. */
export interface TunFactory {
  /**
   * Creates the device `name` (1..15 octets), without packet information header, non-blocking, close-on-exec.
   * It vanishes with {@link Tun.close} or the process.
   * @throws HalError when it exists or the capability is missing.
   */
  open(name: string): Tun;
}

export interface Tun {
  readonly name: string;
  /** For {@link Poller}. */
  readonly handle: number;
  /** Reads one packet into `into`. @returns its length in octets, or -1 when none is waiting. */
  read(into: Uint8Array): number;
  /** Writes one whole IP packet. @returns false when the kernel would not take it (full queue, link down, malformed). */
  write(packet: Uint8Array): boolean;
  close(): void;
}
