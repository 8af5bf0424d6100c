/** What the console of a serial line is told, and what it wants done. */
import type { LoginAttempt, LoginSession } from '../api/account-control.ts';

/** What the banner says; asked for anew each time. */
export interface ConsoleFacts {
  readonly hostname: string;
  readonly version: string;
  /** What people have to know about the configuration, if anything; lines without an end. */
  readonly state: readonly string[];
  /** Of the account `admin`, while nobody has changed it. */
  readonly initialPassword?: string;
}

export type ConsoleOutput =
  /** Characters for the terminal. */
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'login'; readonly attempt: LoginAttempt }
  | { readonly kind: 'change-password'; readonly token: string; readonly current: string; readonly next: string }
  | { readonly kind: 'start-shell'; readonly session: LoginSession }
  /** For the shell, in order. */
  | { readonly kind: 'shell-octets'; readonly octets: Uint8Array; readonly token: string }
  /** The shell is to end; it says when it has. */
  | { readonly kind: 'hang-up' }
  | { readonly kind: 'logout'; readonly token: string };
