/** From the name of something to what is captured of it: an interface, or the inside or the outside of a tunnel. */
import type { Links } from '../../hal/links.ts';
import type { CommandResult } from '../api/router-control.ts';
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import { ANY_PEER } from '../config/ipsec-schema.ts';
import { usersOf } from '../config/ipsec-users.ts';
import { type Configuration, ownEntry } from '../config/schema.ts';
import type { OuterTraffic } from '../diagnosis/capture/outer-traffic.ts';
import { canonicalIp } from '../protocol/ip-address.ts';
import type { Failure } from '../protocol/machine.ts';

export interface CaptureTarget {
  /** At least one. */
  readonly places: readonly { readonly device: string; readonly description: string }[];
  /** Which packets there are meant; absent: all. */
  readonly traffic?: OuterTraffic;
}

export type CaptureTargetResult =
  | { readonly ok: true; readonly target: CaptureTarget }
  | (CommandResult & { readonly ok: false });

export interface CaptureSurroundings {
  readonly configuration: Configuration;
  readonly links: Pick<Links, 'links' | 'addresses' | 'sourceAddress'>;
  /** SO_MARK of outer packets. */
  readonly mark: number;
  readonly resolve: (host: string) => Promise<readonly string[] | Failure>;
}

/** Of IKE and of ESP in UDP (RFC 7296 section 2.23). */
const IPSEC_PORTS = [500, 4500] as const;

export async function captureTarget(
  name: string,
  outside: boolean,
  surroundings: CaptureSurroundings,
): Promise<CaptureTargetResult> {
  const { configuration, links } = surroundings;
  if (outside) return await outsideTarget(name, surroundings);
  const there = new Set((await links.links()).map((link) => link.name));
  const configured = ownEntry(configuration.interfaces, name)?.device;
  if (configured !== undefined) return place(configured, name, there, 'plug it in, or correct its device');
  if (there.has(name)) return place(name, 'a device of this router', there, '');
  const inside = insideDevice(configuration, name);
  if (inside === undefined) return unknown(name, configuration, [...there]);
  if (typeof inside !== 'string') return inside;
  const remedy = `bring ${name} up, or capture with --outside to see why it does not come up`;
  return place(inside, `the inside of ${name}`, there, remedy);
}

function place(device: string, description: string, there: ReadonlySet<string>, remedy: string): CaptureTargetResult {
  if (there.has(device)) return { ok: true, target: { places: [{ device, description }] } };
  return { ok: false, reason: `there is no network device ${device} at the moment`, remedy };
}

/** The TUN of a tunnel; a refusal where it has none of its own; `undefined`: no connection has that name. */
function insideDevice(configuration: Configuration, name: string): string | CaptureTargetResult | undefined {
  const { clients, servers, connections } = tunnelInterfaceNames(configuration);
  const own = clients.get(name) ?? servers.get(name) ?? connections.get(name);
  if (own !== undefined || ownEntry(configuration.ipsec.connections, name) === undefined) return own;
  const users = usersOf(configuration, name);
  const names = [...users.clients, ...users.servers];
  const [only = ''] = names;
  if (names.length === 1) return clients.get(only) ?? servers.get(only);
  return {
    ok: false,
    reason: `${name} is an IPsec connection in transport mode, inside of which are the L2TP tunnels of others`,
    remedy: names.length === 0 ? 'let an L2TP client use it' : `capture ${names.join(' or ')}`,
  };
}

/** What a connection says to its peers: where, and by which ports. */
interface Conversation {
  /** Names or addresses; none: whoever calls. */
  readonly hosts: readonly string[];
  readonly udpPorts: readonly number[];
  /** Address of this router at which it is called. */
  readonly listen?: string;
}

