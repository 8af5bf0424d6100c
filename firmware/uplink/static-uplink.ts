import type { LinkView, UplinkAddressing, UplinkLink } from './uplink-types.ts';

/** An interface whose address and gateway the configuration has: there is nothing to dial, it stands as long as its cable is in. */
export class StaticUplink implements UplinkLink {
  onChange: (() => void) | undefined;
  readonly #addressing: UplinkAddressing;
  #started = false;

  constructor(addressing: Omit<UplinkAddressing, 'assign'>) {
    this.#addressing = { ...addressing, assign: false };
  }

  view(): LinkView {
    if (!this.#started) return { state: 'down', carrier: true, doing: '' };
    return { state: 'up', carrier: true, addressing: this.#addressing, doing: '' };
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    queueMicrotask(() => this.onChange?.());
  }

  async stop(): Promise<void> {
    this.#started = false;
  }

  parentReturned(): void {
    // Whoever looks at the cable knows by itself.
  }
}
