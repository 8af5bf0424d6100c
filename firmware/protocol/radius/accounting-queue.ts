/**
 * Accounting records that wait to be told (RFC 2866 section 2: the client keeps trying until it is acknowledged). What a
 * later record of the session says better is left out, so that a day without a server costs little.
 */
import type { Instant } from '../machine.ts';
import type { AccountingRecord } from './client-types.ts';

/** Records that wait, at most: some four for each of a thousand sessions. */
export const MAX_RECORDS = 4096;

export interface QueuedRecord extends AccountingRecord {
  /** When it happened. */
  readonly at: Instant;
}

export class AccountingQueue {
  readonly #waiting: QueuedRecord[] = [];
  readonly #underWay = new Map<number, QueuedRecord>();
  readonly #busy = new Set<string>();

  /** Records that nobody has acknowledged. */
  get length(): number {
    return this.#waiting.length + this.#underWay.size;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** @returns how many records were thrown away to make room. */
  push(record: QueuedRecord): number {
    if (record.event === 'interim' || record.event === 'stop') {
      // Counters only grow: a newer record has all that an older interim update has.
      this.#drop((old) => old.session === record.session && old.event === 'interim');
    }
    this.#waiting.push(record);
    if (this.length <= MAX_RECORDS) return 0;
    if (!this.#drop((old) => old.event === 'interim')) this.#waiting.shift();
    return 1;
  }

  /**
   * The oldest record of a session none of whose records is under way. Accounting-On and -Off end every session at the
   * server (RFC 2866 section 5.1), and so neither passes another record nor is passed.
   */
  peek(): QueuedRecord | undefined {
    const first = this.#waiting[0];
    if (first === undefined || this.#alone) return undefined;
    if (ofAllSessions(first)) return this.#underWay.size === 0 ? first : undefined;
    for (const record of this.#waiting) {
      if (ofAllSessions(record)) return undefined;
      if (!this.#busy.has(record.session)) return record;
    }
    return undefined;
  }

  /** The record goes out as that question. */
  begin(record: QueuedRecord, question: number): void {
    this.#waiting.splice(this.#waiting.indexOf(record), 1);
    this.#underWay.set(question, record);
    this.#busy.add(record.session);
  }

  /** @returns whether that question was a record. */
  acknowledged(question: number): boolean {
    return this.#finish(question) !== undefined;
  }

  /** Nobody took it: it waits again, in its old place. @returns whether that question was a record. */
  returned(question: number): boolean {
    const record = this.#finish(question);
    if (record === undefined) return false;
    const superseded = record.event === 'interim' && this.#waiting.some(({ session }) => session === record.session);
    if (!superseded) this.#waiting.unshift(record);
    return true;
  }

  /** Whether a record is under way that concerns all sessions. */
  get #alone(): boolean {
    const [record] = this.#underWay.values();
    return record !== undefined && ofAllSessions(record);
  }

  #finish(question: number): QueuedRecord | undefined {
    const record = this.#underWay.get(question);
    if (record !== undefined) {
      this.#underWay.delete(question);
      this.#busy.delete(record.session);
    }
    return record;
  }

  #drop(which: (record: QueuedRecord) => boolean): boolean {
    const index = this.#waiting.findIndex(which);
    if (index >= 0) this.#waiting.splice(index, 1);
    return index >= 0;
  }
}

function ofAllSessions({ event }: QueuedRecord): boolean {
  return event === 'on' || event === 'off';
}
