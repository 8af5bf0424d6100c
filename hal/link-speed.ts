/** What the two ends of a cable have agreed on. */
export interface LinkSpeed {
  /** Millions of bits per second, 10 or more. */
  readonly megabits: number;
  readonly fullDuplex: boolean;
}

export interface LinkSpeeds {
  /** @param device 1..15 octets. @returns undefined: no link, no such device, or one that has no speed (WLAN, tunnels). */
  read(device: string): LinkSpeed | undefined;
}
