/** Accounts over a real store and commit desk on a folder of their own, with a simulated clock. */
import { Accounts } from '../../../firmware/accounts/accounts.ts';
import { totpCode } from '../../../firmware/accounts/totp.ts';
import { userChanges } from '../../../firmware/accounts/user-change.ts';
import type { LoginSession } from '../../../firmware/api/account-control.ts';
import { readTotpSecret } from '../../../firmware/config/totp-secret.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { StoreBench } from '../config/store/store-bench.ts';

export const PASSWORDS = { alice: 'seven blue lamps', bob: 'nine green doors' } as const;
export const ADDRESS = '192.0.2.7';

export class AccountsBench {
  readonly store = new StoreBench();
  readonly log: string[] = [];
  accounts: Accounts;

  constructor() {
    this.accounts = this.#make(1);
  }

  async start(): Promise<void> {
    this.store.onEnforce = async () => {
      this.accounts.configurationChanged();
      return { changes: [], failures: [] };
    };
    await this.store.start();
    await this.accounts.start();
  }

  /** As after the end of the program. */
  async restart(): Promise<void> {
    await this.accounts.stop();
    await this.store.restart();
    this.accounts = this.#make(2);
    await this.accounts.start();
  }

  /** Puts users in force; without a password of their own they have that of {@link PASSWORDS}. */
  async users(users: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Promise<void> {
    const passwords: Readonly<Record<string, string>> = PASSWORDS;
    const filled = Object.entries(users).map(([name, user]) => [name, { password: passwords[name], ...user }]);
    const outcome = await this.store.commit(JSON.stringify({ users: Object.fromEntries(filled) }));
    if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  }

  /** alice is admin, bob operator. */
  async twoUsers(): Promise<void> {
    await this.users({ alice: { role: 'admin' }, bob: { role: 'operator' } });
  }

  async login(user: keyof typeof PASSWORDS, from = ADDRESS): Promise<LoginSession> {
    const result = await this.accounts.login({ user, password: PASSWORDS[user], from });
    if (!result.ok) throw new Error(JSON.stringify(result));
    return result.session;
  }

  /** What an authenticator app shows now. @param later steps. */
  code(secret: string, later = 0): string {
    const octets = readTotpSecret(secret) ?? Buffer.alloc(0);
    return totpCode(octets, Math.floor(this.store.clock.wall() / 30_000) + later);
  }

  async end(): Promise<void> {
    await this.accounts.stop();
    await this.store.end();
  }

  #make(seed: number): Accounts {
    const { clock } = this.store;
    const store = this.store;
    return new Accounts({
      clock,
      random: new SeededRandom(seed),
      store: store.store,
      configuration: () => store.desk.inForce,
      changeUser: (...parameters) => userChanges(store.desk)(...parameters),
      log: (line) => this.log.push(line),
    });
  }
}
