/** The sessions that there are. A table without a clock: the time is handed in, monotonic ms. */
import type { SessionRecord } from '../config/accounts/account-records.ts';
import { CONSOLE } from './login-guard.ts';

/** Time without a request after which a session ends, ms. The console has an idle time of its own, which the configuration tells. */
export const IDLE_MS = 30 * 60_000;
/** Time after which a session ends whatever it does, ms: a working day. */
export const ABSOLUTE_MS = 12 * 3_600_000;
/** Of one user; the one that was used longest ago gives way. */
export const MAX_SESSIONS = 8;

export interface Session extends Omit<SessionRecord, 'usedAt' | 'fingerprint'> {
  fingerprint: string;
  /** Monotonic, ms. */
  usedAt: number;
  /** Monotonic, ms: it ends then. */
  readonly endsAt: number;
  /** Its password is being changed: it will be another one's, or none. */
  changing: boolean;
}

export class SessionTable {
  readonly #byHash = new Map<string, Session>();

  get all(): readonly Session[] {
    return [...this.#byHash.values()];
  }

  /** @returns those that had to give way. */
  add(session: Session): readonly Session[] {
    const others = this.all.filter(({ user }) => user === session.user).sort((a, b) => a.usedAt - b.usedAt);
    const tooMany = others.slice(0, Math.max(0, others.length + 1 - MAX_SESSIONS));
    for (const old of tooMany) this.remove(old);
    this.#byHash.set(session.hash, session);
    return tooMany;
  }

  /** Unless its time is over. */
  find(hash: string, now: number): Session | undefined {
    const session = this.#byHash.get(hash);
    return session !== undefined && !isOver(session, now) ? session : undefined;
  }

  byId(id: string): Session | undefined {
    return this.all.find((session) => session.id === id);
  }

  remove(session: Session): void {
    this.#byHash.delete(session.hash);
  }

  over(now: number): readonly Session[] {
    return this.all.filter((session) => isOver(session, now));
  }

  /** When the first of them ends, as it is used now; `undefined` when there is none. */
  get nextEnd(): number | undefined {
    const ends = this.all.map(endOf);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }
}

function isOver(session: Session, now: number): boolean {
  return now >= endOf(session);
}

/** As it is used now. */
function endOf({ via, usedAt, endsAt }: Session): number {
  return via === CONSOLE ? endsAt : Math.min(endsAt, usedAt + IDLE_MS);
}
