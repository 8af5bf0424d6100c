/** Rules about the profiles of peers. */
import { findProfile } from '../protocol/ike/profiles/profiles.ts';
import { memberPath } from './json-path.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';

export const IPSEC_PROFILE_RULES: readonly ConfigurationRule[] = [
  {
    name: 'ipsec-profile-version',
    severity: 'error',
    description: 'The profile of a peer is for the IKE version of the connection: some peers speak but one.',
    check: profileVersion,
  },
];

function* profileVersion(configuration: Configuration): Iterable<Finding> {
  for (const [name, { profile, version }] of Object.entries(configuration.ipsec.connections)) {
    const peer = findProfile(profile);
    if (peer === undefined || peer.versions[version] !== undefined) continue;
    const other = version === 1 ? 2 : 1;
    yield {
      path: `${memberPath('ipsec.connections', name)}.version`,
      found: `${version} with the profile "${profile}", which has nothing for it: ${peer.title} is met with version ${other}`,
      allowed: `${other}, or another profile, such as "auto"`,
      suggestion: `${other}`,
    };
  }
}
