/**
 * Makes the machine's network what it should be: looks at what is there, changes the difference, and can take all of it
 * back. Running it again changes nothing; after a crash it is simply run again.
 */
import type { Links } from '../../hal/links.ts';
import type { PacketFilter } from '../../hal/packet-filter.ts';
import { reasonOf } from '../config/state-file.ts';
import type { Failure } from '../protocol/machine.ts';
import { FilterTable } from './filter-table.ts';
import type { NetworkJournal } from './journal.ts';
import { type NetworkMachine, NetworkRun, type ReconcileInput } from './network-run.ts';
import { preview } from './preview.ts';
import type { Settled } from './settled.ts';
import { stepFailure } from './step.ts';

export interface ReconcilerOptions {
  readonly links: Links;
  readonly packetFilter: PacketFilter;
  readonly journal: NetworkJournal;
  /** Called with one line per change and per failure. */
  readonly log: (line: string) => void;
}

export interface ReconcileReport {
  /** What was changed, one line each, in order; empty when everything was right. */
  readonly changes: readonly string[];
  /** What could not be done; the rest was done all the same. */
  readonly failures: readonly Failure[];
}

const NOTHING: ReconcileReport = { changes: [], failures: [] };

export class Reconciler {
  readonly #machine: NetworkMachine;
  readonly #journal: NetworkJournal;
  readonly #log: (line: string) => void;
  /** One run at a time. */
  #tail: Promise<unknown> = Promise.resolve();
  /** The run that waits for its turn, with the newest input; without any, it takes that of the run before it. */
  #waiting: { input: ReconcileInput | undefined; readonly run: Promise<ReconcileReport> } | undefined;
  #closed = false;
  /** What the last run was told, and how it left the machine. */
  #last: { readonly input: ReconcileInput; readonly settled: Settled | undefined } | undefined;
  /** Failures of the last run, as they were logged. */
  #known: ReadonlySet<string> = new Set();

  constructor(options: ReconcilerOptions) {
    const { links, packetFilter, journal } = options;
    this.#machine = { links, journal, filter: new FilterTable(packetFilter) };
    this.#journal = journal;
    this.#log = options.log;
  }

  /**
   * Asks for a run. While one is under way, further calls share the next one, which takes the newest input. Never
   * rejects; after {@link close} it changes nothing.
   */
  reconcile(input: ReconcileInput): Promise<ReconcileReport> {
    if (this.#waiting !== undefined) this.#waiting.input = input;
    return this.#enqueue(input);
  }

  /**
   * Looks whether everything is still as the last run left it, and puts back what is not. A failure that stays what it was is
   * not logged again. Before the first {@link reconcile} and after {@link close} it does nothing. Never rejects.
   */
  repair(): Promise<ReconcileReport> {
    return this.#enqueue(undefined);
  }

  /**
   * What a run with this input would do now, in order, in the words of ip(8), sysctl(8) and nft(8); a line after `#` says what
   * it could not do. Touches nothing. Empty when everything is right. Never rejects.
   */
  preview(input: ReconcileInput): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      try {
        return await preview(this.#machine, input);
      } catch (error) {
        return [`# what would be changed cannot be told: ${reasonOf(error)}`];
      }
    });
  }

  /**
   * Takes back whatever a crashed run left, by the journal and by our marks. To be called once before the first
   * {@link reconcile}; harmless when nothing was left.
   */
  restore(): Promise<ReconcileReport> {
    return this.#inTurn(() =>
      this.#guard(this.#begin(), async (run) => {
        const damage = await this.#journal.load();
        if (damage !== undefined) {
          run.fail({ step: 'network', reason: damage, remedy: 'check addresses and links, or restart the machine' });
        }
        await this.#restore(run);
      }),
    );
  }

  /** The machine as it was before the start. Nothing is changed afterwards. */
  close(): Promise<ReconcileReport> {
    this.#closed = true;
    return this.#inTurn(() => this.#guard(this.#begin(), (run) => this.#restore(run)));
  }

  #enqueue(input: ReconcileInput | undefined): Promise<ReconcileReport> {
    if (this.#waiting !== undefined) return this.#waiting.run;
    const run = this.#inTurn(async () => {
      const newest = this.#waiting?.input ?? this.#last?.input;
      this.#waiting = undefined;
      return this.#closed || newest === undefined ? NOTHING : await this.#reconcile(newest);
    });
    this.#waiting = { input, run };
    return run;
  }

  async #reconcile(input: ReconcileInput): Promise<ReconcileReport> {
    const last = this.#last;
    const run = this.#begin(last?.settled, last?.input === input ? this.#known : undefined);
    const report = await this.#guard(run, () => run.reconcile(input));
    this.#last = { input, settled: run.settled };
    this.#known = new Set(report.failures.map(({ reason }) => reason));
    return report;
  }

  async #restore(run: NetworkRun): Promise<void> {
    this.#last = undefined;
    await run.restore();
    // What could not be undone stays written down for the next start.
    if (this.#journal.entries.length === 0) await this.#journal.discard();
  }

  /** @param known reasons of failures that need no line any more. */
  #begin(settled?: Settled, known: ReadonlySet<string> = new Set()): NetworkRun {
    const log = {
      change: (line: string): void => this.#log(`network: ${line}`),
      fail: ({ reason, remedy }: Failure): void => {
        if (!known.has(reason)) this.#log(`network: ${reason}; ${remedy}`);
      },
    };
    return new NetworkRun(this.#machine, log, settled);
  }

  /** Turns whatever is thrown into a failure of the run. */
  async #guard(run: NetworkRun, task: (run: NetworkRun) => Promise<void>): Promise<ReconcileReport> {
    try {
      await task(run);
    } catch (error) {
      run.fail(stepFailure('network', new Error(reasonOf(error))));
    }
    return { changes: run.changes, failures: run.failures };
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(task, task);
    this.#tail = turn;
    return turn;
  }
}
