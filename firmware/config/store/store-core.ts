/**
 * The store as its worker thread runs it, synchronously: checks configurations, seals their secrets, writes revisions.
 * Whoever asks does so in this order: prepare, begin, then confirm or revert.
 */
import { diffConfigurations } from '../diff.ts';
import { CURRENT_VERSIONS, type ModuleVersions, migrateDocument } from '../migrations/migrate.ts';
import {
  checkConfiguration,
  checkStoredConfiguration,
  type ParsedConfiguration,
  parseConfiguration,
} from '../parse.ts';
import { formatProblem } from '../problem.ts';
import type { Configuration } from '../schema.ts';
import type { DeviceKey } from '../secrets/device-key.ts';
import { openDocument, sealDocument } from '../secrets/sealed-document.ts';
import { reasonOf } from '../state-file.ts';
import { CandidateDraft } from './candidate-draft.ts';
import { hashOf, readLastGood, writeLastGood } from './last-good.ts';
import { oldConfiguration, removeOldConfiguration } from './old-file.ts';
import { type OpenedStore, type OpenStoreOptions, openStore, replaceDatabase } from './open-store.ts';
import type { RevisionInfo } from './revision.ts';
import type { StoreDatabase, StoredRevision } from './store-database.ts';
import type {
  BeginRequest,
  Compared,
  OpenReport,
  Prepared,
  Recovery,
  Reference,
  Refused,
  Source,
  StoredHistory,
  Written,
} from './store-types.ts';
import { writeTrouble } from './write-trouble.ts';

export interface StoreCoreOptions extends OpenStoreOptions {
  /** In force while nothing was committed. */
  readonly factory: Configuration;
}

export class StoreCore {
  readonly #options: StoreCoreOptions;
  #database: StoreDatabase | undefined;
  #key: DeviceKey | undefined;
  #draft: CandidateDraft | undefined;
  #confirmed: Configuration | undefined;
  #pending: { readonly id: number; readonly configuration: Configuration } | undefined;
  #prepared: Configuration | undefined;
  /** The revision that was read last, by the hash of its document: who compares does so more than once. */
  #opened: { readonly hash: string; readonly reading: Reading } | undefined;

  constructor(options: StoreCoreOptions) {
    this.#options = options;
    this.#confirmed = undefined;
  }

  /** @throws Error in words when there can be no store at all. */
  async open(): Promise<OpenReport> {
    let opened: OpenedStore = await openStore(this.#options);
    this.#key = opened.key;
    let checked = this.#check(opened);
    if (checked.kind === 'damaged' && opened.database !== undefined) {
      opened = await replaceDatabase(opened.database, checked.why, this.#options);
      checked = this.#check(opened);
    }
    this.#database = opened.database;
    const notes = [...opened.notes, ...(checked.kind === 'good' ? checked.notes : [])];
    let confirmed = checked.kind === 'good' ? checked.confirmed : undefined;
    confirmed ??= checked.kind === 'none' && opened.recovery === undefined ? await this.#takeOver(notes) : undefined;
    this.#confirmed = confirmed?.configuration;
    const recovery = recoveryOf(opened, checked);
    if (confirmed !== undefined) await this.#export(confirmed.info.id, notes);
    const pending = opened.database?.head().pending;
    const waited = pending === undefined ? undefined : this.#revision(pending);
    return {
      ...(confirmed === undefined ? {} : { confirmed }),
      ...(waited === undefined ? {} : { pending: infoOf(waited) }),
      ...(recovery === undefined ? {} : { recovery }),
      notes,
    };
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  /** What the worker compares with, and what stars in a draft stand for. */
  get #running(): Configuration {
    return this.#pending?.configuration ?? this.#confirmed ?? this.#options.factory;
  }

  /** Reads and checks a configuration; it is the one that {@link begin} writes. */
  prepare(source: Source): Prepared {
    this.#prepared = undefined;
    const parsed = this.#read(source);
    if ('reason' in parsed || !parsed.ok) return parsed;
    const { configuration, warnings } = parsed;
    this.#prepared = configuration;
    const before = this.#running;
    const same = JSON.stringify(before) === JSON.stringify(configuration);
    const candidate = source.kind === 'candidate' ? this.#draft?.etag : undefined;
    const from = candidate === undefined ? {} : { candidate };
    return { ok: true, configuration, warnings, diff: diffConfigurations(before, configuration), same, ...from };
  }

  /** Writes down that what was prepared comes into force. @returns the number of the revision. */
  begin(
    request: BeginRequest,
  ): { readonly ok: true; readonly info: RevisionInfo } | (Written & { readonly ok: false }) {
    const configuration = this.#prepared;
    if (configuration === undefined) return { ok: false, reason: 'nothing was prepared', remedy: 'report this' };
    return this.#attempt((database, key) => {
      const document = JSON.stringify(sealDocument(configuration, key));
      const { who, via, comment, at, confirmBy, text } = request;
      const hash = hashOf(document);
      const versions = JSON.stringify(CURRENT_VERSIONS);
      const id = database.begin({ document, versions, hash, who, via, comment, at }, confirmBy, { at, text });
      this.#pending = { id, configuration };
      this.#prepared = undefined;
      const { confirmed: parent } = database.head();
      const rest = { hash, who, via, comment, at, state: 'pending' } as const;
      return { ok: true, info: { id, ...(parent === undefined ? {} : { parent }), ...rest } } as const;
    });
  }

