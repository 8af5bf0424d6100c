/**
 * When an SA is to be replaced: well before its end, and not at the same instant as the peer (RFC 7296 section 2.8).
 */
import { ByteReader } from '../../bytes.ts';
import type { Instant, RandomSource } from '../../machine.ts';

/** A rekey begins after this part of a lifetime at the latest, and up to {@link JITTER} of it earlier. */
const LATEST_REKEY = 0.9;
const JITTER = 0.15;

export interface Lifetime {
  readonly rekeyAt: Instant;
  readonly expiresAt: Instant;
}

/** 0 or more, under 1. */
export function randomFraction(random: RandomSource): number {
  return new ByteReader(random.bytes(4)).u32('random') / 0x100000000;
}

/** @param seconds from now. */
export function lifetime(now: Instant, seconds: number, random: RandomSource): Lifetime {
  const part = LATEST_REKEY - JITTER * randomFraction(random);
  return { rekeyAt: now + Math.floor(seconds * 1000 * part), expiresAt: now + seconds * 1000 };
}

/** First wait after a refused rekey, ms; doubled each time, up to a minute (section 2.25: not at once, for minutes). */
const RETRY_FIRST_MS = 1500;
const RETRY_CAP_MS = 60_000;

/** When to ask again after the peer said that it could not now. @param refusals so far, from 1. */
export function retryAt(now: Instant, refusals: number, random: RandomSource): Instant {
  const base = Math.min(RETRY_CAP_MS, RETRY_FIRST_MS * 2 ** Math.min(refusals - 1, 10));
  return now + Math.floor(base * (1 + randomFraction(random)));
}
