/**
 * Notices that somebody else changed the network that we set, and has it put right: within {@link WORST_DELAY}, even while two
 * managers fight over it, without the two burning the processor.
 *
 * The kernel's messages are only the reason to look; what is wrong, and whether anything is, a run of the reconciler finds. Our
 * own changes are among the messages: they cost one run that finds nothing and so changes nothing, which ends it.
 */
import type { Clock, Timer } from '../../hal/clock.ts';
import type { NetworkEvents } from '../../hal/network-events.ts';

/** Milliseconds between two looks at the kernel's messages: two system calls each. */
const LOOK_INTERVAL = 250;

/** Changes come in swarms: it is waited for a look without a message, but no longer than this, milliseconds. */
const LONGEST_SWARM = 1000;

/** Runs within this time, milliseconds, make the next one wait... */
const MEMORY = 30_000;

/** ... from this, doubled with each of them, up to the most; milliseconds. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 3000;

/** Milliseconds from a change by somebody else until it is being put right, at most. */
export const WORST_DELAY = LOOK_INTERVAL + LONGEST_SWARM + LONGEST_PAUSE;

/** So many runs that put something right within {@link MEMORY} are a fight. */
const FIGHT = 4;

/** Milliseconds between two runs without a message, for what no message tells: kernel parameters, for one. */
const SLOW_LOOK = 60_000;

/** The same where the kernel does not tell everything. */
const SLOW_LOOK_INCOMPLETE = 4000;

export interface NetworkWatchOptions {
  readonly clock: Clock;
  /** @throws HalError when the kernel tells nothing. */
  readonly open: () => NetworkEvents;
  /** Looks and puts right; what it changed, a line each. Never rejects. */
  readonly repair: () => Promise<{ readonly changes: readonly string[] }>;
  /** Something was changed, by whomever: said at once, and at every look that hears of more. */
  readonly onChange?: () => void;
  /** Called with one line. */
  readonly log: (line: string) => void;
}

export class NetworkWatch {
  readonly #options: NetworkWatchOptions;
  #events: NetworkEvents | undefined;
  #slowLook = SLOW_LOOK;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  /** When the first message came that no run has seen to. */
  #since: number | undefined;
  #lastRun = 0;
  /** When the runs of the last {@link MEMORY} ended, and whether they put anything right. */
  #runs: { readonly at: number; readonly repaired: boolean }[] = [];
  #fightTold = false;
  #stopped = false;

  constructor(options: NetworkWatchOptions) {
    this.#options = options;
  }

  /** Once; after {@link stop} it does nothing. */
  start(): void {
    if (this.#stopped) return;
    const { clock, open, log } = this.#options;
    let incomplete: string | undefined;
    try {
      this.#events = open();
      incomplete = this.#events.incomplete;
    } catch (error) {
      incomplete = error instanceof Error ? error.message : String(error);
    }
    if (incomplete !== undefined) {
      this.#slowLook = SLOW_LOOK_INCOMPLETE;
      log(`network: ${incomplete}; it is looked at every ${SLOW_LOOK_INCOMPLETE / 1000} s instead`);
    }
    this.#lastRun = clock.now();
    this.#next();
  }

  /** When fulfilled, nothing is under way and nothing will be begun. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#events?.close();
    this.#events = undefined;
    await this.#running;
  }

  #next(): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(clock.now() + LOOK_INTERVAL, () => this.#look());
  }

  #look(): void {
    const now = this.#options.clock.now();
    const heard = this.#events?.take() === true;
    if (heard) {
      this.#since ??= now;
      this.#options.onChange?.();
    }
    const since = this.#since ?? Number.POSITIVE_INFINITY;
    const over = !heard || now - since >= LONGEST_SWARM;
    const wanted = now >= since && over && now >= this.#lastRun + this.#pause(now);
    if (wanted || now >= this.#lastRun + this.#slowLook) {
      this.#since = undefined;
      this.#running = this.#run();
    } else {
      this.#next();
    }
  }

  async #run(): Promise<void> {
    const { clock, repair } = this.#options;
    const { changes } = await repair();
    const now = clock.now();
    this.#lastRun = now;
    this.#runs.push({ at: now, repaired: changes.length > 0 });
    this.#tellFight(now);
    this.#running = undefined;
    if (!this.#stopped) this.#next();
  }

  #pause(now: number): number {
    this.#runs = this.#runs.filter(({ at }) => at > now - MEMORY);
    const runs = this.#runs.length;
    return runs === 0 ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (runs - 1));
  }

  #tellFight(now: number): void {
    const repairs = this.#runs.filter(({ at, repaired }) => repaired && at > now - MEMORY).length;
    if (repairs < FIGHT) {
      if (repairs === 0) this.#fightTold = false;
      return;
    }
    if (this.#fightTold) return;
    this.#fightTold = true;
    this.#options.log(
      `network: something else keeps changing what this router sets, ${repairs} times within ${MEMORY / 1000} s; it is ` +
        `put back at most every ${LONGEST_PAUSE / 1000} s: find what it is, another manager of the network or a script, and stop it`,
    );
  }
}
