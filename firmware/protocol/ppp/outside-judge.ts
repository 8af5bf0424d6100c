/** A proof of the peer that somebody outside the machine judges: at most one waits at a time. */
import type { Instant } from '../machine.ts';
import type { Judge } from './authentication.ts';
import type { PeerProof, PppOutput, Verdict } from './link-types.ts';

export class OutsideJudge {
  readonly #emit: (output: PppOutput) => void;
  #count = 0;
  #waiting: { readonly id: number; readonly answer: (now: Instant, verdict: Verdict) => void } | undefined;

  constructor(emit: (output: PppOutput) => void) {
    this.#emit = emit;
  }

  readonly ask: Judge = (_now: Instant, proof: PeerProof, answer: (now: Instant, verdict: Verdict) => void): void => {
    this.#count += 1;
    this.#waiting = { id: this.#count, answer };
    this.#emit({ kind: 'verify', id: this.#count, proof });
  };

  /** Passes a verdict on; one on an earlier proof does nothing. */
  verdict(now: Instant, id: number, verdict: Verdict): void {
    if (this.#waiting?.id !== id) return;
    const { answer } = this.#waiting;
    this.#waiting = undefined;
    answer(now, verdict);
  }

  /** The exchange is over: whatever is said of its proof comes too late. */
  forget(): void {
    this.#waiting = undefined;
  }
}
