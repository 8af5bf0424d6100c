/** The kernel's packet filter, one whole table at a time, so that a change is atomic. */
export interface PacketFilter {
  /** Replaces the table `name` (family inet) by `ruleset`, the body in the nft language; creates it when missing. */
  replaceTable(name: string, body: string): Promise<void>;
  /** Removes the table; harmless when it is not there. */
  removeTable(name: string): Promise<void>;
}
