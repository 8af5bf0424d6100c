/** Rules about `interfaces.NAME.dsl`. */
import { memberPath } from './json-path.ts';
import { type ConfigurationRule, type Finding, repeated } from './rule.ts';
import type { Configuration } from './schema.ts';

export const DSL_RULES: readonly ConfigurationRule[] = [
  {
    name: 'dsl-on-wan',
    severity: 'error',
    description: 'A DSL line is in front of an interface of the zone "wan".',
    check: dslOnWan,
  },
  {
    name: 'dsl-device-twice',
    severity: 'error',
    description: 'The console of a modem, or the file of a line, belongs to one interface.',
    check: dslDeviceTwice,
  },
  {
    name: 'dsl-login-for-console',
    severity: 'warning',
    description: 'User and password are for the console of a modem; a file needs neither.',
    check: dslLoginForConsole,
  },
];

function* dslInterfaces(configuration: Configuration) {
  for (const [name, entry] of Object.entries(configuration.interfaces)) {
    if (entry.dsl !== undefined)
      yield { path: `${memberPath('interfaces', name)}.dsl`, name, zone: entry.zone, dsl: entry.dsl };
  }
}

function* dslOnWan(configuration: Configuration): Iterable<Finding> {
  for (const { path, name, zone } of dslInterfaces(configuration)) {
    if (zone === 'wan') continue;
    yield {
      path,
      found: `a DSL line in front of "${name}", whose zone is "${zone}"`,
      allowed: 'one in front of an interface of the zone "wan"',
    };
  }
}

function* dslDeviceTwice(configuration: Configuration): Iterable<Finding> {
  for (const [{ path, dsl }, earlier] of repeated(dslInterfaces(configuration), ({ dsl: { device } }) => device)) {
    const found = `${dsl.device}, which interface "${earlier.name}" has already`;
    yield { path: `${path}.device`, found, allowed: 'a device or file of its own for each line' };
  }
}

function* dslLoginForConsole(configuration: Configuration): Iterable<Finding> {
  for (const { path, dsl } of dslInterfaces(configuration)) {
    if (dsl.source !== 'file' || (dsl.user === undefined && dsl.password === undefined)) continue;
    yield {
      path,
      found: 'a login, with the source "file"',
      allowed: 'better without user and password, which nothing uses',
    };
  }
}
