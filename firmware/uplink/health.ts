/**
 * How well an uplink is, from the answers that come and those that do not. Without hands: results and the time go in, a verdict
 * comes out. What keeps traffic from going to and fro between two uplinks is here: an uplink that was left is used again only
 * after it has been well for its holding time, which doubles each time it falls again soon after.
 */
import type { Instant } from '../protocol/machine.ts';

export interface HealthSettings {
  /** So many lost answers one after the other, and the uplink has failed. */
  readonly fall: number;
  /** So many answers one after the other, and it may come back. */
  readonly rise: number;
  /** More lost answers than this among the last ones make it degraded, percent. */
  readonly lossPercent: number;
  /** A median above this among the last answers makes it degraded, ms. */
  readonly latencyMs: number;
  /** How long it must be well before it is used again, ms. */
  readonly holdMs: number;
}

/**
 * - `well`: use it;
 * - `degraded`: it loses too much or is too slow, any that is well is better;
 * - `recovering`: it answers, but not for long enough yet, or it was never heard so far;
 * - `failed`: it stands, and does not answer;
 * - `down`: there is no link.
 */
export type Verdict = 'well' | 'degraded' | 'recovering' | 'failed' | 'down';

/** Results that loss and latency are judged by. */
const WINDOW = 20;
/** With fewer results loss means nothing. */
const MEANINGFUL = 10;
/** The holding time is multiplied by this at most. */
const MOST_HOLDS = 16;
/** An uplink that fails within so many holding times after it came back, or within so many ms, is one that flaps. */
const SOON_HOLDS = 6;
const SOON_MS = 60_000;

export interface HealthView {
  readonly verdict: Verdict;
  /** When the verdict became this one. */
  readonly since: Instant;
  /** In words: why it is not well, or what is awaited; empty when it is well. */
  readonly why: string;
  /** Percent of the last results; `undefined` before the first. */
  readonly lossPercent: number | undefined;
  /** Median of the last answers, ms; `undefined` without any. */
  readonly latencyMs: number | undefined;
  /** The last results, oldest first: ms, or `undefined` where no answer came. */
  readonly results: readonly (number | undefined)[];
  /** How long it has to be well at the moment before it is used again, ms. */
  readonly holdMs: number;
}

export class Health {
  readonly #settings: HealthSettings;
  #standing = false;
  #downWhy = 'it was not started yet';
  /** It fell, and has not come back. */
  #left = false;
  #leftWhy = '';
  /** Whether it ever answered since the link stands. */
  #heard = false;
  #lostInARow = 0;
  #answersInARow = 0;
  /** The first answer of the row that may bring it back. */
  #wellFrom: Instant | undefined;
  #risen = false;
  #results: (number | undefined)[] = [];
  #degraded = false;
  /** Since when nothing speaks for `degraded` any more. */
  #cleanFrom: Instant | undefined;
  #holds = 1;
  /** When it was last used again. */
  #returned: Instant | undefined;
  #verdict: Verdict = 'down';
  #since: Instant;

  constructor(settings: HealthSettings, now: Instant) {
    this.#settings = settings;
    this.#since = now;
  }

