import { setImmediate } from 'node:timers/promises';
import type { BoardDescription } from '../../board/board.ts';
import type { Clock } from '../../hal/clock.ts';
import type { KernelFeatures } from '../../hal/kernel-features.ts';
import type { LinkSpeeds } from '../../hal/link-speed.ts';
import type { Links } from '../../hal/links.ts';
import type { ConfigurationState } from '../api/configuration-control.ts';
import type {
  BoardStatus,
  CaptureRequest,
  CaptureResult,
  CommandResult,
  DiagnoseResult,
  IpsecKeysResult,
  LimitsStatus,
  MachineRequest,
  ReachResult,
  RouterControl,
  RouterEvent,
  RouterStatus,
  TrafficHistory,
  TrafficRingName,
  TrafficTotal,
} from '../api/router-control.ts';
import type { WallTime } from '../certificates/certificate-failures.ts';
import type { EnforceReport } from '../config/commit/commit-types.ts';
import { collectSecrets } from '../config/redact.ts';
import type { Configuration } from '../config/schema.ts';
import type { Author } from '../config/store/revision.ts';
import { TaskQueue } from '../config/task-queue.ts';
import type { DataPlaneCounters } from '../dataplane/data-plane.ts';
import { diagnoseLive } from '../diagnosis/live/diagnose-live.ts';
import type {
  PingEvent,
  PingRequest,
  ReachRequest,
  TracerouteEvent,
  TracerouteRequest,
} from '../diagnosis/reach/reach-event.ts';
import type { Condition } from '../indicators/condition.ts';
import type { Indicators } from '../indicators/indicators.ts';
import type { Logger } from '../log/logger.ts';
import type { LogRing } from '../log/ring.ts';
import type { Monitoring } from '../monitoring/monitoring.ts';
import type { Failure, RandomSource } from '../protocol/machine.ts';
import type { DslLines } from '../uplink/dsl/dsl-lines.ts';
import type { UplinkHooks, UplinkManager } from '../uplink/uplink-manager.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import { type ConnectionState, failureLine, type Step } from '../vpn/steps.ts';
import type { CaptureDesk } from './capture-desk.ts';
import { captureTarget } from './capture-target.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { connectTarget, noTarget } from './connect-target.ts';
import { ConnectionLog } from './connection-log.ts';
import { ConnectionSet } from './connection-set.ts';
import { connectionStatus } from './connection-status.ts';
import { gatherFacts, namesOf } from './diagnosis-facts.ts';
import { EventBus } from './events.ts';
import { interfaceStatus } from './interface-status.ts';
import type { IpsecFactory } from './ipsec-control.ts';
import { ipsecKeys } from './ipsec-keys.ts';
import { limitsStatus } from './limits.ts';
import type { MachineDesk } from './machine-desk.ts';
import { modemStatus } from './modem-status.ts';
import type { ReachDesk } from './reach-desk.ts';
import { type ReachTargetResult, reachTarget } from './reach-target.ts';
import { routerCondition } from './router-condition.ts';
import { routerCounters } from './router-counters.ts';
import type { RouterNetwork } from './router-network.ts';
import type { SecretKeeper } from './secret-keeper.ts';
import type { TrafficRecorder } from './traffic-recorder.ts';
import { upConnections } from './up-connections.ts';
import type { UplinkResolver } from './uplink-resolver.ts';
import { uplinkStatus } from './uplink-status.ts';
import { judgeConnect, StateWaiters } from './wait-for-state.ts';

export interface RouterParts {
  readonly version: string;
  readonly board: BoardDescription;
  readonly clock: Clock;
  /** What time it is, for certificates. */
  readonly wall: () => WallTime;
  readonly random: RandomSource;
  readonly links: Links;
  readonly speeds: LinkSpeeds;
  readonly dispatch: DataPlaneDispatch;
  readonly network: RouterNetwork;
  readonly resolver: UplinkResolver;
  readonly uplinks: (hooks: UplinkHooks) => UplinkManager;
  readonly dslLines?: DslLines;
  readonly ipsec: IpsecFactory;
  readonly secrets: SecretKeeper;
  readonly logger: Logger;
  readonly ring: LogRing;
  readonly traffic: () => TrafficRecorder;
  readonly captures: CaptureDesk;
  readonly reaches: ReachDesk;
  readonly machine: MachineDesk;
  readonly indicators: Pick<Indicators, 'status' | 'identify' | 'refresh'>;
  readonly kernel: KernelFeatures;
  /** What encrypts packets. */
  readonly cipherEngine: () => string;
  /** Remote syslog and metrics; without it there are none. */
  readonly monitoring?: Monitoring;
  /** What is in force, and how safe that is. */
  readonly configurationState: () => ConfigurationState;
  /** What earlier runs left is taken back and the first configuration is in force: commands wait for that. */
  readonly ready: Promise<void>;
}

