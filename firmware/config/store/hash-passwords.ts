/** Passwords of users in clear become hashes before anything is compared or written down. */
import type { RandomSource } from '../../protocol/machine.ts';
import { hashPassword, isHashText, matchesSync, readHash } from '../password-hash.ts';
import { passwordWeakness } from '../password-strength.ts';
import { REDACTED } from '../redact.ts';
import type { Configuration } from '../schema.ts';
import { isObject } from '../schema-node.ts';

/**
 * A copy of the document, which need not be complete, with a hash in the place of every clear password; the document itself where
 * there is none. A password whose hash is in force already keeps it, so that giving it once more changes nothing. A weak one stays,
 * for the rules to refuse. Takes up to 100 ms for each.
 */
export function hashPasswords<T>(document: T, inForce: Configuration, random: RandomSource): T;
export function hashPasswords(document: unknown, inForce: Configuration, random: RandomSource): unknown {
  if (!isObject(document) || !isObject(document['users'])) return document;
  const users: Record<string, unknown> = Object.create(null);
  let changed = false;
  for (const [name, user] of Object.entries(document['users'])) {
    const password = isObject(user) ? user['password'] : undefined;
    if (typeof password !== 'string' || !isObject(user) || !isClear(name, password)) {
      users[name] = user;
      continue;
    }
    const before = Object.hasOwn(inForce.users, name) ? readHash(inForce.users[name]?.password ?? '') : undefined;
    const kept = before !== undefined && matchesSync(password, before);
    users[name] = { ...user, password: kept ? inForce.users[name]?.password : hashPassword(password, random) };
    changed = true;
  }
  return changed ? { ...document, users } : document;
}

/**
 * A copy of a draft with stars for what proves a user and is in force: they are filled in when it is committed, so that a draft
 * that was begun earlier does not bring a password back which its user has changed meanwhile.
 */
export function starUsersInForce(document: unknown, inForce: Configuration): unknown {
  if (!isObject(document) || !isObject(document['users'])) return document;
  const users: Record<string, unknown> = Object.create(null);
  for (const [name, user] of Object.entries(document['users'])) {
    const known = Object.hasOwn(inForce.users, name) ? inForce.users[name] : undefined;
    if (!isObject(user) || known === undefined) users[name] = user;
    else {
      const proofs = (['password', 'totp'] as const).filter(
        (key) => user[key] !== undefined && user[key] === known[key],
      );
      users[name] = { ...user, ...Object.fromEntries(proofs.map((key) => [key, REDACTED])) };
    }
  }
  return { ...document, users };
}

function isClear(user: string, password: string): boolean {
  return password !== REDACTED && !isHashText(password) && passwordWeakness(user, password) === undefined;
}
