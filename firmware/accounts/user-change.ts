/** A change of one user as a commit: passwords and second factors are part of the configuration. */
import type { CommitDesk } from '../config/commit/commit-desk.ts';
import { CURRENT_VERSIONS } from '../config/migrations/migrate.ts';
import { problemText } from '../config/problem.ts';
import type { Author } from '../config/store/revision.ts';
import type { UserConfiguration } from '../config/users-schema.ts';

export interface UserChange {
  /** Clear. */
  readonly password?: string;
  /** Base32; `null` takes it away. */
  readonly totp?: string | null;
  /** For the history. */
  readonly comment: string;
}

/** @returns words when it was refused, without a full stop. */
export type ChangeUser = (user: string, change: UserChange, author: Author) => Promise<string | undefined>;

/** A user who is not there yet becomes an administrator: it is the first one of a new router. */
export function userChanges(desk: Pick<CommitDesk, 'inForce' | 'state' | 'commit'>): ChangeUser {
  return async (user, { password, totp, comment }, author) => {
    const { inForce } = desk;
    const base = desk.state().revision;
    const before: Partial<UserConfiguration> = inForce.users[user] ?? { role: 'admin', disabled: false };
    const { totp: oldTotp, ...rest } = before;
    const newTotp = totp === undefined ? oldTotp : totp;
    const after = {
      ...rest,
      ...(password !== undefined && { password }),
      ...(newTotp !== undefined && newTotp !== null && { totp: newTotp }),
    };
    const document = { ...inForce, users: { ...inForce.users, [user]: after } };
    const outcome = await desk.commit(
      { kind: 'document', document, versions: CURRENT_VERSIONS },
      { ...author, comment, base },
    );
    if (outcome.ok) return undefined;
    if ('reason' in outcome) return `${outcome.reason}; ${outcome.remedy}`;
    const [first] = outcome.problems;
    return first === undefined ? 'the configuration is refused' : problemText(first);
  };
}
