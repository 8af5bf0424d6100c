import type { Clock, Timer } from '../../../hal/clock.ts';
import type { Configuration } from '../schema.ts';
import { reasonOf } from '../state-file.ts';
import type { ConfigurationStore } from '../store/configuration-store.ts';
import type { Author } from '../store/revision.ts';
import type { Prepared, Recovery, Refused, Source, Written } from '../store/store-types.ts';
import { TaskQueue } from '../task-queue.ts';
import type { CommitOptions, CommitOutcome, CommitStep, DeskState, EnforceReport } from './commit-types.ts';

/** How often the connections are looked at while a commit waits for them, ms. */
const CHECK_MS = 500;

export interface CommitDeskParts {
  readonly store: ConfigurationStore;
  readonly clock: Clock;
  /** In force while nothing was committed, and in failsafe. */
  readonly factory: Configuration;
  /** Makes the machine what the configuration says; the newest call counts. */
  readonly enforce: (configuration: Configuration) => Promise<EnforceReport>;
  /**
   * Names of the connections that are up.
   * @param since monotonic, ms: only those of which something was heard after that instant. One whose way has just been cut
   * does not know it yet.
   */
  readonly up: (since?: number) => readonly string[];
  /** Called with each sentence that belongs into the log. */
  readonly log: (line: string) => void;
  /** Told after each step; for tests that end the process there. */
  readonly onStep?: (step: CommitStep) => void;
}

/** What waits for its confirmation. */
interface Waiting {
  readonly id: number;
  readonly who: string;
  readonly before: Configuration;
  readonly after: Configuration;
  /** Monotonic, ms. */
  readonly until: number;
  /** Connections that have to be up again, where it confirms itself; of them something must be heard after `since`. */
  readonly expected?: readonly string[];
  readonly since: number;
}

/**
 * The one way in which a configuration comes into force: validated, written down as pending, enforced, checked, confirmed.
 * To revert is to enforce the parent. Whatever ends the program in between, the next start finds one of the two written
 * down as confirmed, and enforces that.
 */
