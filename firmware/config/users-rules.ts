/** Rules about the users of this router. They are no formats, since in a draft stars stand for what is there already. */
import { memberPath } from './json-path.ts';
import { isHashText, readHash } from './password-hash.ts';
import { PASSWORD_ALLOWED, passwordWeakness } from './password-strength.ts';
import { REDACTED } from './redact.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';
import { readTotpSecret } from './totp-secret.ts';

export const USERS_RULES: readonly ConfigurationRule[] = [
  {
    name: 'user-no-administrator',
    severity: 'error',
    description: 'Where there are users, one of them at least has the role "admin" and is not disabled.',
    check: noAdministrator,
  },
  {
    name: 'user-password-weak',
    severity: 'error',
    description: `A password of a user has ${PASSWORD_ALLOWED}.`,
    check: passwordWeak,
  },
  {
    name: 'user-password-hash',
    severity: 'error',
    description: 'A hash in the place of a password is one of Argon2id, and does not cost more than a login may take.',
    check: passwordHash,
  },
  {
    name: 'user-totp-unreadable',
    severity: 'error',
    description: 'The secret of a second factor is Base32 of 16 to 64 octets.',
    check: totpUnreadable,
  },
];

function* noAdministrator({ users }: Configuration): Iterable<Finding> {
  const all = Object.values(users);
  if (all.length === 0 || all.some(({ role, disabled }) => role === 'admin' && !disabled)) return;
  yield {
    path: 'users',
    found: 'no user with the role "admin" who is not disabled',
    allowed: 'one at least, since nobody else could change anything; or no users at all',
  };
}

function* passwordWeak({ users }: Configuration): Iterable<Finding> {
  for (const [name, { password }] of Object.entries(users)) {
    if (password === REDACTED || isHashText(password)) continue;
    const found = passwordWeakness(name, password);
    if (found === undefined) continue;
    yield { path: `${memberPath('users', name)}.password`, found, allowed: PASSWORD_ALLOWED };
  }
}

function* passwordHash({ users }: Configuration): Iterable<Finding> {
  for (const [name, { password }] of Object.entries(users)) {
    if (!isHashText(password) || readHash(password) !== undefined) continue;
    yield {
      path: `${memberPath('users', name)}.password`,
      found: 'a hash that cannot be used',
      allowed: '"$argon2id$v=19$m=19456,t=2,p=1$...", at most 65536 KiB and 4 passes; or the password itself',
    };
  }
}

function* totpUnreadable({ users }: Configuration): Iterable<Finding> {
  for (const [name, { totp }] of Object.entries(users)) {
    if (totp === undefined || totp === REDACTED || readTotpSecret(totp) !== undefined) continue;
    yield {
      path: `${memberPath('users', name)}.totp`,
      found: 'text that is no such secret',
      allowed: 'letters A to Z and digits 2 to 7, 16 to 64 octets in Base32',
    };
  }
}
