/** Accounts in memory: each with a password, perhaps a code, and a role. */
import type { Identity } from '../../firmware/api/account-administration.ts';
import type {
  AccountControl,
  LoginAttempt,
  LoginResult,
  LoginSession,
  Role,
} from '../../firmware/api/account-control.ts';

export interface FakeAccount {
  password: string;
  readonly role: Role;
  readonly code?: string;
  /** Its password is the initial one. */
  initial?: boolean;
}

export class FakeAccounts implements AccountControl {
  readonly accounts: Record<string, FakeAccount>;
  /** Seconds that the next refusal asks to wait. */
  retryAfterSeconds: number | undefined;
  readonly attempts: LoginAttempt[] = [];
  /** Tokens that were used, each time. */
  readonly used: string[] = [];
  readonly sessions = new Map<string, LoginSession>();
  readonly #onEnd = new Map<string, Set<() => void>>();
  #count = 0;

  constructor(accounts: Record<string, FakeAccount>) {
    this.accounts = accounts;
  }

  async login(attempt: LoginAttempt): Promise<LoginResult> {
    this.attempts.push(attempt);
    const account = this.accounts[attempt.user];
    if (account === undefined || account.password !== attempt.password) {
      const { retryAfterSeconds } = this;
      const reason = 'the user or the password is wrong';
      return { ok: false, reason, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    }
    if (account.code !== undefined && attempt.code === undefined) return { ok: false, needs: 'code' };
    if (account.code !== attempt.code) return { ok: false, reason: 'the code is wrong' };
    this.#count += 1;
    const { role, initial = false } = account;
    const session = { token: `token ${this.#count}`, user: attempt.user, role, mustChangePassword: initial };
    this.sessions.set(session.token, session);
    return { ok: true, session };
  }

  async logout(token: string): Promise<void> {
    this.sessions.delete(token);
    const listeners = this.#onEnd.get(token) ?? [];
    this.#onEnd.delete(token);
    for (const listener of listeners) listener();
  }

  authenticate(token: string): Identity | undefined {
    const session = this.sessions.get(token);
    if (session === undefined) return undefined;
    this.used.push(token);
    const { user, role, mustChangePassword } = session;
    return { id: token, kind: 'session', user, role, via: 'console', from: 'console', mustChangePassword };
  }

  onEnd({ id }: Identity, listener: () => void): () => void {
    const listeners = this.#onEnd.get(id) ?? new Set();
    this.#onEnd.set(id, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  async changePassword(token: string, current: string, next: string): Promise<string | undefined> {
    const account = this.accounts[this.sessions.get(token)?.user ?? ''];
    if (account === undefined || account.password !== current) return 'you are not logged in any more';
    if (next.length < 8) return 'it is shorter than 8 characters: take a longer one';
    account.password = next;
    account.initial = false;
    return undefined;
  }

  initialPassword(): string | undefined {
    return Object.values(this.accounts).find(({ initial }) => initial === true)?.password;
  }
}
