/**
 * Which target is asked when, and what became of it. Without hands: it says whom to ask, is told of answers, and counts time-outs
 * itself. Several questions may be on their way at once.
 *
 * A target that is silent while others answer is a fault of that target and not of the uplink: it does not count, and is asked
 * seldom, until it answers again.
 */
import type { ProbeTarget } from '../config/probe-target.ts';
import type { Instant, Machine } from '../protocol/machine.ts';

export interface RoundTarget {
  readonly target: ProbeTarget;
  /** `icmp 192.0.2.1`. */
  readonly text: string;
}

export type RoundOutput =
  | { readonly kind: 'ask'; readonly id: number; readonly target: ProbeTarget }
  /** Nothing more is wanted of that question. */
  | { readonly kind: 'forget'; readonly id: number }
  | { readonly kind: 'answered'; readonly text: string; readonly ms: number }
  /** `why`: a clause. */
  | { readonly kind: 'lost'; readonly text: string; readonly why: string };

export interface RoundSettings {
  /** One to eight. */
  readonly targets: readonly RoundTarget[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** So many losses in a row while others answer, and a target counts no more. */
  readonly fall: number;
}

/** Of so many questions one goes to a target that does not count. */
const SELDOM = 10;

interface Question {
  readonly id: number;
  readonly of: number;
  readonly at: Instant;
}

export class ProbeRounds implements Machine<RoundOutput> {
  readonly #settings: RoundSettings;
  readonly #outputs: RoundOutput[] = [];
  #open: Question[] = [];
  #next: Instant;
  #interval: number;
  #id = 0;
  #asked = 0;
  #turn = 0;
  /** Losses in a row, by target. */
  readonly #lost: number[];
  /** Targets whose last question was answered. */
  readonly #answering = new Set<number>();
  readonly #out = new Set<number>();

  constructor(settings: RoundSettings, now: Instant) {
    this.#settings = settings;
    this.#interval = settings.intervalMs;
    this.#next = now;
    this.#lost = settings.targets.map(() => 0);
  }

  /** From now on so long between two questions, ms. One that is due earlier by that is asked then. */
  setInterval(now: Instant, intervalMs: number): void {
    if (intervalMs === this.#interval) return;
    this.#next = Math.max(now, this.#next - this.#interval + intervalMs);
    this.#interval = intervalMs;
  }

  /** Targets that are silent by themselves. */
  get silentTargets(): readonly string[] {
    return [...this.#out].map((index) => this.#settings.targets[index]?.text ?? '');
  }

  answered(now: Instant, id: number, at: Instant = now): void {
    const question = this.#take(id);
    if (question === undefined) return;
    const text = this.#text(question);
    this.#lost[question.of] = 0;
    this.#answering.add(question.of);
    this.#out.delete(question.of);
    this.#outputs.push({ kind: 'answered', text, ms: Math.max(0, at - question.at) });
  }

  /** There will be no answer. @param why a clause: `the connection was refused`. */
  refused(_now: Instant, id: number, why: string): void {
    const question = this.#take(id);
    if (question !== undefined) this.#loss(question, why);
  }

  tick(now: Instant): void {
    const { timeoutMs } = this.#settings;
    for (const question of this.#open.filter(({ at }) => now >= at + timeoutMs)) {
      this.#outputs.push({ kind: 'forget', id: question.id });
      this.#take(question.id);
      this.#loss(question, `no answer within ${timeoutMs} ms`);
    }
    if (now < this.#next) return;
    this.#next = now + this.#interval;
    const of = this.#choose();
    const target = this.#settings.targets[of];
    if (target === undefined) return;
    this.#id += 1;
    this.#open.push({ id: this.#id, of, at: now });
    this.#outputs.push({ kind: 'ask', id: this.#id, target: target.target });
  }

  nextDeadline(): Instant | undefined {
    const { timeoutMs } = this.#settings;
    return Math.min(this.#next, ...this.#open.map(({ at }) => at + timeoutMs));
  }

  poll(): RoundOutput | undefined {
    return this.#outputs.shift();
  }

  /** In turn those that count; now and then one that does not. */
  #choose(): number {
    const all = this.#settings.targets.map((_, index) => index);
    const counting = all.filter((index) => !this.#out.has(index));
    this.#asked += 1;
    const seldom = this.#out.size > 0 && (this.#asked % SELDOM === 0 || counting.length === 0);
    const from = seldom ? [...this.#out] : counting;
    this.#turn += 1;
    return from[this.#turn % from.length] ?? 0;
  }

  #loss(question: Question, why: string): void {
    const { fall } = this.#settings;
    const { of } = question;
    const text = this.#text(question);
    const counted = !this.#out.has(of);
    this.#lost[of] = (this.#lost[of] ?? 0) + 1;
    this.#answering.delete(of);
    const othersAnswer = this.#answering.size > 0;
    if (counted && (this.#lost[of] ?? 0) >= fall && othersAnswer) this.#out.add(of);
    if (counted) this.#outputs.push({ kind: 'lost', text, why });
  }

  #text({ of }: Question): string {
    return this.#settings.targets[of]?.text ?? '';
  }

  #take(id: number): Question | undefined {
    const found = this.#open.find((question) => question.id === id);
    this.#open = this.#open.filter((question) => question !== found);
    return found;
  }
}
