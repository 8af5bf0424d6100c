import type { BoardDescription } from '../../board/board.ts';
import type { Clock } from '../../hal/clock.ts';
import type { Links } from '../../hal/links.ts';
import type { ApplyResult, CommandResult, RouterControl, RouterEvent, RouterStatus } from '../api/router-control.ts';
import { diffConfigurations } from '../config/diff.ts';
import { EMPTY_CONFIGURATION } from '../config/empty.ts';
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import type { L2tpClientConfiguration, L2tpServerConfiguration } from '../config/l2tp-schema.ts';
import { parseConfiguration } from '../config/parse.ts';
import { formatProblem } from '../config/problem.ts';
import { collectSecrets, redactConfiguration } from '../config/redact.ts';
import type { Configuration } from '../config/schema.ts';
import type { ConfigurationStore } from '../config/store.ts';
import type { DataPlaneCounters } from '../dataplane/data-plane.ts';
import { connectionLogger, type Logger } from '../log/logger.ts';
import type { LogRing } from '../log/ring.ts';
import type { Failure, RandomSource } from '../protocol/machine.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import { L2tpClient } from '../vpn/l2tp/client.ts';
import { L2tpServer } from '../vpn/l2tp/server.ts';
import { innerMtu } from '../vpn/l2tp/session-shape.ts';
import { type ConnectionState, failureLine, type Step } from '../vpn/steps.ts';
import { TaskQueue } from '../vpn/tunnel-networks.ts';
import { clientOptions, serverOptions, unchanged } from './connections.ts';
import { EventBus } from './events.ts';
import { interfaceStatus } from './interface-status.ts';
import { clientStatus, serverStatus } from './l2tp-status.ts';
import type { RouterNetwork } from './router-network.ts';
import type { SecretKeeper } from './secret-keeper.ts';
import type { UplinkResolver } from './uplink-resolver.ts';
import { judgeConnect, StateWaiters } from './wait-for-state.ts';

export interface RouterParts {
  readonly version: string;
  readonly board: BoardDescription;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly links: Links;
  readonly dispatch: DataPlaneDispatch;
  readonly network: RouterNetwork;
  readonly resolver: UplinkResolver;
  readonly store: ConfigurationStore;
  readonly secrets: SecretKeeper;
  readonly logger: Logger;
  readonly ring: LogRing;
  /** What earlier runs left is taken back and the first configuration is in force: commands wait for that. */
  readonly ready: Promise<void>;
}

/** How long `disconnect` waits for the peer's goodbyes, ms; afterwards the connection is cut. */
const DISCONNECT_MS = 15_000;

