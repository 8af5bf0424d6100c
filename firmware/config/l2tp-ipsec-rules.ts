/** Rules about which IPsec connection protects which L2TP client or server. */
import { canonicalIp } from '../protocol/ip-address.ts';
import { ANY_PEER, type IpsecConnectionConfiguration } from './ipsec-schema.ts';
import { type IpsecUsers, usersOf } from './ipsec-users.ts';
import { memberPath } from './json-path.ts';
import { type ConfigurationRule, type Finding, repeated } from './rule.ts';
import { type Configuration, ownEntry } from './schema.ts';
import { nearest } from './spelling.ts';

export const L2TP_IPSEC_RULES: readonly ConfigurationRule[] = [
  {
    name: 'ipsec-unknown-connection',
    severity: 'error',
    description: 'What protects an L2TP client or server is an IPsec connection that exists.',
    check: unknownConnection,
  },
  {
    name: 'ipsec-of-client',
    severity: 'error',
    description: 'The IPsec connection of an L2TP client is in transport mode and leads to the server of the client.',
    check: ofClient,
  },
  {
    name: 'ipsec-of-server',
    severity: 'error',
    description: 'The IPsec connection of an L2TP server is in transport mode.',
    check: ofServer,
  },
  {
    name: 'ipsec-shared',
    severity: 'error',
    description: 'An L2TP server has its IPsec connection for itself.',
    check: shared,
  },
  {
    name: 'ipsec-shared-by-clients',
    severity: 'warning',
    description:
      'L2TP clients that start at boot do not share an IPsec connection, which carries one client at a time.',
    check: sharedByClients,
  },
  {
    name: 'ipsec-name-of-client',
    severity: 'warning',
    description:
      'An IPsec connection in tunnel mode does not have the name of an L2TP client, so that commands mean one thing.',
    check: nameOfClient,
  },
  {
    name: 'ipsec-unused',
    severity: 'warning',
    description: 'An IPsec connection in transport mode protects an L2TP client or server.',
    check: unused,
  },
];

/** As it has to be written: what is left out is "tunnel". */
const TRANSPORT = '"mode": "transport"';

interface Use {
  readonly path: string;
  readonly connection: string;
}

function usesBy(configuration: Configuration, kind: 'clients' | 'servers'): (Use & { readonly name: string })[] {
  return Object.entries(configuration.l2tp[kind]).flatMap(([name, { ipsec }]) =>
    ipsec === undefined ? [] : [{ name, path: `${memberPath(`l2tp.${kind}`, name)}.ipsec`, connection: ipsec }],
  );
}

function* unknownConnection(configuration: Configuration): Iterable<Finding> {
  const known = Object.keys(configuration.ipsec.connections);
  const uses = [...usesBy(configuration, 'clients'), ...usesBy(configuration, 'servers')];
  for (const { path, connection } of uses) {
    if (Object.hasOwn(configuration.ipsec.connections, connection)) continue;
    const near = nearest(connection, known);
    yield {
      path,
      found: `"${connection}", and there is no such IPsec connection`,
      allowed: known.length === 0 ? 'a connection of ipsec.connections, which is empty' : `one of ${known.join(', ')}`,
      ...(near === undefined ? {} : { suggestion: near }),
    };
  }
}

function* ofClient(configuration: Configuration): Iterable<Finding> {
  for (const { name, path, connection } of usesBy(configuration, 'clients')) {
    const entry = ownEntry(configuration.ipsec.connections, connection);
    const server = ownEntry(configuration.l2tp.clients, name)?.server ?? '';
    if (entry === undefined) continue;
    const found = unfit(connection, entry);
    if (found !== undefined) yield { path, found, allowed: `a connection to the server with ${TRANSPORT}` };
    else if (!samePlace(entry.remote, server)) {
      const there = entry.remote === ANY_PEER ? 'waits for callers' : `leads to ${entry.remote}`;
      const wrong = `"${connection}", which ${there}, while the server is ${server}`;
      yield { path, found: wrong, allowed: `a connection whose remote is "${server}"` };
    }
  }
}

function* ofServer(configuration: Configuration): Iterable<Finding> {
  for (const { path, connection } of usesBy(configuration, 'servers')) {
    const entry = ownEntry(configuration.ipsec.connections, connection);
    const found = entry === undefined ? undefined : unfit(connection, entry);
    const allowed = `a connection with ${TRANSPORT} and the remote "any" or the one caller there is`;
    if (found !== undefined) yield { path, found, allowed };
  }
}

function unfit(name: string, { mode }: IpsecConnectionConfiguration): string | undefined {
  return mode === 'transport' ? undefined : `"${name}", which is in ${mode} mode`;
}

function samePlace(a: string, b: string): boolean {
  return (canonicalIp(a) ?? a.toLowerCase()) === (canonicalIp(b) ?? b.toLowerCase());
}

/** Who calls and who is called must be told apart by the connection, and a caller belongs to one server. */
function* shared(configuration: Configuration): Iterable<Finding> {
  const uses = usesBy(configuration, 'servers');
  for (const [index, { path, connection }] of uses.entries()) {
    const { clients }: IpsecUsers = usersOf(configuration, connection);
    const earlier = uses.slice(0, index).find((use) => use.connection === connection);
    const other = earlier === undefined ? clients[0] && `client "${clients[0]}"` : `server "${earlier.name}"`;
    if (other === undefined) continue;
    const found = `"${connection}", which ${other} uses already`;
    yield { path, found, allowed: 'a connection of its own for every server' };
  }
}

/** Two that are started by themselves get in each other's way for ever; those started by hand may take turns. */
function* sharedByClients(configuration: Configuration): Iterable<Finding> {
  const { clients } = configuration.l2tp;
  const uses = usesBy(configuration, 'clients').filter(({ name }) => ownEntry(clients, name)?.start === 'boot');
  for (const [use, earlier] of repeated(uses, ({ connection }) => connection)) {
    const found = `"${use.connection}", which client "${earlier.name}" uses already`;
    yield {
      path: use.path,
      found,
      allowed: 'a connection of its own for every client: one carries one client at a time',
    };
  }
}

/** Commands and the log know both by the name alone. */
function* nameOfClient(configuration: Configuration): Iterable<Finding> {
  for (const [name, { mode }] of Object.entries(configuration.ipsec.connections)) {
    if (mode !== 'tunnel' || ownEntry(configuration.l2tp.clients, name) === undefined) continue;
    const found = 'a connection in tunnel mode with the name of an L2TP client';
    const allowed = `better another name: "culvert connect ${name}" connects the client`;
    yield { path: memberPath('ipsec.connections', name), found, allowed };
  }
}

function* unused(configuration: Configuration): Iterable<Finding> {
  const uses = [...usesBy(configuration, 'clients'), ...usesBy(configuration, 'servers')];
  const used = new Set(uses.map(({ connection }) => connection));
  for (const [name, { mode }] of Object.entries(configuration.ipsec.connections)) {
    if (mode !== 'transport' || used.has(name)) continue;
    yield {
      path: memberPath('ipsec.connections', name),
      found: 'a connection in transport mode that no L2TP client or server uses',
      allowed: `"ipsec": "${name}" in one of them, or the mode "tunnel"`,
    };
  }
}