function conversation(configuration: Configuration, name: string): Conversation | undefined {
  const { l2tp, ipsec } = configuration;
  const client = ownEntry(l2tp.clients, name);
  if (client) {
    const remote = client.ipsec === undefined ? undefined : ownEntry(ipsec.connections, client.ipsec)?.remote;
    const hosts = new Set([client.server, ...(remote === undefined || remote === ANY_PEER ? [] : [remote])]);
    return { hosts: [...hosts], udpPorts: [client.port, ...(client.ipsec === undefined ? [] : IPSEC_PORTS)] };
  }
  const server = ownEntry(l2tp.servers, name);
  if (server) {
    const udpPorts = [server.port, ...(server.ipsec === undefined ? [] : IPSEC_PORTS)];
    return { hosts: [], udpPorts, listen: server.listen };
  }
  const connection = ownEntry(ipsec.connections, name);
  if (connection === undefined) return undefined;
  const users = usersOf(configuration, name);
  const ports = [
    ...users.clients.map((user) => l2tp.clients[user]?.port),
    ...users.servers.map((user) => l2tp.servers[user]?.port),
  ].filter((port) => port !== undefined);
  return {
    hosts: connection.remote === ANY_PEER ? [] : [connection.remote],
    udpPorts: [...IPSEC_PORTS, ...ports],
  };
}

async function outsideTarget(name: string, surroundings: CaptureSurroundings): Promise<CaptureTargetResult> {
  const { configuration } = surroundings;
  const said = conversation(configuration, name);
  if (said === undefined) {
    return {
      ok: false,
      reason: `there is no tunnel ${JSON.stringify(name)} that would have an outside`,
      remedy: 'name an L2TP client, an L2TP server or an IPsec connection, or leave --outside out',
      notFound: tunnelNames(configuration),
    };
  }
  const udpPorts = new Set(said.udpPorts);
  if (said.hosts.length === 0) {
    const devices = await calledAt(said.listen, surroundings);
    return outsidePlaces(name, devices, { udpPorts });
  }
  const peers = new Set<string>();
  for (const host of said.hosts) {
    const found = await surroundings.resolve(host);
    if (!isAddresses(found)) return { ok: false, step: found.step, reason: found.reason, remedy: found.remedy };
    for (const address of found) peers.add(canonicalIp(address) ?? address);
  }
  return outsidePlaces(name, await towards([...peers], surroundings), { peers, udpPorts });
}

function outsidePlaces(name: string, devices: readonly string[], traffic: OuterTraffic): CaptureTargetResult {
  const description = `the outside of ${name}`;
  if (devices.length > 0) {
    return { ok: true, target: { places: devices.map((device) => ({ device, description })), traffic } };
  }
  return {
    ok: false,
    reason: `no interface of this router leads to a peer of ${name} at the moment`,
    remedy: 'see "culvert show interfaces", or capture an interface as a whole',
  };
}

/** The devices by which packets leave for these addresses. */
async function towards(peers: readonly string[], { links, mark }: CaptureSurroundings): Promise<readonly string[]> {
  const addresses = await links.addresses();
  const devices = new Set<string>();
  for (const peer of peers) {
    const source = await links.sourceAddress(peer, mark).catch(() => undefined);
    const entry = source === undefined ? undefined : addresses.find(({ address }) => hostOf(address) === source);
    if (entry !== undefined) devices.add(entry.device);
  }
  return [...devices];
}

/** The device that has an address, or every interface of the configuration that is there. */
async function calledAt(
  listen: string | undefined,
  { links, configuration }: CaptureSurroundings,
): Promise<readonly string[]> {
  const address = listen === undefined ? undefined : canonicalIp(listen);
  const has = (await links.addresses()).find((entry) => hostOf(entry.address) === address);
  if (has !== undefined) return [has.device];
  const there = new Set((await links.links()).map((link) => link.name));
  const devices = Object.values(configuration.interfaces).map(({ device }) => device);
  return [...new Set(devices)].filter((device) => there.has(device));
}

/** Of CIDR, in canonical text. */
function hostOf(address: string): string | undefined {
  return canonicalIp(address.split('/')[0] ?? '');
}

function isAddresses(found: readonly string[] | Failure): found is readonly string[] {
  return Array.isArray(found);
}

function tunnelNames({ l2tp, ipsec }: Configuration): string[] {
  const names = [...Object.keys(l2tp.clients), ...Object.keys(l2tp.servers), ...Object.keys(ipsec.connections)];
  return [...new Set(names)];
}

function unknown(name: string, configuration: Configuration, devices: readonly string[]): CaptureTargetResult {
  const names = [...Object.keys(configuration.interfaces), ...tunnelNames(configuration), ...devices];
  return {
    ok: false,
    reason: `there is no interface, no tunnel and no network device ${JSON.stringify(name)}`,
    remedy: `name one of ${[...new Set(names)].join(', ')}`,
    notFound: [...new Set(names)],
  };
}
