/** `accounts.db`: sessions, API tokens, used codes, and the audit log. */
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { SmallDatabase } from '../small-database.ts';
import type {
  AccountsChange,
  AuditKind,
  AuditRecord,
  SavedAccounts,
  SessionRecord,
  TokenRecord,
  TotpRecord,
} from './account-records.ts';

const FILE_NAME = 'accounts.db';
const TABLES_VERSION = 1;

/** Entries of the audit log that are kept of each kind: years of a branch, and at most some MiB. */
export const MAX_AUDIT: Readonly<Record<AuditKind, number>> = { change: 5000, login: 2000 };

const TABLES = `
  CREATE TABLE session (id TEXT PRIMARY KEY, hash TEXT NOT NULL, user TEXT NOT NULL, fingerprint TEXT NOT NULL,
    via TEXT NOT NULL, origin TEXT NOT NULL, createdAt INTEGER NOT NULL, usedAt INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE token (id TEXT PRIMARY KEY, hash TEXT NOT NULL, user TEXT NOT NULL, fingerprint TEXT NOT NULL,
    name TEXT NOT NULL, role TEXT NOT NULL, createdAt INTEGER NOT NULL, expiresAt INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE totp (user TEXT PRIMARY KEY, step INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL,
    via TEXT NOT NULL, origin TEXT NOT NULL, what TEXT NOT NULL, result TEXT NOT NULL) STRICT;
  CREATE INDEX audit_kind ON audit (kind, id);
`;

/** Every method throws SqliteError when there can be no database. */
export class AccountsDatabase {
  readonly #database: SmallDatabase;

  constructor(stateDirectory: string) {
    const path = join(stateDirectory, FILE_NAME);
    // A session that was ended, and a code that was used, must not come back with a power cut.
    this.#database = new SmallDatabase({ path, tables: TABLES, version: TABLES_VERSION, synchronous: 'full' });
  }

  /** A damaged file, or one of a later version, is put aside and a new one begun. */
  load(): SavedAccounts {
    const { result, note } = this.#database.load(savedAccounts);
    if (note === undefined) return result;
    return { ...result, note: `sessions, API tokens and the audit log are lost: ${note}` };
  }

  /** All of it or nothing. */
  change(changes: readonly AccountsChange[]): void {
    const db = this.#database.open();
    db.transaction(() => {
      for (const change of changes) apply(db, change);
    }).immediate();
  }

  /** The oldest of its kind gives way to it. */
  addAudit({ kind, at, who, via, from, what, result }: AuditRecord): void {
    const db = this.#database.open();
    db.transaction(() => {
      db.prepare('INSERT INTO audit (kind, at, who, via, origin, what, result) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
        kind,
        Math.round(at),
        who,
        via,
        from,
        what,
        result,
      );
      db.prepare(
        'DELETE FROM audit WHERE kind = ? AND id <= (SELECT id FROM audit WHERE kind = ? ORDER BY id DESC LIMIT 1 OFFSET ?)',
      ).run(kind, kind, MAX_AUDIT[kind]);
    }).immediate();
  }

  /** The newest first. @param count at most so many. */
  readAudit(count: number): readonly AuditRecord[] {
    return this.#database
      .open()
      .prepare<[number], AuditRecord>(
        'SELECT kind, at, who, via, origin AS "from", what, result FROM audit ORDER BY id DESC LIMIT ?',
      )
      .all(count);
  }

  close(): void {
    this.#database.close();
  }
}

function savedAccounts(db: Database.Database): SavedAccounts {
  return {
    sessions: db
      .prepare<[], SessionRecord>(
        'SELECT id, hash, user, fingerprint, via, origin AS "from", createdAt, usedAt FROM session ORDER BY createdAt',
      )
      .all(),
    tokens: db
      .prepare<[], TokenRecord>(
        'SELECT id, hash, user, fingerprint, name, role, createdAt, expiresAt FROM token ORDER BY createdAt',
      )
      .all(),
    totp: db.prepare<[], TotpRecord>('SELECT user, step FROM totp').all(),
  };
}

function apply(db: Database.Database, change: AccountsChange): void {
  switch (change.kind) {
    case 'session': {
      const { id, hash, user, fingerprint, via, from, createdAt, usedAt } = change.session;
      const [created, used] = [Math.round(createdAt), Math.round(usedAt)];
      db.prepare('INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
        ...[id, hash, user, fingerprint, via, from, created, used],
      );
      return;
    }
    case 'token': {
      const { id, hash, user, fingerprint, name, role, createdAt, expiresAt } = change.token;
      const [created, expires] = [Math.round(createdAt), Math.round(expiresAt)];
      db.prepare('INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
        ...[id, hash, user, fingerprint, name, role, created, expires],
      );
      return;
    }
    case 'end-session':
      db.prepare('DELETE FROM session WHERE id = ?').run(change.id);
      return;
    case 'end-token':
      db.prepare('DELETE FROM token WHERE id = ?').run(change.id);
      return;
    case 'totp':
      db.prepare('INSERT OR REPLACE INTO totp (user, step) VALUES (?, ?)').run(change.totp.user, change.totp.step);
      return;
  }
}
