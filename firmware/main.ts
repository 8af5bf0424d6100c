/** The composition root: builds the router from a board and a configuration, and runs it until it is told to end. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { capabilityAdvice, missingCapabilities } from '../hal/linux/capabilities.ts';
import { LinuxCarrierSenseFactory } from '../hal/linux/carrier-sense.ts';
import { LinuxClock } from '../hal/linux/clock.ts';
import { LinuxEntropy } from '../hal/linux/entropy.ts';
import { openGpio } from '../hal/linux/gpio.ts';
import { LinuxIcmpSocketFactory } from '../hal/linux/icmp-socket.ts';
import { LinuxKernelFeatures } from '../hal/linux/kernel-features.ts';
import { LinuxLinkSpeeds } from '../hal/linux/link-speed.ts';
import { LinuxLinks } from '../hal/linux/links.ts';
import { LinuxMachineControl } from '../hal/linux/machine-control.ts';
import { LinuxMachineCounters } from '../hal/linux/machine-counters.ts';
import { machineIdentity } from '../hal/linux/machine-identity.ts';
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
import { linuxSources, openHardware } from './indicators/hardware.ts';
import { Indicators } from './indicators/indicators.ts';
import { createLogger, type Logger } from './log/logger.ts';
import { LogRing } from './log/ring.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { journalScope, NetworkJournal } from './network/journal.ts';
import { FILTER_TABLE } from './network/marks.ts';
import { NetworkWatch } from './network/network-watch.ts';
import { Reconciler } from './network/reconciler.ts';
import { ResolvedNames } from './network/resolved-names.ts';
import { SessionDns } from './network/session-dns.ts';
import { MULTIPATH_KEY } from './network/sysctls.ts';
import { CaptureDesk } from './router/capture-desk.ts';
import { EndOfRun } from './router/end-of-run.ts';
import { factoryConfiguration } from './router/factory-configuration.ts';
import { FactoryReset } from './router/factory-reset.ts';
import type { IpsecSurroundings } from './router/ipsec-control.ts';
import { IpsecState } from './router/ipsec-state.ts';
import { type DetectedBoard, detectBoard, loadBoard } from './router/load-board.ts';
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
import { DslLines } from './uplink/dsl/dsl-lines.ts';
import { linkOf } from './uplink/link-of.ts';
import { ModemPower } from './uplink/modem/modem-power.ts';
import { PppoeMemory } from './uplink/ppp/pppoe-memory.ts';
import { UplinkManager } from './uplink/uplink-manager.ts';
import { DataPlaneDispatch } from './vpn/data-plane-dispatch.ts';
import { IpsecService } from './vpn/ipsec/ipsec-service.ts';
import { errorText } from './vpn/steps.ts';

export interface RunOptions {
  readonly stateDir: string;
  /** Name or file; without it, what the machine says it is. */
  readonly board?: string;
  /** Put in force and stored before anything starts; without it, what was stored last. */
  readonly configFile?: string;
  /** Where the device key is; by default a folder of the state directory. */
  readonly keyDir?: string;
  /** Where the web process finds its socket; by default in the state directory, where only this user does. */
  readonly webSocket?: string;
}

/** Who asks by pressing the reset button. */
const BUTTON = { who: 'reset button', via: 'router', comment: '' } as const;

const FAILSAFE = {
  kind: 'failsafe',
  reason: 'the reset button was held at the start: the factory configuration is in force for this run',
  remedy: 'start it again without the button, or apply a configuration',
} as const;

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
  const { board, why } = await boardOf(options.board);
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
  const powerLine = board.modem?.power;
  const modemPower = powerLine && new ModemPower(powerLine, openGpio(), clock);
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
  const sense = carriers.open();
  const carrier = (device: string): boolean => sense.read(device) === true;
  const indicators = new Indicators({
    board,
    clock,
    open: () => openHardware(board, linuxSources(stateDirectory, clock)),
    condition: () => router.condition(carrier),
    failsafe: () => desk.state().state === 'failsafe',
    carrier,
    ask: () => dataPlane.counters(),
    // Whoever stands before the router and presses means it. A simulated one does not take its machine down.
    reboot: ({ file }) => {
      const action = file === undefined ? 'reboot' : 'restart';
      void machine.request({ action, author: BUTTON, minutes: 0, evenPending: true });
    },
    factoryReset: () => void reset.request(BUTTON),
    log: { info: (line) => logger.info(line), warn: (line) => logger.warn(line) },
  });
  // A kernel without routes of several next hops (CONFIG_IP_ROUTE_MULTIPATH) has no such parameter.
  const canShare = await links.getSysctl(MULTIPATH_KEY).then(
    () => true,
    () => false,
  );
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
    speeds: new LinuxLinkSpeeds(),
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
        canShare,
        carriers,
        linkOf: (definition) =>
          linkOf(definition, {
            clock,
            random,
            dispatch,
            links,
            carriers,
            counters,
            sockets: new LinuxPacketSockets(),
            ports: new LinuxSerialPorts(),
            usb: new LinuxUsbDevices(),
            pppoeMemory,
            stateDirectory,
            ...(modemPower && { powerCycle: () => modemPower.cycle() }),
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
    indicators,
    kernel: new LinuxKernelFeatures(),
    cipherEngine: () => new LinuxPacketCipherFactory().engine,
    monitoring,
    dslLines: new DslLines({ serialPorts: new LinuxSerialPorts(), clock, log: (line) => logger.info(line) }),
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
    // Whoever has no way to its power has a modem with power, as a rule.
    await modemPower?.on().catch((error: unknown) => logger.warn(`the power of the modem: ${errorText(error)}`));
    await dataPlane.start();
    if (end.requested) return;
    logger.info({ version: VERSION, board: board.name }, 'the router runs');
    logger.info(`the board is ${board.name}: ${why}`);
    const { failsafe } = await indicators.start();
    if (end.requested) return;
    await desk.start(given, failsafe ? FAILSAFE : undefined);
    await accounts.start();
    await traffic.start();
    if (desk.state().state === 'factory') {
      logger.warn('there is no configuration yet: give one with "culvert apply FILE"');
    }
    watch.start();
    ready.resolve();
    indicators.setPhase('ready');
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
      onBundle: (accepted) => indicators.bundle(accepted),
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
      () => indicators.stop(),
      async () => sense.close(),
      ...saving,
      () => reset.finish(),
    ];
    // Those who capture see the goodbyes, and get their files whole.
    await inTurn(logger, [...stop, async () => captures.stopAll(), () => web.close(), () => api.close()]);
  }
}

async function boardOf(option: string | undefined): Promise<DetectedBoard> {
  if (option === undefined) return detectBoard(await machineIdentity());
  return { board: await loadBoard(option), why: 'so it was said at the start' };
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
