/** Rules about post-quantum preshared keys. */
import { ipsecEntries } from './ipsec-entries.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';

export const IPSEC_PPK_RULES: readonly ConfigurationRule[] = [
  {
    name: 'ipsec-ppk',
    severity: 'error',
    description:
      'A post-quantum key has a name, belongs to version 2, and goes with a key or a certificate, not with EAP.',
    check: misplacedPpk,
  },
];

function* misplacedPpk(configuration: Configuration): Iterable<Finding> {
  for (const { path, ppk, ppkId, version, user, users } of ipsecEntries(configuration)) {
    if (ppk === undefined && ppkId === undefined) continue;
    const at = (key: string): string => `${path}.${key}`;
    if (ppkId === undefined) {
      yield {
        path: at('ppkId'),
        found: 'no name of the post-quantum key',
        allowed: 'the name by which both ends know it',
      };
    }
    if (ppk === undefined) {
      yield {
        path: at('ppk'),
        found: 'the name of a post-quantum key without the key',
        allowed: 'the key of both ends',
      };
    }
    if (version === 1) yield { path: at('ppkId'), found: 'a post-quantum key with version 1', allowed: 'version 2' };
    else if (user !== undefined || users !== undefined) {
      yield { path: at('ppkId'), found: 'a post-quantum key with EAP', allowed: 'a pre-shared key or certificates' };
    }
  }
}
