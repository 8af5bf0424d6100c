import type { Led, LedDisplay, LedKind } from '../../../hal/leds.ts';

/** Remembers what it was asked to show, and when. */
export class FakeLed implements Led {
  readonly name: string;
  readonly kinds: ReadonlySet<LedKind>;
  readonly asked: (readonly [at: number, LedDisplay])[] = [];
  restored = 0;
  refusal: Error | undefined;
  readonly #now: () => number;

  constructor(name: string, now: () => number, kinds: readonly LedKind[] = ['steady', 'timer', 'heartbeat', 'netdev']) {
    this.name = name;
    this.#now = now;
    this.kinds = new Set(kinds);
  }

  async show(display: LedDisplay): Promise<void> {
    if (this.refusal) throw this.refusal;
    this.asked.push([this.#now(), display]);
  }

  get last(): LedDisplay | undefined {
    return this.asked.at(-1)?.[1];
  }

  async shown(): Promise<LedDisplay> {
    return this.last ?? { kind: 'steady', level: 0 };
  }

  async restore(): Promise<void> {
    this.restored += 1;
  }
}
