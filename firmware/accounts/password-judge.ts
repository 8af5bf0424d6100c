/** Whether a password is right, in the same time whoever is asked for. */
import { matches, readHash } from '../config/password-hash.ts';
import { TaskQueue } from '../config/task-queue.ts';
import type { Account, AccountDirectory } from './account-directory.ts';

/** Of a password that nobody knows, at the cost of those that are made here: what is computed where there is no account. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmUgIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

/** Attempts that wait for their turn at most: each takes a thread of Node's pool and 19 MiB for some 50 ms. */
export const MAX_WAITING = 16;

export class PasswordJudge {
  readonly #directory: AccountDirectory;
  readonly #turns = new TaskQueue();
  #waiting = 0;

  constructor(directory: AccountDirectory) {
    this.#directory = directory;
  }

  /** Whether nobody else can wait. */
  get busy(): boolean {
    return this.#waiting >= MAX_WAITING;
  }

  /** One at a time. @param account `undefined`: there is none, which takes as long. */
  async judge(password: string, account: Account | undefined): Promise<boolean> {
    this.#waiting += 1;
    try {
      return await this.#turns.run(async () => {
        const hash = readHash(account?.hash ?? NOBODY);
        const right = hash !== undefined && (await matches(password, hash));
        if (account === undefined) return false;
        return account.hash === undefined ? this.#directory.isInitial(password) : right;
      });
    } finally {
      this.#waiting -= 1;
    }
  }
}
