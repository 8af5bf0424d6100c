/** Rules about branches that a server calls. */
import { memberPath } from './json-path.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import type { Configuration } from './schema.ts';

export const CALLS_RULES: readonly ConfigurationRule[] = [
  {
    name: 'call-name-taken',
    severity: 'error',
    description: 'A call has a name that no client, server, connection or other call has.',
    check: nameTaken,
  },
];

/** `culvert connect NAME` must mean one thing. */
function* nameTaken(configuration: Configuration): Iterable<Finding> {
  const { clients, servers } = configuration.l2tp;
  const taken = new Map<string, string>([
    ...Object.keys(clients).map((name) => [name, 'a client'] as const),
    ...Object.keys(servers).map((name) => [name, 'a server'] as const),
    ...Object.keys(configuration.ipsec.connections).map((name) => [name, 'an IPsec connection'] as const),
  ]);
  for (const [server, { calls }] of Object.entries(servers)) {
    for (const name of Object.keys(calls)) {
      const other = taken.get(name);
      const path = memberPath(`${memberPath('l2tp.servers', server)}.calls`, name);
      if (other !== undefined) yield { path, found: `the name of ${other}`, allowed: 'a name that nothing else has' };
      taken.set(name, `a call of ${server}`);
    }
  }
}
