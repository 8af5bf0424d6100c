/** Rules about connections whose packets go in AH, which encrypts nothing and passes no NAT. */
import type { IpsecConnectionConfiguration } from './ipsec-schema.ts';
import { memberPath } from './json-path.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';

export const IPSEC_AH_RULES: readonly ConfigurationRule[] = [
  {
    name: 'ipsec-ah-clear',
    severity: 'warning',
    description: 'AH authenticates packets and encrypts nothing: whoever is on the way can read them.',
    check: clear,
  },
  {
    name: 'ipsec-ah-algorithms',
    severity: 'error',
    description: 'The algorithms of ESP are for the protocol "esp", those of AH for "ah".',
    check: algorithms,
  },
  {
    name: 'ipsec-ah-tunnel',
    severity: 'error',
    description: 'AH is for tunnel mode: what L2TP carries, passwords too, would be readable on the way.',
    check: tunnelMode,
  },
  {
    name: 'ipsec-ah-nat',
    severity: 'error',
    description: 'AH is not wrapped in UDP, and goes over IPv4: it authenticates the addresses, which a NAT changes.',
    check: reachable,
  },
];

interface Entry extends IpsecConnectionConfiguration {
  readonly path: string;
}

function entries(configuration: Configuration): Entry[] {
  return Object.entries(configuration.ipsec.connections).map(([name, entry]) => ({
    ...entry,
    path: memberPath('ipsec.connections', name),
  }));
}

function ofAh(configuration: Configuration): Entry[] {
  return entries(configuration).filter(({ protocol }) => protocol === 'ah');
}

function* clear(configuration: Configuration): Iterable<Finding> {
  for (const { path } of ofAh(configuration)) {
    const found = '"ah", with which everybody on the way can read the packets';
    yield { path: `${path}.protocol`, found, allowed: 'better "esp", which encrypts them', suggestion: 'esp' };
  }
}

function* algorithms(configuration: Configuration): Iterable<Finding> {
  for (const { path, protocol, esp, ah } of entries(configuration)) {
    if (protocol === 'ah' && esp !== undefined) {
      yield {
        path: `${path}.esp`,
        found: 'algorithms of ESP with the protocol "ah"',
        allowed: 'none, but those under "ah"',
      };
    } else if (protocol === 'esp' && ah !== undefined) {
      yield {
        path: `${path}.ah`,
        found: 'algorithms of AH with the protocol "esp"',
        allowed: 'none, but those under "esp"',
      };
    }
  }
}

function* tunnelMode(configuration: Configuration): Iterable<Finding> {
  for (const { path, mode } of ofAh(configuration)) {
    if (mode === 'tunnel') continue;
    const found = '"ah" in transport mode, where everybody on the way could read what L2TP carries, passwords too';
    yield { path: `${path}.protocol`, found, allowed: '"esp", or the mode "tunnel"', suggestion: 'esp' };
  }
}

function* reachable(configuration: Configuration): Iterable<Finding> {
  for (const { path, encapsulation, remote } of ofAh(configuration)) {
    if (encapsulation === 'always') {
      const found = '"always" with the protocol "ah", which nobody wraps in UDP';
      yield { path: `${path}.encapsulation`, found, allowed: '"auto", or the protocol "esp"', suggestion: 'auto' };
    }
    if (remote.includes(':')) {
      const found = `${remote} with the protocol "ah", which goes over IPv4 alone`;
      yield { path: `${path}.remote`, found, allowed: 'an IPv4 address, a name that has one, or the protocol "esp"' };
    }
  }
}
