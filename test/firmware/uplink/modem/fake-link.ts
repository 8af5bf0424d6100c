/** A link that comes up when a test says so. */
import type { LinkView, UplinkLink } from '../../../../firmware/uplink/uplink-types.ts';

export class FakeLink implements UplinkLink {
  onChange: (() => void) | undefined;
  readonly device: string;
  running = false;
  /** How often it was told that its parent is back. */
  returned = 0;
  #up = false;

  constructor(device: string) {
    this.device = device;
  }

  view(): LinkView {
    if (!this.running) return { state: 'down', carrier: true, doing: '' };
    if (!this.#up) return { state: 'connecting', carrier: true, doing: 'asking for a lease' };
    const addressing = { device: this.device, address: '100.64.7.9/24', dns: [], assign: true };
    return { state: 'up', carrier: true, doing: '', addressing };
  }

  up(): void {
    this.#up = true;
    this.onChange?.();
  }

  start(): void {
    this.running = true;
  }

  async stop(): Promise<void> {
    this.running = false;
    this.#up = false;
  }

  parentReturned(): void {
    this.returned += 1;
  }
}
