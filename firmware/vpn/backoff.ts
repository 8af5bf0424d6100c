import type { RandomSource } from '../protocol/machine.ts';

/** Longest wait after a server that did not answer, ms: short enough that a restarted server is found in 20 s. */
const SILENT_CAP_MS = 8_000;
/** Longest wait after a server that said no, ms: it may lock the account of a caller who insists. */
const REFUSED_CAP_MS = 60_000;
/** First wait, ms. */
const FIRST_MS = 500;

/** Waiting times between attempts: they double, have a cap, and are spread so that forty branches do not dial in step. */
export class Backoff {
  readonly #random: RandomSource;
  #failures = 0;

  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** After a success the next failure starts at the first wait again. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * How long to wait after one more failure, ms: between half and all of the doubled wait.
   * @param refused the server answered and said no.
   */
  next(refused: boolean): number {
    const full = Math.min(FIRST_MS * 2 ** Math.min(this.#failures, 10), refused ? REFUSED_CAP_MS : SILENT_CAP_MS);
    this.#failures += 1;
    const [high = 0, low = 0] = this.#random.bytes(2);
    return full / 2 + (full / 2) * ((high * 256 + low) / 65_536);
  }
}
