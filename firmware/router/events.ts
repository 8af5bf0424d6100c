import type { RouterEvent } from '../api/router-control.ts';

/** Events to whoever listens: the control API's event stream, and commands that wait. */
export class EventBus {
  readonly #listeners = new Set<(event: RouterEvent) => void>();
  /** Wall clock at which a connection's present attempt began. */
  readonly #began = new Map<string, number>();
  readonly #wall: () => number;

  constructor(wall: () => number) {
    this.#wall = wall;
  }

  /** @returns what ends the listening. */
  listen(listener: (event: RouterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The attempt of a connection begins: later events carry the time since. */
  began(connection: string): void {
    this.#began.set(connection, this.#wall());
  }

  emit(event: Omit<RouterEvent, 'at' | 'sinceStartMs'>): void {
    const at = this.#wall();
    const began = this.#began.get(event.connection);
    const full = { ...event, at, ...(began === undefined ? {} : { sinceStartMs: Math.max(0, at - began) }) };
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
