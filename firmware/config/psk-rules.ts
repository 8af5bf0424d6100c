/** Rules about pre-shared keys of IPsec connections: whether each is easily guessed, and which cannot be told apart. */

import { canonicalIp } from '../protocol/ip-address.ts';
import { type IpsecEntry, ipsecEntries } from './ipsec-entries.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';

/** As many digits are about as hard to guess as eleven random letters: 60 bits. */
const GOOD_DIGITS = 18;
/** With fewer different characters a long key is no better than a short one. */
const GOOD_VARIETY = 5;
/** What guessing begins with, alone or with digits and signs behind it, once or several times. */
const COMMON_WORDS = [
  ...['password', 'passwort', 'secret', 'geheim', 'changeme', 'default', 'letmein', 'qwerty', 'qwertz'],
  ...['admin', 'cisco', 'vpn', 'ipsec', 'l2tp', 'psk', 'key', 'test'],
];
const COMMON = new RegExp(`^(?:(?:${COMMON_WORDS.join('|')})[^a-z]*)+$`, 'i');

export const PSK_RULES: readonly ConfigurationRule[] = [
  {
    name: 'ipsec-psk-guessable',
    severity: 'warning',
    description:
      'A pre-shared key is no common word, no name of the configuration, and not of digits or few characters alone.',
    check: guessable,
  },
  {
    name: 'ipsec-main-mode-same-key',
    severity: 'warning',
    description:
      'Connections of version 1 with the same peer have keys or identities of the peer by which they are told apart.',
    check: sameKey,
  },
];

type Entry = IpsecEntry & { readonly psk: string };

/** Those that have a key. */
function entries(configuration: Configuration): Entry[] {
  return ipsecEntries(configuration).flatMap((entry) => {
    const { psk } = entry;
    return psk === undefined ? [] : { ...entry, psk };
  });
}

/** A message must not tell the key, nor which of the names it is. */
function* guessable(configuration: Configuration): Iterable<Finding> {
  for (const entry of entries(configuration)) {
    const why = weakness(entry, configuration.system.hostname);
    if (why === undefined) continue;
    const allowed =
      'better a random key: an attacker in the path gets what is needed to guess offline (RFC 7296 section 2.15)';
    yield { path: `${entry.path}.psk`, found: why, allowed };
  }
}

function weakness({ psk, name, remote, localId, remoteId }: Entry, hostname: string): string | undefined {
  const names = [name, remote, localId ?? '', remoteId ?? '', hostname].map((text) => text.toLowerCase());
  if (names.includes(psk.toLowerCase())) return 'a key that is also a name in this configuration';
  if (COMMON.test(psk)) return 'a key of common words';
  // Shorter ones are told by a rule for all secrets.
  if (psk.length < 8) return undefined;
  if (/^[0-9]+$/.test(psk) && psk.length < GOOD_DIGITS) return 'a key of digits only';
  return new Set(psk).size < GOOD_VARIETY ? 'a key of few different characters' : undefined;
}

/**
 * The responder of Main Mode knows a caller by its address and by which key opens its message 5 (RFC 2409 section 5.4):
 * of two with the same key, only the peer's identity can say which one is meant.
 */
function* sameKey(configuration: Configuration): Iterable<Finding> {
  const byPeer = new Map<string, Entry[]>();
  for (const entry of entries(configuration)) {
    if (entry.version !== 1) continue;
    const peer = JSON.stringify([canonicalIp(entry.remote) ?? entry.remote.toLowerCase(), entry.psk]);
    const earlier = byPeer.get(peer) ?? [];
    byPeer.set(peer, [...earlier, entry]);
    const taken = earlier.find(({ remoteId }) => remoteId === undefined || remoteId === entry.remoteId);
    if (taken === undefined) continue;
    const found = `the key and the peer of "${taken.name}": when this peer calls, that connection is meant`;
    yield { path: `${entry.path}.psk`, found, allowed: 'a key of its own, a remoteId for each, or version 2' };
  }
}
