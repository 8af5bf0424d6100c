/** The composition root: builds the router from a board and a configuration, and runs it until it is told to end. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { capabilityAdvice, missingCapabilities } from '../hal/linux/capabilities.ts';
import { LinuxCarrierSenseFactory } from '../hal/linux/carrier-sense.ts';
import { LinuxClock } from '../hal/linux/clock.ts';
import { LinuxEntropy } from '../hal/linux/entropy.ts';
import { LinuxIcmpSocketFactory } from '../hal/linux/icmp-socket.ts';
import { LinuxKernelFeatures } from '../hal/linux/kernel-features.ts';
import { LinuxLinks } from '../hal/linux/links.ts';
import { LinuxMachineControl } from '../hal/linux/machine-control.ts';
import { LinuxMachineCounters } from '../hal/linux/machine-counters.ts';
import { openNetworkEvents } from '../hal/linux/network-events.ts';
import { LinuxPacketCaptureFactory } from '../hal/linux/packet-capture.ts';
import { LinuxPacketCipherFactory } from '../hal/linux/packet-cipher.ts';
import { LinuxPacketFilter } from '../hal/linux/packet-filter.ts';
import { LinuxPacketSockets } from '../hal/linux/packet-socket.ts';
import { LinuxSerialPorts } from '../hal/linux/serial-port.ts';
import { LinuxTcpConnector } from '../hal/linux/tcp-connector.ts';
import { LinuxUsbDevices } from '../hal/linux/usb-devices.ts';
import { Accounts } from './accounts/accounts.ts';
import { userChanges } from './accounts/user-change.ts';
import { startControlApi } from './api/server.ts';
import { controlSocketPath, webSocketPath } from './api/socket-path.ts';
import { startWebApi } from './api/web-server.ts';
import { boardConsole } from './cli/board-console.ts';
import { VERSION } from './cli/version.ts';
import { CommitDesk } from './config/commit/commit-desk.ts';
import { parseConfiguration } from './config/parse.ts';
import { formatProblem } from './config/problem.ts';
import { ConfigurationStore } from './config/store/configuration-store.ts';
import type { Source } from './config/store/store-types.ts';
import { UserspaceDataPlane } from './dataplane/userspace/userspace-data-plane.ts';
import { createLogger, type Logger } from './log/logger.ts';
import { LogRing } from './log/ring.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { journalScope, NetworkJournal } from './network/journal.ts';
import { FILTER_TABLE } from './network/marks.ts';
import { NetworkWatch } from './network/network-watch.ts';
import { Reconciler } from './network/reconciler.ts';
import { ResolvedNames } from './network/resolved-names.ts';
import { SessionDns } from './network/session-dns.ts';
import { CaptureDesk } from './router/capture-desk.ts';
import { EndOfRun } from './router/end-of-run.ts';
import { factoryConfiguration } from './router/factory-configuration.ts';
import { FactoryReset } from './router/factory-reset.ts';
import type { IpsecSurroundings } from './router/ipsec-control.ts';
import { IpsecState } from './router/ipsec-state.ts';
import { loadBoard } from './router/load-board.ts';
import { MachineDesk } from './router/machine-desk.ts';
import { processUsage } from './router/process-usage.ts';
import { ReachDesk } from './router/reach-desk.ts';
import { Router } from './router/router.ts';
import { RouterConfiguration } from './router/router-configuration.ts';
import { RouterNetwork } from './router/router-network.ts';
import { SecretKeeper } from './router/secret-keeper.ts';
import { trafficDevices } from './router/traffic-devices.ts';
import { TrafficRecorder } from './router/traffic-recorder.ts';
import { UplinkResolver } from './router/uplink-resolver.ts';
import { WallClockFloor } from './router/wall-clock-floor.ts';
import type { SerialConsole } from './serial/serial-console.ts';
import { linkOf } from './uplink/link-of.ts';
import { PppoeMemory } from './uplink/ppp/pppoe-memory.ts';
import { UplinkManager } from './uplink/uplink-manager.ts';
import { DataPlaneDispatch } from './vpn/data-plane-dispatch.ts';
import { IpsecService } from './vpn/ipsec/ipsec-service.ts';

export interface RunOptions {
  readonly stateDir: string;
  /** Name or file. */
  readonly board: string;
  /** Put in force and stored before anything starts; without it, what was stored last. */
  readonly configFile?: string;
  /** Where the device key is; by default a folder of the state directory. */
  readonly keyDir?: string;
  /** Where the web process finds its socket; by default in the state directory, where only this user does. */
  readonly webSocket?: string;
}

/** What a user can mend; its message is the one line that they get. */
class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Runs the router until SIGTERM or SIGINT.
 * @returns the exit code: 0 after a signal, 1 when it could not start or had to give up (one line on stderr says why).
 */
