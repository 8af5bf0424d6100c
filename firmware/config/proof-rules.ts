/** Rules about how the two ends of an IPsec connection prove who they are. */
import { type IpsecEntry, ipsecEntries } from './ipsec-entries.ts';
import { ANY_PEER } from './ipsec-schema.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';

export const PROOF_RULES: readonly ConfigurationRule[] = [
  {
    name: 'proof-one-way',
    severity: 'error',
    description:
      'The ends of a connection prove who they are in one way: by key, by certificate, or one of them by user and password, beside a key or certificates.',
    check: oneWay,
  },
  {
    name: 'proof-shared-key',
    severity: 'warning',
    description:
      'Users of version 1 better meet a certificate: whoever has their common key can pose as this router, and is told their passwords.',
    check: sharedKey,
  },
  {
    name: 'proof-caller',
    severity: 'error',
    description: 'Whoever lets itself in by user and password calls one peer, and whoever has users is called.',
    check: userCaller,
  },
];

type Key = 'psk' | 'certificate' | 'authorities' | 'user' | 'password' | 'users';

/** What a way is made of: with the first of `with` it is chosen, and all are needed. */
interface Way {
  readonly words: string;
  readonly with: readonly Key[];
}

/** In the order in which what is there points to one. */
const WAYS: readonly Way[] = [
  { words: 'users who come in by EAP', with: ['users', 'certificate'] },
  { words: 'a user and a password', with: ['user', 'password', 'authorities'] },
  { words: 'a user and a password', with: ['password', 'user', 'authorities'] },
  { words: 'a pre-shared key', with: ['psk'] },
  { words: 'a certificate', with: ['certificate', 'authorities'] },
  { words: 'authorities', with: ['authorities', 'certificate'] },
];

/** What each key holds, as something to put there. */
const HOLDS: Readonly<Record<Key, string>> = {
  psk: 'a pre-shared key',
  certificate: 'the name of the certificate by which this router proves who it is',
  authorities: 'the names of the authorities whose certificates are believed',
  user: 'the user name by which this router lets itself in',
  password: 'the password of the user',
  users: 'users with their passwords',
};

const KEYS = Object.keys(HOLDS) as readonly Key[];

function* oneWay(configuration: Configuration): Iterable<Finding> {
  for (const entry of ipsecEntries(configuration)) {
    yield* halfLogin(entry);
    const keys = KEYS.filter((key) => !isLogin(entry, key));
    const way = WAYS.find(
      ({ with: [first] }) => first !== undefined && keys.includes(first) && entry[first] !== undefined,
    );
    if (way === undefined) {
      const allowed = 'a pre-shared key here, "certificate" and "authorities", or "user", "password" and "authorities"';
      yield { path: `${entry.path}.psk`, found: 'nothing by which the ends could prove who they are', allowed };
      continue;
    }
    for (const key of keys) {
      const needed = way.with.includes(key);
      if (needed === (entry[key] !== undefined)) continue;
      const path = `${entry.path}.${key}`;
      if (needed) yield { path, found: `nothing, beside ${way.words}`, allowed: HOLDS[key] };
      else
        yield { path, found: `${HOLDS[key]}, beside ${way.words}`, allowed: 'one way only: leave the other one out' };
    }
  }
}

/** With version 1 a login comes after the proof, whatever that is. */
function isLogin({ version }: IpsecEntry, key: Key): boolean {
  return version === 1 && (key === 'user' || key === 'password' || key === 'users');
}

function* halfLogin(entry: IpsecEntry): Iterable<Finding> {
  for (const [there, missing] of [['user', 'password'] as const, ['password', 'user'] as const]) {
    if (!isLogin(entry, there) || entry[there] === undefined || entry[missing] !== undefined) continue;
    const found = `nothing, beside ${HOLDS[there]}`;
    yield { path: `${entry.path}.${missing}`, found, allowed: HOLDS[missing] };
  }
}

function* sharedKey(configuration: Configuration): Iterable<Finding> {
  for (const { path, version, users, psk } of ipsecEntries(configuration)) {
    if (version !== 1 || users === undefined || psk === undefined) continue;
    const found =
      'a key that all users have: each of them can pose as this router, and is told passwords of the others';
    const allowed = 'better a certificate with "authorities", or version 2, which has EAP';
    yield { path: `${path}.psk`, found, allowed };
  }
}

function* userCaller(configuration: Configuration): Iterable<Finding> {
  for (const { path, remote, user, users } of ipsecEntries(configuration)) {
    if (user !== undefined && remote === ANY_PEER) {
      const found = '"any", beside a user by which this router calls a peer';
      yield { path: `${path}.remote`, found, allowed: 'the address or name of the peer' };
    } else if (users !== undefined && remote !== ANY_PEER) {
      const found = 'one peer, beside users who call from everywhere';
      yield { path: `${path}.remote`, found, allowed: '"any"' };
    }
  }
}
