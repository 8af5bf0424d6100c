import type { Clock, Timer } from '../../hal/clock.ts';
import type {
  AccountAdministration,
  AccountRefusal,
  AuditEntry,
  Identity,
  SessionInfo,
  TokenInfo,
  TokenRequest,
  TokenResult,
  TotpEnrolment,
} from '../api/account-administration.ts';
import type { LoginAttempt, LoginResult, LoginSession } from '../api/account-control.ts';
import type { AccountsChange } from '../config/accounts/account-records.ts';
import { PASSWORD_ALLOWED, passwordWeakness } from '../config/password-strength.ts';
import type { Configuration } from '../config/schema.ts';
import type { Author } from '../config/store/revision.ts';
import type { RandomSource } from '../protocol/machine.ts';
import { printable } from '../protocol/printable.ts';
import { type Account, AccountDirectory } from './account-directory.ts';
import type { AccountsStore } from './accounts-store.ts';
import { ApiTokens } from './api-tokens.ts';
import { AuditLog } from './audit-log.ts';
import { EndListeners } from './end-listeners.ts';
import { CONSOLE } from './login-guard.ts';
import { SecondFactors } from './second-factors.ts';
import { ABSOLUTE_MS, type Session, SessionTable } from './session-table.ts';
import { isApiToken, newId, sessionToken, tokenHash } from './tokens.ts';
import type { ChangeUser } from './user-change.ts';
import { UserProof } from './user-proof.ts';

export interface AccountsParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly store: AccountsStore;
  /** In force. */
  readonly configuration: () => Configuration;
  readonly changeUser: ChangeUser;
  readonly log: (line: string) => void;
}

const STARTING: AccountRefusal = { ok: false, reason: 'the router is starting', remedy: 'try again in a moment' };
const ENDED: AccountRefusal = { ok: false, reason: 'the session has ended', remedy: 'log in again' };

/**
 * Who may log in, who is logged in, and who did what. Who there is, and as what, is the configuration in force; sessions are held
 * in memory and written down as hashes.
 */
export class Accounts implements AccountAdministration {
  readonly #parts: AccountsParts;
  readonly #directory: AccountDirectory;
  readonly #proof: UserProof;
  readonly #factors: SecondFactors;
  readonly #sessions = new SessionTable();
  readonly #apiTokens: ApiTokens;
  readonly #listeners = new EndListeners();
  readonly #audit: AuditLog;
  #started = false;
  #timer: Timer | undefined;

  constructor(parts: AccountsParts) {
    this.#parts = parts;
    this.#directory = new AccountDirectory(parts.configuration, parts.random);
    this.#proof = new UserProof(this.#directory, parts.clock);
    this.#factors = new SecondFactors(parts);
    this.#apiTokens = new ApiTokens({ ...parts, directory: this.#directory });
    this.#audit = new AuditLog(parts);
  }

  /** Once the first configuration is in force: before, nobody can log in. */
  async start(): Promise<void> {
    const { store, log, clock } = this.#parts;
    const loaded = await store.loadAccounts();
    if (!loaded.ok) log(`earlier sessions and API tokens are not there: ${loaded.reason}; ${loaded.remedy}`);
    else {
      const { sessions, tokens, totp, note } = loaded.saved;
      if (note !== undefined) log(note);
      const [now, wall] = [clock.now(), clock.wall()];
      // A wall clock that was set back must not lengthen anything.
      const since = (at: number) => Math.max(0, wall - at);
      // Whoever was on the console when the program ended is not any more.
      const [gone, others] = [sessions.filter(isOnConsole), sessions.filter((session) => !isOnConsole(session))];
      await this.#save(gone.map(({ id }) => ({ kind: 'end-session', id })));
      for (const { usedAt, createdAt, ...rest } of others) {
        const endsAt = now + Math.min(ABSOLUTE_MS, ABSOLUTE_MS - since(createdAt));
        this.#sessions.add({ ...rest, createdAt, usedAt: now - since(usedAt), endsAt, changing: false });
      }
      this.#apiTokens.load(tokens);
      this.#factors.load(totp);
    }
    this.#started = true;
    this.configurationChanged();
  }

