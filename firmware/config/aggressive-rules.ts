/** Rules about Aggressive Mode, which only version 1 of IKE has. */
import { ipsecEntries } from './ipsec-entries.ts';
import { ANY_PEER } from './ipsec-schema.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';

export const AGGRESSIVE_RULES: readonly ConfigurationRule[] = [
  {
    name: 'ipsec-aggressive-version',
    severity: 'error',
    description: 'Only version 1 of IKE has an Aggressive Mode.',
    check: aggressiveVersion,
  },
  {
    name: 'ipsec-aggressive-mode',
    severity: 'warning',
    description: 'Aggressive Mode with a pre-shared key hands out a hash from which a weak key can be guessed offline.',
    check: aggressiveMode,
  },
];

function* aggressiveVersion(configuration: Configuration): Iterable<Finding> {
  for (const { path, version, aggressive } of ipsecEntries(configuration)) {
    if (!aggressive || version === 1) continue;
    const found = 'true with version 2, which has no such mode and needs none';
    yield { path: `${path}.aggressive`, found, allowed: 'false, or version 1' };
  }
}

function* aggressiveMode(configuration: Configuration): Iterable<Finding> {
  for (const { path, version, aggressive, psk, remote } of ipsecEntries(configuration)) {
    if (!aggressive || version !== 1 || psk === undefined) continue;
    const whom = remote === ANY_PEER ? 'everybody who asks' : 'whoever listens on the way';
    const found = `true with a pre-shared key: ${whom} gets a hash by which keys can be tried offline`;
    yield {
      path: `${path}.aggressive`,
      found,
      allowed: 'better Main Mode, version 2, or certificates; else a random key',
    };
  }
}
