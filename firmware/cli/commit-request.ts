/** How a command wants a configuration put in force, from its options. */
import { userInfo } from 'node:os';
import type { CommitRequest } from '../api/configuration-control.ts';
import { MAX_COMMENT, MAX_WHO } from '../api/limits.ts';
import { CONFIRM_WITHIN_S } from '../config/commit/commit-types.ts';
import type { Author } from '../config/store/revision.ts';
import { type Context, UsageError } from './command.ts';

/** Who runs this command. */
export function localAuthor(): Author {
  try {
    return { who: userInfo().username.slice(0, MAX_WHO), via: 'cli' };
  } catch {
    // A user id without a name.
    return { who: `uid ${process.getuid?.() ?? 'unknown'}`, via: 'cli' };
  }
}

/** @throws UsageError */
export function commitRequest({ options, author }: Pick<Context, 'options' | 'author'>): CommitRequest {
  const { check, comment = '' } = options;
  const seconds = options['confirm-within'];
  if ([...comment].length > MAX_COMMENT)
    throw new UsageError(`--comment takes up to ${MAX_COMMENT} characters: say it shorter`);
  if (/\p{Cc}/u.test(comment)) throw new UsageError('--comment takes a single line: leave line ends and the like out');
  if (check === true && seconds === undefined) {
    throw new UsageError('--check needs a time within which it passes: write --confirm-within SECONDS, too');
  }
  return {
    ...author,
    comment,
    ...(seconds === undefined ? {} : { confirmWithin: confirmWithin(seconds) }),
    ...(check === true ? { check } : {}),
  };
}

function confirmWithin(text: string): number {
  const { minimum, maximum } = CONFIRM_WITHIN_S;
  const seconds = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= minimum && seconds <= maximum)) {
    throw new UsageError(`--confirm-within needs whole seconds, ${minimum} to ${maximum}, and not "${text}"`);
  }
  return seconds;
}
