/** All cross-field rules, run over a configuration that fits the schema. */
import { AGGRESSIVE_RULES } from './aggressive-rules.ts';
import { CALLS_RULES } from './calls-rules.ts';
import { CERTIFICATES_RULES } from './certificates-rules.ts';
import { FORWARD_RULES } from './forward-rules.ts';
import { INTERFACE_IPV6_RULES } from './interface-ipv6-rules.ts';
import { INTERFACE_LINK_RULES } from './interface-link-rules.ts';
import { INTERFACE_RULES } from './interface-rules.ts';
import { IPSEC_AH_RULES } from './ipsec-ah-rules.ts';
import { IPSEC_PPK_RULES } from './ipsec-ppk-rules.ts';
import { IPSEC_PROFILE_RULES } from './ipsec-profile-rules.ts';
import { IPSEC_RULES } from './ipsec-rules.ts';
import { L2TP_IPSEC_RULES } from './l2tp-ipsec-rules.ts';
import { L2TP_IPV6_RULES } from './l2tp-ipv6-rules.ts';
import { L2TP_RULES } from './l2tp-rules.ts';
import { secretLeaves } from './leaves.ts';
import { MONITORING_RULES } from './monitoring-rules.ts';
import type { Problem } from './problem.ts';
import { PROOF_RULES } from './proof-rules.ts';
import { PSK_RULES } from './psk-rules.ts';
import { RADIUS_RULES } from './radius-rules.ts';
import { REDACTED } from './redact.ts';
import { ROUTE_RULES } from './route-rules.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';
import { UPLINK_PROBE_RULES } from './uplink-probe-rules.ts';
import { UPLINKS_RULES } from './uplinks-rules.ts';
import { USERS_RULES } from './users-rules.ts';

/** Shorter ones are guessed offline within minutes, from one captured CHAP or IKE exchange. */
const WEAK_SECRET_CHARACTERS = 8;

const SECRET_RULES: readonly ConfigurationRule[] = [
  {
    name: 'redacted-secret',
    severity: 'error',
    description: 'The stars that stand for a secret in what the router shows are not taken for a secret.',
    check: redactedSecret,
  },
  {
    name: 'weak-secret',
    severity: 'warning',
    description: 'A secret has 8 characters or more.',
    check: weakSecret,
  },
];

/** Every rule there is. */
export const CONFIGURATION_RULES: readonly ConfigurationRule[] = [
  ...INTERFACE_RULES,
  ...INTERFACE_LINK_RULES,
  ...INTERFACE_IPV6_RULES,
  ...UPLINKS_RULES,
  ...UPLINK_PROBE_RULES,
  ...ROUTE_RULES,
  ...L2TP_RULES,
  ...L2TP_IPV6_RULES,
  ...L2TP_IPSEC_RULES,
  ...IPSEC_RULES,
  ...PROOF_RULES,
  ...IPSEC_PPK_RULES,
  ...IPSEC_AH_RULES,
  ...IPSEC_PROFILE_RULES,
  ...PSK_RULES,
  ...AGGRESSIVE_RULES,
  ...CERTIFICATES_RULES,
  ...RADIUS_RULES,
  ...FORWARD_RULES,
  ...CALLS_RULES,
  ...MONITORING_RULES,
  ...USERS_RULES,
  ...SECRET_RULES,
];

/** What breaks the rules, in the rules' order. */
export function checkRules(configuration: Configuration): Problem[] {
  return CONFIGURATION_RULES.flatMap(({ name, severity, check }) =>
    Array.from(check(configuration), (finding) => ({ severity, rule: name, ...finding })),
  );
}

function* redactedSecret(configuration: Configuration): Iterable<Finding> {
  for (const { path, value } of secretLeaves(configuration)) {
    if (value !== REDACTED) continue;
    yield {
      path,
      found: 'the stars that stand for a secret where a configuration is shown',
      allowed: 'the secret itself',
    };
  }
}

function* weakSecret(configuration: Configuration): Iterable<Finding> {
  for (const { path, value } of secretLeaves(configuration)) {
    if (typeof value !== 'string' || value.length >= WEAK_SECRET_CHARACTERS) continue;
    const allowed = `better ${WEAK_SECRET_CHARACTERS} characters or more: a shorter one is found by offline guessing`;
    yield { path, found: 'a short secret', allowed };
  }
}
