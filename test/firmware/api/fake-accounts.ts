/** Accounts without passwords: whoever says a role as the token has that role. */

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
} from '../../../firmware/api/account-administration.ts';
import type { LoginAttempt, LoginResult, Role } from '../../../firmware/api/account-control.ts';

const COMMON = { id: '0'.repeat(16), via: 'web', from: '192.0.2.7', mustChangePassword: false } as const;
const session = (role: Role, user: string): Identity => ({ ...COMMON, kind: 'session', role, user });

export const IDENTITIES: Readonly<Record<string, Identity>> = {
  viewer: session('viewer', 'vera'),
  operator: session('operator', 'otto'),
  admin: session('admin', 'anna'),
  initial: { ...session('admin', 'admin'), mustChangePassword: true },
  'admin-token': { ...session('admin', 'anna'), kind: 'token', from: 'token backup' },
};

export const TOKEN: TokenInfo = {
  ...{ id: 'a'.repeat(16), name: 'backup', user: 'anna', role: 'viewer', createdAt: 1, expiresAt: 2 },
};

/** Answers what it is told to, and remembers what it was asked. */
export class FakeAccounts implements AccountAdministration {
  readonly asked: unknown[][] = [];
  readonly recorded: unknown[] = [];
  readonly listeners = new Set<() => void>();
  loginResult: LoginResult = { ok: false, reason: 'wrong' };
  doneResult: { readonly ok: true } | AccountRefusal = { ok: true };
  tokenResult: TokenResult = { ok: true, token: 'culvert_secret', info: TOKEN };
  words: string | undefined;
  gone = false;

  authenticate(token: string): Identity | undefined {
    return this.gone || !Object.hasOwn(IDENTITIES, token) ? undefined : IDENTITIES[token];
  }

  onEnd(_identity: Identity, listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async login(attempt: LoginAttempt): Promise<LoginResult> {
    this.asked.push(['login', attempt]);
    return this.loginResult;
  }

  async logout(token: string): Promise<void> {
    this.asked.push(['logout', token]);
  }

  async changePassword(...parameters: readonly string[]): Promise<string | undefined> {
    this.asked.push(['changePassword', ...parameters]);
    return this.words;
  }

  initialPassword(): string | undefined {
    return 'k7mq-2fxh-9abc-wz4e';
  }

  sessions(): readonly SessionInfo[] {
    return [
      {
        ...{ id: '0'.repeat(16), user: 'anna', role: 'admin', via: 'web', from: '192.0.2.7' },
        createdAt: 1,
        idleSeconds: 2,
      },
    ];
  }

  async endSession(id: string): Promise<boolean> {
    this.asked.push(['endSession', id]);
    return id === '0'.repeat(16);
  }

  tokens(user?: string): readonly TokenInfo[] {
    this.asked.push(['tokens', user]);
    return [TOKEN];
  }

  async createToken(request: TokenRequest, proof?: object): Promise<TokenResult> {
    this.asked.push(['createToken', request, proof]);
    return this.tokenResult;
  }

  async revokeToken(id: string, user?: string): Promise<boolean> {
    this.asked.push(['revokeToken', id, user]);
    return id === TOKEN.id;
  }

  async beginTotp(token: string, password: string): Promise<TotpEnrolment | AccountRefusal> {
    this.asked.push(['beginTotp', token, password]);
    return { ok: true, secret: 'ABC', uri: 'otpauth://totp/x' };
  }

  async confirmTotp(token: string, code: string): Promise<{ readonly ok: true } | AccountRefusal> {
    this.asked.push(['confirmTotp', token, code]);
    return this.doneResult;
  }

  beginTotpFor(user: string): TotpEnrolment | AccountRefusal {
    this.asked.push(['beginTotpFor', user]);
    return { ok: true, secret: 'ABC', uri: 'otpauth://totp/x' };
  }

  async confirmTotpFor(...parameters: readonly unknown[]): Promise<{ readonly ok: true } | AccountRefusal> {
    this.asked.push(['confirmTotpFor', ...parameters]);
    return this.doneResult;
  }

  async endTotp(token: string, password: string): Promise<{ readonly ok: true } | AccountRefusal> {
    this.asked.push(['endTotp', token, password]);
    return this.doneResult;
  }

  async audit(count: number): Promise<readonly AuditEntry[]> {
    this.asked.push(['audit', count]);
    return [
      { kind: 'change', at: 1, who: 'anna', via: 'web', from: '192.0.2.7', what: 'PUT /v1/config', result: 'done' },
    ];
  }

  record(kind: AuditEntry['kind'], entry: Omit<AuditEntry, 'at' | 'kind'>): void {
    this.recorded.push({ kind, ...entry });
  }
}
