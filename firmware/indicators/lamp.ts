import type { Clock, Timer } from '../../hal/clock.ts';
import type { Led, LedDisplay } from '../../hal/leds.ts';
import { errorText } from '../vpn/steps.ts';
import { type Pattern, samePattern } from './pattern.ts';

/** Of a flash, of the dark between two, and of the pause behind the last, ms. */
const FLASH_MS = 250;
const BETWEEN_MS = 250;
const PAUSE_MS = 1500;

interface Beat {
  readonly lit: boolean;
  readonly ms: number;
}

export interface LampParts {
  readonly led: Led;
  readonly clock: Clock;
  /** Called with a sentence when the LED fails for the first time, and when it is back. */
  readonly log: (line: string) => void;
}

/** One LED that shows patterns: by the kernel where that can do it, else beat by beat. */
export class Lamp {
  readonly #parts: LampParts;
  #pattern: Pattern | undefined;
  #timer: Timer | undefined;
  #by: string = '';
  #trouble: string | undefined;
  /** What was asked of the LED and is not done yet: a slow one misses beats instead of falling behind. */
  #busy = 0;
  #stopped = false;

  constructor(parts: LampParts) {
    this.#parts = parts;
  }

  get pattern(): Pattern | undefined {
    return this.#pattern;
  }

  /** Who keeps it going: `kernel (timer)`, which does so when this program is dead, or `culvert`. */
  get by(): string {
    return this.#by;
  }

  /** Why it does not show what it should; one sentence. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Changes what it shows; one that failed is tried again each time. */
  show(pattern: Pattern): void {
    if (this.#stopped) return;
    if (this.#pattern !== undefined && samePattern(this.#pattern, pattern) && this.#trouble === undefined) return;
    this.#pattern = pattern;
    this.#timer?.cancel();
    this.#timer = undefined;
    const display = displayOf(pattern, this.#parts.led);
    if (display === undefined) {
      this.#by = 'culvert';
      this.#beat(beatsOf(pattern), 0, this.#parts.clock.now());
      return;
    }
    this.#by = display.kind === 'steady' ? 'culvert' : `kernel (${display.kind})`;
    void this.#ask(display);
  }

  /** It shows in the end what it showed before. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#parts.led.restore().catch((error: unknown) => this.#failed(error));
  }

  #beat(beats: readonly Beat[], index: number, at: number): void {
    const beat = beats[index % beats.length];
    if (beat === undefined) return;
    if (this.#busy === 0) void this.#ask({ kind: 'steady', level: beat.lit ? 1 : 0 });
    const next = at + beat.ms;
    this.#timer = this.#parts.clock.setTimer(next, () => {
      // After a pause of the whole program it goes on from now, not through all that was missed.
      this.#beat(beats, index + 1, Math.max(next, this.#parts.clock.now() - beat.ms));
    });
  }

  async #ask(display: LedDisplay): Promise<void> {
    this.#busy += 1;
    try {
      await this.#parts.led.show(display);
      if (this.#trouble !== undefined) this.#parts.log(`the LED ${this.#parts.led.name} can be used again`);
      this.#trouble = undefined;
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#busy -= 1;
    }
  }

  #failed(error: unknown): void {
    if (this.#trouble === undefined) this.#parts.log(errorText(error));
    this.#trouble = errorText(error).replace(/\.$/, '');
  }
}

/** What the LED can do of it by itself; `undefined`: it has to be led beat by beat. */
function displayOf(pattern: Pattern, { kinds }: Led): LedDisplay | undefined {
  switch (pattern.kind) {
    case 'dark':
      return { kind: 'steady', level: 0 };
    case 'lit':
      return { kind: 'steady', level: 1 };
    case 'blink':
      return kinds.has('timer') ? { kind: 'timer', onMs: pattern.onMs, offMs: pattern.offMs } : undefined;
    case 'netdev':
      return kinds.has('netdev')
        ? { kind: 'netdev', device: pattern.device }
        : { kind: 'steady', level: pattern.link ? 1 : 0 };
    case 'count':
      return undefined;
  }
}

function beatsOf(pattern: Pattern): readonly Beat[] {
  if (pattern.kind === 'blink')
    return [
      { lit: true, ms: pattern.onMs },
      { lit: false, ms: pattern.offMs },
    ];
  const count = pattern.kind === 'count' ? pattern.count : 1;
  return Array.from({ length: count }, (_, index): readonly Beat[] => [
    { lit: true, ms: FLASH_MS },
    { lit: false, ms: index + 1 === count ? PAUSE_MS : BETWEEN_MS },
  ]).flat();
}
