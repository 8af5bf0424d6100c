/** The end of what a command reads without end: by Ctrl-C, by a signal, or by the console. */

/** How long the router may take to end it, ms; then it is left where it is. */
const END_MS = 3000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C asks the router for the end, and a second one does not wait for it. The console hands its own one in. */
export class Ending {
  /** Whether the person has asked for the end. */
  asked = false;
  readonly #running: { stop(): Promise<void> };
  readonly #gone: AbortController;
  readonly #enough: AbortSignal | undefined;
  #patience: NodeJS.Timeout | undefined;

  /** @param gone aborted where the end is not waited for. */
  constructor(running: { stop(): Promise<void> }, gone: AbortController, enough: AbortSignal | undefined) {
    this.#running = running;
    this.#gone = gone;
    this.#enough = enough;
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    enough?.addEventListener('abort', this.#onSignal);
    if (enough?.aborted === true) this.#onSignal();
  }

  /** Signals mean again what they always mean. */
  done(): void {
    clearTimeout(this.#patience);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    this.#enough?.removeEventListener('abort', this.#onSignal);
  }

  readonly #onSignal = (): void => {
    if (this.asked) {
      this.#gone.abort();
      return;
    }
    this.asked = true;
    this.#patience = setTimeout(() => this.#gone.abort(), END_MS);
    // A router that has gone meanwhile ends the stream by that.
    this.#running.stop().catch(() => this.#gone.abort());
  };
}