  async confirm(id: number, at: number, text: string): Promise<Written & { readonly notes?: readonly string[] }> {
    const written = this.#attempt((database) => {
      if (database.confirm(id, { at, text })) return { ok: true } as const;
      return { ok: false, reason: `revision ${id} does not wait any more`, remedy: 'see the history' } as const;
    });
    if (!written.ok) return written;
    if (this.#pending?.id === id) {
      this.#confirmed = this.#pending.configuration;
      this.#pending = undefined;
    }
    const notes: string[] = [];
    await this.#export(id, notes);
    return { ok: true, notes };
  }

  /** Also when it cannot be written down: what waits at the next start is reverted then. */
  revert(id: number, reason: string, at: number, text: string): Written {
    if (this.#pending?.id === id) this.#pending = undefined;
    return this.#attempt((database) => {
      database.revert(id, reason, { at, text });
      return { ok: true };
    });
  }

  history(): StoredHistory {
    const database = this.#database;
    return database === undefined
      ? { revisions: [], events: [] }
      : { revisions: database.revisions(), events: database.events() };
  }

  note(at: number, text: string): Written {
    return this.#attempt((database) => {
      database.addEvent({ at, text });
      return { ok: true };
    });
  }

  compare(from: Reference, to: Reference): Compared {
    const before = this.#find(from);
    if ('reason' in before || !before.ok) return before;
    const after = this.#find(to);
    if ('reason' in after || !after.ok) return after;
    const diff = diffConfigurations(before.configuration, after.configuration);
    return { ok: true, diff, from: before.configuration, to: after.configuration, warnings: after.warnings };
  }

  /** The draft that somebody works on. @throws nothing; without a database there is none. */
  draft<T>(task: (draft: CandidateDraft, running: Configuration) => T): T | (Written & { readonly ok: false }) {
    return this.#attempt((database, key) => {
      this.#draft ??= new CandidateDraft(key);
      return task(this.#draft.on(database), this.#running);
    });
  }

  #find(reference: Reference): Reading {
    if (reference === 'running') return { ok: true, configuration: this.#running, warnings: [] };
    if (reference === 'candidate') return this.#read({ kind: 'candidate' });
    return this.#read({ kind: 'revision', revision: reference });
  }

  #read(source: Source): Reading {
    switch (source.kind) {
      case 'text':
        return parseConfiguration(source.text, source.fileName);
      case 'document':
        return migrated(source.document, source.versions, checkConfiguration);
      case 'candidate': {
        const { match } = source;
        const found = this.draft((draft) => draft.mismatch(match) ?? draft.document());
        if (found === undefined) {
          return { ok: false, reason: 'there is no candidate', remedy: 'begin one first' };
        }
        return 'ok' in found ? found : checkConfiguration(found.document);
      }
      case 'revision': {
        const stored = this.#revision(source.revision);
        if (stored === undefined) {
          const known = this.history().revisions.map(({ id }) => id);
          const range = known.length === 0 ? 'there is none' : `there are ${known.at(-1)} to ${known[0]}`;
          return {
            ok: false,
            reason: `there is no revision ${source.revision}`,
            remedy: `name one that is kept: ${range}`,
          };
        }
        return this.#open(stored);
      }
    }
  }

  /** A stored document as a configuration of this version. */
  #open(stored: StoredRevision): Reading {
    const remedy = 'take another revision, or restore a backup';
    const damaged = `revision ${stored.id} is damaged`;
    const { hash } = stored;
    if (hashOf(stored.document) !== hash) return { ok: false, reason: damaged, remedy };
    if (this.#opened?.hash === hash) return this.#opened.reading;
    if (this.#key === undefined) return { ok: false, reason: 'the device key is missing', remedy: 'put its file back' };
    try {
      const document = openDocument(JSON.parse(stored.document), this.#key);
      const reading = migrated(document, JSON.parse(stored.versions), checkStoredConfiguration);
      this.#opened = { hash, reading };
      return reading;
    } catch (error) {
      return { ok: false, reason: `revision ${stored.id} cannot be read: ${sentence(error)}`, remedy };
    }
  }

  /** Whether what is said to be confirmed can be put in force. */
  #check({ confirmed: stored }: OpenedStore): Checked {
    if (stored === undefined) return { kind: 'none' };
    if (hashOf(stored.document) !== stored.hash) {
      return { kind: 'damaged', why: `the document of revision ${stored.id} does not have its hash` };
    }
    if (this.#key === undefined) return { kind: 'none' };
    const parsed = this.#open(stored);
    if (parsed.ok) {
      const broken = parsed.warnings.filter(({ severity }) => severity === 'error').map(formatProblem);
      const notes = broken.map((what) => `revision ${stored.id} would be refused today, and stays in force: ${what}`);
      return { kind: 'good', confirmed: { info: infoOf(stored), configuration: parsed.configuration }, notes };
    }
    if ('reason' in parsed) return { kind: 'refused', reason: parsed.reason, remedy: parsed.remedy };
    const [first] = parsed.problems;
    const what = first === undefined ? 'no reason is known' : formatProblem(first);
    const reason = `revision ${stored.id} is refused by this version of Culvert: ${what}`;
    return { kind: 'refused', reason, remedy: 'apply a configuration that is right' };
  }

  /** What a version of Culvert that had a plain file left. */
  async #takeOver(notes: string[]): Promise<OpenReport['confirmed']> {
    const { stateDirectory, at } = this.#options;
    const old = await oldConfiguration(stateDirectory);
    if (old === undefined) return undefined;
    if (!old.ok) {
      notes.push(old.why);
      return undefined;
    }
    this.#prepared = old.configuration;
    const text = 'the configuration of an earlier version was taken over';
    const author = { who: 'culvert', via: 'router', comment: 'from an earlier version' } as const;
    const begun = this.begin({ ...author, at, text });
    const written = begun.ok ? await this.confirm(begun.info.id, at, text) : begun;
    if (!begun.ok || !written.ok) {
      notes.push(`the configuration of an earlier version cannot be taken over: ${written.ok ? '' : written.reason}`);
      return undefined;
    }
    await removeOldConfiguration(stateDirectory);
    notes.push(text);
    return { info: { ...begun.info, state: 'confirmed' }, configuration: old.configuration };
  }

  async #export(id: number, notes: string[]): Promise<void> {
    const { stateDirectory } = this.#options;
    try {
      const stored = this.#revision(id);
      if (stored === undefined || (await readLastGood(stateDirectory))?.hash === stored.hash) return;
      await writeLastGood(stateDirectory, stored);
    } catch (error) {
      notes.push(
        `the export of revision ${id} is not there for the day on which the database is damaged: ${sentence(error)}`,
      );
    }
  }

  #revision(id: number): StoredRevision | undefined {
    return this.#database?.revision(id);
  }

  #attempt<T>(task: (database: StoreDatabase, key: DeviceKey) => T): T | (Written & { readonly ok: false }) {
    const [database, key] = [this.#database, this.#key];
    if (key === undefined) {
      const reason = 'the device key is missing or unusable, and without it no secret can be stored';
      return { ok: false, reason, remedy: 'put the key file back, or begin anew with "culvert factory-reset"' };
    }
    if (database === undefined) {
      const remedy = 'mend what the status says about it, and start the router again';
      return { ok: false, reason: 'the configuration database is not open', remedy };
    }
    try {
      return task(database, key);
    } catch (error) {
      return { ok: false, ...writeTrouble(error) };
    }
  }
}

/** Wrong, or not to be had at all. */
type Reading = ParsedConfiguration | Extract<Refused, { readonly reason: string }>;

type Checked =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'good';
      readonly confirmed: NonNullable<OpenReport['confirmed']>;
      readonly notes: readonly string[];
    }
  | { readonly kind: 'damaged'; readonly why: string }
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string };

/** A document of any version, checked as it has to be. */
function migrated(
  document: unknown,
  versions: ModuleVersions,
  check: (value: unknown) => ParsedConfiguration,
): Reading {
  const result = migrateDocument(document, versions);
  return result.ok ? check(result.document) : result;
}

function recoveryOf({ recovery }: OpenedStore, checked: Checked): Recovery | undefined {
  if (checked.kind === 'refused') return { kind: 'failsafe', reason: checked.reason, remedy: checked.remedy };
  if (checked.kind === 'damaged') {
    return { kind: 'failsafe', reason: checked.why, remedy: 'restore a backup or apply a configuration' };
  }
  return recovery;
}

function infoOf({ document: _document, versions: _versions, ...rest }: StoredRevision): RevisionInfo {
  return rest;
}

function sentence(error: unknown): string {
  return reasonOf(error).replace(/\.$/, '');
}
