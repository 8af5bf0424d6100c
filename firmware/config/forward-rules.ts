/** Rules about callers that are handed on to other servers. */
import { canonicalIp } from '../protocol/ip-address.ts';
import { memberPath } from './json-path.ts';
import { type ConfigurationRule, type Finding, repeated } from './rule.ts';
import type { Configuration } from './schema.ts';

export const FORWARD_RULES: readonly ConfigurationRule[] = [
  {
    name: 'forward-in-clear',
    severity: 'error',
    description: 'A server that takes its calls inside IPsec hands nobody on.',
    check: inClear,
  },
  {
    name: 'forward-to-itself',
    severity: 'error',
    description: 'Callers are handed on to another server.',
    check: toItself,
  },
  {
    name: 'forward-twice',
    severity: 'error',
    description: 'Each realm and each user is for one target.',
    check: twice,
  },
  {
    name: 'forward-nobody',
    severity: 'warning',
    description: 'A target has realms or users.',
    check: nobody,
  },
  {
    name: 'forward-eap',
    severity: 'warning',
    description: 'Callers that prove themselves by EAP to this server are not handed on.',
    check: eap,
  },
];

function* targets(configuration: Configuration) {
  for (const [name, server] of Object.entries(configuration.l2tp.servers)) {
    for (const [key, target] of Object.entries(server.forward))
      yield { server, target, path: memberPath(`${memberPath('l2tp.servers', name)}.forward`, key) };
  }
}

/** A protected server has no socket in clear by which it could reach another. */
function* inClear(configuration: Configuration): Iterable<Finding> {
  for (const { server, path } of targets(configuration)) {
    if (server.ipsec === undefined) continue;
    yield { path, found: 'a target of a server that takes its calls inside IPsec', allowed: 'a server without ipsec' };
  }
}

function* toItself(configuration: Configuration): Iterable<Finding> {
  for (const { server, target, path } of targets(configuration)) {
    if (canonicalIp(target.server) !== canonicalIp(server.listen) || target.port !== server.port) continue;
    yield { path: `${path}.server`, found: `${target.server}, which is this server`, allowed: 'another server' };
  }
}

function* twice(configuration: Configuration): Iterable<Finding> {
  for (const [name, server] of Object.entries(configuration.l2tp.servers)) {
    const path = `${memberPath('l2tp.servers', name)}.forward`;
    const wanted = Object.entries(server.forward).flatMap(([key, { realms, users }]) => [
      ...realms.map((realm) => ({ key, what: `the realm ${realm.toLowerCase()}` })),
      ...users.map((user) => ({ key, what: `the user ${user}` })),
    ]);
    for (const [{ key, what }, earlier] of repeated(wanted, (one) => one.what)) {
      yield {
        path: memberPath(path, key),
        found: `${what}, which ${earlier.key} takes already`,
        allowed: 'one target for each',
      };
    }
  }
}

function* nobody(configuration: Configuration): Iterable<Finding> {
  for (const { target, path } of targets(configuration)) {
    if (target.realms.length > 0 || target.users.length > 0) continue;
    yield { path, found: 'neither realms nor users', allowed: 'realms or users, or nobody is handed on' };
  }
}

/** Who proves itself by EAP to this server itself has told its name too late. */
function* eap(configuration: Configuration): Iterable<Finding> {
  for (const { server, path } of targets(configuration)) {
    if (server.radius !== undefined || !server.authentication.includes('eap')) continue;
    yield {
      path,
      found: 'EAP among the methods of this server',
      allowed: 'callers by EAP are not handed on: CHAP or PAP',
    };
  }
}
