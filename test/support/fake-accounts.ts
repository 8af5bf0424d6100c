/** Accounts in memory: each with a password, perhaps a code, and a role. */
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
  readonly sessions = new Map<string, LoginSession>();
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
