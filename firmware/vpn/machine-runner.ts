import type { Clock, Timer } from '../../hal/clock.ts';
import type { Instant, Machine } from '../protocol/machine.ts';

/** Wait before a machine whose tick threw is asked again, ms: its deadline may still be in the past. */
const FAULT_PAUSE_MS = 1_000;

/**
 * Drives one machine without hands on a real (or simulated) clock: after every input it takes all outputs in order,
 * then sets one timer for the machine's next deadline. Nothing that is thrown inside leaves it: a fault costs one input
 * or one output, never those behind it and never the process.
 */
export class MachineRunner<Output> {
  readonly #machine: Machine<Output>;
  readonly #clock: Clock;
  readonly #handle: (output: Output) => void;
  readonly #onFault: (error: unknown, output?: Output) => void;
  #timer: Timer | undefined;
  #draining = false;
  #stopped = false;
  /** No tick before this instant. */
  #notBefore: Instant = Number.NEGATIVE_INFINITY;

  /**
   * @param handle does what one output asks; it may feed the machine again through {@link run}.
   * @param onFault is told what an input or the handling of `output` threw; it may feed the machine, too, and throws
   * nothing itself.
   */
  constructor(
    machine: Machine<Output>,
    clock: Clock,
    handle: (output: Output) => void,
    onFault: (error: unknown, output?: Output) => void,
  ) {
    this.#machine = machine;
    this.#clock = clock;
    this.#handle = handle;
    this.#onFault = onFault;
  }

  /** Gives the machine an input at the present instant and does what comes of it. */
  run(input: (now: Instant) => void): void {
    if (this.#stopped) return;
    this.#attempt(() => input(this.#clock.now()));
    if (this.#draining) return;
    this.#draining = true;
    for (let output = this.#machine.poll(); output !== undefined; output = this.#machine.poll()) {
      const present = output;
      this.#attempt(() => this.#handle(present), present);
    }
    this.#draining = false;
    this.#arm();
  }

  /** No timer is left; later inputs are ignored. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #attempt(action: () => void, output?: Output): void {
    try {
      action();
    } catch (error) {
      this.#onFault(error, output);
    }
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const deadline = this.#machine.nextDeadline();
    if (deadline === undefined || this.#stopped) return;
    this.#timer = this.#clock.setTimer(Math.max(deadline, this.#notBefore), () => this.run((now) => this.#tick(now)));
  }

  #tick(now: Instant): void {
    try {
      this.#machine.tick(now);
    } catch (error) {
      this.#notBefore = now + FAULT_PAUSE_MS;
      throw error;
    }
  }
}