/** How long `disconnect` waits for the peer's goodbyes and the end of TUN and routes, ms. */
const DISCONNECT_MS = 15_000;

const GONE: CommandResult = { ok: false, reason: 'the configuration was changed meanwhile' };
const ENDING: CommandResult = { ok: false, reason: 'the router is ending', remedy: 'start it again' };
const NO_COUNTERS: DataPlaneCounters = { sessions: [], sas: [], policies: [], drops: {} };

/** The running router: the connections of the configuration in force, and what the control API may ask of them. */
export class Router implements RouterControl {
  readonly #parts: RouterParts;
  readonly #started: number;
  readonly #events: EventBus;
  readonly #waiters = new StateWaiters();
  /** Configurations come into force one after the other; commands find no half-enforced one. */
  readonly #changes = new TaskQueue();
  readonly #uplinks: UplinkManager;
  readonly #connections: ConnectionSet;
  readonly #certificates: CertificateWatch;
  readonly #logs = new Map<string, ConnectionLog>();
  #ending = false;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#started = parts.clock.now();
    this.#events = new EventBus(parts.clock);
    this.#certificates = new CertificateWatch({
      ...parts,
      tell: (text, connections) => {
        parts.logger.warn(text);
        for (const connection of connections) this.#events.emit({ connection, kind: 'warning', detail: text });
      },
    });
    this.#uplinks = parts.uplinks({
      apply: (uplinks) => parts.network.setUplinks(uplinks),
      onMoved: () => this.#connections.uplinkChanged(),
      onTransition: ({ uplink, text }) => {
        parts.logger.info(`uplinks: ${text}`);
        this.#events.emit({ connection: uplink, kind: 'step', step: 'uplink', detail: text });
      },
      onChange: () => {
        this.#waiters.changed();
        parts.indicators.refresh();
      },
      onStep: (uplink, step) => this.#emitStep(uplink, step),
    });
    this.#connections = new ConnectionSet({
      ...parts,
      uplinks: this.#uplinks,
      onStep: (name, step) => this.#onStep(name, step),
      onState: (name, state, failure) => this.#onState(name, state, failure),
      onChange: () => this.#waiters.changed(),
    });
  }

  /** Puts a checked configuration in force: what is unchanged keeps running. Does nothing once {@link stop} was called. */
  enforce(configuration: Configuration): Promise<EnforceReport> {
    return this.#changes.run(() => this.#enforce(configuration));
  }

  /** The network of this machine may have changed, by whomever: costs little where nothing follows from it. */
  networkChanged(): void {
    this.#connections.networkChanged();
  }

  /** How it is, for its LEDs. @param carrier whether a network device has a link. */
  condition(carrier: (device: string) => boolean): Omit<Condition, 'phase'> {
    return routerCondition(this.#connections, uplinkStatus(this.#uplinks, this.#parts.clock), carrier);
  }

  /** What {@link enforce} would change on the machine's network, in the words of ip(8). */
  preview(configuration: Configuration): Promise<readonly string[]> {
    return this.#parts.network.preview(configuration);
  }

  /** See `CommitDeskParts.up`. */
  up(since?: number): string[] {
    return upConnections(this.#connections, this.#parts.clock, since);
  }

  /**
   * Says goodbye to every peer and takes down what this router has set up. What is being put in force is finished
   * first, as far as it went; nothing is put in force afterwards.
   */
  stop(): Promise<void> {
    this.#ending = true;
    this.#connections.end();
    this.#certificates.stop();
    return this.#changes.run(async () => {
      try {
        await this.#connections.stop();
        // The last lines still need the addresses and routes.
        await this.#parts.monitoring?.stop();
        await this.#uplinks.stop();
        await this.#parts.dslLines?.stop();
      } finally {
        await this.#parts.network.restore();
      }
    });
  }

  async status(): Promise<RouterStatus> {
    const { version, board, clock, links, speeds, machine, monitoring, dslLines } = this.#parts;
    const { configuration } = this.#connections;
    const ports = interfaceStatus(configuration, {
      links,
      speeds,
      nics: board.nics ?? [],
      ...(dslLines && { dsl: dslLines.infos() }),
    });
    const [devices, counters] = await Promise.all([ports, this.#dataPlaneCounters()]);
    return {
      version,
      board: board.name,
      hostname: configuration.system.hostname,
      uptimeSeconds: Math.floor((clock.now() - this.#started) / 1000),
      configuration: this.#parts.configurationState(),
      storage: this.#parts.traffic().storage(),
      warnings: [
        ...(machine.warning === undefined ? [] : [machine.warning]),
        ...this.#certificates.warnings,
        ...(monitoring?.warnings ?? []),
      ],
      ...devices,
      modems: modemStatus([...this.#uplinks.uplinks.values()], configuration.modems),
      uplinks: uplinkStatus(this.#uplinks, clock),
      ...connectionStatus(this.#connections, counters),
      counters: routerCounters(counters, this.#connections),
    };
  }

  async connect(name: string, signal: AbortSignal): Promise<CommandResult> {
    await this.#parts.ready;
    const target = await this.#changes.run(async () => {
      const found = this.#ending ? undefined : connectTarget(this.#connections, this.#uplinks, name);
      found?.connect();
      return found;
    });
    if (!target) return this.#ending ? ENDING : noTarget(this.#connections, this.#uplinks, name, 'connect');
    return await this.#waiters.wait(() => {
      const now = target.now();
      return now ? judgeConnect(now) : GONE;
    }, signal);
  }

  async disconnect(name: string): Promise<CommandResult> {
    await this.#parts.ready;
    const begun = await this.#changes.run(async () => {
      const target = this.#ending ? undefined : connectTarget(this.#connections, this.#uplinks, name);
      // Inside an object, or the queue would wait for the end, too.
      return target && { target, ended: target.disconnect() };
    });
    if (!begun) return this.#ending ? ENDING : noTarget(this.#connections, this.#uplinks, name, 'disconnect');
    const { clock } = this.#parts;
    const patience = Promise.withResolvers<void>();
    const timer = clock.setTimer(clock.now() + DISCONNECT_MS, () => patience.resolve());
    try {
      await Promise.race([begun.ended, patience.promise]);
    } finally {
      timer.cancel();
    }
    const now = begun.target.now();
    if (now === undefined || now.state === 'down') return { ok: true };
    return { ok: false, reason: 'it was connected again meanwhile', remedy: 'disconnect it again' };
  }

  async diagnose(name: string): Promise<DiagnoseResult> {
    const { links, resolver, ring, network } = this.#parts;
    const status = await this.status();
    const known = { name, connections: this.#connections, status, log: ring.lines() };
    const facts = await gatherFacts(known, { links, resolver, mark: network.mark, wall: () => Date.now() });
    if (facts !== undefined) return { ok: true, diagnosis: diagnoseLive(facts) };
    return {
      ok: false,
      reason: `there is no connection ${JSON.stringify(name)}`,
      notFound: namesOf(this.#connections),
    };
  }

  ipsecKeys(name: string | undefined): IpsecKeysResult {
    return ipsecKeys(this.#connections, name);
  }

  traffic(): readonly TrafficTotal[] {
    const traffic = this.#parts.traffic();
    return traffic.names.map((name) => ({
      name,
      second: traffic.sum(name, 'second', 1),
      minute: traffic.sum(name, 'second', 60),
      hour: traffic.sum(name, 'minute', 60),
      day: traffic.sum(name, 'hour', 24),
    }));
  }

  trafficHistory(name: string, ring: TrafficRingName): TrafficHistory | undefined {
    return this.#parts.traffic().read(name, ring);
  }

  async limits(): Promise<LimitsStatus> {
    const { kernel, cipherEngine, ring, captures, reaches } = this.#parts;
    const [report, counters] = await Promise.all([kernel.report(), this.#dataPlaneCounters()]);
    const { l2tp, ipsec } = connectionStatus(this.#connections, counters);
    const ikeSas = (version: 1 | 2) =>
      ipsec.filter((entry) => entry.version === version && entry.state === 'up').length;
    return limitsStatus({
      kernel: report,
      cipherEngine: cipherEngine(),
      now: {
        l2tpTunnels: l2tp.filter(({ tunnelId }) => tunnelId !== 0).length,
        l2tpSessions: l2tp.reduce((sum, { sessions }) => sum + sessions.length, 0),
        ikeV1Sas: ikeSas(1),
        ikeV2Sas: ikeSas(2),
        logLines: ring.lines().length,
        captures: captures.running,
        reaches: reaches.running,
      },
    });
  }

  async capture({ name, outside, limits }: CaptureRequest): Promise<CaptureResult> {
    await this.#parts.ready;
    const { links, network, resolver, captures } = this.#parts;
    const { configuration } = this.#connections;
    const resolve = (host: string) => resolver.resolve(host, configuration);
    const found = await captureTarget(name, outside, { configuration, links, mark: network.mark, resolve });
    return found.ok ? captures.prepare(name, found.target, limits) : found;
  }

  stopCapture(id: number): boolean {
    return this.#parts.captures.stop(id);
  }

  async ping(request: PingRequest): Promise<ReachResult<PingEvent>> {
    const found = await this.#reachTarget(request);
    return found.ok ? this.#parts.reaches.ping(request, found.target) : found;
  }

  async traceroute(request: TracerouteRequest): Promise<ReachResult<TracerouteEvent>> {
    const found = await this.#reachTarget(request);
    return found.ok ? this.#parts.reaches.traceroute(request, found.target) : found;
  }

  stopReach(id: number): boolean {
    return this.#parts.reaches.stop(id);
  }

  machine(request: MachineRequest): Promise<CommandResult> {
    return this.#parts.machine.request(request);
  }

  board(): BoardStatus {
    return this.#parts.indicators.status();
  }

  identify(seconds: number): CommandResult {
    return this.#parts.indicators.identify(seconds);
  }

  cancelMachine(author: Author): CommandResult {
    return this.#parts.machine.cancel(author);
  }

  log(): readonly string[] {
    return this.#parts.ring.lines();
  }

  onEvent(listener: (event: RouterEvent) => void): () => void {
    return this.#events.listen(listener);
  }

  async #reachTarget(request: ReachRequest): Promise<ReachTargetResult> {
    await this.#parts.ready;
    const { links, network, resolver } = this.#parts;
    const { configuration } = this.#connections;
    const resolve = (host: string) => resolver.lookUp(host, configuration);
    return await reachTarget(request, { configuration, links, mark: network.mark, resolve });
  }

  onLog(listener: (line: string) => void): () => void {
    return this.#parts.ring.listen(listener);
  }

  /** An engine that has failed takes nothing else with it: the rest of the status tells why. */
  #dataPlaneCounters(): Promise<DataPlaneCounters> {
    return this.#parts.dispatch.dataPlane.counters().catch(() => NO_COUNTERS);
  }

  async #enforce(configuration: Configuration): Promise<EnforceReport> {
    if (this.#ending) return { changes: [], failures: [] };
    this.#parts.secrets.add(collectSecrets(configuration));
    // Each part of a large configuration takes some milliseconds: others have their turn in between.
    await setImmediate();
    if (this.#ending) return { changes: [], failures: [] };
    const report = await this.#connections.enforce(configuration);
    if (!this.#ending) this.#certificates.watch(configuration);
    await this.#parts.dslLines?.follow(configuration);
    const unserved = (await this.#parts.monitoring?.follow(configuration)) ?? [];
    const { clients, servers } = this.#connections;
    const { connections } = configuration.ipsec;
    for (const name of this.#logs.keys()) {
      if (!clients.has(name) && !servers.has(name) && !Object.hasOwn(connections, name)) this.#logs.delete(name);
    }
    this.#waiters.changed();
    return { ...report, failures: [...report.failures, ...unserved] };
  }

  #onStep(connection: string, step: Step): void {
    this.#log(connection).step(step);
    this.#emitStep(connection, step);
  }

  #emitStep(connection: string, step: Step): void {
    const { direction, detail } = step;
    this.#events.emit({
      connection,
      kind: 'step',
      step: step.step,
      ...(direction ? { direction } : {}),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  #onState(connection: string, state: ConnectionState, failure?: Failure): void {
    this.#log(connection).state(state, failure);
    this.#uplinks.connectionState(connection, state, failure);
    if (state === 'connecting') this.#events.began(connection);
    const detail = failure ? { detail: failureLine(failure) } : {};
    this.#events.emit({ connection, kind: 'state', state, ...detail });
    this.#parts.indicators.refresh();
    this.#waiters.changed();
  }

  #log(connection: string): ConnectionLog {
    const { logger, clock } = this.#parts;
    const log = this.#logs.get(connection) ?? new ConnectionLog(logger, connection, clock);
    this.#logs.set(connection, log);
    return log;
  }
}
