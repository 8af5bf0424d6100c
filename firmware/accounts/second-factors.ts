/** Codes of authenticator apps: setting one up, and judging its codes, each of which is taken once. */
import type { Clock } from '../../hal/clock.ts';
import type { AccountRefusal, TotpEnrolment } from '../api/account-administration.ts';
import type { TotpRecord } from '../config/accounts/account-records.ts';
import { readTotpSecret, writeTotpSecret } from '../config/totp-secret.ts';
import type { RandomSource } from '../protocol/machine.ts';
import type { AccountsStore } from './accounts-store.ts';
import { judgeTotp, totpUri } from './totp.ts';

/** As long as the output of HMAC-SHA-1 (RFC 4226 section 4, R6). */
const SECRET_OCTETS = 20;
/** How long a secret waits for its first code, ms. */
const ENROLMENT_MS = 10 * 60_000;

export interface SecondFactorsParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly store: AccountsStore;
}

export class SecondFactors {
  readonly #parts: SecondFactorsParts;
  readonly #used = new Map<string, number>();
  /** Secrets without a first code, by who asked. */
  readonly #waiting = new Map<string, { readonly secret: string; readonly until: number }>();

  constructor(parts: SecondFactorsParts) {
    this.#parts = parts;
  }

  load(records: readonly TotpRecord[]): void {
    for (const { user, step } of records) this.#used.set(user, step);
  }

  /** Whether the code is right, and was not used before. One whose use cannot be written down is not taken. */
  async judge(user: string, secret: string, code: string): Promise<boolean> {
    const octets = readTotpSecret(secret);
    if (octets === undefined) return false;
    const step = judgeTotp(octets, code, this.#parts.clock.wall(), this.#used.get(user));
    if (step === undefined) return false;
    this.#used.set(user, step);
    const written = await this.#parts.store.changeAccounts([{ kind: 'totp', totp: { user, step } }]);
    return written.ok;
  }

  /** @param by whom it is asked for: of one there is one at a time. */
  begin(by: string, user: string, issuer: string): TotpEnrolment {
    const now = this.#parts.clock.now();
    for (const [key, { until }] of this.#waiting) if (now >= until) this.#waiting.delete(key);
    const secret = writeTotpSecret(this.#parts.random.bytes(SECRET_OCTETS));
    this.#waiting.set(by, { secret, until: now + ENROLMENT_MS });
    return { ok: true, secret, uri: totpUri(secret, user, issuer) };
  }

  /** @returns the secret, proved by a code of it. */
  async finish(by: string, user: string, code: string): Promise<string | AccountRefusal> {
    const waiting = this.#waiting.get(by);
    if (waiting === undefined || this.#parts.clock.now() >= waiting.until)
      return { ok: false, reason: 'no second factor waits for its first code', remedy: 'ask for a new one' };
    if (await this.judge(user, waiting.secret, code)) {
      this.#waiting.delete(by);
      return waiting.secret;
    }
    return {
      ok: false,
      reason: 'the code is wrong',
      remedy: "check the phone's clock, and give the code it shows now",
    };
  }
}
