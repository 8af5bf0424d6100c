/** Dead Peer Detection (RFC 3706): when to ask for a sign of life, and when to believe that there is none. */
import { ByteReader } from '../../bytes.ts';
import type { Instant, RandomSource } from '../../machine.ts';

/** Default silence before the peer is asked, seconds. */
export const DEFAULT_DPD_SECONDS = 10;

/** Between R-U-THERE messages that are not answered, ms, and how many there are. */
const RETRY_MS = 2000;
const MAX_QUESTIONS = 5;

export class DeadPeerDetection {
  readonly #intervalMs: number;
  #lastHeard: Instant;
  #unanswered = 0;
  #lastQuestion: Instant = 0;
  #sequence: number;

  /** @param seconds of silence; 0: never ask. */
  constructor(now: Instant, seconds: number, random: RandomSource) {
    this.#intervalMs = seconds * 1000;
    this.#lastHeard = now;
    // Section 6.2: random, with the high bit clear, so that it never wraps.
    this.#sequence = new ByteReader(random.bytes(4)).u32('random') >>> 1;
  }

  get deadline(): Instant | undefined {
    if (this.#intervalMs === 0) return undefined;
    return this.#unanswered > 0 ? this.#lastQuestion + RETRY_MS : this.#lastHeard + this.#intervalMs;
  }

  /** Seconds since the peer was last heard. */
  silence(now: Instant): number {
    return Math.round((now - this.#lastHeard) / 1000);
  }

  /** Something authenticated came, ESP included. */
  heard(now: Instant): void {
    this.#lastHeard = now;
    this.#unanswered = 0;
  }

  /** Asks whenever that may be: the next {@link due} does. Harmless where it never asks. */
  hurry(now: Instant): void {
    if (this.#unanswered === 0) this.#lastHeard = now - this.#intervalMs;
  }

  /** What is to be done now; on `ask` with this sequence number, which repeated questions share. */
  due(now: Instant): { readonly kind: 'nothing' | 'dead' } | { readonly kind: 'ask'; readonly sequence: number } {
    const { deadline } = this;
    if (deadline === undefined || now < deadline) return { kind: 'nothing' };
    if (this.#unanswered >= MAX_QUESTIONS) return { kind: 'dead' };
    if (this.#unanswered === 0) this.#sequence = (this.#sequence + 1) >>> 0;
    this.#unanswered += 1;
    this.#lastQuestion = now;
    return { kind: 'ask', sequence: this.#sequence };
  }

  /** Whether an R-U-THERE-ACK answers the question that is open (section 6.1). */
  isAnswer(sequence: number): boolean {
    return this.#unanswered > 0 && sequence === this.#sequence;
  }
}
