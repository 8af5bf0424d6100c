/**
 * `traffic.db`: the history of the traffic on the disk, apart from the configuration, so that whatever becomes of it the
 * configuration is safe.
 *
 * synchronous=NORMAL: a power cut may take the last transactions, and the file stays whole. That is what is wanted: the last
 * quarter of an hour of history is not worth a wait for the card with each write.
 *
 * One row is a piece of one ring with all series in it (`chunk-codec.ts`), so that a flush touches few pages. After each
 * flush the -wal file is copied into the database and cut to nothing: its length just before is what the flush has
 * written, to the octet.
 */
import { closeSync, constants, openSync, renameSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { reasonOf } from '../state-file.ts';
import { decodeChunk, encodeChunk } from './chunk-codec.ts';
import { RING_NAMES, RINGS, type RingName, type RingPlace, type TrafficChunk } from './ring-shape.ts';

const FILE_MODE = 0o600;

/** Of the tables, and of the rows' coding. */
const VERSION = 1;

const PAGE_OCTETS = 4096;

/** Header of a -wal file, octets, and of each page in it (https://sqlite.org/fileformat2.html section 4). */
const WAL_HEADER_OCTETS = 32;
const FRAME_OCTETS = 24 + PAGE_OCTETS;

const TABLES = `
CREATE TABLE chunk (ring TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (ring, number));
CREATE TABLE place (one INTEGER PRIMARY KEY CHECK (one = 1), second INTEGER NOT NULL, wall REAL NOT NULL,
  wear TEXT NOT NULL);
`;

export interface LoadedTraffic {
  readonly place?: RingPlace;
  readonly chunks: readonly TrafficChunk[];
  /** What the wear meter had written down, JSON. */
  readonly wear?: string;
}

interface ChunkRow {
  ring: RingName;
  number: number;
  body: Buffer;
}

export class TrafficDatabase {
  readonly #path: string;
  readonly #db: Database.Database;

  /** @throws DamagedTrafficError; SqliteError or a system's error when it cannot be opened or written. */
  constructor(path: string) {
    this.#path = path;
    const { O_CREAT, O_RDWR, O_NOFOLLOW } = constants;
    closeSync(openSync(path, O_CREAT | O_RDWR | O_NOFOLLOW, FILE_MODE));
    this.#db = new Database(path);
    try {
      this.#prepare();
    } catch (error) {
      this.#db.close();
      throw isDamage(error) ? new DamagedTrafficError(reasonOf(error)) : error;
    }
  }

  /** All of it. @throws DamagedTrafficError. */
  load(): LoadedTraffic {
    try {
      const row = this.#db.prepare<[], RingPlace & { wear: string }>('SELECT second, wall, wear FROM place').get();
      const rows = this.#db.prepare<[], ChunkRow>('SELECT ring, number, body FROM chunk ORDER BY ring, number').all();
      const known = rows.filter(({ ring }) => RING_NAMES.includes(ring));
      const chunks = known.map(({ ring, number, body }) => decodeChunk(ring, number, body));
      return row === undefined ? { chunks } : { place: { second: row.second, wall: row.wall }, chunks, wear: row.wear };
    } catch (error) {
      throw new DamagedTrafficError(reasonOf(error));
    }
  }

  /**
   * Writes pieces in one transaction, and removes what is older than its ring.
   * @returns octets that went to the disk.
   * @throws SqliteError; then nothing was written.
   */
  flush(place: RingPlace, chunks: readonly TrafficChunk[], wear: string): number {
    const encoded = chunks.map((chunk) => ({ ...chunk, body: encodeChunk(chunk) }));
    const put = this.#db.prepare('INSERT OR REPLACE INTO chunk (ring, number, body) VALUES (?, ?, ?)');
    const prune = this.#db.prepare('DELETE FROM chunk WHERE ring = ? AND number < ?');
    this.#db
      .transaction(() => {
        for (const { ring, index, body } of encoded) put.run(ring, index, body);
        for (const ring of RING_NAMES) {
          const { stepSeconds, slots, chunkSlots } = RINGS[ring];
          prune.run(ring, Math.floor((Math.floor(place.second / stepSeconds) - slots) / chunkSlots));
        }
        this.#db
          .prepare('INSERT OR REPLACE INTO place (one, second, wall, wear) VALUES (1, ?, ?, ?)')
          .run(place.second, place.wall, wear);
      })
      .immediate();
    return this.#checkpoint();
  }

  close(): void {
    this.#db.close();
  }

  #prepare(): void {
    this.#db.pragma(`page_size = ${PAGE_OCTETS}`);
    // Nobody else opens this file: without shared memory for the index of the -wal file there is one file less.
    this.#db.pragma('locking_mode = EXCLUSIVE');
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = NORMAL');
    this.#db.pragma('wal_autocheckpoint = 0');
    const findings = this.#db.pragma('quick_check(1)', { simple: true });
    if (findings !== 'ok') throw new DamagedTrafficError(String(findings));
    const version = Number(this.#db.pragma('user_version', { simple: true }));
    // A later version knows more than we do, and it is only history: it is kept aside for that version.
    if (version > VERSION) throw new DamagedTrafficError('it is of a later version of Culvert');
    if (version === VERSION) return;
    this.#db
      .transaction(() => {
        this.#db.exec(TABLES);
        this.#db.pragma(`user_version = ${VERSION}`);
      })
      .immediate();
  }

  /** @returns octets of the -wal file, and of the pages that were copied from it. */
  #checkpoint(): number {
    const written = statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    try {
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // The disk is full: what was committed stays in the -wal file, and the next flush tries to copy it again.
    }
    return written + Math.max(0, Math.floor((written - WAL_HEADER_OCTETS) / FRAME_OCTETS)) * PAGE_OCTETS;
  }
}

/** It is not what it should be; in its message: why. */
export class DamagedTrafficError extends Error {
  override readonly name = 'DamagedTrafficError';
}

/** Moves a damaged database aside, over the one that was kept before. @returns where it is. */
export function putTrafficAside(path: string): string {
  const aside = `${path}.damaged`;
  for (const ending of ['', '-wal', '-shm']) {
    if (statSync(`${path}${ending}`, { throwIfNoEntry: false })) renameSync(`${path}${ending}`, `${aside}${ending}`);
  }
  return aside;
}

/** What SQLite says of a file that is not what it should be, and of no other trouble. */
function isDamage(error: unknown): boolean {
  const damaged = /^SQLITE_(CORRUPT|NOTADB|FORMAT|SCHEMA|ERROR)/;
  return error instanceof DamagedTrafficError || (error instanceof Database.SqliteError && damaged.test(error.code));
}
