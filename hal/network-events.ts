/** Whether anything of the machine's network was changed, by whomever. */
export interface NetworkEvents {
  /**
   * Why some changes are not heard of, one sentence without a full stop; absent: all are heard of but those of kernel parameters.
   */
  readonly incomplete?: string;
  /**
   * Whether links, addresses, routes, rules or the packet filter's table may have been changed since the last call, or since the
   * beginning. Costs next to nothing, and never throws.
   */
  take(): boolean;
  close(): void;
}
