/** Gathers what a diagnosis of a connection is made from. Whatever cannot be found out is left out, and ends nothing. */
import type { Links } from '../../hal/links.ts';
import type { IpsecStatus, L2tpStatus, PppStatus, RouterStatus } from '../api/router-control.ts';
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import { interfaceNetworks } from '../config/interface-networks.ts';
import { ANY_PEER } from '../config/ipsec-schema.ts';
import { ownEntry } from '../config/schema.ts';
import type {
  ConnectionKind,
  IpsecFacts,
  LiveFacts,
  PppFacts,
  TrafficFacts,
  UplinkFacts,
} from '../diagnosis/live/live-facts.ts';
import { clientPrefixes, connectionPrefixes, serverPrefixes } from '../network/configured-prefixes.ts';
import { isOurs } from '../network/ownership.ts';
import { hasUplinks } from '../network/uplink-routing.ts';
import { formatCidr, networkOf } from '../protocol/ip-address.ts';
import type { Failure } from '../protocol/machine.ts';
import type { ConnectionSet } from './connection-set.ts';
import type { UplinkResolver } from './uplink-resolver.ts';
import { BUILD_TIME } from './wall-clock-floor.ts';

/** How long a question to the system may take, ms: an answer that comes too late is left out. */
const CHECK_MS = 15_000;
/** Lines of the log that are looked through. */
const MAX_LOG_LINES = 400;

export interface Subject {
  readonly name: string;
  readonly connections: ConnectionSet;
  readonly status: RouterStatus;
  /** JSON objects, oldest first. */
  readonly log: readonly string[];
}

export interface Probes {
  readonly links: Links;
  readonly resolver: Pick<UplinkResolver, 'resolve'>;
  /** SO_MARK of outer packets. */
  readonly mark: number;
  /** The machine's clock without a floor, ms since 1970. */
  readonly wall: () => number;
}

interface Entry {
  readonly kind: ConnectionKind;
  readonly state: LiveFacts['state'];
  readonly failures: readonly Failure[];
  /** Of the IPsec connection that it is, or that protects it. */
  readonly ipsec?: string;
  readonly server?: string;
  readonly prefixes: readonly string[];
  readonly device?: string;
}

/** Names that can be diagnosed. */
export function namesOf({ configuration }: ConnectionSet): readonly string[] {
  const { l2tp, ipsec } = configuration;
  return [...new Set([l2tp.clients, l2tp.servers, ipsec.connections].flatMap((entries) => Object.keys(entries)))];
}

