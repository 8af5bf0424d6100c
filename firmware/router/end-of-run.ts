import type { Logger } from '../log/logger.ts';
import { errorText } from '../vpn/steps.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** What of `process` is listened to. */
export interface ProcessEvents {
  on(event: string, listener: (reason: unknown) => void): unknown;
}

/**
 * Everything that ends the router: signals, the data plane's failure, a mistake of the program that nobody caught. The
 * first one decides the exit code. Whatever comes afterwards is only logged, since the way out, on which the machine's
 * network is restored, must be walked to its end; every wait on it is bounded.
 */
export class EndOfRun {
  readonly #ended = Promise.withResolvers<number>();
  readonly #process: ProcessEvents;
  readonly #logger: Logger;
  #exitCode: number | undefined;

  constructor(process: ProcessEvents, logger: Logger) {
    this.#process = process;
    this.#logger = logger;
  }

  /** Resolves to the exit code once the router shall end. */
  get promise(): Promise<number> {
    return this.#ended.promise;
  }

  get requested(): boolean {
    return this.#exitCode !== undefined;
  }

  /** There is no way back: a signal that comes when all is done must not turn a good end into a death by signal. */
  listen(): void {
    for (const signal of SIGNALS) this.#process.on(signal, this.#onSignal);
    this.#process.on('uncaughtException', this.#onMistake);
    this.#process.on('unhandledRejection', this.#onMistake);
  }

  /** The router has done what it was to do. */
  finish(): void {
    this.#end(0);
  }

  /** The router cannot go on. @param why one sentence without a full stop. */
  fail(why: string): void {
    this.#logger.fatal(`${why}; the router ends and wants to be started again`);
    this.#end(1);
  }

  readonly #onSignal = (signal: unknown): void => {
    const again = this.requested ? ', and the router is ending already' : '';
    this.#logger.info(`${String(signal)} was received${again}`);
    this.#end(0);
  };

  readonly #onMistake = (error: unknown): void => {
    const where = error instanceof Error ? { stack: error.stack } : {};
    this.#logger.fatal(where, `the program made a mistake: ${errorText(error)}; the router ends, please report this`);
    this.#end(1);
  };

  #end(exitCode: number): void {
    if (this.#exitCode !== undefined) return;
    this.#exitCode = exitCode;
    this.#ended.resolve(exitCode);
  }
}
