/** Rules about the probes of uplinks. */
import { memberPath } from './json-path.ts';
import { probeTarget } from './probe-target.ts';
import { quoted } from './problem.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';
import type { UplinkProbe } from './uplinks-schema.ts';

export const UPLINK_PROBE_RULES: readonly ConfigurationRule[] = [
  {
    name: 'uplink-probe-target',
    severity: 'error',
    description:
      'The target of a probe fits its kind, and is an IPv4 address, for nothing else is sure to leave by the uplink.',
    check: probeTargets,
  },
  {
    name: 'uplink-probe-name',
    severity: 'error',
    description: 'Only a probe of the kind "dns" has a name.',
    check: probeNames,
  },
  {
    name: 'uplink-one-probe',
    severity: 'warning',
    description:
      'An uplink with probes of its own has two or more: one target that fails alone is no failure of the uplink.',
    check: oneProbe,
  },
];

const ALLOWED: Readonly<Record<UplinkProbe['kind'], string>> = {
  icmp: 'with the kind "icmp", an IPv4 address such as 192.0.2.1',
  dns: 'with the kind "dns", the IPv4 address of a DNS server such as 192.0.2.1',
  tcp: 'with the kind "tcp", an IPv4 address with a port such as 192.0.2.1:443',
  http: 'with the kind "http", a URL with an IPv4 address such as http://192.0.2.1/ (no TLS: nobody could judge the certificate)',
};

function* probes(configuration: Configuration): Iterable<{ readonly path: string; readonly probe: UplinkProbe }> {
  for (const [name, { health }] of Object.entries(configuration.uplinks)) {
    for (const [index, probe] of health.probes.entries()) {
      yield { path: `${memberPath('uplinks', name)}.health.probes[${index}]`, probe };
    }
  }
}

function* probeTargets(configuration: Configuration): Iterable<Finding> {
  for (const { path, probe } of probes(configuration)) {
    if (probeTarget(probe) !== undefined) continue;
    yield { path: `${path}.target`, found: quoted(probe.target), allowed: ALLOWED[probe.kind] };
  }
}

function* probeNames(configuration: Configuration): Iterable<Finding> {
  for (const { path, probe } of probes(configuration)) {
    if (probe.name === undefined || probe.kind === 'dns') continue;
    yield { path: `${path}.name`, found: quoted(probe.name), allowed: `no name with the kind "${probe.kind}"` };
  }
}

function* oneProbe(configuration: Configuration): Iterable<Finding> {
  for (const [name, { health }] of Object.entries(configuration.uplinks)) {
    const targets = new Set(health.probes.map(({ kind, target }) => `${kind} ${target}`));
    if (targets.size !== 1 || Object.keys(configuration.uplinks).length < 2) continue;
    const path = `${memberPath('uplinks', name)}.health.probes`;
    yield { path, found: 'one target', allowed: 'better two or more, which do not fail together' };
  }
}
