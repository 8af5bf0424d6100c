/** A database of the state directory beside the configuration's: what may be lost when its file is damaged, and the router goes on. */
import { closeSync, constants, existsSync, openSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import { reasonOf } from './state-file.ts';

const FILE_MODE = 0o600;
const WAL_OCTETS = 256 * 1024;

/** The file cannot be used as it is. */
class DamagedDatabaseError extends Error {
  override readonly name = 'DamagedDatabaseError';
}

export interface SmallDatabaseOptions {
  readonly path: string;
  /** SQL that makes the tables of an empty one. */
  readonly tables: string;
  /** Of the tables: one of a later version is not touched. */
  readonly version: number;
  /**
   * `full`: what was written has survived the next power cut. `normal`: a power cut may cost the last transactions, and never the
   * file.
   */
  readonly synchronous: 'full' | 'normal';
}

export class SmallDatabase {
  readonly #options: SmallDatabaseOptions;
  #db: Database.Database | undefined;

  constructor(options: SmallDatabaseOptions) {
    this.#options = options;
  }

  /**
   * Runs the task on the open database. A damaged file, or one of a later version, is put aside over what was put aside before, and
   * the task runs on a new one.
   * @returns `note` what became of a damaged file, without a full stop.
   * @throws SqliteError when there can be no database.
   */
  load<T>(task: (db: Database.Database) => T): { readonly result: T; readonly note?: string } {
    try {
      return { result: task(this.open()) };
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.close();
      const note = `${this.#options.path} was damaged (${reasonOf(error)}) and is kept as ${this.#putAside()}`;
      return { result: task(this.open()), note };
    }
  }

  /** @throws SqliteError; the next call begins anew. */
  open(): Database.Database {
    if (this.#db !== undefined) return this.#db;
    const { O_CREAT, O_RDWR, O_NOFOLLOW } = constants;
    closeSync(openSync(this.#options.path, O_CREAT | O_RDWR | O_NOFOLLOW, FILE_MODE));
    const db = new Database(this.#options.path);
    try {
      this.#prepare(db);
    } catch (error) {
      // Half prepared it would be of no use ever after.
      db.close();
      throw error;
    }
    this.#db = db;
    return db;
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  /** @returns where it is. */
  #putAside(): string {
    const { path } = this.#options;
    const aside = `${path}.damaged-1`;
    for (const ending of ['', '-wal', '-shm']) {
      if (existsSync(`${path}${ending}`)) renameSync(`${path}${ending}`, `${aside}${ending}`);
    }
    return aside;
  }

  #prepare(db: Database.Database): void {
    const { tables, version, synchronous } = this.#options;
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${synchronous.toUpperCase()}`);
    db.pragma(`journal_size_limit = ${WAL_OCTETS}`);
    const findings = db.pragma('quick_check(1)', { simple: true });
    if (findings !== 'ok') throw new DamagedDatabaseError(String(findings));
    const found = Number(db.pragma('user_version', { simple: true }));
    if (found > version) throw new DamagedDatabaseError('it is of a later version of Culvert');
    if (found !== version) {
      db.transaction(() => {
        db.exec(tables);
        db.pragma(`user_version = ${version}`);
      }).immediate();
    }
  }
}

function isDamage(error: unknown): boolean {
  if (error instanceof DamagedDatabaseError) return true;
  return error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB|ERROR)/.test(error.code);
}
