/** The kernel's packet filter, one whole table at a time, so that a change is atomic. */
export interface PacketFilter {
  /** Replaces the table `name` (family inet) by `ruleset`, the body in the nft language; creates it when missing. */
  replaceTable(name: string, body: string): Promise<void>;
  /**
   * The table as the system shows it, counters left out: the same text as long as nobody changes the table. `undefined`: there
   * is none.
   */
  show(name: string): Promise<string | undefined>;
  /** Removes the table; harmless when it is not there. */
  removeTable(name: string): Promise<void>;
}