  /** There is a link. */
  linkUp(now: Instant): void {
    if (this.#standing) return;
    this.#standing = true;
    this.#reset();
    this.#judge(now);
  }

  /** Nobody is asked: that the link stands is all there is to know. */
  unprobed(now: Instant): void {
    if (!this.#standing) return;
    this.#heard = true;
    this.#risen = true;
    this.#wellFrom ??= now;
    this.#judge(now);
  }

  /** There is none any more. @param why a clause: `no carrier on eth0`. */
  linkDown(now: Instant, why: string): void {
    this.#downWhy = why;
    if (this.#standing) {
      this.#standing = false;
      this.#leave(now, why);
    }
    this.#judge(now);
  }

  /** Nobody wants the link at the moment: that there is none says nothing of it. @param why a clause. */
  rest(now: Instant, why: string): void {
    this.#downWhy = why;
    this.#standing = false;
    this.#left = false;
    this.#reset();
    this.#judge(now);
  }

  /** @param ms from question to answer. */
  answered(now: Instant, ms: number): void {
    if (!this.#standing) return;
    this.#heard = true;
    this.#lostInARow = 0;
    this.#answersInARow += 1;
    this.#wellFrom ??= now;
    if (this.#answersInARow >= this.#settings.rise) this.#risen = true;
    this.#note(ms);
    this.#judge(now);
  }

  /** @param target what did not answer, `icmp 192.0.2.1`. */
  lost(now: Instant, target: string): void {
    if (!this.#standing) return;
    this.#answersInARow = 0;
    this.#lostInARow += 1;
    if (!this.#risen) this.#wellFrom = undefined;
    this.#note(undefined);
    const { fall } = this.#settings;
    if (this.#lostInARow >= fall) {
      const answers = fall === 1 ? '1 answer lost' : `${fall} answers lost one after the other`;
      this.#leave(now, `${answers} (${target})`);
    }
    this.#judge(now);
  }

  /** Lets time take effect. */
  tick(now: Instant): void {
    this.#judge(now);
  }

  /** When the verdict may change without any result. */
  nextDeadline(): Instant | undefined {
    if (!this.#standing) return undefined;
    const from = this.#left ? (this.#risen ? this.#wellFrom : undefined) : this.#degraded ? this.#cleanFrom : undefined;
    return from === undefined ? undefined : from + this.#holdMs;
  }

  view(): HealthView {
    return {
      verdict: this.#verdict,
      since: this.#since,
      why: this.#why(),
      lossPercent: this.#loss(),
      latencyMs: median(this.#results),
      results: this.#results,
      holdMs: this.#holdMs,
    };
  }

  get #holdMs(): number {
    return this.#settings.holdMs * this.#holds;
  }

  #note(result: number | undefined): void {
    this.#results = [...this.#results, result].slice(-WINDOW);
  }

  #reset(): void {
    this.#heard = false;
    this.#lostInARow = 0;
    this.#answersInARow = 0;
    this.#wellFrom = undefined;
    this.#risen = false;
    this.#results = [];
    this.#degraded = false;
    this.#cleanFrom = undefined;
  }

  #leave(now: Instant, why: string): void {
    this.#leftWhy = why;
    const { wasUsed } = this;
    // What was lost says nothing of how it will be when it is back.
    this.#results = this.#left ? this.#results : [];
    this.#wellFrom = undefined;
    this.#risen = false;
    this.#degraded = false;
    this.#cleanFrom = undefined;
    if (this.#left) return;
    this.#left = true;
    if (wasUsed) this.#setBack(now);
  }

  /** Whether traffic may have been on it. */
  private get wasUsed(): boolean {
    return this.#verdict === 'well' || this.#verdict === 'degraded';
  }

  /** One more fall: it counts against it if it came soon after the last return. */
  #setBack(now: Instant): void {
    const soon = this.#returned !== undefined && now - this.#returned < Math.max(SOON_MS, SOON_HOLDS * this.#holdMs);
    this.#holds = soon ? Math.min(MOST_HOLDS, this.#holds * 2) : 1;
  }

  #judge(now: Instant): void {
    const verdict = this.#judged(now);
    if (verdict === this.#verdict) return;
    this.#verdict = verdict;
    this.#since = now;
  }

  #judged(now: Instant): Verdict {
    if (!this.#standing) return 'down';
    if (this.#left) {
      if (!this.#risen || this.#wellFrom === undefined) return this.#wellFrom === undefined ? 'failed' : 'recovering';
      if (now < this.#wellFrom + this.#holdMs) return 'recovering';
      this.#left = false;
      this.#returned = now;
    }
    if (!this.#heard) return 'recovering';
    this.#judgeQuality(now);
    return this.#degraded ? 'degraded' : 'well';
  }

  #judgeQuality(now: Instant): void {
    const bad = this.#complaint() !== undefined;
    if (bad) {
      this.#cleanFrom = undefined;
      if (!this.#degraded) this.#setBack(now);
      this.#degraded = true;
    } else if (this.#degraded) {
      this.#cleanFrom ??= now;
      if (now < this.#cleanFrom + this.#holdMs) return;
      this.#degraded = false;
      this.#returned = now;
    }
  }

  /** What is wrong with the last results. */
  #complaint(): string | undefined {
    if (this.#results.length < MEANINGFUL) return undefined;
    const { lossPercent, latencyMs } = this.#settings;
    const loss = this.#loss() ?? 0;
    if (loss > lossPercent)
      return `${loss} % of the last ${this.#results.length} answers lost, more than ${lossPercent} %`;
    const delay = median(this.#results) ?? 0;
    return delay > latencyMs ? `answers take ${Math.round(delay)} ms, more than ${latencyMs} ms` : undefined;
  }

  #loss(): number | undefined {
    if (this.#results.length === 0) return undefined;
    const lost = this.#results.filter((result) => result === undefined).length;
    return Math.round((lost * 100) / this.#results.length);
  }

  #why(): string {
    switch (this.#verdict) {
      case 'down':
        return this.#downWhy;
      case 'failed':
        return this.#leftWhy;
      case 'recovering':
        if (!this.#left) return 'no answer yet';
        return `it answers again after ${this.#leftWhy}, and must be well for ${this.#holdMs / 1000} s before it is used`;
      case 'degraded':
        return this.#complaint() ?? `it is better, and must stay so for ${this.#holdMs / 1000} s`;
      case 'well':
        return '';
    }
  }
}

function median(results: readonly (number | undefined)[]): number | undefined {
  const sorted = results.filter((result) => result !== undefined).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
