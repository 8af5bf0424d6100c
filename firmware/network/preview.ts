/** A run on paper: the very same run, over a copy of the machine in memory. */
import { SimulatedLinks } from '../../hal/simulated/links.ts';
import { type Journal, type JournalEntry, withEntries, withoutEntries } from './journal.ts';
import { type NetworkMachine, NetworkRun, type ReconcileInput } from './network-run.ts';

/**
 * What a run would do now, in order, as a person would type it; after `#` what it could not do. The machine and the journal
 * are not touched. The copy behaves like the kernel (both pass the contract of the port): an address brings its network, so
 * that what depends on earlier changes is told as it will be.
 * @throws HalError when the machine cannot be read.
 */
export async function preview(machine: NetworkMachine, input: ReconcileInput): Promise<readonly string[]> {
  const { links, filter, journal } = machine;
  const copy = SimulatedLinks.like(await links.state(), (key) => links.getSysctl(key));
  const run = new NetworkRun(
    { links: copy, filter: filter.rehearsal(), journal: new PaperJournal(journal.entries) },
    { change: () => undefined, fail: () => undefined },
  );
  await run.reconcile(input);
  return run.commands;
}

class PaperJournal implements Journal {
  entries: readonly JournalEntry[];

  constructor(entries: readonly JournalEntry[]) {
    this.entries = entries;
  }

  async record(entries: readonly JournalEntry[]): Promise<void> {
    this.entries = withEntries(this.entries, entries);
  }

  async forget(entries: readonly JournalEntry[]): Promise<void> {
    this.entries = withoutEntries(this.entries, entries);
  }
}
