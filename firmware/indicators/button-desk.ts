import type { Button } from '../../hal/buttons.ts';
import type { Clock, Timer } from '../../hal/clock.ts';
import { errorText } from '../vpn/steps.ts';
import { ButtonMachine, type ButtonMeaning } from './button-machine.ts';

/** How often a button is looked at, ms: nobody notices that, and the kernel keeps what happens in between. */
const LOOK_MS = 50;
/** How long the start waits for a button that was held to be let go, ms: longer, and it is stuck. */
const START_MS = 10_000;

export interface ButtonDeskParts {
  readonly button: Button;
  readonly clock: Clock;
  readonly onMeaning: (meaning: ButtonMeaning) => void;
  /** Called with each sentence that belongs into the log. */
  readonly log: (line: string) => void;
}

/** Looks at one button, and tells what its presses mean. */
export class ButtonDesk {
  readonly #parts: ButtonDeskParts;
  #machine: ButtonMachine;
  #timer: Timer | undefined;
  #trouble: string | undefined;

  constructor(parts: ButtonDeskParts) {
    this.#parts = parts;
    this.#machine = new ButtonMachine();
  }

  /** Why it cannot be read any more; one sentence without a full stop. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  get state(): 'free' | 'held' | 'stuck' | 'failed' {
    if (this.#trouble !== undefined) return 'failed';
    if (this.#machine.stuck) return 'stuck';
    return this.#machine.held ? 'held' : 'free';
  }

  /**
   * Whether it was held at the start and then let go, which is to be waited for: a button that hangs must not keep a branch
   * in failsafe.
   * @param onHeld called when there is something to wait for.
   */
  async heldAtStart(onHeld: () => void): Promise<boolean> {
    const { button, clock } = this.#parts;
    try {
      if (!button.pressed) return false;
      onHeld();
      const until = clock.now() + START_MS;
      while (clock.now() < until) {
        await this.#pause();
        if (!button.pressed) {
          // What led to it is no press of its own.
          button.changes();
          return true;
        }
      }
      this.#machine = new ButtonMachine(true);
      this.#parts.log(
        `the button at ${button.place} is held or stuck since the start, and means nothing until it is let go`,
      );
    } catch (error) {
      this.#fail(error);
    }
    return false;
  }

  start(): void {
    if (this.#trouble !== undefined) return;
    this.#timer = this.#parts.clock.setTimer(this.#parts.clock.now() + LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#parts.button.close();
  }

  #look(): void {
    const { button, clock, onMeaning } = this.#parts;
    try {
      // A stamp may be a moment older than what was seen at the last look.
      for (const { pressed, at } of button.changes()) this.#machine.change(pressed, at).forEach(onMeaning);
      this.#machine.advance(clock.now()).forEach(onMeaning);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.start();
  }

  #pause(): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => {
      this.#timer = clock.setTimer(clock.now() + LOOK_MS, resolve);
    });
  }

  #fail(error: unknown): void {
    this.#trouble = errorText(error).replace(/\.$/, '');
    this.#parts.log(`${this.#trouble}: it means nothing any more`);
  }
}
