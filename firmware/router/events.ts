import type { Clock } from '../../hal/clock.ts';
import type { RouterEvent } from '../api/router-control.ts';

/** Events to whoever listens: the control API's event stream, and commands that wait. */
export class EventBus {
  readonly #listeners = new Set<(event: RouterEvent) => void>();
  /** Instant at which a connection's present attempt began. */
  readonly #began = new Map<string, number>();
  readonly #clock: Pick<Clock, 'now' | 'wall'>;

  constructor(clock: Pick<Clock, 'now' | 'wall'>) {
    this.#clock = clock;
  }

  /** @returns what ends the listening. */
  listen(listener: (event: RouterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The attempt of a connection begins: later events carry the time since. */
  began(connection: string): void {
    this.#began.set(connection, this.#clock.now());
  }

  emit(event: Omit<RouterEvent, 'at' | 'sinceStartMs'>): void {
    const { connection } = event;
    const began = this.#began.get(connection);
    // Time service may set the wall clock in the middle of an attempt: that took no decades.
    const since = began === undefined ? {} : { sinceStartMs: Math.round(this.#clock.now() - began) };
    const full = { ...event, at: this.#clock.wall(), ...since };
    for (const listener of [...this.#listeners]) {
      try {
        listener(full);
      } catch {
        // Whoever cannot listen is told nothing more; the connection that the event is about goes on.
        this.#listeners.delete(listener);
      }
    }
  }
}
