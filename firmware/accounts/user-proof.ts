/** Whether somebody is who they say, by password; slower after each failure, and the same whoever is asked for. */
import type { Clock } from '../../hal/clock.ts';
import type { Account, AccountDirectory } from './account-directory.ts';
import { CONSOLE, LoginGuard } from './login-guard.ts';
import { PasswordJudge } from './password-judge.ts';

/** A longer name or password is nobody's, and is not looked at. */
const MAX_OCTETS = 255;

export type Proved =
  | { readonly ok: true; readonly account: Account }
  /** `judged`: it was wrong, and not only too early. Sentences without a full stop. */
  | {
      readonly ok: false;
      readonly judged: boolean;
      readonly reason: string;
      readonly remedy: string;
      readonly retryAfterSeconds?: number;
    };

export class UserProof {
  readonly #directory: AccountDirectory;
  readonly #clock: Clock;
  readonly #guard = new LoginGuard();
  readonly #judge: PasswordJudge;

  constructor(directory: AccountDirectory, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
    this.#judge = new PasswordJudge(directory);
  }

  readonly wrongWords = 'the name, the password or the code is wrong: try again';

  /**
   * Counts as a failure until {@link succeeded} or {@link unfinished} is called.
   * @param from an address, `console`, or `web`.
   */
  async prove(user: string, password: string, from: string): Promise<Proved> {
    const now = this.#clock.now();
    const wait = this.#guard.wait(user, from, now);
    if (wait > 0) return tooEarly('too many attempts have failed', Math.ceil(wait / 1000));
    // Whoever stands before the router does not wait for those on the network.
    if (this.#judge.busy && from !== CONSOLE) return tooEarly('too many log in at the same time', 2);
    // Before it is judged, so that many at once are not all judged as the first.
    this.#guard.begin(user.slice(0, MAX_OCTETS), from, now);
    const fits = Buffer.byteLength(user) <= MAX_OCTETS && Buffer.byteLength(password) <= MAX_OCTETS;
    const account = fits ? this.#directory.find(user) : undefined;
    const right = await this.#judge.judge(fits ? password : '', account);
    // Meanwhile it may have become another password, or nobody's.
    const still = this.#directory.find(user)?.fingerprint === account?.fingerprint;
    if (account !== undefined && right && still) return { ok: true, account };
    return { ok: false, judged: true, reason: 'the name, the password or the code is wrong', remedy: 'try again' };
  }

  succeeded(user: string, from: string): void {
    this.#guard.succeeded(user, from);
  }

  /** It was right, and more is asked for. */
  unfinished(user: string, from: string): void {
    this.#guard.unfinished(user, from);
  }
}

function tooEarly(reason: string, seconds: number): Proved {
  const remedy = `wait ${seconds} s and try again`;
  return { ok: false, judged: false, reason, remedy, retryAfterSeconds: seconds };
}
