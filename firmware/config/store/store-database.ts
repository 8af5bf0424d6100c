/** `configuration.db`: what is written when, each change one transaction that survives a power cut or never was. */
import { closeSync, constants, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Author, RevisionInfo, RevisionState, Via } from './revision.ts';
import { TABLES, TABLES_VERSION } from './tables.ts';

/** Revisions that are kept; the confirmed and the waiting one always are. */
export const MAX_REVISIONS = 100;

/** Octets of all kept documents together: the oldest go first. A branch's document has some 5 KiB. */
export const MAX_REVISION_OCTETS = 16 * 1024 * 1024;

/** Events that are kept: some months of a router that is worked on daily. */
export const MAX_EVENTS = 1000;

/** What SQLite finds wrong goes into a sentence, characters. */
const MAX_FINDING = 120;

/** SQLite would make it readable for all; its other files have the mode of the first. */
const FILE_MODE = 0o600;

/** The -wal file is cut back to this after a checkpoint, octets. */
const WAL_OCTETS = 1024 * 1024;

/** A document as it is stored: secrets sealed. */
export interface StoredDocument {
  readonly document: string;
  /** JSON: the version of each module. */
  readonly versions: string;
  /** SHA-256 over `document`, hexadecimal. */
  readonly hash: string;
}

export interface StoredRevision extends RevisionInfo, StoredDocument {}

export interface NewRevision extends Author, StoredDocument {
  readonly comment: string;
  readonly at: number;
}

export interface Head {
  readonly confirmed?: number;
  readonly pending?: number;
  /** Wall clock, ms since 1970: when the pending one reverts, for people. */
  readonly confirmBy?: number;
  /** The store was damaged, and nothing was confirmed since: JSON. */
  readonly recovery?: string;
}

export interface StoredCandidate extends Author {
  readonly base: number;
  readonly at: number;
  readonly sealed: string;
}

export interface StoredEvent {
  readonly at: number;
  readonly text: string;
}

/** The file is no database, or one that contradicts itself. */
export class DamagedDatabaseError extends Error {
  override readonly name = 'DamagedDatabaseError';
}

interface RevisionRow extends StoredDocument {
  id: number;
  parent: number | null;
  who: string;
  via: Via;
  comment: string;
  at: number;
  state: RevisionState;
  reason: string | null;
}

interface HeadRow {
  confirmed: number | null;
  pending: number | null;
  confirm_by: number | null;
  recovery: string | null;
}

const INFO_COLUMNS = 'id, parent, hash, who, via, comment, at, state, reason';

export class StoreDatabase {
  readonly #db: Database.Database;

  /**
   * @throws DamagedDatabaseError when the content is not to be trusted; SqliteError when the file cannot be opened (full
   * disk, read-only file system); Error in words when it is of a later version.
   */
  constructor(path: string) {
    const { O_CREAT, O_RDWR, O_NOFOLLOW } = constants;
    closeSync(openSync(path, O_CREAT | O_RDWR | O_NOFOLLOW, FILE_MODE));
    this.#db = new Database(path);
    try {
      this.#prepare();
    } catch (error) {
      this.#db.close();
      throw error instanceof Database.SqliteError && isDamage(error) ? new DamagedDatabaseError(error.message) : error;
    }
  }

  close(): void {
    this.#db.close();
  }

  head(): Head {
    const row = this.#db.prepare<[], HeadRow>('SELECT confirmed, pending, confirm_by, recovery FROM head').get();
    if (row === undefined) throw new DamagedDatabaseError('the row of the table "head" is missing');
    return {
      ...(row.confirmed === null ? {} : { confirmed: row.confirmed }),
      ...(row.pending === null ? {} : { pending: row.pending }),
      ...(row.confirm_by === null ? {} : { confirmBy: row.confirm_by }),
      ...(row.recovery === null ? {} : { recovery: row.recovery }),
    };
  }

  revision(id: number): StoredRevision | undefined {
    const sql = `SELECT ${INFO_COLUMNS}, document, versions FROM revision WHERE id = ?`;
    const row = this.#db.prepare<[number], RevisionRow>(sql).get(id);
    return row && { ...info(row), document: row.document, versions: row.versions };
  }

  /** The newest first, without their documents. */
  revisions(): RevisionInfo[] {
    return this.#db.prepare<[], RevisionRow>(`SELECT ${INFO_COLUMNS} FROM revision ORDER BY id DESC`).all().map(info);
  }

  /** The newest first. */
  events(): StoredEvent[] {
    return this.#db.prepare<[], StoredEvent>('SELECT at, text FROM event ORDER BY id DESC').all();
  }

  candidate(): StoredCandidate | undefined {
    return this.#db.prepare<[], StoredCandidate>('SELECT who, via, base, at, sealed FROM candidate').get();
  }

