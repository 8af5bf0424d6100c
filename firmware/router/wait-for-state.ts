import type { CommandResult } from '../api/router-control.ts';
import type { Failure } from '../protocol/machine.ts';
import type { ConnectionState } from '../vpn/steps.ts';

/** The connection as a command waits for it. */
export interface Awaited {
  readonly state: ConnectionState;
  readonly failure: Failure | undefined;
}

type Listener = () => void;

/** Lets commands wait until a connection has come to a state; every change of state wakes them all. */
export class StateWaiters {
  readonly #listeners = new Set<Listener>();

  /** Some connection changed its state. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Waits until `judge` has an answer.
   * @param signal ends the waiting; the answer then says that nobody waited on.
   */
  async wait(judge: () => CommandResult | undefined, signal: AbortSignal): Promise<CommandResult> {
    const { promise, resolve } = Promise.withResolvers<CommandResult>();
    const look = (): void => {
      const answer = judge();
      if (answer) resolve(answer);
      else if (signal.aborted) resolve({ ok: false, reason: 'the wait was ended before there was a result' });
    };
    this.#listeners.add(look);
    signal.addEventListener('abort', look);
    look();
    try {
      return await promise;
    } finally {
      this.#listeners.delete(look);
      signal.removeEventListener('abort', look);
    }
  }
}

/** Answer for a wait for `up`; `undefined` while it is still open. */
export function judgeConnect({ state, failure }: Awaited): CommandResult | undefined {
  if (state === 'up') return { ok: true };
  if (state === 'failed' && failure) return { ok: false, ...failure };
  if (state === 'down') return { ok: false, reason: 'it was disconnected meanwhile' };
  return undefined;
}
