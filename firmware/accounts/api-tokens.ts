/** API tokens: for programs, with a name, a role of their own and an end. */
import type { Clock } from '../../hal/clock.ts';
import type { AccountRefusal, Identity, TokenInfo, TokenRequest, TokenResult } from '../api/account-administration.ts';
import type { Role } from '../api/account-control.ts';
import type { AccountsChange, TokenRecord } from '../config/accounts/account-records.ts';
import { ROLES } from '../config/users-schema.ts';
import type { RandomSource } from '../protocol/machine.ts';
import type { AccountDirectory } from './account-directory.ts';
import type { AccountsStore } from './accounts-store.ts';
import { apiToken, newId, tokenHash } from './tokens.ts';

const DAY_MS = 86_400_000;
/** Of all users together. */
export const MAX_TOKENS = 64;

export interface ApiTokensParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly store: AccountsStore;
  readonly directory: AccountDirectory;
}

export class ApiTokens {
  readonly #parts: ApiTokensParts;
  readonly #byHash = new Map<string, TokenRecord>();

  constructor(parts: ApiTokensParts) {
    this.#parts = parts;
  }

  load(records: readonly TokenRecord[]): void {
    for (const record of records) this.#byHash.set(record.hash, record);
  }

  authenticate(hash: string): Identity | undefined {
    const token = this.#byHash.get(hash);
    const role = token && this.#role(token);
    if (token === undefined || role === undefined) return undefined;
    const { id, user, name } = token;
    return { id, kind: 'token', user, role, via: 'web', from: `token ${name}`, mustChangePassword: false };
  }

  roleOf(id: string): Role | undefined {
    const token = this.#find(id);
    return token && this.#role(token);
  }

  list(user?: string): readonly TokenInfo[] {
    return [...this.#byHash.values()].flatMap((token) => {
      const role = this.#role(token);
      if (role === undefined || (user !== undefined && token.user !== user)) return [];
      const { id, name, createdAt, expiresAt } = token;
      return [{ id, name, user: token.user, role, createdAt, expiresAt }];
    });
  }

  async create({ user, name, role, days }: TokenRequest): Promise<TokenResult> {
    const { clock, random, store, directory } = this.#parts;
    const account = directory.find(user);
    if (account === undefined) return refusal(`there is no user ${JSON.stringify(user)}`, 'name one who may log in');
    if (account.hash === undefined) return refusal('the initial password is still in use', 'change it first');
    if (leastOf(role, account.role) !== role)
      return refusal(
        `${user} is ${account.role}, and cannot give more`,
        `choose the role ${account.role}, or a lesser one`,
      );
    const live = this.list();
    if (live.some((token) => token.user === user && token.name === name))
      return refusal(`${user} has a token of that name`, 'revoke that one first, or choose another name');
    if (live.length >= MAX_TOKENS) return refusal(`there are ${MAX_TOKENS} tokens already`, 'revoke one first');
    const token = apiToken(random);
    const at = clock.wall();
    const record: TokenRecord = {
      ...{ id: newId(random), hash: tokenHash(token), user, fingerprint: account.fingerprint },
      ...{ name, role, createdAt: at, expiresAt: at + days * DAY_MS },
    };
    const dead = [...this.#byHash.values()].filter((other) => this.#role(other) === undefined);
    const removals = dead.map(({ id }): AccountsChange => ({ kind: 'end-token', id }));
    const written = await store.changeAccounts([...removals, { kind: 'token', token: record }]);
    if (!written.ok) return refusal(`it cannot be written down: ${written.reason}`, written.remedy);
    for (const { hash } of dead) this.#byHash.delete(hash);
    this.#byHash.set(record.hash, record);
    const { id, createdAt, expiresAt } = record;
    return { ok: true, token, info: { id, name, user, role, createdAt, expiresAt } };
  }

  /** @throws Error in words when that cannot be written down: it would be back after the next start. */
  async revoke(id: string, user?: string): Promise<boolean> {
    const token = this.#find(id);
    if (token === undefined || (user !== undefined && token.user !== user)) return false;
    this.#byHash.delete(token.hash);
    const written = await this.#parts.store.changeAccounts([{ kind: 'end-token', id }]);
    if (!written.ok) throw new Error(`The token is revoked until the next start only: ${written.reason}.`);
    return true;
  }

  /** @returns the ids of those that are over. */
  sweep(): readonly string[] {
    const wall = this.#parts.clock.wall();
    return [...this.#byHash.values()].filter(({ expiresAt }) => wall >= expiresAt).map(({ id }) => id);
  }

  /** Monotonic, ms. */
  nextEnd(now: number): number | undefined {
    const wall = this.#parts.clock.wall();
    const left = [...this.#byHash.values()].map(({ expiresAt }) => expiresAt - wall).filter((rest) => rest > 0);
    return left.length === 0 ? undefined : now + Math.min(...left, DAY_MS);
  }

  #find(id: string): TokenRecord | undefined {
    return [...this.#byHash.values()].find((token) => token.id === id);
  }

  /** At most what its user has at this moment; `undefined` when it is good for nothing any more. */
  #role({ user, fingerprint, role, expiresAt }: TokenRecord): Role | undefined {
    const account = this.#parts.directory.find(user);
    if (account?.fingerprint !== fingerprint || this.#parts.clock.wall() >= expiresAt) return undefined;
    const own = ROLES.find((known) => known === role);
    return own && leastOf(own, account.role);
  }
}

function leastOf(a: Role, b: Role): Role {
  return ROLES.indexOf(a) < ROLES.indexOf(b) ? a : b;
}

function refusal(reason: string, remedy: string): AccountRefusal {
  return { ok: false, reason, remedy };
}