/** The running router: the connections of the configuration in force, and what the control API may ask of them. */
export class Router implements RouterControl {
  readonly #parts: RouterParts;
  readonly #started: number;
  readonly #events: EventBus;
  readonly #waiters = new StateWaiters();
  /** Configurations come into force one after the other. */
  readonly #changes = new TaskQueue();
  readonly #clients = new Map<string, L2tpClient>();
  readonly #servers = new Map<string, L2tpServer>();
  #configuration: Configuration = EMPTY_CONFIGURATION;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#started = parts.clock.now();
    this.#events = new EventBus(() => parts.clock.wall());
  }

  /** Puts a checked configuration in force: what is unchanged keeps running. */
  enforce(configuration: Configuration): Promise<void> {
    return this.#changes.run(() => this.#enforce(configuration));
  }

  /** Says goodbye to every peer and takes down what this router has set up. */
  async stop(): Promise<void> {
    await this.#changes.run(async () => {
      await Promise.all([...this.#clients.values(), ...this.#servers.values()].map((connection) => connection.stop()));
      this.#clients.clear();
      this.#servers.clear();
      await this.#parts.network.restore();
    });
  }

  async status(): Promise<RouterStatus> {
    const { version, board, clock, dispatch, links } = this.#parts;
    const counters = await dispatch.dataPlane.counters();
    const tunnels = [
      ...[...this.#clients.values()].map((client) => clientStatus(client, counters)),
      ...[...this.#servers.values()].map((server) => serverStatus(server, counters)),
    ];
    return {
      version,
      board: board.name,
      hostname: this.#configuration.system.hostname,
      uptimeSeconds: Math.floor((clock.now() - this.#started) / 1000),
      interfaces: await interfaceStatus(this.#configuration, links),
      uplinks: [],
      l2tp: tunnels.flatMap((part) => part.l2tp),
      ppp: tunnels.flatMap((part) => part.ppp),
      ipsec: [],
      counters: this.#counters(counters),
    };
  }

  configuration(): unknown {
    return redactConfiguration(this.#configuration);
  }

  async apply(text: string, fileName: string): Promise<ApplyResult> {
    const parsed = parseConfiguration(text, fileName);
    if (!parsed.ok) return { ok: false, problems: parsed.problems };
    const { configuration, warnings } = parsed;
    await this.#parts.ready;
    return await this.#changes.run(async () => {
      const diff = diffConfigurations(this.#configuration, configuration);
      this.#parts.secrets.add(collectSecrets(configuration));
      // Durable first: a power cut between the two finds the new one stored and puts it in force.
      await this.#parts.store.save(configuration);
      await this.#enforce(configuration);
      return { ok: true, diff, warnings: warnings.map(formatProblem) };
    });
  }

  async connect(name: string, signal: AbortSignal): Promise<CommandResult> {
    await this.#settled();
    const client = this.#clients.get(name);
    if (!client) return this.#noClient(name, 'connect');
    client.connect();
    return await this.#waiters.wait(() => (this.#clients.get(name) === client ? judgeConnect(client) : GONE), signal);
  }

  async disconnect(name: string): Promise<CommandResult> {
    await this.#settled();
    const client = this.#clients.get(name);
    if (!client) return this.#noClient(name, 'disconnect');
    client.disconnect();
    const { clock } = this.#parts;
    const patience = new AbortController();
    const timer = clock.setTimer(clock.now() + DISCONNECT_MS, () => patience.abort());
    try {
      return await this.#waiters.wait(() => (client.state === 'down' ? { ok: true } : undefined), patience.signal);
    } finally {
      timer.cancel();
    }
  }

  log(): readonly string[] {
    return this.#parts.ring.lines();
  }

  onEvent(listener: (event: RouterEvent) => void): () => void {
    return this.#events.listen(listener);
  }

  async #settled(): Promise<void> {
    await this.#parts.ready;
    await this.#changes.settled();
  }

  async #enforce(configuration: Configuration): Promise<void> {
    const before = this.#configuration;
    const sameName = before.system.hostname === configuration.system.hostname;
    const keepClients = sameName ? unchanged(before.l2tp.clients, configuration.l2tp.clients) : new Set<string>();
    const keepServers = sameName ? unchanged(before.l2tp.servers, configuration.l2tp.servers) : new Set<string>();
    keepDevices(keepClients, tunnelInterfaceNames(before).clients, tunnelInterfaceNames(configuration).clients);
    keepDevices(keepServers, tunnelInterfaceNames(before).servers, tunnelInterfaceNames(configuration).servers);
    await stopAllBut(this.#clients, keepClients);
    await stopAllBut(this.#servers, keepServers);
    this.#configuration = configuration;
    await this.#parts.network.configure(configuration);
    const devices = tunnelInterfaceNames(configuration);
    const outer = await this.#uplinkMtu();
    for (const [name, server] of Object.entries(configuration.l2tp.servers)) {
      const device = devices.servers.get(name);
      if (device && !this.#servers.has(name)) await this.#startServer(name, server, device, outer);
    }
    for (const [name, client] of Object.entries(configuration.l2tp.clients)) {
      const device = devices.clients.get(name);
      if (device && !this.#clients.has(name)) this.#startClient(name, client, device, outer);
    }
  }

  async #startServer(name: string, server: L2tpServerConfiguration, device: string, outer: number): Promise<void> {
    const { network } = this.#parts;
    const mru = Math.min(server.mru, innerMtu(outer, server.listen.includes(':') ? 6 : 4));
    const instance = new L2tpServer(
      {
        name,
        device,
        listen: server.listen,
        port: server.port,
        mark: network.mark,
        prefixes: network.serverPrefixes(name, server),
        mtu: mru,
      },
      serverOptions(server, this.#configuration.system.hostname, mru),
      { ...this.#services(name), onState: (state, failure) => this.#onState(name, state, failure) },
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
      {
        ...this.#services(name),
        resolve: (server) => resolver.resolve(server, this.#configuration),
        onState: (state, failure) => this.#onState(name, state, failure),
      },
    );
    this.#clients.set(name, instance);
    if (client.start === 'boot') instance.connect();
  }

  #services(name: string) {
    const { dispatch, clock, random, network } = this.#parts;
    return { dispatch, clock, random, networks: network, onStep: (step: Step) => this.#onStep(name, step) };
  }

  #onStep(connection: string, { direction, step, detail }: Step): void {
    const logger = connectionLogger(this.#parts.logger, connection);
    const arrow = direction === undefined ? '' : direction === 'sent' ? 'sent ' : 'received ';
    logger.info(detail === undefined ? `${arrow}${step}` : `${arrow}${step}: ${detail}`);
    this.#events.emit({
      connection,
      kind: 'step',
      step,
      ...(direction ? { direction } : {}),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  #onState(connection: string, state: ConnectionState, failure?: Failure): void {
    const logger = connectionLogger(this.#parts.logger, connection);
    if (failure) logger.warn(`${state}: ${failureLine(failure)}`);
    else logger.info(state);
    if (state === 'connecting') this.#events.began(connection);
    const detail = failure ? { detail: failureLine(failure) } : {};
    this.#events.emit({ connection, kind: 'state', state, ...detail });
    this.#waiters.changed();
  }

  #noClient(name: string, verb: string): CommandResult {
    if (this.#servers.has(name)) {
      return {
        ok: false,
        reason: `${name} is a server, which waits for others to dial in`,
        remedy: `${verb} the client at the other end`,
      };
    }
    return {
      ok: false,
      reason: `there is no connection ${JSON.stringify(name)}`,
      remedy: 'name one that the configuration has',
      notFound: [...this.#clients.keys()],
    };
  }

  /** Smallest MTU of the interfaces that lead out, octets. */
  async #uplinkMtu(): Promise<number> {
    const outside = new Set(
      Object.values(this.#configuration.interfaces).flatMap(({ zone, device }) => (zone === 'wan' ? [device] : [])),
    );
    const links = await this.#parts.links.links();
    return Math.min(1500, ...links.filter((link) => outside.has(link.name)).map((link) => link.mtu));
  }

  #counters(dataPlane: DataPlaneCounters): Record<string, number> {
    const counters: Record<string, number> = {};
    for (const [reason, count] of Object.entries(dataPlane.drops)) counters[`dropped.${reason}`] = count;
    for (const server of this.#servers.values()) {
      for (const [what, count] of Object.entries(server.machine.counters)) {
        counters[`l2tp.${server.name}.${what}`] = count;
      }
    }
    return counters;
  }
}

const GONE: CommandResult = { ok: false, reason: 'the configuration was changed meanwhile' };

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
  await Promise.all(leaving.map(([, connection]) => connection.stop()));
  for (const [name] of leaving) connections.delete(name);
}
