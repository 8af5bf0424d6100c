/** Who wants to know when a session or API token ends, or is good for something else. */
import type { Identity } from '../api/account-administration.ts';

interface Listener {
  readonly role: string;
  readonly call: () => void;
}

export class EndListeners {
  readonly #byId = new Map<string, Set<Listener>>();

  /** @returns what takes it back. */
  add({ id, role }: Identity, call: () => void): () => void {
    const listener = { role, call };
    const listeners = this.#byId.get(id) ?? new Set();
    this.#byId.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#byId.get(id) === listeners) this.#byId.delete(id);
    };
  }

  end(id: string): void {
    const listeners = this.#byId.get(id) ?? [];
    this.#byId.delete(id);
    for (const { call } of listeners) call();
  }

  /** Calls those whose role is another one by now. */
  review(roleOf: (id: string) => string | undefined): void {
    for (const [id, listeners] of this.#byId) {
      const role = roleOf(id);
      for (const listener of [...listeners]) {
        if (listener.role === role) continue;
        listeners.delete(listener);
        listener.call();
      }
    }
  }
}
