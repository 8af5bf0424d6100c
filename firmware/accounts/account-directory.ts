/** Who there is: the users of the configuration in force, or else the one of a new router. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Role } from '../api/account-control.ts';
import { type Configuration, ownEntry } from '../config/schema.ts';
import type { RandomSource } from '../protocol/machine.ts';
import { fingerprint, initialPassword } from './tokens.ts';

/** The only user of a router that has none. */
export const INITIAL_USER = 'admin';

export interface Account {
  readonly user: string;
  readonly role: Role;
  /** Changes with the password. */
  readonly fingerprint: string;
  /** PHC format; absent: the initial password is compared as it is, which nobody but this process knows. */
  readonly hash?: string;
  readonly totp?: string;
}

export class AccountDirectory {
  readonly #configuration: () => Configuration;
  readonly #random: RandomSource;
  #initial: string | undefined;

  constructor(configuration: () => Configuration, random: RandomSource) {
    this.#configuration = configuration;
    this.#random = random;
  }

  /**
   * To be called when another configuration is in force. The initial password is made when there is nobody, and forgotten when there
   * is somebody: each is good until the first user, or the next start, and stands in no file.
   */
  update(): void {
    if (Object.keys(this.#configuration().users).length > 0) this.#initial = undefined;
    else this.#initial ??= initialPassword(this.#random);
  }

  get initialPassword(): string | undefined {
    return this.#initial;
  }

  /** Unless there is none, or it is disabled. */
  find(user: string): Account | undefined {
    if (this.#initial !== undefined) {
      return user === INITIAL_USER
        ? { user, role: 'admin', fingerprint: fingerprint(`initial ${this.#initial}`) }
        : undefined;
    }
    const found = ownEntry(this.#configuration().users, user);
    if (found === undefined || found.disabled) return undefined;
    const { role, password: hash, totp } = found;
    return { user, role, hash, fingerprint: fingerprint(hash), ...(totp !== undefined && { totp }) };
  }

  /** In constant time. */
  isInitial(password: string): boolean {
    const digest = (text: string) => createHash('sha256').update(text).digest();
    return this.#initial !== undefined && timingSafeEqual(digest(password), digest(this.#initial));
  }
}
