/** What is kept of the accounts of this router beside the configuration. Tokens are there as their SHA-256 alone. */

export interface SessionRecord {
  /** For lists and for whoever ends it; 16 hexadecimal digits. */
  readonly id: string;
  /** SHA-256 of the token, 64 hexadecimal digits. */
  readonly hash: string;
  readonly user: string;
  /** Of what proves the user: a changed password ends the session. */
  readonly fingerprint: string;
  readonly via: 'console' | 'web';
  /** An address, `console`, or `web` where nobody said more. */
  readonly from: string;
  /** Wall clock, ms since 1970. */
  readonly createdAt: number;
  /** The same, when it was written down last. */
  readonly usedAt: number;
}

export interface TokenRecord extends Pick<SessionRecord, 'id' | 'hash' | 'user' | 'fingerprint' | 'createdAt'> {
  readonly name: string;
  readonly role: string;
  /** Wall clock, ms since 1970. */
  readonly expiresAt: number;
}

/** Last time step of which a code of the user was taken (RFC 6238 section 5.2). */
export interface TotpRecord {
  readonly user: string;
  readonly step: number;
}

/** `login`: who came in, or did not. They have bounds of their own, so that strangers cannot push the changes out. */
export type AuditKind = 'change' | 'login';

export interface AuditRecord {
  readonly kind: AuditKind;
  /** Wall clock, ms since 1970. */
  readonly at: number;
  readonly who: string;
  readonly via: string;
  readonly from: string;
  /** What was asked for; no body and no query. */
  readonly what: string;
  readonly result: string;
}

export interface SavedAccounts {
  readonly sessions: readonly SessionRecord[];
  readonly tokens: readonly TokenRecord[];
  readonly totp: readonly TotpRecord[];
  /** What became of a damaged file, one sentence without a full stop. */
  readonly note?: string;
}

export type AccountsChange =
  | { readonly kind: 'session'; readonly session: SessionRecord }
  | { readonly kind: 'end-session'; readonly id: string }
  | { readonly kind: 'token'; readonly token: TokenRecord }
  | { readonly kind: 'end-token'; readonly id: string }
  | { readonly kind: 'totp'; readonly totp: TotpRecord };