  /** Writes down how long sessions were not used; the store has to be there yet. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    if (this.#started) await this.#save(this.#sessions.all.map((session) => this.#saved(session)));
    this.#started = false;
  }

  /** Another configuration is in force: sessions of whom it does not know by the same password end. */
  configurationChanged(): void {
    if (!this.#started) return;
    this.#directory.update();
    for (const session of this.#sessions.all) if (this.#accountOf(session) === undefined) void this.#end(session);
    this.#listeners.review((id) => this.#roleOf(id));
    this.#sweep();
  }

  initialPassword(): string | undefined {
    return this.#directory.initialPassword;
  }

  async login(attempt: LoginAttempt): Promise<LoginResult> {
    if (!this.#started) return { ok: false, reason: `${STARTING.reason}: ${STARTING.remedy}` };
    const { user, password, code, from } = attempt;
    const proved = await this.#proof.prove(user, password, from);
    if (!proved.ok) {
      if (proved.judged) this.#refused(user, from);
      const { reason, remedy, retryAfterSeconds } = proved;
      const words = `${reason}: ${remedy}`;
      return { ok: false, reason: words, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
    }
    const { account } = proved;
    if (account.totp !== undefined && code === undefined) {
      this.#proof.unfinished(user, from);
      return { ok: false, needs: 'code' };
    }
    if (account.totp !== undefined && !(await this.#factors.judge(account.user, account.totp, code ?? ''))) {
      this.#refused(user, from);
      return { ok: false, reason: this.#proof.wrongWords };
    }
    this.#proof.succeeded(user, from);
    const session = await this.#begin(account, from);
    void this.#audit.add('login', { who: user, via: viaOf(from), from, what: 'log in', result: 'done' });
    return { ok: true, session };
  }

  async logout(token: string): Promise<void> {
    const session = this.#find(token);
    if (session === undefined) return;
    const { user: who, via, from } = session;
    await this.#end(session);
    void this.#audit.add('login', { who, via, from, what: 'log out', result: 'done' });
  }

  async changePassword(token: string, current: string, next: string): Promise<string | undefined> {
    const session = this.#find(token);
    if (session === undefined) return `${ENDED.reason}: ${ENDED.remedy}`;
    const { user } = session;
    const weakness = next === current ? 'the same password once more' : passwordWeakness(user, next);
    if (weakness !== undefined) return `${weakness} is not taken: choose one of ${PASSWORD_ALLOWED}`;
    const proved = await this.#proof.prove(user, current, session.from);
    if (!proved.ok) return `${proved.reason}: ${proved.remedy}`;
    this.#proof.succeeded(user, session.from);
    // The one session that the change must not end.
    session.changing = true;
    let words: string | undefined;
    try {
      const change = { password: next, comment: `password of ${user}` };
      words = await this.#change(session, change, 'change the password');
    } finally {
      session.changing = false;
    }
    const account = this.#directory.find(user);
    if (words === undefined && account !== undefined && this.#sessions.byId(session.id) !== undefined) {
      session.fingerprint = account.fingerprint;
      await this.#save([this.#saved(session)]);
    }
    this.configurationChanged();
    return words;
  }

  authenticate(token: string): Identity | undefined {
    if (!this.#started) return undefined;
    if (isApiToken(token)) return this.#apiTokens.authenticate(tokenHash(token));
    const session = this.#find(token);
    const account = session && this.#accountOf(session);
    if (session === undefined || session.changing || account === undefined) return undefined;
    session.usedAt = this.#parts.clock.now();
    const { id, user, via, from } = session;
    const mustChangePassword = account.hash === undefined;
    return { id, kind: 'session', user, role: account.role, via, from, mustChangePassword };
  }

  onEnd(identity: Identity, listener: () => void): () => void {
    const cancel = this.#listeners.add(identity, listener);
    this.#sweep();
    return cancel;
  }

  sessions(): readonly SessionInfo[] {
    const now = this.#parts.clock.now();
    return this.#sessions.all.flatMap((session) => {
      const { id, user, via, from, createdAt, usedAt } = session;
      const role = this.#accountOf(session)?.role;
      return role === undefined
        ? []
        : [{ id, user, role, via, from, createdAt, idleSeconds: Math.floor((now - usedAt) / 1000) }];
    });
  }

  async endSession(id: string): Promise<boolean> {
    const session = this.#sessions.byId(id);
    if (session !== undefined) await this.#end(session);
    return session !== undefined;
  }

  tokens(user?: string): readonly TokenInfo[] {
    return this.#apiTokens.list(user);
  }

  async createToken(
    request: TokenRequest,
    proof?: { readonly password: string; readonly from: string },
  ): Promise<TokenResult> {
    if (!this.#started) return STARTING;
    if (proof !== undefined) {
      const { password, from } = proof;
      const proved = await this.#proof.prove(request.user, password, from);
      if (!proved.ok) return proved;
      this.#proof.succeeded(request.user, from);
    }
    return await this.#apiTokens.create(request);
  }

  async revokeToken(id: string, user?: string): Promise<boolean> {
    const revoked = await this.#apiTokens.revoke(id, user);
    if (revoked) this.#listeners.end(id);
    return revoked;
  }

  async beginTotp(token: string, password: string): Promise<TotpEnrolment | AccountRefusal> {
    const proved = await this.#proveSession(token, password);
    if (!proved.ok) return proved;
    const { hostname } = this.#parts.configuration().system;
    return this.#factors.begin(proved.session.id, proved.session.user, hostname);
  }

  async confirmTotp(token: string, code: string): Promise<{ readonly ok: true } | AccountRefusal> {
    const session = this.#find(token);
    if (session === undefined) return ENDED;
    const secret = await this.#factors.finish(session.id, session.user, code);
    if (typeof secret !== 'string') return secret;
    return this.#result(
      await this.#change(
        session,
        { totp: secret, comment: `second factor of ${session.user}` },
        'set up the second factor',
      ),
    );
  }

  beginTotpFor(user: string): TotpEnrolment | AccountRefusal {
    if (!this.#started) return STARTING;
    const account = this.#directory.find(user);
    if (account === undefined)
      return { ok: false, reason: `there is no user ${JSON.stringify(user)}`, remedy: 'name one who may log in' };
    if (account.hash === undefined)
      return { ok: false, reason: 'the initial password is still in use', remedy: 'change it first' };
    return this.#factors.begin(`local ${user}`, user, this.#parts.configuration().system.hostname);
  }

  async confirmTotpFor(user: string, code: string, author: Author): Promise<{ readonly ok: true } | AccountRefusal> {
    const secret = await this.#factors.finish(`local ${user}`, user, code);
    if (typeof secret !== 'string') return secret;
    const change = { totp: secret, comment: `second factor of ${user}` };
    return this.#result(await this.#parts.changeUser(user, change, author));
  }

  async endTotp(token: string, password: string): Promise<{ readonly ok: true } | AccountRefusal> {
    const proved = await this.#proveSession(token, password);
    if (!proved.ok) return proved;
    const { session } = proved;
    const comment = `no second factor of ${session.user} any more`;
    return this.#result(await this.#change(session, { totp: null, comment }, 'end the second factor'));
  }

  audit(count: number): Promise<readonly AuditEntry[]> {
    return this.#audit.read(count);
  }

  record(kind: AuditEntry['kind'], entry: Omit<AuditEntry, 'at' | 'kind'>): void {
    void this.#audit.add(kind, entry);
  }

  async #begin(account: Account, from: string): Promise<LoginSession> {
    const { random, clock } = this.#parts;
    const token = sessionToken(random);
    const now = clock.now();
    const session: Session = {
      id: newId(random),
      hash: tokenHash(token),
      user: account.user,
      fingerprint: account.fingerprint,
      via: viaOf(from),
      from,
      createdAt: clock.wall(),
      usedAt: now,
      endsAt: now + ABSOLUTE_MS,
      changing: false,
    };
    const old = this.#sessions.add(session);
    for (const { id } of old) this.#listeners.end(id);
    await this.#save([...old.map(({ id }) => ({ kind: 'end-session', id }) as const), this.#saved(session)]);
    this.#sweep();
    return { token, user: account.user, role: account.role, mustChangePassword: account.hash === undefined };
  }

  async #end(session: Session): Promise<void> {
    this.#sessions.remove(session);
    this.#listeners.end(session.id);
    await this.#save([{ kind: 'end-session', id: session.id }]);
  }

  /** Of a token that is no API token. */
  #find(token: string): Session | undefined {
    return this.#started ? this.#sessions.find(tokenHash(token), this.#parts.clock.now()) : undefined;
  }

  /** As long as it is proved by what proved it when the session began, or that is just being changed. */
  #accountOf({ user, fingerprint, changing }: Session): Account | undefined {
    const account = this.#directory.find(user);
    return account?.fingerprint === fingerprint || changing ? account : undefined;
  }

  #roleOf(id: string): string | undefined {
    const session = this.#sessions.byId(id);
    return session === undefined ? this.#apiTokens.roleOf(id) : this.#accountOf(session)?.role;
  }

