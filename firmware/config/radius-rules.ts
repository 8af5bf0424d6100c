/** Rules about the RADIUS servers of L2TP servers. */
import { canonicalIp } from '../protocol/ip-address.ts';
import { itemPath, memberPath } from './json-path.ts';
import type { RadiusConfiguration } from './radius-schema.ts';
import { type ConfigurationRule, type Finding, repeated } from './rule.ts';
import type { Configuration } from './schema.ts';

export const RADIUS_RULES: readonly ConfigurationRule[] = [
  {
    name: 'radius-server-twice',
    severity: 'error',
    description: 'Each RADIUS server stands once in a list.',
    check: serverTwice,
  },
  {
    name: 'radius-ports-equal',
    severity: 'error',
    description: 'Authentication and accounting have ports of their own.',
    check: portsEqual,
  },
  {
    name: 'radius-or-users',
    severity: 'warning',
    description: 'An L2TP server has users, or a RADIUS server that knows some.',
    check: nobody,
  },
  {
    name: 'radius-weak-secret',
    severity: 'warning',
    description: 'A RADIUS secret has 16 characters or more, because one captured packet is enough to guess offline.',
    check: weakSecret,
  },
  {
    name: 'radius-forgeable',
    severity: 'warning',
    description:
      'Answers without Message-Authenticator can be forged, and are not accepted unless a server has nothing better.',
    check: forgeable,
  },
  {
    name: 'radius-patience',
    severity: 'warning',
    description: 'All RADIUS servers of a list are asked within 24 seconds; who dials in has no more time.',
    check: patience,
  },
  {
    name: 'radius-interim',
    severity: 'warning',
    description: 'Interim updates go with accounting, and come not more often than once a minute.',
    check: interim,
  },
  {
    name: 'radius-nas-identifier',
    severity: 'warning',
    description: 'L2TP servers with accounting have NAS identifiers of their own.',
    check: nasIdentifier,
  },
];

/** As many characters as RFC 2865 section 3 asks of a secret, at least. */
const GOOD_SECRET_CHARACTERS = 16;
/** Seconds after which PPP has no more time for an answer; `firmware/protocol/radius/client.ts` gives up by then. */
const PATIENCE_SECONDS = 24;
/** Shortest interval that RFC 2869 section 5.16 allows, seconds. */
const SHORTEST_INTERIM = 60;

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly radius: RadiusConfiguration;
}

function entries(configuration: Configuration): Entry[] {
  return Object.entries(configuration.l2tp.servers).flatMap(([name, { radius }]) =>
    radius === undefined ? [] : [{ name, path: `${memberPath('l2tp.servers', name)}.radius`, radius }],
  );
}

function* serverTwice(configuration: Configuration): Iterable<Finding> {
  for (const { path, radius } of entries(configuration)) {
    const ends = radius.servers.flatMap(({ address, port, accountingPort }, index) =>
      [port, accountingPort].map((number) => ({
        index,
        end: `${canonicalIp(address) ?? address.toLowerCase()} port ${number}`,
      })),
    );
    const seen = new Set<number>();
    for (const [{ index, end }, earlier] of repeated(ends, ({ end }) => end)) {
      if (index === earlier.index || seen.has(index)) continue;
      seen.add(index);
      yield {
        path: `${itemPath(`${path}.servers`, index)}.address`,
        found: `${end} once more`,
        allowed: 'each server once',
      };
    }
  }
}

function* portsEqual(configuration: Configuration): Iterable<Finding> {
  for (const { path, radius } of entries(configuration)) {
    for (const [index, { port, accountingPort }] of radius.servers.entries()) {
      if (port !== accountingPort) continue;
      const allowed = 'a port for accounting that is not the one for authentication';
      yield {
        path: `${itemPath(`${path}.servers`, index)}.accountingPort`,
        found: `${accountingPort}, which is both`,
        allowed,
      };
    }
  }
}

function* nobody(configuration: Configuration): Iterable<Finding> {
  for (const [name, { users, radius }] of Object.entries(configuration.l2tp.servers)) {
    if (radius !== undefined || Object.keys(users).length > 0) continue;
    const path = `${memberPath('l2tp.servers', name)}.users`;
    yield {
      path,
      found: 'no user, and no RADIUS server',
      allowed: 'users here, or servers under radius that know some',
    };
  }
}

function* weakSecret(configuration: Configuration): Iterable<Finding> {
  for (const { path, radius } of entries(configuration)) {
    for (const [index, { secret }] of radius.servers.entries()) {
      // Those under 8 characters are told by a rule for all secrets.
      if (secret.length >= GOOD_SECRET_CHARACTERS || secret.length < 8) continue;
      const allowed = `better ${GOOD_SECRET_CHARACTERS} characters or more: from one captured packet it is found offline`;
      yield { path: `${itemPath(`${path}.servers`, index)}.secret`, found: 'a short secret', allowed };
    }
  }
}

function* forgeable(configuration: Configuration): Iterable<Finding> {
  for (const { path, radius } of entries(configuration)) {
    if (radius.requireMessageAuthenticator) continue;
    const allowed = 'true: otherwise whoever can change packets on the way can let anybody in (CVE-2024-3596)';
    yield { path: `${path}.requireMessageAuthenticator`, found: 'false', allowed };
  }
}

function* patience(configuration: Configuration): Iterable<Finding> {
  for (const { path, radius } of entries(configuration)) {
    const seconds = radius.servers.reduce((sum, { timeoutSeconds, tries }) => sum + waits(timeoutSeconds, tries), 0);
    if (seconds <= PATIENCE_SECONDS) continue;
    const found = `waits of ${seconds} s over all servers`;
    const allowed = `${PATIENCE_SECONDS} s and less: who dials in has no more time, and the last servers are not asked`;
    yield { path: `${path}.servers`, found, allowed };
  }
}

/** 1, 2, 4, 4, 4 ... times the time-out. */
function waits(timeoutSeconds: number, tries: number): number {
  return (
    timeoutSeconds * Array.from({ length: tries }, (_, index) => 2 ** Math.min(index, 2)).reduce((a, b) => a + b, 0)
  );
}

function* interim(configuration: Configuration): Iterable<Finding> {
  for (const { path, radius } of entries(configuration)) {
    const { accounting, interimSeconds } = radius;
    if (interimSeconds === undefined) continue;
    const at = `${path}.interimSeconds`;
    if (!accounting) yield { path: at, found: `${interimSeconds}, without accounting`, allowed: 'accounting with it' };
    else if (interimSeconds < SHORTEST_INTERIM) {
      const allowed = `${SHORTEST_INTERIM} and more: every session sends a packet so often (RFC 2869 section 5.16)`;
      yield { path: at, found: String(interimSeconds), allowed };
    }
  }
}

/** Accounting-On and -Off of one L2TP server end the sessions of the other, when the RADIUS server takes both for one. */
function* nasIdentifier(configuration: Configuration): Iterable<Finding> {
  const { hostname } = configuration.system;
  const told = entries(configuration).filter(({ radius }) => radius.accounting);
  const identifier = ({ radius }: Entry): string => radius.nasIdentifier ?? hostname;
  for (const [entry, earlier] of repeated(told, identifier)) {
    const found = `${identifier(entry)}, as "${earlier.name}" is called too`;
    const allowed = 'an identifier for each server: the end of one would be taken for the end of the other’s sessions';
    yield { path: `${entry.path}.nasIdentifier`, found, allowed };
  }
}
