/** What is known of a configuration that was put in force, apart from what stands in it. */

/** By which way a configuration came. `provisioning`: a bundle on the serial line; `file`: `culvert run --config`; `router`: the router itself, after damage. */
export const VIAS = ['console', 'web', 'cli', 'provisioning', 'file', 'router'] as const;

export type Via = (typeof VIAS)[number];

/** Who changes the configuration. */
export interface Author {
  /** Name of the user, 1 to 64 characters. */
  readonly who: string;
  readonly via: Via;
}

/**
 * `pending`: in force until it is confirmed or its time is over. `reverted`: it was in force and is not any more, without
 * ever having been confirmed.
 */
export type RevisionState = 'pending' | 'confirmed' | 'reverted';

export interface RevisionInfo extends Author {
  /** From 1, never used twice. */
  readonly id: number;
  /** The confirmed revision that it replaced; absent for the first. */
  readonly parent?: number;
  /** SHA-256 over the stored document, 64 hexadecimal digits: whether two are the same and undamaged. */
  readonly hash: string;
  /** Empty when nobody said anything; at most 256 characters. */
  readonly comment: string;
  /** Wall clock, milliseconds since 1970. */
  readonly at: number;
  readonly state: RevisionState;
  /** Why it was reverted, one sentence without a full stop. */
  readonly reason?: string;
}
