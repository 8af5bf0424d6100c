/** LEDs: what each shows, by the kernel's own triggers where it has them, for those go on when this program does not. */

export type LedDisplay =
  /** `level`: 0 dark to 1 full; a LED without levels is lit by anything above 0. */
  | { readonly kind: 'steady'; readonly level: number }
  /** Milliseconds, 1 or more each. */
  | { readonly kind: 'timer'; readonly onMs: number; readonly offMs: number }
  | { readonly kind: 'heartbeat' }
  /** Lit while the network device has a link, flickering with its packets. */
  | { readonly kind: 'netdev'; readonly device: string };

export type LedKind = LedDisplay['kind'];

export interface Led {
  readonly name: string;
  /** What it can do by itself; `steady` always. */
  readonly kinds: ReadonlySet<LedKind>;
  /** Calls take effect in their order. @throws HalError: it is gone, no permission, or not one of {@link kinds}. */
  show(display: LedDisplay): Promise<void>;
  /** As the machine says; another trigger than ours by its name. @throws HalError likewise. */
  shown(): Promise<LedDisplay | { readonly kind: 'other'; readonly trigger: string }>;
  /** Back to what it showed when it was opened. @throws HalError likewise. */
  restore(): Promise<void>;
}

export interface Leds {
  /** Those that there are, in alphabetical order; none where the machine has none. */
  names(): Promise<readonly string[]>;
  /** @throws HalError: there is none of that name, or it may not be used. */
  open(name: string): Promise<Led>;
}
