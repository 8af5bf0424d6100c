/** What the presses of the reset button mean. A machine without hands: changes and time in, meanings out. */

/** Shorter than that it is a press that reboots, ms. */
export const SHORT_MS = 1_000;
/** As long as that, and it resets to the factory state when it is let go, ms. */
export const RESET_MS = 5_000;
/** Nobody holds a button so long: it is stuck, ms. */
export const STUCK_MS = 60_000;
/** Changes that last less are bounces of the contact, ms. */
export const BOUNCE_MS = 30;

export type ButtonMeaning =
  /** Let go within a second. */
  | { readonly kind: 'short' }
  /** Held for so long that a factory reset comes into sight; `left`: seconds, 4 to 1. */
  | { readonly kind: 'countdown'; readonly left: number }
  | { readonly kind: 'armed' }
  /** Let go in the countdown: nothing happens. */
  | { readonly kind: 'cancelled' }
  /** Let go after it was armed. */
  | { readonly kind: 'reset' }
  /** Means nothing any more until it is let go. */
  | { readonly kind: 'stuck' }
  | { readonly kind: 'unstuck' };

type State =
  | { readonly kind: 'free' }
  | { readonly kind: 'held'; readonly since: number /** Seconds that were told. */; readonly told: number }
  /** `said`: it was told that it is stuck. */
  | { readonly kind: 'ignored'; readonly said: boolean };

const FREE: State = { kind: 'free' };

export class ButtonMachine {
  #state: State;
  /** A change that has not lasted yet. */
  #pending: { readonly pressed: boolean; readonly at: number } | undefined;

  /** @param held it is held already: that press means nothing, and letting go of it neither. */
  constructor(held = false) {
    this.#state = held ? { kind: 'ignored', said: false } : FREE;
  }

  get held(): boolean {
    return this.#state.kind !== 'free';
  }

  get stuck(): boolean {
    return this.#state.kind === 'ignored' && this.#state.said;
  }

  /** The button changed, at this time (ms), which never goes back. */
  change(pressed: boolean, at: number): readonly ButtonMeaning[] {
    const before = this.advance(at);
    this.#pending = pressed === this.held ? undefined : { pressed, at };
    return before;
  }

  /** It is this time now. Nothing is due before {@link deadline}. */
  advance(now: number): readonly ButtonMeaning[] {
    const meanings: ButtonMeaning[] = [];
    const pending = this.#pending;
    if (pending !== undefined && now >= pending.at + BOUNCE_MS) {
      // Up to that moment it was held.
      meanings.push(...this.#pass(pending.at));
      this.#pending = undefined;
      meanings.push(...(pending.pressed ? this.#press(pending.at) : this.#release(pending.at)));
    }
    if (this.#pending === undefined) meanings.push(...this.#pass(now));
    return meanings;
  }

  /** When to call {@link advance} next, ms. */
  get deadline(): number | undefined {
    // A change that may be none is waited for first.
    if (this.#pending !== undefined) return this.#pending.at + BOUNCE_MS;
    return this.#state.kind === 'held' ? this.#state.since + nextMark(this.#state.told) : undefined;
  }

  #press(at: number): readonly ButtonMeaning[] {
    this.#state = { kind: 'held', since: at, told: 0 };
    return [];
  }

  #release(at: number): readonly ButtonMeaning[] {
    const state = this.#state;
    this.#state = FREE;
    if (state.kind === 'free') return [];
    if (state.kind === 'ignored') return state.said ? [{ kind: 'unstuck' }] : [];
    const held = at - state.since;
    if (held < SHORT_MS) return [{ kind: 'short' }];
    return [{ kind: held < RESET_MS ? 'cancelled' : 'reset' }];
  }

  /** What a button that is held comes to by time alone. */
  #pass(now: number): readonly ButtonMeaning[] {
    const meanings: ButtonMeaning[] = [];
    while (this.#state.kind === 'held' && now >= this.#state.since + nextMark(this.#state.told)) {
      const { since, told } = this.#state;
      const seconds = told + 1;
      this.#state = { kind: 'held', since, told: seconds };
      if (seconds * 1000 < RESET_MS) meanings.push({ kind: 'countdown', left: RESET_MS / 1000 - seconds });
      else if (seconds * 1000 === RESET_MS) meanings.push({ kind: 'armed' });
      else {
        this.#state = { kind: 'ignored', said: true };
        meanings.push({ kind: 'stuck' });
      }
    }
    return meanings;
  }
}

/** Behind how many milliseconds something is to be told next: each second until it is armed, then when it is stuck. */
function nextMark(told: number): number {
  return told * 1000 < RESET_MS ? (told + 1) * 1000 : STUCK_MS;
}