export class CommitDesk {
  readonly #parts: CommitDeskParts;
  readonly #turns = new TaskQueue();
  #inForce: Configuration;
  /** The confirmed revision; 0: none. */
  #confirmed = 0;
  #recovery: Recovery | undefined;
  #waiting: Waiting | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(parts: CommitDeskParts) {
    this.#parts = parts;
    this.#inForce = parts.factory;
  }

  /** What is in force, or just coming into force. */
  get inForce(): Configuration {
    return this.#inForce;
  }

  /**
   * Opens the store and enforces what was confirmed last.
   * @param given comes into force instead, as a new revision, where it says something else.
   * @param failsafe what the factory says comes into force instead of either, and nothing that is stored is touched.
   * @throws Error in words when there can be no store.
   */
  start(given?: Source & { readonly kind: 'text' }, failsafe?: Recovery): Promise<void> {
    return this.#turns.run(async () => {
      const { store, clock, log, factory } = this.#parts;
      const { confirmed, pending, recovery, notes } = await store.open();
      for (const note of notes) log(note);
      this.#recovery = failsafe ?? recovery;
      this.#confirmed = confirmed?.info.id ?? 0;
      this.#inForce = (failsafe === undefined ? confirmed?.configuration : undefined) ?? factory;
      for (const found of [recovery, failsafe]) if (found !== undefined) log(`${found.reason}; ${found.remedy}`);
      if (pending !== undefined) {
        const reason = 'the router was restarted before it was confirmed';
        const text = `revision ${pending.id} of ${pending.who} was reverted: ${reason}`;
        log(text);
        this.#logTrouble(await store.revert(pending.id, reason, clock.wall(), text));
      }
      if (given !== undefined && failsafe === undefined && (await this.#startWith(given))) return;
      await this.#enforce(this.#inForce);
    });
  }

  commit(source: Source, options: CommitOptions): Promise<CommitOutcome> {
    return this.#turns.run(async () => {
      const refused = this.#refusal(options);
      if (refused) return refused;
      const prepared = await this.#parts.store.prepare(source);
      if (!prepared.ok) return prepared;
      this.#step('prepared');
      if (prepared.same && this.#recovery === undefined) return this.#unchanged(prepared);
      const outcome = await this.#commit(prepared, options);
      // Somebody may have gone on with the draft meanwhile: that stays.
      if (outcome.ok && prepared.candidate !== undefined) await this.#parts.store.removeCandidate(prepared.candidate);
      return outcome;
    });
  }

  /** What {@link commit} would find; nothing is changed. */
  preview(source: Source): Promise<Prepared> {
    return this.#turns.run(() => this.#parts.store.prepare(source));
  }

  /** What waits stays. */
  confirm(author: Author): Promise<Written> {
    return this.#turns.run(async () => {
      const waiting = this.#waiting;
      if (waiting === undefined) return NOTHING_WAITS;
      const written = await this.#confirm(waiting.id, `revision ${waiting.id} was confirmed by ${by(author)}`);
      if (written.ok) this.#endWaiting();
      return written;
    });
  }

  /** What waits is taken back. */
  revert(author: Author): Promise<Written> {
    return this.#turns.run(async () => {
      const waiting = this.#waiting;
      if (waiting === undefined) return NOTHING_WAITS;
      await this.#revert(waiting, `${by(author)} took it back`);
      return { ok: true };
    });
  }

  state(): DeskState {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      const secondsLeft = Math.max(0, Math.ceil((waiting.until - this.#parts.clock.now()) / 1000));
      return { revision: waiting.id, state: 'pending', secondsLeft, parent: this.#confirmed, who: waiting.who };
    }
    if (this.#recovery !== undefined) {
      const { kind, reason, remedy } = this.#recovery;
      return { revision: this.#confirmed, state: kind, reason, remedy };
    }
    return { revision: this.#confirmed, state: this.#confirmed === 0 ? 'factory' : 'confirmed' };
  }

  /** No timer runs any more; what waits is reverted by the next start. The store is closed. */
  close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    return this.#turns.run(() => this.#parts.store.close());
  }

  async #startWith(given: Source): Promise<boolean> {
    const prepared = await this.#parts.store.prepare(given);
    if (!prepared.ok) {
      this.#parts.log(`the configuration of the command line is not used: ${refusalText(prepared)}`);
      return false;
    }
    if (prepared.same && this.#confirmed !== 0) return false;
    const author = { who: 'culvert', via: 'file', comment: 'given at the start' } as const;
    const outcome = await this.#commit(prepared, author);
    if (!outcome.ok) this.#parts.log(`the configuration of the command line is not used: ${refusalText(outcome)}`);
    return outcome.ok;
  }

  async #commit(prepared: Prepared & { readonly ok: true }, options: CommitOptions): Promise<CommitOutcome> {
    const { store, clock } = this.#parts;
    const { configuration: after, diff, warnings } = prepared;
    const { who, via, comment, confirmWithin, check } = options;
    const [at, now, before] = [clock.wall(), clock.now(), this.#inForce];
    const window = confirmWithin === undefined ? undefined : confirmWithin * 1000;
    const confirmBy = window === undefined ? undefined : at + window;
    const text = `${by(options)} puts a configuration in force${window === undefined ? '' : `, to be confirmed within ${confirmWithin} s`}`;
    const expected = check === true ? this.#parts.up() : undefined;
    const deadline = confirmBy === undefined ? {} : { confirmBy };
    const begun = await store.begin({ who, via, comment, at, ...deadline, text });
    if (!begun.ok) return begun;
    const { id } = begun.info;
    this.#step('pending');
    const waiting: Waiting = {
      id,
      who,
      before,
      after,
      until: now + (window ?? 0),
      since: now,
      ...(expected ? { expected } : {}),
    };
    let report: EnforceReport;
    try {
      report = await this.#enforce(after);
    } catch (error) {
      const reason = `putting it in force failed: ${reasonOf(error)}`;
      await this.#revert(waiting, reason);
      return { ok: false, reason, remedy: 'report this with the log; what was in force before is in force again' };
    }
    this.#step('enforced');
    const common = { ok: true, revision: id, diff, warnings, ...report, before, after } as const;
    if (window !== undefined) {
      this.#waiting = { ...waiting, since: clock.now() };
      this.#wait();
      return { ...common, ...deadline };
    }
    const written = await this.#confirm(id, `revision ${id} of ${by(options)} is in force`);
    if (written.ok) return common;
    await this.#revert(waiting, `it could not be confirmed: ${written.reason}`);
    return written;
  }

  /** Why this commit is not even tried. */
  #refusal({ base, check, confirmWithin }: CommitOptions): Refused | undefined {
    if (this.#closed) return { ok: false, reason: 'the router is ending', remedy: 'commit it after the start' };
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      const reason = `revision ${waiting.id} of ${waiting.who} waits for its confirmation`;
      return { ok: false, reason, remedy: 'confirm or revert it first' };
    }
    if (base !== undefined && base !== this.#confirmed) {
      const reason = `revision ${this.#confirmed} is in force by now, and the change was made for revision ${base}`;
      return {
        ok: false,
        reason,
        remedy: `compare the two, and make the change again for revision ${this.#confirmed}`,
      };
    }
    if (check === true && confirmWithin === undefined) {
      return { ok: false, reason: 'a check needs a time within which it passes', remedy: 'name one' };
    }
    if (check === true && this.#parts.up().length === 0) {
      const reason = 'no connection is up by which the new configuration could be judged';
      return { ok: false, reason, remedy: 'leave the check out and confirm it yourself' };
    }
    return undefined;
  }

  #unchanged({ configuration, warnings }: Prepared & { readonly ok: true }): CommitOutcome {
    const same = { before: this.#inForce, after: configuration };
    return { ok: true, revision: this.#confirmed, diff: [], warnings, changes: [], failures: [], ...same };
  }

  async #confirm(id: number, text: string): Promise<Written> {
    const { store, clock, log } = this.#parts;
    const written = await store.confirm(id, clock.wall(), text);
    if (!written.ok) return written;
    for (const note of written.notes ?? []) log(note);
    this.#confirmed = id;
    this.#recovery = undefined;
    log(text);
    this.#step('confirmed');
    return { ok: true };
  }

  /** The parent comes back, whatever the disk says: what is written as pending is reverted by the next start, too. */
  async #revert(waiting: Waiting, why: string): Promise<void> {
    const { store, clock, log } = this.#parts;
    this.#timer?.cancel();
    this.#step('reverting');
    const text = `revision ${waiting.id} of ${waiting.who} is reverted: ${why}`;
    log(text);
    try {
      await this.#enforce(waiting.before);
    } catch (error) {
      log(`putting the parent of revision ${waiting.id} in force failed: ${reasonOf(error)}`);
    }
    this.#logTrouble(await store.revert(waiting.id, why, clock.wall(), text));
    // Only now, when the parent is there again, is it told so.
    this.#endWaiting();
    this.#step('reverted');
  }

  async #enforce(configuration: Configuration): Promise<EnforceReport> {
    this.#inForce = configuration;
    return await this.#parts.enforce(configuration);
  }

  #wait(): void {
    const { clock } = this.#parts;
    const waiting = this.#waiting;
    if (waiting === undefined || this.#closed) return;
    const at = waiting.expected === undefined ? waiting.until : Math.min(waiting.until, clock.now() + CHECK_MS);
    this.#timer = clock.setTimer(at, () => void this.#turns.run(() => this.#look(waiting)));
  }

  async #look(waiting: Waiting): Promise<void> {
    // Confirmed, reverted or closed while this look waited for its turn.
    if (this.#waiting !== waiting || this.#closed) return;
    const { clock, up } = this.#parts;
    const missing = waiting.expected && missingOf(waiting.expected, waiting.after, up(waiting.since));
    if (missing?.length === 0) {
      const text = `revision ${waiting.id} is confirmed: what was up before is up again`;
      const written = await this.#confirm(waiting.id, text);
      if (written.ok) return this.#endWaiting();
      this.#logTrouble(written);
    }
    if (clock.now() < waiting.until) return this.#wait();
    const why =
      missing === undefined || missing.length === 0
        ? 'nobody confirmed it in time'
        : `${missing.join(', ')} did not come up again in time`;
    await this.#revert(waiting, why);
  }

  #endWaiting(): void {
    this.#waiting = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #logTrouble(written: Written): void {
    if (!written.ok) this.#parts.log(`the store could not write that down: ${written.reason}; ${written.remedy}`);
  }

  #step(step: CommitStep): void {
    this.#parts.onStep?.(step);
  }
}

const NOTHING_WAITS: Written = {
  ok: false,
  reason: 'no configuration waits for its confirmation',
  remedy: 'see the history: it may have been confirmed or reverted already',
};

/** What has to be up and is not. Connections that are not configured any more do not count, unless none is left. */
function missingOf(expected: readonly string[], after: Configuration, up: readonly string[]): string[] {
  const configured = new Set([
    ...Object.keys(after.l2tp.clients),
    ...Object.keys(after.ipsec.connections),
    ...Object.values(after.l2tp.servers).flatMap(({ calls }) => Object.keys(calls)),
  ]);
  const left = expected.filter((name) => configured.has(name));
  return (left.length === 0 ? expected : left).filter((name) => !up.includes(name) || left.length === 0);
}

function by({ who, via }: Author): string {
  return `${who} (${via})`;
}

function refusalText(refused: Refused): string {
  if ('reason' in refused) return `${refused.reason}; ${refused.remedy}`;
  return `it has ${refused.problems.length} problems`;
}