export async function runRouter(options: RunOptions): Promise<number> {
  try {
    return await run(options);
  } catch (error) {
    process.stderr.write(`culvert: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function run(options: RunOptions): Promise<number> {
  const missing = missingCapabilities();
  if (missing.length > 0) throw new StartError(capabilityAdvice(missing));
  const board = await loadBoard(options.board);
  const stateDirectory = options.stateDir;
  const keyDirectory = options.keyDir ?? join(stateDirectory, 'key');
  const secrets = new SecretKeeper();
  const ring = new LogRing();
  const clock = new WallClockFloor({ clock: new LinuxClock(), stateDirectory, log: (line) => logger.warn(line) });
  const logger = createLogger({ ring, wall: () => clock.wall(), secrets: () => secrets.all() });
  const given = options.configFile === undefined ? undefined : await readConfiguration(options.configFile, logger);

  const end = new EndOfRun(process, logger);
  const random = new LinuxEntropy();
  const links = new LinuxLinks();
  const dataPlane = new UserspaceDataPlane({ links });
  const dispatch = new DataPlaneDispatch(dataPlane, (reason) => end.fail(`the data plane has failed: ${reason}`));
  const reconciler = new Reconciler({
    links,
    packetFilter: new LinuxPacketFilter(),
    journal: new NetworkJournal({ stateDirectory, scope: journalScope() }),
    log: (line) => logger.info(line),
  });
  const network = new RouterNetwork(reconciler, new SessionDns(stateDirectory), (line) => logger.warn(line));
  const watch = new NetworkWatch({
    clock,
    open: () => openNetworkEvents(FILTER_TABLE),
    repair: () => reconciler.repair(),
    onChange: () => router.networkChanged(),
    log: (line) => logger.warn(line),
  });
  let uplinks: UplinkManager | undefined;
  const icmp = new LinuxIcmpSocketFactory();
  const connector = new LinuxTcpConnector();
  const carriers = new LinuxCarrierSenseFactory();
  const pppoeMemory = new PppoeMemory(stateDirectory, (line) => logger.warn(line));
  const names = new ResolvedNames(stateDirectory);
  const resolver = new UplinkResolver({
    dispatch,
    clock,
    random,
    mark: network.mark,
    names,
    uplink: () => uplinks?.nameService,
    resolvConf: () => readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
  });
  const ipsecState = new IpsecState({ stateDirectory, random, log: (line) => logger.warn(line) });
  const ipsec = async (surroundings: IpsecSurroundings): Promise<IpsecService> => {
    await ipsecState.load();
    const { quickCrashSecret: qcdSecret } = ipsecState;
    return new IpsecService({ ...surroundings, wall: () => clock.wallTime(), qcdSecret, memory: ipsecState });
  };
  const captures = new CaptureDesk({
    captures: new LinuxPacketCaptureFactory(),
    clock,
    version: VERSION,
    log: (line) => logger.info(line),
  });
  const reaches = new ReachDesk({
    sockets: icmp,
    clock,
    random,
    log: (line) => logger.info(line),
  });
  const machine = new MachineDesk({
    machine: new LinuxMachineControl(),
    clock,
    logger,
    configurationState: () => desk.state(),
    end: () => end.finish(),
  });
  const ready = Promise.withResolvers<void>();
  const counters = new LinuxMachineCounters();
  const monitoring = new Monitoring({
    clock,
    random,
    dispatch,
    connector,
    counters,
    logger,
    ring,
    mark: network.mark,
    resolve: (name, configuration) => resolver.resolve(name, configuration),
    status: () => router.status(),
    devices: () => trafficDevices(desk.inForce),
    process: processUsage,
    processId: String(process.pid),
  });
  const router = new Router({
    version: VERSION,
    board,
    clock,
    wall: () => clock.wallTime(),
    random,
    links,
    dispatch,
    network,
    resolver,
    uplinks: (hooks) => {
      uplinks = new UplinkManager({
        ...hooks,
        clock,
        random,
        icmp,
        connector,
        dispatch,
        mark: network.mark,
        carriers,
        linkOf: (definition) =>
          linkOf(definition, {
            clock,
            random,
            dispatch,
            links,
            carriers,
            sockets: new LinuxPacketSockets(),
            ports: new LinuxSerialPorts(),
            usb: new LinuxUsbDevices(),
            pppoeMemory,
            stateDirectory,
            judgeLease: (device, lease) => network.reviewLease(device, lease),
            log: (line) => logger.info(line),
            onStep: hooks.onStep,
          }),
        log: (line) => logger.warn(line),
      });
      return uplinks;
    },
    ipsec,
    secrets,
    logger,
    ring,
    configurationState: () => desk.state(),
    traffic: () => traffic,
    captures,
    reaches,
    machine,
    kernel: new LinuxKernelFeatures(),
    cipherEngine: () => new LinuxPacketCipherFactory().engine,
    monitoring,
    ready: ready.promise,
  });
  const factory = factoryConfiguration(board);
  const store = new ConfigurationStore({ stateDirectory, keyDirectory, factory, at: clock.wall() });
  const desk = new CommitDesk({
    store,
    clock,
    factory,
    enforce: (configuration) => {
      accounts.configurationChanged();
      return router.enforce(configuration);
    },
    up: (since) => router.up(since),
    log: (line) => logger.warn(line),
  });
  const accounts = new Accounts({
    clock,
    random,
    store,
    configuration: () => desk.inForce,
    changeUser: userChanges(desk),
    log: (line) => logger.warn(line),
  });
  const traffic = new TrafficRecorder({
    clock,
    counters,
    store,
    devices: () => trafficDevices(desk.inForce),
    log: (line) => logger.warn(line),
  });
  const reset = new FactoryReset({ stateDirectory, keyDirectory, logger, end: () => end.finish() });
  const config = new RouterConfiguration({
    desk,
    store,
    clock,
    version: VERSION,
    preview: (configuration) => router.preview(configuration),
    ready: ready.promise,
    reset: (author) => reset.request(author),
  });

  // The socket comes first: it is what keeps a second router off this state directory and off this machine's network.
  // From here on a signal ends the router in good order; so it does until the process is gone.
  end.listen();
  const served = { control: router, config, accounts, logger };
  const api = await startControlApi({ ...served, socketPath: controlSocketPath(stateDirectory) });
  const socketPath = options.webSocket ?? webSocketPath(stateDirectory);
  const web = await startWebApi({ ...served, socketPath }).catch(async (error: unknown) => {
    await api.close();
    throw error;
  });
  let serialConsole: SerialConsole | undefined;
  /** What writes the state down at the end. */
  const saving = [() => ipsecState.flush()];
  const start = async (): Promise<void> => {
    if (end.requested) return;
    await reset.complete();
    await clock.load();
    if (end.requested) return;
    clock.start();
    // Not before it knows what was saved: an earlier time must not replace that.
    saving.push(() => clock.stop());
    await names.load();
    await pppoeMemory.load();
    saving.push(() => pppoeMemory.settled());
    await network.recover();
    if (end.requested) return;
    await dataPlane.start();
    if (end.requested) return;
    logger.info({ version: VERSION, board: board.name }, 'the router runs');
    await desk.start(given);
    await accounts.start();
    await traffic.start();
    if (desk.state().state === 'factory') {
      logger.warn('there is no configuration yet: give one with "culvert apply FILE"');
    }
    watch.start();
    ready.resolve();
    const made = await boardConsole({
      board,
      ports: new LinuxSerialPorts(),
      clock,
      random,
      accounts,
      config,
      inForce: () => desk.inForce,
      stateDirectory,
      keyDirectory,
      log: (line) => logger.info(line),
    });
    if (end.requested) return;
    serialConsole = made;
    serialConsole?.start();
  };
  try {
    // A signal does not wait for the start: router.stop() cuts it short and waits for what must be finished.
    await Promise.race([start(), end.promise]);
    const exitCode = await end.promise;
    logger.info('the router ends');
    return exitCode;
  } finally {
    const stop = [
      async () => serialConsole?.stop(),
      () => watch.stop(),
      async () => reaches.stopAll(),
      async () => machine.stop(),
      () => router.stop(),
      () => dataPlane.close(),
      () => traffic.stop(),
      () => accounts.stop(),
      () => desk.close(),
      ...saving,
      () => reset.finish(),
    ];
    // Those who capture see the goodbyes, and get their files whole.
    await inTurn(logger, [...stop, async () => captures.stopAll(), () => web.close(), () => api.close()]);
  }
}

/** Every step is taken, whatever becomes of those before it. */
async function inTurn(logger: Logger, steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      logger.error(`a step of the way out failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** The configuration of the command line, read and checked before anything is touched. @throws StartError in words. */
async function readConfiguration(file: string, logger: Logger): Promise<Source & { readonly kind: 'text' }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(`${file} cannot be read: ${why}; check its name and permissions`);
  }
  const parsed = parseConfiguration(text, basename(file));
  if (!parsed.ok) {
    const problems = parsed.problems.map(formatProblem).join('; ');
    throw new StartError(`${file} is refused and nothing was started: ${problems}`);
  }
  for (const warning of parsed.warnings) logger.warn(formatProblem(warning));
  return { kind: 'text', text, fileName: basename(file) };
}
