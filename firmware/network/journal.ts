/**
 * What we are about to change on the machine that nobody could recognise as ours afterwards, written down durably
 * before it is done: so that the end of the program, or the next start after a crash, can undo it.
 *
 * Routes and rules carry our protocol number and the packet filter our table's name; they are not in here.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { readStateFile, removeStateFile, writeStateFile } from '../config/state-file.ts';
import { destinationKey } from './ownership.ts';

const FILE_NAME = 'network-journal.json';

/** Far more than any machine has interfaces. */
const MAX_JOURNAL_OCTETS = 4 * 1024 * 1024;

const ROUTE_SCHEMA = Type.Object({
  prefix: Type.String(),
  type: Type.Enum(['unicast', 'unreachable', 'throw', 'blackhole']),
  device: Type.Optional(Type.String()),
  gateway: Type.Optional(Type.String()),
  source: Type.Optional(Type.String()),
  metric: Type.Optional(Type.Number()),
  table: Type.Number(),
  protocol: Type.Number(),
  scope: Type.Optional(Type.String()),
});

const ENTRY_SCHEMA = Type.Union([
  /** The link was down and is set up. */
  Type.Object({ kind: Type.Literal('link-up'), device: Type.String() }),
  /** The device had another MAC address. */
  Type.Object({ kind: Type.Literal('mac'), device: Type.String(), from: Type.String(), to: Type.String() }),
  /** The device was not there and is made. */
  Type.Object({ kind: Type.Literal('vlan'), device: Type.String(), parent: Type.String(), id: Type.Number() }),
  Type.Object({ kind: Type.Literal('mtu'), device: Type.String(), from: Type.Number(), to: Type.Number() }),
  /** The address was not there and is added. */
  Type.Object({ kind: Type.Literal('address'), device: Type.String(), address: Type.String() }),
  Type.Object({ kind: Type.Literal('sysctl'), key: Type.String(), from: Type.String(), to: Type.String() }),
  /** Forwarding was off; switching it changes `accept_redirects` on the way, which is why that is kept too. */
  Type.Object({ kind: Type.Literal('forwarding'), acceptRedirects: Type.String() }),
  /** Somebody's route stood where ours has to be. */
  Type.Object({ kind: Type.Literal('displaced-route'), route: ROUTE_SCHEMA }),
]);

const JOURNAL_SCHEMA = Type.Object({ scope: Type.String(), entries: Type.Array(ENTRY_SCHEMA) });

export type JournalEntry = Static<typeof ENTRY_SCHEMA>;

/** What a run needs of the journal. */
export interface Journal {
  /** What we changed, the oldest first. */
  readonly entries: readonly JournalEntry[];
  /** Adds entries that are not in there yet. When fulfilled they survive a power cut. @throws Error in words. */
  record(entries: readonly JournalEntry[]): Promise<void>;
  /** Takes out what was undone or never done. */
  forget(entries: readonly JournalEntry[]): Promise<void>;
}

export interface JournalOptions {
  readonly stateDirectory: string;
  /**
   * Names this boot of this network namespace; see {@link journalScope}. A journal of another one is void: its links
   * and addresses are gone, and what has their names now was not changed by us.
   */
  readonly scope: string;
}

export class NetworkJournal implements Journal {
  readonly #path: string;
  readonly #scope: string;
  #entries: readonly JournalEntry[] = [];

  constructor(options: JournalOptions) {
    this.#path = join(options.stateDirectory, FILE_NAME);
    this.#scope = options.scope;
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** Reads what a crashed run left. @returns a sentence for the log when it cannot be used, and starts empty. */
  async load(): Promise<string | undefined> {
    this.#entries = [];
    const text = await readStateFile(this.#path, MAX_JOURNAL_OCTETS);
    if (text === undefined) return undefined;
    const journal = parse(text);
    if (journal === undefined)
      return `${this.#path} is damaged: what the last run changed on the network stays as it is`;
    if (journal.scope === this.#scope) this.#entries = journal.entries;
    return undefined;
  }

  async record(entries: readonly JournalEntry[]): Promise<void> {
    const next = withEntries(this.#entries, entries);
    if (next !== this.#entries) await this.#write(next);
  }

  async forget(entries: readonly JournalEntry[]): Promise<void> {
    const left = withoutEntries(this.#entries, entries);
    if (left.length < this.#entries.length) await this.#write(left);
  }

  async #write(entries: readonly JournalEntry[]): Promise<void> {
    if (entries.length === 0) await removeStateFile(this.#path);
    else await writeStateFile(this.#path, `${JSON.stringify({ scope: this.#scope, entries }, undefined, 1)}\n`);
    this.#entries = entries;
  }

  /** Removes the file: there is nothing left to undo. */
  async discard(): Promise<void> {
    this.#entries = [];
    await removeStateFile(this.#path);
  }
}

/** This boot of the machine and this network namespace; empty parts where the kernel tells neither. */
export function journalScope(): string {
  const attempt = (read: () => string): string => {
    try {
      return read().trim();
    } catch {
      return '';
    }
  };
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'));
  const namespace = attempt(() => readlinkSync('/proc/self/ns/net'));
  return `${boot} ${namespace}`;
}

function parse(text: string): Static<typeof JOURNAL_SCHEMA> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(JOURNAL_SCHEMA, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * With `added`, as far as they are not in there. Of the routes that stood in the place of one of ours only the last is kept:
 * whoever set it has given up the others.
 */
export function withEntries(entries: readonly JournalEntry[], added: readonly JournalEntry[]): readonly JournalEntry[] {
  const known = new Set(entries.map(textOf));
  const missing = added.filter((entry) => !known.has(textOf(entry)));
  if (missing.length === 0) return entries;
  const places = new Set(missing.flatMap((entry) => placeOf(entry) ?? []));
  const kept = entries.filter((entry) => !places.has(placeOf(entry) ?? ''));
  return [...kept, ...missing];
}

export function withoutEntries(
  entries: readonly JournalEntry[],
  removed: readonly JournalEntry[],
): readonly JournalEntry[] {
  const gone = new Set(removed.map(textOf));
  return entries.filter((entry) => !gone.has(textOf(entry)));
}

function placeOf(entry: JournalEntry): string | undefined {
  return entry.kind === 'displaced-route' ? destinationKey(entry.route) : undefined;
}

function textOf(entry: JournalEntry): string {
  return JSON.stringify(entry);
}