  async #proveSession(
    token: string,
    password: string,
  ): Promise<{ readonly ok: true; readonly session: Session } | AccountRefusal> {
    const session = this.#find(token);
    if (session === undefined) return ENDED;
    const proved = await this.#proof.prove(session.user, password, session.from);
    if (!proved.ok) return proved;
    this.#proof.succeeded(session.user, session.from);
    return { ok: true, session };
  }

  async #change(session: Session, change: Parameters<ChangeUser>[1], what: string): Promise<string | undefined> {
    const { user: who, via, from } = session;
    const words = await this.#parts.changeUser(who, change, { who, via });
    void this.#audit.add('change', { who, via, from, what, result: words ?? 'done' });
    return words;
  }

  #result(words: string | undefined): { readonly ok: true } | AccountRefusal {
    return words === undefined ? { ok: true } : { ok: false, reason: words, remedy: 'try again when that is in order' };
  }

  /** A name that nobody has may be a password in the wrong field. */
  #refused(user: string, from: string): void {
    const who = this.#directory.find(user) === undefined ? '-' : user;
    const via = viaOf(from);
    this.#parts.log(
      `a login as ${who === '-' ? 'nobody who is known' : printable(who)} from ${printable(from)} was refused`,
    );
    void this.#audit.add('login', { who, via, from, what: 'log in', result: 'refused' });
  }

  #saved({ changing: _, endsAt: __, ...rest }: Session): AccountsChange {
    const { clock } = this.#parts;
    return { kind: 'session', session: { ...rest, usedAt: clock.wall() - (clock.now() - rest.usedAt) } };
  }

  async #save(changes: readonly AccountsChange[]): Promise<void> {
    if (changes.length === 0) return;
    try {
      const written = await this.#parts.store.changeAccounts(changes);
      if (!written.ok) this.#parts.log(`sessions cannot be written down: ${written.reason}; ${written.remedy}`);
    } catch {
      // The store has ended, and with it the router.
    }
  }

  /** Ends what is over, and looks again when the next one is. */
  #sweep(): void {
    const { clock } = this.#parts;
    this.#timer?.cancel();
    const now = clock.now();
    for (const session of this.#sessions.over(now)) void this.#end(session);
    for (const id of this.#apiTokens.sweep()) this.#listeners.end(id);
    const ends = [this.#sessions.nextEnd, this.#apiTokens.nextEnd(now)].filter((end) => end !== undefined);
    if (ends.length > 0) this.#timer = clock.setTimer(Math.min(...ends), () => this.#sweep());
  }
}

function isOnConsole({ via }: Pick<Session, 'via'>): boolean {
  return via === CONSOLE;
}

function viaOf(from: string): Session['via'] {
  return from === CONSOLE ? CONSOLE : 'web';
}
