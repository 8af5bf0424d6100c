/** A run on paper: the very same run, over a copy of the machine in memory. */
import { setImmediate } from 'node:timers/promises';
import type { HalError } from '../../hal/hal-error.ts';
import type { LinkChange, Links } from '../../hal/links.ts';
import { SimulatedLinks } from '../../hal/simulated/links.ts';
import { type Journal, type JournalEntry, withEntries, withoutEntries } from './journal.ts';
import { type NetworkMachine, NetworkRun, type ReconcileInput } from './network-run.ts';

/** Changes of the copy between two pauses: a few milliseconds of work. */
const CHANGES_AT_A_TIME = 100;

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
    { links: unhurried(copy), filter: filter.rehearsal(), journal: new PaperJournal(journal.entries) },
    { change: () => undefined, fail: () => undefined },
  );
  await run.reconcile(input);
  return run.commands;
}

/** Nothing of the copy ever waits: without pauses hundreds of changes would hold up everything else of the router. */
function unhurried(copy: SimulatedLinks): Links {
  return new Proxy<Links>(copy, {
    get: (target, name) => {
      if (name === 'apply') return (changes: readonly LinkChange[]) => applyInParts(copy, changes);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function applyInParts(copy: SimulatedLinks, changes: readonly LinkChange[]): Promise<(HalError | undefined)[]> {
  const errors: (HalError | undefined)[] = [];
  for (let at = 0; at < changes.length; at += CHANGES_AT_A_TIME) {
    errors.push(...(await copy.apply(changes.slice(at, at + CHANGES_AT_A_TIME))));
    await setImmediate();
  }
  return errors;
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
