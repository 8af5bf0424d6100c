/** What the rest asks of the accounts of this router: who may log in, and as what. */
export type Role = 'admin' | 'operator' | 'viewer';

export interface LoginAttempt {
  readonly user: string;
  readonly password: string;
  /** Of the second factor, where the account has one: six digits. */
  readonly code?: string;
  /** Whence, for the back-off and the audit log: an address, or `console`. */
  readonly from: string;
}

export type LoginResult =
  | { readonly ok: true; readonly session: LoginSession }
  /** The password is right, and a code is asked for. */
  | { readonly ok: false; readonly needs: 'code' }
  /** In words. `retryAfterSeconds` while the back-off lasts; the same words whether the user exists or not. */
  | { readonly ok: false; readonly reason: string; readonly retryAfterSeconds?: number };

export interface LoginSession {
  /** Secret: whoever has it is the user. 32 octets in base64url. */
  readonly token: string;
  readonly user: string;
  readonly role: Role;
  /** The initial password is still in use: nothing but {@link AccountControl.changePassword} is allowed. */
  readonly mustChangePassword: boolean;
}

export interface AccountControl {
  login(attempt: LoginAttempt): Promise<LoginResult>;
  /** Harmless when it has ended. */
  logout(token: string): Promise<void>;
  /** @returns words when the new one is refused, else `undefined`. */
  changePassword(token: string, current: string, next: string): Promise<string | undefined>;
  /**
   * The initial password of the account `admin`, while nobody has changed it: for the console alone, never for log, API or status.
   */
  initialPassword(): string | undefined;
}
