/** `traffic.db`: what the rings held when they were flushed. Losing the last quarter of an hour is allowed. */
import { closeSync, constants, existsSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { reasonOf } from '../state-file.ts';
import { oldestChunk, packChunk, type TrafficChunk, unpackChunk } from './traffic-chunks.ts';
import { RING_NAMES, type RingName } from './traffic-rings.ts';

const FILE_NAME = 'traffic.db';
const FILE_MODE = 0o600;
const TABLES_VERSION = 1;
const WAL_OCTETS = 256 * 1024;

/** In the order of time, so that what a flush writes lies together in few pages. */
const TABLES = `
  CREATE TABLE chunk (
    ring TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    name TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (ring, chunk, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mark (one INTEGER PRIMARY KEY CHECK (one = 1), time REAL NOT NULL, wall INTEGER NOT NULL,
    day INTEGER NOT NULL, octets INTEGER NOT NULL) STRICT;
`;

/** Where the recorder stood at a flush. */
export interface TrafficMark {
  /** Logical time of the rings, ms. */
  readonly time: number;
  /** Wall clock, ms since 1970. */
  readonly wall: number;
  /** Day since 1970 for which `octets` counts what was written to the disk. */
  readonly day: number;
  readonly octets: number;
}

export interface SavedTraffic {
  readonly mark?: TrafficMark;
  readonly chunks: readonly TrafficChunk[];
  /** What became of a damaged file, one sentence without a full stop. */
  readonly note?: string;
}

class DamagedTrafficError extends Error {
  override readonly name = 'DamagedTrafficError';
}

function isDamage(error: unknown): boolean {
  if (error instanceof DamagedTrafficError) return true;
  return error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB|ERROR)/.test(error.code);
}

export class TrafficDatabase {
  readonly #path: string;
  #db: Database.Database | undefined;

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, FILE_NAME);
  }

  /** A damaged file, or one of a later version, is put aside and a new one begun. @throws SqliteError when there can be none. */
  load(): SavedTraffic {
    try {
      return this.#load();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.close();
      const why = `${this.#path} was damaged (${reasonOf(error)}) and is kept as ${this.#putAside()}`;
      const note = `the traffic of the last year is lost: ${why}`;
      return { ...this.#load(), note };
    }
  }

  /** All of it or nothing. @throws SqliteError */
  flush(chunks: readonly TrafficChunk[], mark: TrafficMark): void {
    const db = this.#open();
    const packed = chunks.map((chunk) => ({ ...chunk, data: packChunk(chunk) }));
    db.transaction(() => {
      const put = db.prepare('INSERT OR REPLACE INTO chunk (name, ring, chunk, data) VALUES (?, ?, ?, ?)');
      for (const { name, ring, chunk, data } of packed) put.run(name, ring, chunk, data);
      const old = db.prepare('DELETE FROM chunk WHERE ring = ? AND chunk < ?');
      for (const ring of RING_NAMES) old.run(ring, oldestChunk(mark.time, ring));
      db.prepare('INSERT OR REPLACE INTO mark (one, time, wall, day, octets) VALUES (1, ?, ?, ?, ?)').run(
        mark.time,
        Math.round(mark.wall),
        mark.day,
        Math.round(mark.octets),
      );
    }).immediate();
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  /** Over what was kept before: one is enough to look into. @returns where it is. */
  #putAside(): string {
    const aside = `${this.#path}.damaged-1`;
    for (const ending of ['', '-wal', '-shm']) {
      if (existsSync(`${this.#path}${ending}`)) renameSync(`${this.#path}${ending}`, `${aside}${ending}`);
    }
    return aside;
  }

  #load(): SavedTraffic {
    const db = this.#open();
    const mark = db.prepare<[], TrafficMark>('SELECT time, wall, day, octets FROM mark').get();
    const rows = db
      .prepare<[], { name: string; ring: RingName; chunk: number; data: Uint8Array }>(
        'SELECT name, ring, chunk, data FROM chunk ORDER BY ring, chunk, name',
      )
      .all();
    const chunks = rows.flatMap(({ name, ring, chunk, data }) => {
      const values = RING_NAMES.includes(ring) ? unpackChunk(data, ring) : undefined;
      return values === undefined ? [] : [{ name, ring, chunk, values }];
    });
    return { ...(mark === undefined ? {} : { mark }), chunks };
  }

  #open(): Database.Database {
    if (this.#db !== undefined) return this.#db;
    const { O_CREAT, O_RDWR, O_NOFOLLOW } = constants;
    closeSync(openSync(this.#path, O_CREAT | O_RDWR | O_NOFOLLOW, FILE_MODE));
    const db = new Database(this.#path);
    try {
      prepare(db);
    } catch (error) {
      // Half prepared it would be of no use ever after; the next call begins anew.
      db.close();
      throw error;
    }
    this.#db = db;
    return db;
  }
}

function prepare(db: Database.Database): void {
  db.pragma('locking_mode = EXCLUSIVE');
  db.pragma('journal_mode = WAL');
  // Without a sync per flush a power cut may cost the last flushes, and never the file.
  db.pragma('synchronous = NORMAL');
  db.pragma(`journal_size_limit = ${WAL_OCTETS}`);
  const findings = db.pragma('quick_check(1)', { simple: true });
  if (findings !== 'ok') throw new DamagedTrafficError(String(findings));
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > TABLES_VERSION) throw new DamagedTrafficError('it is of a later version of Culvert');
  if (version !== TABLES_VERSION) {
    db.transaction(() => {
      db.exec(TABLES);
      db.pragma(`user_version = ${TABLES_VERSION}`);
    }).immediate();
  }
}