  /**
   * A revision that is in force from now on and waits. One that waited before counts as reverted.
   * @param event its text follows the number of the revision.
   * @returns its number.
   */
  begin(revision: NewRevision, confirmBy: number | undefined, event: StoredEvent): number {
    return this.#write(() => {
      const { confirmed, pending } = this.head();
      if (pending !== undefined) this.#end(pending, 'reverted', 'another configuration was put in force');
      const { document, versions, hash, who, via, comment, at } = revision;
      const { lastInsertRowid } = this.#db
        .prepare(
          `INSERT INTO revision (parent, document, versions, hash, who, via, comment, at, state)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending')`,
        )
        .run(confirmed ?? null, document, versions, hash, who, via, comment, at);
      const id = Number(lastInsertRowid);
      this.#db.prepare('UPDATE head SET pending = ?, confirm_by = ?').run(id, confirmBy ?? null);
      this.#event({ at: event.at, text: `revision ${id}: ${event.text}` });
      return id;
    });
  }

  /** What waits is confirmed. @returns false when `id` does not wait. */
  confirm(id: number, event: StoredEvent): boolean {
    return this.#write(() => {
      if (this.head().pending !== id) return false;
      this.#end(id, 'confirmed');
      this.#db.prepare('UPDATE head SET confirmed = ?, pending = NULL, confirm_by = NULL, recovery = NULL').run(id);
      this.#event(event);
      this.#prune();
      return true;
    });
  }

  /** What waits is given up. @param reason one sentence without a full stop. @returns false when `id` does not wait. */
  revert(id: number, reason: string, event: StoredEvent): boolean {
    return this.#write(() => {
      if (this.head().pending !== id) return false;
      this.#end(id, 'reverted', reason);
      this.#db.prepare('UPDATE head SET pending = NULL, confirm_by = NULL').run();
      this.#event(event);
      return true;
    });
  }

  setCandidate(candidate: StoredCandidate): void {
    this.#write(() => {
      const { who, via, base, at, sealed } = candidate;
      this.#db
        .prepare('INSERT OR REPLACE INTO candidate (one, who, via, base, at, sealed) VALUES (1, ?, ?, ?, ?, ?)')
        .run(who, via, base, at, sealed);
    });
  }

  removeCandidate(): void {
    this.#write(() => this.#db.prepare('DELETE FROM candidate').run());
  }

  addEvent(event: StoredEvent): void {
    this.#write(() => this.#event(event));
  }

  /** A fresh database takes over a revision that was confirmed before the damage, under its old number. */
  adopt(revision: StoredRevision | undefined, recovery: string, event: StoredEvent): void {
    this.#write(() => {
      if (revision !== undefined) {
        const { id, document, versions, hash, who, via, comment, at } = revision;
        this.#db
          .prepare(
            `INSERT INTO revision (id, document, versions, hash, who, via, comment, at, state)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'confirmed')`,
          )
          .run(id, document, versions, hash, who, via, comment, at);
        this.#db.prepare('UPDATE head SET confirmed = ?').run(id);
      }
      this.#db.prepare('UPDATE head SET recovery = ?').run(recovery);
      this.#event(event);
    });
  }

  #prepare(): void {
    // Nobody else opens this file: without shared memory for the index of the -wal file there is one file less.
    this.#db.pragma('locking_mode = EXCLUSIVE');
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    this.#db.pragma('foreign_keys = ON');
    this.#db.pragma(`journal_size_limit = ${WAL_OCTETS}`);
    const findings = this.#db.pragma('integrity_check(1)', { simple: true });
    if (findings !== 'ok')
      throw new DamagedDatabaseError(String(findings).replaceAll(/\s+/g, ' ').slice(0, MAX_FINDING));
    const version = Number(this.#db.pragma('user_version', { simple: true }));
    if (version > TABLES_VERSION) {
      throw new Error('The configuration was stored by a later version of Culvert: install that again.');
    }
    if (version === 0) {
      this.#write(() => {
        this.#db.exec(TABLES);
        this.#db.pragma(`user_version = ${TABLES_VERSION}`);
      });
    }
    this.head();
  }

  #write<T>(task: () => T): T {
    return this.#db.transaction(task).immediate();
  }

  #end(id: number, state: RevisionState, reason?: string): void {
    this.#db.prepare('UPDATE revision SET state = ?, reason = ? WHERE id = ?').run(state, reason ?? null, id);
  }

  #event({ at, text }: StoredEvent): void {
    this.#db.prepare('INSERT INTO event (at, text) VALUES (?, ?)').run(at, text);
    this.#db.prepare('DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?').run(MAX_EVENTS);
  }

  #prune(): void {
    const { confirmed } = this.head();
    const rows = this.#db
      .prepare<[], { id: number; size: number }>('SELECT id, length(document) AS size FROM revision ORDER BY id DESC')
      .all();
    let total = 0;
    const remove = this.#db.prepare('DELETE FROM revision WHERE id = ?');
    for (const [index, { id, size }] of rows.entries()) {
      total += size;
      if (id !== confirmed && (index >= MAX_REVISIONS || total > MAX_REVISION_OCTETS)) remove.run(id);
    }
  }
}

function info(row: RevisionRow): RevisionInfo {
  const { id, parent, hash, who, via, comment, at, state, reason } = row;
  return {
    id,
    ...(parent === null ? {} : { parent }),
    hash,
    who,
    via,
    comment,
    at,
    state,
    ...(reason === null ? {} : { reason }),
  };
}

/** What SQLite says of a file that is not what it should be, and of no other trouble. */
function isDamage(error: InstanceType<typeof Database.SqliteError>): boolean {
  return /^SQLITE_(CORRUPT|NOTADB|FORMAT|SCHEMA|ERROR)/.test(error.code);
}
