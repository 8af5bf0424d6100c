/** The traffic's history as the store's thread keeps it: whatever becomes of the disk is told in words, and survived. */
import { join } from 'node:path';
import { writeTrouble } from '../store/write-trouble.ts';
import { takeWritten } from '../wear/written.ts';
import type { RingPlace, TrafficChunk } from './ring-shape.ts';
import { DamagedTrafficError, type LoadedTraffic, putTrafficAside, TrafficDatabase } from './traffic-database.ts';

const FILE_NAME = 'traffic.db';

export interface TrafficOpening extends LoadedTraffic {
  /** What went wrong, a sentence for the log. */
  readonly note?: string;
}

export type TrafficFlushed =
  | { readonly ok: true; readonly octets: number; readonly written: Readonly<Record<string, number>> }
  /** Sentences without a full stop. Nothing is lost: the next flush writes it. */
  | { readonly ok: false; readonly reason: string; readonly remedy: string };

export class TrafficCore {
  readonly #path: string;
  #database: TrafficDatabase | undefined;

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, FILE_NAME);
  }

  /** Never fails: without a file there is no history, and flushing tries to open it again. */
  open(): TrafficOpening {
    try {
      this.#database = new TrafficDatabase(this.#path);
      return this.#database.load();
    } catch (error) {
      if (error instanceof DamagedTrafficError) return this.#replace(error.message);
      const { reason, remedy } = writeTrouble(error);
      const note = `The history of the traffic cannot be kept on the disk, only in memory: ${reason}; ${remedy}.`;
      return { chunks: [], note };
    }
  }

  /** @param wear what the wear meter wants to find again. */
  flush(place: RingPlace, chunks: readonly TrafficChunk[], wear: string): TrafficFlushed {
    try {
      this.#database ??= new TrafficDatabase(this.#path);
      const octets = this.#database.flush(place, chunks, wear);
      return { ok: true, octets, written: takeWritten() };
    } catch (error) {
      return { ok: false, ...writeTrouble(error) };
    }
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  #replace(why: string): TrafficOpening {
    this.close();
    try {
      const aside = putTrafficAside(this.#path);
      this.#database = new TrafficDatabase(this.#path);
      const note = `The history of the traffic was damaged (${why}): it is kept as ${aside}, and a new one begins.`;
      return { chunks: [], note };
    } catch (error) {
      const { reason, remedy } = writeTrouble(error);
      return {
        chunks: [],
        note: `The history of the traffic is damaged and cannot be put aside: ${reason}; ${remedy}.`,
      };
    }
  }
}
