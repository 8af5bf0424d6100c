/** What the control API serves of accounts, beside logging in. */
import type { Author } from '../config/store/revision.ts';
import type { AccountControl, Role } from './account-control.ts';
import type { auditSchema, sessionsSchema, tokensSchema } from './account-schemas.ts';
import type { Body } from './schema-parts.ts';

/** Who sends a request, and as what. */
export interface Identity {
  /** Of the session or the API token. */
  readonly id: string;
  readonly kind: 'session' | 'token';
  readonly user: string;
  /** By the configuration in force at this moment. */
  readonly role: Role;
  readonly via: 'console' | 'web';
  /** An address, `console`, `web`, or `token NAME`. */
  readonly from: string;
  readonly mustChangePassword: boolean;
}

export type SessionInfo = Body<typeof sessionsSchema>['sessions'][number];
export type TokenInfo = Body<typeof tokensSchema>['tokens'][number];
export type AuditEntry = Body<typeof auditSchema>['entries'][number];

export interface TokenRequest {
  readonly user: string;
  /** 1 to 64 characters, unique among those of the user. */
  readonly name: string;
  /** At most what the user has. */
  readonly role: Role;
  /** Days until it ends, 1 to 366. */
  readonly days: number;
}

/** It was not done; sentences without a full stop. */
export interface AccountRefusal {
  readonly ok: false;
  readonly reason: string;
  readonly remedy: string;
  readonly retryAfterSeconds?: number;
}

export type TokenResult = { readonly ok: true; readonly token: string; readonly info: TokenInfo } | AccountRefusal;

export interface TotpEnrolment {
  readonly ok: true;
  /** Base32. Secret. */
  readonly secret: string;
  /** `otpauth://totp/...`, for an authenticator app. Secret. */
  readonly uri: string;
}

export interface AccountAdministration extends AccountControl {
  /**
   * Of a session or an API token; counts as use of the session.
   * @returns `undefined` when there is none, or it has ended.
   */
  authenticate(token: string): Identity | undefined;
  /** Calls `listener` once, when the session or token ends or its role changes. @returns what takes that back. */
  onEnd(identity: Identity, listener: () => void): () => void;
  sessions(): readonly SessionInfo[];
  /** @returns whether there was one. */
  endSession(id: string): Promise<boolean>;
  /** @param user of whom; absent: of all. */
  tokens(user?: string): readonly TokenInfo[];
  /** @param proof the password of the user once more, and whence it comes; absent: a local administrator asks. */
  createToken(
    request: TokenRequest,
    proof?: { readonly password: string; readonly from: string },
  ): Promise<TokenResult>;
  /** @param user only one of this user. @returns whether there was one. */
  revokeToken(id: string, user?: string): Promise<boolean>;
  /** A new secret, which comes into force once {@link confirmTotp} has a code of it. Of a session alone. */
  beginTotp(token: string, password: string): Promise<TotpEnrolment | AccountRefusal>;
  confirmTotp(token: string, code: string): Promise<{ readonly ok: true } | AccountRefusal>;
  /** The second factor is taken away. */
  endTotp(token: string, password: string): Promise<{ readonly ok: true } | AccountRefusal>;
  /** As {@link beginTotp}: a local administrator asks, for whoever stands there with the app. */
  beginTotpFor(user: string): TotpEnrolment | AccountRefusal;
  confirmTotpFor(user: string, code: string, author: Author): Promise<{ readonly ok: true } | AccountRefusal>;
  /** The newest first. @throws Error in words when it cannot be read. */
  audit(count: number): Promise<readonly AuditEntry[]>;
  /** Writes into the audit log, at this moment; what cannot be written is logged. */
  record(kind: AuditEntry['kind'], entry: Omit<AuditEntry, 'at' | 'kind'>): void;
}
