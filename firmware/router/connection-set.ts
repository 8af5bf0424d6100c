import type { Clock } from '../../hal/clock.ts';
import type { Links } from '../../hal/links.ts';
import type { EnforceReport } from '../config/commit/commit-types.ts';
import { EMPTY_CONFIGURATION } from '../config/empty.ts';
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import type { L2tpClientConfiguration, L2tpServerConfiguration } from '../config/l2tp-schema.ts';
import type { Configuration } from '../config/schema.ts';
import type { Logger } from '../log/logger.ts';
import type { AccessLine } from '../protocol/l2tp/endpoint-types.ts';
import type { Failure, RandomSource } from '../protocol/machine.ts';
import type { DslLines } from '../uplink/dsl/dsl-lines.ts';
import type { UplinkManager } from '../uplink/uplink-manager.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import type { IpsecConnectionInfo } from '../vpn/ipsec/ipsec-types.ts';
import { L2tpClient } from '../vpn/l2tp/client.ts';
import { L2tpServer } from '../vpn/l2tp/server.ts';
import { innerMtu } from '../vpn/l2tp/session-shape.ts';
import { RadiusDesk } from '../vpn/radius/radius-desk.ts';
import { type ConnectionState, errorText, failureLine, type Step } from '../vpn/steps.ts';
import { keptConnections } from './connection-plan.ts';
import { clientOptions, serverOptions } from './connections.ts';
import { connectionSettings, speakerOf } from './ipsec-connections.ts';
import type { IpsecControl, IpsecFactory } from './ipsec-control.ts';
import { deskOptions, machineRadius } from './radius-options.ts';
import type { RouterNetwork } from './router-network.ts';
import { type AddressSurroundings, clientAddress, connectionAddress, uplinkMtu } from './uplink-address.ts';
import type { UplinkResolver } from './uplink-resolver.ts';

export interface ConnectionSetParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly links: Links;
  readonly dispatch: DataPlaneDispatch;
  readonly network: RouterNetwork;
  readonly resolver: UplinkResolver;
  readonly uplinks: UplinkManager;
  readonly ipsec: IpsecFactory;
  /** Whose rates a server is told; without them it is told none. */
  readonly dslLines?: DslLines;
  readonly logger: Pick<Logger, 'error'>;
  readonly onStep: (connection: string, step: Step) => void;
  readonly onState: (connection: string, state: ConnectionState, failure?: Failure) => void;
  /** An IPsec connection of which nothing is told under its own name has changed its state. */
  readonly onChange: () => void;
}

/** MTU of an uplink that cannot be asked for it, octets. */
const ETHERNET_MTU = 1500;

/** The clients, servers and IPsec connections of the configuration in force. */
export class ConnectionSet {
  readonly #parts: ConnectionSetParts;
  readonly #clients = new Map<string, L2tpClient>();
  readonly #servers = new Map<string, L2tpServer>();
  #ipsec: IpsecControl | undefined;
  /** Why the service could not be made, or could not take the connections. */
  #ipsecFailure: Failure | undefined;
  #ipsecFailedAt = 0;
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

  /** The service of IPsec; absent while no configuration has wanted it, or when this one could not be given to it. */
  get ipsec(): IpsecControl | undefined {
    return this.#ipsecFailure === undefined ? this.#ipsec : undefined;
  }

