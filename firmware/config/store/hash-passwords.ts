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

function isClear(user: string, password: string): boolean {
  return password !== REDACTED && !isHashText(password) && passwordWeakness(user, password) === undefined;
}
