/** The sessions of the accounts as the console of a line asks for them: by their tokens. */
import type { AccountAdministration } from '../api/account-administration.ts';
import type { SessionPort } from '../serial/session-port.ts';

export type SessionAccounts = Pick<AccountAdministration, 'authenticate' | 'onEnd'>;

export function sessionsOf(accounts: SessionAccounts): SessionPort {
  return {
    onEnd: (token, listener) => {
      const identity = accounts.authenticate(token);
      if (identity !== undefined) accounts.onEnd(identity, listener);
      // It was ended at once. Whoever asks does not expect the answer before they have asked.
      else queueMicrotask(listener);
    },
    used: (token) => void accounts.authenticate(token),
  };
}