  get ipsecConnections(): readonly IpsecConnectionInfo[] {
    const failure = this.#ipsecFailure;
    if (this.#ipsec !== undefined && failure === undefined) return this.#ipsec.info();
    return Object.entries(this.#configuration.ipsec.connections).map(([name, { version, mode, remote }]) => {
      const known = this.#ipsec?.info().find((connection) => connection.name === name);
      const nothing = { name, version, mode, remote, stateSince: this.#ipsecFailedAt, ikeSas: [] };
      return known ?? { ...nothing, state: 'failed', ...(failure ? { failure } : {}) };
    });
  }

  /** The network of this machine may have changed. */
  networkChanged(): void {
    if (!this.#ending) this.#ipsec?.networkChanged();
  }

  /** There is another way out, and the kernel knows. */
  uplinkChanged(): void {
    if (this.#ending) return;
    this.#ipsec?.uplinkChanged();
    for (const client of this.#clients.values()) void client.uplinkChanged();
  }

  /** No connection is started any more, not even by an {@link enforce} that is under way. */
  end(): void {
    this.#ending = true;
  }

  async stop(): Promise<void> {
    this.end();
    try {
      await Promise.all([stopAllBut(this.#clients, new Set()), stopAllBut(this.#servers, new Set())]);
    } finally {
      // Their goodbyes go through it.
      await this.#ipsec?.stop();
    }
  }

  /**
   * What is unchanged keeps running; what is gone or changed is stopped before anything is started.
   */
  async enforce(configuration: Configuration): Promise<EnforceReport> {
    const devices = tunnelInterfaceNames(configuration);
    const kept = keptConnections(this.#configuration, configuration, this.#ipsec !== undefined);
    await Promise.all([stopAllBut(this.#clients, kept.clients), stopAllBut(this.#servers, kept.servers)]);
    if (this.#ending) return { changes: [], failures: [] };
    this.#configuration = configuration;
    const { network, uplinks } = this.#parts;
    await uplinks.retire(configuration);
    const { changes, failures } = await network.configure(configuration);
    await uplinks.configure(configuration);
    const outer = await this.#uplinkMtu();
    await this.#enforceIpsec(devices.connections, outer);
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
    const all = this.#ipsecFailure === undefined ? failures : [...failures, this.#ipsecFailure];
    return { changes, failures: all.map(failureLine) };
  }

  async #startServer(name: string, server: L2tpServerConfiguration, device: string, outer: number): Promise<void> {
    const { network } = this.#parts;
    const { listen, port, ipsec } = server;
    const { hostname } = this.#configuration.system;
    const radius =
      server.radius &&
      machineRadius(server.radius, listen, hostname, (granted) => network.reviewGrant(device, granted));
    const mru = Math.min(server.mru, innerMtu(outer, listen.includes(':') ? 6 : 4, ipsec !== undefined));
    const prefixes = network.serverPrefixes(server);
    const instance = new L2tpServer(
      { name, device, listen, port, mark: network.mark, prefixes, mtu: mru, ...(ipsec === undefined ? {} : { ipsec }) },
      serverOptions(server, hostname, mru, radius),
      {
        ...this.#services(name),
        onCall: (call, state, failure) => this.#parts.onState(call, state, failure),
        ...(server.radius ? { radius: this.#radiusDesk(name, server.radius, listen) } : {}),
      },
    );
    this.#servers.set(name, instance);
    await instance.start();
  }

  #startClient(name: string, client: L2tpClientConfiguration, device: string, outer: number): void {
    const { network, resolver } = this.#parts;
    const sourcePort = client.sourcePort === 'ephemeral' ? 0 : client.sourcePort;
    // Four octets of family difference are not worth a second negotiation: IPv6 outside costs 20 more.
    const { ipsec, routes, start, idleSeconds } = client;
    const mru = Math.min(client.mru, innerMtu(outer, client.server.includes(':') ? 6 : 4, ipsec !== undefined));
    const instance = new L2tpClient(
      {
        name,
        device,
        sourcePort,
        mark: network.mark,
        routes,
        onDemand: start === 'on-demand',
        idleSeconds,
        ...(ipsec === undefined ? {} : { ipsec }),
      },
      clientOptions(client, this.#configuration.system.hostname, mru, {
        reviewAssignment: (assigned) => network.review(device, assigned),
        reviewIpv6: (what, address) => network.reviewIpv6(device, what, address),
        ...(client.accessLine ? { accessLine: () => this.#accessLine(client) } : {}),
      }),
      {
        ...this.#services(name),
        resolve: (server) => resolver.resolve(server, this.#configuration),
        localAddress: (remote) => clientAddress(remote, client.uplink, this.#surroundings()),
      },
    );
    this.#clients.set(name, instance);
    if (start === 'boot' || start === 'called') instance.connect();
    else instance.arm();
  }

  #radiusDesk(name: string, radius: NonNullable<L2tpServerConfiguration['radius']>, listen: string): RadiusDesk {
    const { dispatch, clock, random, network, resolver, onStep } = this.#parts;
    return new RadiusDesk(deskOptions(radius, listen, this.#configuration.system.hostname), {
      dispatch,
      clock,
      random,
      mark: network.mark,
      resolve: (host) => resolver.resolve(host, this.#configuration),
      onStep: (step) => onStep(name, step),
    });
  }

  #services(name: string) {
    const { dispatch, clock, random, network, onStep, onState } = this.#parts;
    return {
      dispatch,
      clock,
      random,
      networks: network,
      ...(this.#ipsec === undefined ? {} : { channels: this.#ipsec }),
      onStep: (step: Step) => onStep(name, step),
      onState: (state: ConnectionState, failure?: Failure) => onState(name, state, failure),
    };
  }

  /** A fault here costs what is protected, and what is not protected goes on. */
  async #enforceIpsec(devices: ReadonlyMap<string, string>, outer: number): Promise<void> {
    const settings = connectionSettings(this.#configuration, devices, outer);
    try {
      if (settings.length > 0) this.#ipsec ??= await this.#makeIpsec();
      await this.#ipsec?.setConnections(settings);
      this.#ipsecFailure = undefined;
    } catch (error) {
      const reason = `IPsec could not be set up: ${errorText(error)}`;
      this.#ipsecFailure = { step: 'IPsec', reason, remedy: 'mend that and apply the configuration again' };
      this.#ipsecFailedAt = this.#parts.clock.wall();
      this.#parts.logger.error(failureLine(this.#ipsecFailure));
    }
  }

  #makeIpsec(): Promise<IpsecControl> {
    const { ipsec, dispatch, clock, random, network, resolver } = this.#parts;
    const { mark } = network;
    return ipsec({
      dispatch,
      clock,
      random,
      mark,
      networks: network,
      sourceAddress: (remote, connection) => connectionAddress(remote, connection, this.#surroundings()),
      resolve: (name) => resolver.resolve(name, this.#configuration),
      onStep: (connection, step) => this.#parts.onStep(speakerOf(this.#configuration, connection).name, step),
      onState: (connection, state, failure) => this.#onIpsecState(connection, state, failure),
    });
  }

  /** The DSL line of the uplink by which the client goes: its own, else that which has the default route. */
  #accessLine({ uplink }: L2tpClientConfiguration): AccessLine | undefined {
    const { uplinks, dslLines } = this.#parts;
    const found = uplinks.uplinks.get(uplink ?? uplinks.carrying ?? '');
    return dslLines?.accessLine(found?.definition.configuration.interface);
  }

  #surroundings(): AddressSurroundings {
    const { links, uplinks, network } = this.#parts;
    return { links, uplinks, mark: network.mark, configuration: this.#configuration };
  }

  /** What is said under a client's name has the client's state: IPsec may stand while L2TP is still being set up. */
  #onIpsecState(connection: string, state: ConnectionState, failure?: Failure): void {
    if (speakerOf(this.#configuration, connection).isClient) this.#parts.onChange();
    else this.#parts.onState(connection, state, failure);
  }

  /** Smallest MTU of the interfaces that lead out, octets. */
  async #uplinkMtu(): Promise<number> {
    const outside = new Set(
      Object.values(this.#configuration.interfaces).flatMap(({ zone, device }) => (zone === 'wan' ? [device] : [])),
    );
    // The reconciler, which has just asked the same, has said in the log what is wrong.
    const links = await this.#parts.links.links().catch(() => []);
    const uplinks = Object.values(this.#configuration.uplinks).map(uplinkMtu);
    return Math.min(
      ETHERNET_MTU,
      ...uplinks,
      ...links.filter((link) => outside.has(link.name)).map((link) => link.mtu),
    );
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