/** `undefined` when the configuration has no connection of that name. */
export async function gatherFacts(subject: Subject, probes: Probes): Promise<LiveFacts | undefined> {
  const { name, connections, status, log } = subject;
  const entry = entryOf(name, connections);
  if (entry === undefined) return undefined;
  const { configuration } = connections;
  const { kind, server, device } = entry;
  const addresses =
    server === undefined ? undefined : await inTime(probes.resolver.resolve(server, configuration), undefined);
  const first = addresses === undefined || 'reason' in addresses ? undefined : addresses[0];
  const source = first === undefined ? undefined : await sourceOf(first, probes);
  const l2tp = status.l2tp.filter((tunnel) => tunnel.name === name);
  const ppp = kind === 'l2tp-client' ? status.ppp.filter((link) => link.name === name) : [];
  const routed = device === undefined ? undefined : await routedInto(device, probes.links);
  const tunnel = l2tp.find(({ state }) => state === 'up') ?? l2tp[0];
  return {
    name,
    kind,
    state: entry.state,
    failures: entry.failures,
    uplinks: hasUplinks(configuration) ? waysOut(status) : uplinksOf(configuration.interfaces, status),
    ...(server === undefined ? {} : { server }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(source === undefined ? {} : { source }),
    wall: probes.wall(),
    floor: BUILD_TIME,
    isProtected: entry.ipsec !== undefined,
    ...(tunnel === undefined || kind === 'ipsec' ? {} : { tunnel: tunnelFacts(tunnel) }),
    sessions: kind === 'ipsec' ? [] : l2tp.flatMap(sessionFacts),
    ppp: ppp.map(pppFacts),
    ipsec: status.ipsec.filter((ike) => ike.name === entry.ipsec).map(ipsecFacts),
    prefixes: entry.prefixes,
    ...(routed === undefined ? {} : { routed }),
    networks: interfaceNetworks(configuration).map(({ name: own, prefix }) => ({
      name: own,
      prefix: formatCidr(networkOf(prefix)),
    })),
    drops: dropsOf(status.counters),
    log: linesOf(log, name),
  };
}

function entryOf(name: string, connections: ConnectionSet): Entry | undefined {
  const { configuration, clients, servers } = connections;
  const devices = tunnelInterfaceNames(configuration);
  const info = (connection: string | undefined) =>
    connections.ipsecConnections.find((candidate) => candidate.name === connection);
  const client = clients.get(name);
  const clientConfiguration = ownEntry(configuration.l2tp.clients, name);
  if (client !== undefined && clientConfiguration !== undefined) {
    const { ipsec, server } = clientConfiguration;
    const device = client.state === 'up' ? devices.clients.get(name) : undefined;
    return {
      kind: 'l2tp-client',
      state: client.state,
      // The client takes over what its channel fails with.
      failures: defined(client.failure ?? info(ipsec)?.failure),
      ...(ipsec === undefined ? {} : { ipsec }),
      server,
      prefixes: clientPrefixes(clientConfiguration),
      ...(device === undefined ? {} : { device }),
    };
  }
  const l2tpServer = servers.get(name);
  const serverConfiguration = ownEntry(configuration.l2tp.servers, name);
  if (l2tpServer !== undefined && serverConfiguration !== undefined) {
    const { ipsec } = serverConfiguration;
    return {
      kind: 'l2tp-server',
      state: l2tpServer.state,
      failures: defined(l2tpServer.failure),
      ...(ipsec === undefined ? {} : { ipsec }),
      prefixes: serverPrefixes(serverConfiguration),
    };
  }
  const connection = info(name);
  const ipsecConfiguration = ownEntry(configuration.ipsec.connections, name);
  if (connection === undefined || ipsecConfiguration === undefined) return undefined;
  const device = connection.state === 'up' ? devices.connections.get(name) : undefined;
  const { remote } = ipsecConfiguration;
  return {
    kind: 'ipsec',
    state: connection.state,
    failures: defined(connection.failure),
    ipsec: name,
    ...(remote === ANY_PEER ? {} : { server: remote }),
    prefixes: connectionPrefixes(ipsecConfiguration),
    ...(device === undefined ? {} : { device }),
  };
}

function defined(failure: Failure | undefined): readonly Failure[] {
  return failure === undefined ? [] : [failure];
}

/** The uplink that carries the traffic; while none does, all of them. */
function waysOut({ uplinks }: RouterStatus): readonly UplinkFacts[] {
  const carrying = uplinks.filter((uplink) => uplink.carrying);
  return (carrying.length > 0 ? carrying : uplinks).map(
    ({ name, interface: device = '', address, gateway, verdict }) => ({
      name,
      device,
      state: verdict === 'down' ? 'down' : 'up',
      addresses: address === undefined ? [] : [address],
      ...(gateway === undefined ? {} : { gateway }),
    }),
  );
}

function uplinksOf(
  interfaces: ConnectionSet['configuration']['interfaces'],
  status: RouterStatus,
): readonly UplinkFacts[] {
  return status.interfaces.flatMap(({ name, device, zone, state, addresses }): UplinkFacts[] => {
    if (zone !== 'wan') return [];
    const gateway = ownEntry(interfaces, name)?.ipv4?.gateway;
    const link = state === 'failed' ? 'missing' : state === 'up' ? 'up' : 'down';
    return [{ name, device, state: link, addresses, ...(gateway === undefined ? {} : { gateway }) }];
  });
}

function tunnelFacts({ state, peer, peerTunnelId }: L2tpStatus): NonNullable<LiveFacts['tunnel']> {
  return { up: state === 'up' && peerTunnelId !== 0, peer, peerTunnelId };
}

function sessionFacts({ sessions }: L2tpStatus): LiveFacts['sessions'] {
  return sessions.map(({ name, state, packetsReceived = 0, packetsSent = 0, drops = {} }) => ({
    name,
    up: state === 'up',
    traffic: { received: packetsReceived, sent: packetsSent, drops },
  }));
}

function pppFacts({ state, localAddress, peerAddress, authentication, mtu, ipv6 }: PppStatus): PppFacts {
  const hasIpv6 = ipv6 !== undefined;
  return {
    up: state === 'up',
    localAddress,
    peerAddress,
    authentication,
    hasIpv6,
    ...(mtu === undefined ? {} : { mtu }),
  };
}

function ipsecFacts({ state, peer, algorithms, nat, note, children }: IpsecStatus): IpsecFacts {
  return {
    ikeUp: state === 'up',
    peer,
    algorithms,
    nat,
    ...(note === undefined ? {} : { note }),
    children: children.map((child) => ({
      up: child.state === 'up',
      algorithms: child.algorithms,
      traffic: childTraffic(child),
    })),
  };
}

function childTraffic({ packetsReceived, packetsSent, drops }: IpsecStatus['children'][number]): TrafficFacts {
  return { received: packetsReceived, sent: packetsSent, drops };
}

/** Of those that no session or SA has counted. */
function dropsOf(counters: RouterStatus['counters']): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(counters).flatMap(([name, count]) =>
      name.startsWith('dropped.') ? [[name.slice('dropped.'.length), count]] : [],
    ),
  );
}

async function sourceOf(address: string, { links, mark }: Probes): Promise<string | undefined> {
  return await inTime(links.sourceAddress(address, mark), undefined);
}

/** Prefixes that are routed into a device; `undefined` when that cannot be found out. */
async function routedInto(device: string, links: Links): Promise<readonly string[] | undefined> {
  const state = await inTime(links.state(), undefined);
  const routes = state?.routes.filter((route) => isOurs(route) && route.device === device);
  return routes && [...new Set(routes.map(({ prefix }) => prefix))];
}

/** The messages of the log that are of this connection. */
function linesOf(log: readonly string[], name: string): readonly string[] {
  return log.slice(-MAX_LOG_LINES).flatMap((line) => {
    try {
      const { connection, msg } = JSON.parse(line) as { readonly connection?: unknown; readonly msg?: unknown };
      return connection === name && typeof msg === 'string' ? [msg] : [];
    } catch {
      return [];
    }
  });
}

/** What comes in time and without an error; else the substitute. */
async function inTime<Value, Substitute>(answer: Promise<Value>, substitute: Substitute): Promise<Value | Substitute> {
  const late = Promise.withResolvers<Substitute>();
  const timer = setTimeout(() => late.resolve(substitute), CHECK_MS);
  try {
    return await Promise.race([answer.catch(() => substitute), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
