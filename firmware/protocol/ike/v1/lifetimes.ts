/** How long SAs live and when their successors are made. */
import type { Instant, RandomSource } from '../../machine.ts';

/** Defaults, seconds. */
export const DEFAULT_IKE_LIFETIME = 14400;
export const DEFAULT_CHILD_LIFETIME = 3600;

/** Shortest lifetime that a peer can impose, seconds: else it could keep both sides busy with rekeying. */
const MIN_LIFETIME = 60;

/** Longest lifetime, seconds. */
const MAX_LIFETIME = 30 * 86400;

/**
 * Where in the lifetime the successor is due, as parts of it. The initiator is well before the responder, so that both
 * hardly ever start at once; the spread keeps many peers from doing so.
 */
const REKEY_AT = { initiator: { from: 0.7, spread: 0.1 }, responder: { from: 0.85, spread: 0.05 } } as const;

/** The shorter lifetime wins; what the peer does not say is no limit. @returns seconds. */
export function agreedLifetime(ours: number, theirs: number | undefined): number {
  const limit = theirs === undefined || theirs === 0 ? ours : Math.max(theirs, MIN_LIFETIME);
  return Math.min(ours, limit, MAX_LIFETIME);
}

export interface Lifetime {
  readonly rekeyAt: Instant;
  readonly expiresAt: Instant;
}

/** @param seconds the agreed lifetime. */
export function lifetimeFrom(now: Instant, seconds: number, initiator: boolean, random: RandomSource): Lifetime {
  const { from, spread } = initiator ? REKEY_AT.initiator : REKEY_AT.responder;
  const [jitter = 0] = random.bytes(1);
  const part = from + (spread * jitter) / 256;
  return { rekeyAt: now + Math.floor(seconds * 1000 * part), expiresAt: now + seconds * 1000 };
}

/** When a rekey that failed is tried again: soon, and at least once more before the end. */
export function nextAttempt(now: Instant, expiresAt: Instant): Instant {
  return now + Math.min(15000, Math.max(1000, Math.floor((expiresAt - now) / 4)));
}

/** The lifetime of an ISAKMP SA, which a peer may shorten, and within which a rekey may fail. */
export class SaLifetime {
  readonly #seconds: number;
  readonly #initiator: boolean;
  readonly #random: RandomSource;
  #current: Lifetime;
  #givenUp = false;

  /** @param seconds the agreed lifetime. */
  constructor(now: Instant, seconds: number, initiator: boolean, random: RandomSource) {
    this.#seconds = seconds;
    this.#initiator = initiator;
    this.#random = random;
    this.#current = lifetimeFrom(now, seconds, initiator, random);
  }

  get current(): Lifetime {
    return this.#current;
  }

  /** Counts from now. Harmless when that is no sooner. */
  shorten(now: Instant, seconds: number): void {
    const shorter = lifetimeFrom(now, agreedLifetime(this.#seconds, seconds), this.#initiator, this.#random);
    if (shorter.expiresAt >= this.#current.expiresAt) return;
    this.#current = shorter;
    if (this.#givenUp) this.giveUp();
  }

  /** A rekey failed: it is tried again before the end. */
  retry(now: Instant): void {
    const { expiresAt } = this.#current;
    this.#current = { expiresAt, rekeyAt: nextAttempt(now, expiresAt) };
  }

  /** A rekey failed and would fail again, or is not for this side to begin. */
  giveUp(): void {
    this.#givenUp = true;
    const { expiresAt } = this.#current;
    this.#current = { expiresAt, rekeyAt: expiresAt };
  }
}
