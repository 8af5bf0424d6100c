/** Whether a login (XAUTH) is good, as the one that asked for it. */
import { utf8Bytes } from '../../bytes.ts';
import type { Failure, Instant, RandomSource } from '../../machine.ts';
import { findUser, secretsEqual } from '../../ppp/authentication.ts';
import type { PasswordOf } from '../authentication.ts';
import { wipe } from '../crypto/secrets.ts';
import type { ConfigAttribute } from './attribute-payload.ts';
import type { LoginAttempts } from './login-attempts.ts';
import { loginMissing, tooManyWrong, userRefused } from './login-failures.ts';
import { XauthAttribute as Attribute } from './numbers.ts';

/** Longest name and password that a configuration can have, octets, with room for a Windows domain before the name. */
const MAX_OCTETS = 1024;

/** What is asked for: of type Generic, which goes without saying. */
export const QUESTION: readonly ConfigAttribute[] = [Attribute.userName, Attribute.userPassword].map((type) => ({
  type,
  value: new Uint8Array(0),
}));

export interface LoginSource {
  readonly passwordOf: PasswordOf;
  readonly attempts: LoginAttempts;
  readonly random: RandomSource;
  /** Where it came from. */
  readonly address: string;
}

/** The name that an answer gives, as it came; empty when it gives none. */
export function userNameIn(attributes: readonly ConfigAttribute[]): Uint8Array {
  return octetsOf(attributes, Attribute.userName);
}

/**
 * Takes as long for a user who is not known as for a wrong password. The password among the attributes is wiped.
 * @returns the name of the user as it is configured, or why not.
 */
export function judgeLogin(
  now: Instant,
  attributes: readonly ConfigAttribute[],
  { passwordOf, attempts, random, address }: LoginSource,
): { readonly user: string } | Failure {
  const name = userNameIn(attributes);
  const password = octetsOf(attributes, Attribute.userPassword);
  const known = findUser({ password: passwordOf }, name, random);
  const right = secretsEqual(password, utf8Bytes(known.password));
  const there = name.length > 0 && password.length > 0;
  wipe(password);
  if (!there) return loginMissing();
  if (!attempts.allows(now, address)) return tooManyWrong(name, address);
  if (right && known.exists) return { user: known.user };
  attempts.failed(now, address);
  return userRefused(name);
}

function octetsOf(attributes: readonly ConfigAttribute[], wanted: number): Uint8Array {
  const value = attributes.find(({ type }) => type === wanted)?.value;
  return value === undefined || value.length > MAX_OCTETS ? new Uint8Array(0) : value;
}
