import type { NetworkEvents } from '../network-events.ts';

/** Something that counts its changes. */
export interface Changing {
  readonly version: number;
}

export class SimulatedNetworkEvents implements NetworkEvents {
  readonly #sources: readonly Changing[];
  #seen: number;
  #closed = false;

  constructor(sources: readonly Changing[]) {
    this.#sources = sources;
    this.#seen = this.#count();
  }

  take(): boolean {
    const count = this.#count();
    const changed = !this.#closed && count !== this.#seen;
    this.#seen = count;
    return changed;
  }

  close(): void {
    this.#closed = true;
  }

  #count(): number {
    return this.#sources.reduce((sum, { version }) => sum + version, 0);
  }
}
