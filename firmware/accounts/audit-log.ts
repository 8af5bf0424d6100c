/** Who changed what, and who came in: one line each, in the store. */
import type { Clock } from '../../hal/clock.ts';
import type { AuditEntry } from '../api/account-administration.ts';
import type { AuditKind } from '../config/accounts/account-records.ts';
import { printable } from '../protocol/printable.ts';
import type { AccountsStore } from './accounts-store.ts';

/** Characters of each part of an entry. */
const MAX_PART = 256;

export interface AuditLogParts {
  readonly clock: Clock;
  readonly store: AccountsStore;
  readonly log: (line: string) => void;
}

export class AuditLog {
  readonly #parts: AuditLogParts;
  #troubled = false;

  constructor(parts: AuditLogParts) {
    this.#parts = parts;
  }

  /** Never throws; what cannot be written is said in the log, once until it works again. */
  async add(kind: AuditKind, entry: Omit<AuditEntry, 'at' | 'kind'>): Promise<void> {
    const { clock, store, log } = this.#parts;
    const part = (text: string) => printable(text).slice(0, MAX_PART);
    const { who, via, from, what, result } = entry;
    const at = clock.wall();
    const record = {
      kind,
      at,
      who: part(who),
      via: part(via),
      from: part(from),
      what: part(what),
      result: part(result),
    };
    try {
      const written = await store.addAudit(record);
      if (!written.ok && !this.#troubled) log(`the audit log cannot be written: ${written.reason}; ${written.remedy}`);
      this.#troubled = !written.ok;
    } catch {
      // The store has ended, and with it the router.
    }
  }

  /** The newest first. @throws Error in words. */
  async read(count: number): Promise<readonly AuditEntry[]> {
    const answer = await this.#parts.store.readAudit(count);
    if (!answer.ok) throw new Error(`the audit log cannot be read: ${answer.reason}; ${answer.remedy}`);
    return answer.records;
  }
}
