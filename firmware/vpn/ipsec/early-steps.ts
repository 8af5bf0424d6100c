import type { Step } from '../steps.ts';
import { type IkeRef, refKey } from './ike-endpoints.ts';

/** Steps kept of one caller, and callers of whom steps are kept: strangers must not fill anything. */
const MAX_STEPS = 24;
const MAX_CALLERS = 64;

/** What callers did before it was known which connection they meant. */
export class EarlySteps {
  readonly #byIke = new Map<string, Step[]>();

  keep(ike: IkeRef, step: Step): void {
    const key = refKey(ike);
    const steps = this.#byIke.get(key) ?? [];
    this.#byIke.set(key, steps);
    if (steps.length < MAX_STEPS) steps.push(step);
    const [oldest] = this.#byIke.keys();
    if (this.#byIke.size > MAX_CALLERS && oldest !== undefined) this.#byIke.delete(oldest);
  }

  /** In order, and kept no longer. */
  take(ike: IkeRef): readonly Step[] {
    const key = refKey(ike);
    const steps = this.#byIke.get(key) ?? [];
    this.#byIke.delete(key);
    return steps;
  }
}
