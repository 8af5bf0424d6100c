import type { Clock } from '../../hal/clock.ts';
import type { Links } from '../../hal/links.ts';
import { EMPTY_CONFIGURATION } from '../config/empty.ts';
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import type { L2tpClientConfiguration, L2tpServerConfiguration } from '../config/l2tp-schema.ts';
import type { Configuration } from '../config/schema.ts';
import type { Failure, RandomSource } from '../protocol/machine.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import { L2tpClient } from '../vpn/l2tp/client.ts';
import { L2tpServer } from '../vpn/l2tp/server.ts';
import { innerMtu } from '../vpn/l2tp/session-shape.ts';
import type { ConnectionState, Step } from '../vpn/steps.ts';
import { clientOptions, serverOptions, unchanged } from './connections.ts';
import type { RouterNetwork } from './router-network.ts';
import type { UplinkResolver } from './uplink-resolver.ts';

export interface ConnectionSetParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly links: Links;
  readonly dispatch: DataPlaneDispatch;
  readonly network: RouterNetwork;
  readonly resolver: UplinkResolver;
  readonly onStep: (connection: string, step: Step) => void;
  readonly onState: (connection: string, state: ConnectionState, failure?: Failure) => void;
}

/** MTU of an uplink that cannot be asked for it, octets. */
const ETHERNET_MTU = 1500;

/** The clients and servers of the configuration in force. */
export class ConnectionSet {
  readonly #parts: ConnectionSetParts;
  readonly #clients = new Map<string, L2tpClient>();
  readonly #servers = new Map<string, L2tpServer>();
  #configuration: Configuration = EMPTY_CONFIGURATION;
  #ending = false;

  constructor(parts: ConnectionSetParts) {
    this.#parts = parts;
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  get clients(): ReadonlyMap<string, L2tpClient> {
    return this.#clients;
  }

  get servers(): ReadonlyMap<string, L2tpServer> {
    return this.#servers;
  }

  /** No connection is started any more, not even by an {@link enforce} that is under way. */
  end(): void {
    this.#ending = true;
  }

  async stop(): Promise<void> {
    this.end();
    await Promise.all([stopAllBut(this.#clients, new Set()), stopAllBut(this.#servers, new Set())]);
  }

  /** What is unchanged keeps running; what is gone or changed is stopped before anything is started. */
  async enforce(configuration: Configuration): Promise<void> {
    const before = this.#configuration;
    const was = tunnelInterfaceNames(before);
    const devices = tunnelInterfaceNames(configuration);
    const sameName = before.system.hostname === configuration.system.hostname;
    const keepClients = sameName ? unchanged(before.l2tp.clients, configuration.l2tp.clients) : new Set<string>();
    const keepServers = sameName ? unchanged(before.l2tp.servers, configuration.l2tp.servers) : new Set<string>();
    keepDevices(keepClients, was.clients, devices.clients);
    keepDevices(keepServers, was.servers, devices.servers);
    await Promise.all([stopAllBut(this.#clients, keepClients), stopAllBut(this.#servers, keepServers)]);
    if (this.#ending) return;
    this.#configuration = configuration;
    await this.#parts.network.configure(configuration);
    const outer = await this.#uplinkMtu();
    const starts: Promise<void>[] = [];
    for (const [name, server] of Object.entries(configuration.l2tp.servers)) {
      const device = devices.servers.get(name);
      if (device && !this.#servers.has(name) && !this.#ending) {
        starts.push(this.#startServer(name, server, device, outer));
      }
    }
    await Promise.all(starts);
    for (const [name, client] of Object.entries(configuration.l2tp.clients)) {
      const device = devices.clients.get(name);
      if (device && !this.#clients.has(name) && !this.#ending) this.#startClient(name, client, device, outer);
    }
  }

  async #startServer(name: string, server: L2tpServerConfiguration, device: string, outer: number): Promise<void> {
    const { network } = this.#parts;
    const { listen, port } = server;
    const mru = Math.min(server.mru, innerMtu(outer, listen.includes(':') ? 6 : 4));
    const prefixes = network.serverPrefixes(name, server);
    const instance = new L2tpServer(
      { name, device, listen, port, mark: network.mark, prefixes, mtu: mru },
      serverOptions(server, this.#configuration.system.hostname, mru),
      this.#services(name),
    );
    this.#servers.set(name, instance);
    await instance.start();
  }

  #startClient(name: string, client: L2tpClientConfiguration, device: string, outer: number): void {
    const { network, resolver } = this.#parts;
    const sourcePort = client.sourcePort === 'ephemeral' ? 0 : client.sourcePort;
    // Four octets of family difference are not worth a second negotiation: IPv6 outside costs 20 more.
    const mru = Math.min(client.mru, innerMtu(outer, client.server.includes(':') ? 6 : 4));
    const instance = new L2tpClient(
      { name, device, sourcePort, mark: network.mark, routes: client.routes },
      clientOptions(client, this.#configuration.system.hostname, mru, (assigned) => network.review(device, assigned)),
      { ...this.#services(name), resolve: (server) => resolver.resolve(server, this.#configuration) },
    );
    this.#clients.set(name, instance);
    if (client.start === 'boot') instance.connect();
  }

  #services(name: string) {
    const { dispatch, clock, random, network, onStep, onState } = this.#parts;
    return {
      dispatch,
      clock,
      random,
      networks: network,
      onStep: (step: Step) => onStep(name, step),
      onState: (state: ConnectionState, failure?: Failure) => onState(name, state, failure),
    };
  }

  /** Smallest MTU of the interfaces that lead out, octets. */
  async #uplinkMtu(): Promise<number> {
    const outside = new Set(
      Object.values(this.#configuration.interfaces).flatMap(({ zone, device }) => (zone === 'wan' ? [device] : [])),
    );
    // The reconciler, which has just asked the same, has said in the log what is wrong.
    const links = await this.#parts.links.links().catch(() => []);
    return Math.min(ETHERNET_MTU, ...links.filter((link) => outside.has(link.name)).map((link) => link.mtu));
  }
}

/** A new connection can take the device name of an old one when both are cut to 15 characters: then both start anew. */
function keepDevices(keep: Set<string>, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  for (const name of keep) {
    if (before.get(name) !== after.get(name)) keep.delete(name);
  }
}

async function stopAllBut(
  connections: Map<string, { stop(): Promise<void> }>,
  keep: ReadonlySet<string>,
): Promise<void> {
  const leaving = [...connections].filter(([name]) => !keep.has(name));
  // Gone at once for whoever asks by name: a connection that is being stopped takes no commands.
  for (const [name] of leaving) connections.delete(name);
  await Promise.all(leaving.map(([, connection]) => connection.stop()));
}
