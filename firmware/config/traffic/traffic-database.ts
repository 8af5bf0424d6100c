/** `traffic.db`: what the rings held when they were flushed. Losing the last quarter of an hour is allowed. */
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { SmallDatabase } from '../small-database.ts';
import { oldestChunk, packChunk, type TrafficChunk, unpackChunk } from './traffic-chunks.ts';
import { RING_NAMES, type RingName } from './traffic-rings.ts';

const FILE_NAME = 'traffic.db';
const TABLES_VERSION = 1;

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

export class TrafficDatabase {
  readonly #database: SmallDatabase;

  constructor(stateDirectory: string) {
    const path = join(stateDirectory, FILE_NAME);
    this.#database = new SmallDatabase({ path, tables: TABLES, version: TABLES_VERSION, synchronous: 'normal' });
  }

  /** A damaged file, or one of a later version, is put aside and a new one begun. @throws SqliteError when there can be none. */
  load(): SavedTraffic {
    const { result, note } = this.#database.load(savedTraffic);
    return note === undefined ? result : { ...result, note: `the traffic of the last year is lost: ${note}` };
  }

  /** All of it or nothing. @throws SqliteError */
  flush(chunks: readonly TrafficChunk[], mark: TrafficMark): void {
    const db = this.#database.open();
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
    this.#database.close();
  }
}

function savedTraffic(db: Database.Database): SavedTraffic {
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
