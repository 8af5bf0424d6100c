import type { Clock, Timer } from '../../hal/clock.ts';
import type { Instant, Machine } from '../protocol/machine.ts';

/**
 * Drives one machine without hands on a real (or simulated) clock: after every input it takes all outputs in order,
 * then sets one timer for the machine's next deadline.
 */
export class MachineRunner<Output> {
  readonly #machine: Machine<Output>;
  readonly #clock: Clock;
  readonly #handle: (output: Output) => void;
  #timer: Timer | undefined;
  #draining = false;
  #stopped = false;

  /** @param handle does what one output asks; it may feed the machine again through {@link run}. */
  constructor(machine: Machine<Output>, clock: Clock, handle: (output: Output) => void) {
    this.#machine = machine;
    this.#clock = clock;
    this.#handle = handle;
  }

  /** Gives the machine an input at the present instant and does what comes of it. */
  run(input: (now: Instant) => void): void {
    if (this.#stopped) return;
    input(this.#clock.now());
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let output = this.#machine.poll(); output !== undefined; output = this.#machine.poll()) {
        this.#handle(output);
      }
    } finally {
      this.#draining = false;
    }
    this.#arm();
  }

  /** No timer is left; later inputs are ignored. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const deadline = this.#machine.nextDeadline();
    if (deadline === undefined || this.#stopped) return;
    this.#timer = this.#clock.setTimer(deadline, () => this.run((now) => this.#machine.tick(now)));
  }
}
