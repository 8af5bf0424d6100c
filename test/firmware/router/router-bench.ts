/** A router on a simulated machine with a fake data plane; nobody answers on the wire. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simulated } from '../../../board/simulated.ts';
import { CommitDesk } from '../../../firmware/config/commit/commit-desk.ts';
import type { CommitOutcome } from '../../../firmware/config/commit/commit-types.ts';
import { EMPTY_CONFIGURATION } from '../../../firmware/config/empty.ts';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import { ConfigurationStore } from '../../../firmware/config/store/configuration-store.ts';
import { createLogger, type Logger } from '../../../firmware/log/logger.ts';
import { LogRing } from '../../../firmware/log/ring.ts';
import { Monitoring } from '../../../firmware/monitoring/monitoring.ts';
import { NetworkJournal } from '../../../firmware/network/journal.ts';
import { Reconciler } from '../../../firmware/network/reconciler.ts';
import { ResolvedNames } from '../../../firmware/network/resolved-names.ts';
import { SessionDns } from '../../../firmware/network/session-dns.ts';
import { CaptureDesk } from '../../../firmware/router/capture-desk.ts';
import { MachineDesk } from '../../../firmware/router/machine-desk.ts';
import { ReachDesk } from '../../../firmware/router/reach-desk.ts';
import { Router } from '../../../firmware/router/router.ts';
import { RouterNetwork } from '../../../firmware/router/router-network.ts';
import { SecretKeeper } from '../../../firmware/router/secret-keeper.ts';
import { trafficDevices } from '../../../firmware/router/traffic-devices.ts';
import { TrafficRecorder } from '../../../firmware/router/traffic-recorder.ts';
import { UplinkResolver } from '../../../firmware/router/uplink-resolver.ts';
import { StaticUplink } from '../../../firmware/uplink/static-uplink.ts';
import { UplinkManager } from '../../../firmware/uplink/uplink-manager.ts';
import { DataPlaneDispatch } from '../../../firmware/vpn/data-plane-dispatch.ts';
import { SimulatedCarrierSenseFactory } from '../../../hal/simulated/carrier-sense.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedIcmpSocketFactory } from '../../../hal/simulated/icmp-socket.ts';
import { SimulatedKernelFeatures } from '../../../hal/simulated/kernel-features.ts';
import { SimulatedLinkSpeeds } from '../../../hal/simulated/link-speed.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';
import { SimulatedMachineControl } from '../../../hal/simulated/machine-control.ts';
import { SimulatedMachineCounters } from '../../../hal/simulated/machine-counters.ts';
import { SimulatedPacketCaptureFactory } from '../../../hal/simulated/packet-capture.ts';
import { SimulatedPacketFilter } from '../../../hal/simulated/packet-filter.ts';
import { SimulatedTcpConnector } from '../../../hal/simulated/tcp-connector.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { localStore } from '../config/store/local-store.ts';
import { FakeDataPlane } from '../vpn/fake-data-plane.ts';
import { FakeIpsec } from './fake-ipsec.ts';

type Entries = Readonly<Record<string, unknown>>;

export class RouterBench {
  readonly stateDir = mkdtempSync(join(tmpdir(), 'culvert-router-'));
  readonly clock = new SimulatedClock();
  readonly links = new SimulatedLinks();
  readonly dataPlane = new FakeDataPlane();
  readonly dispatch = new DataPlaneDispatch(this.dataPlane, () => undefined);
  readonly store = new ConfigurationStore(
    {
      stateDirectory: this.stateDir,
      keyDirectory: join(this.stateDir, 'key'),
      at: this.clock.wall(),
      factory: EMPTY_CONFIGURATION,
    },
    localStore,
  );
  readonly desk: CommitDesk;
  readonly counters = new SimulatedMachineCounters();
  readonly traffic: TrafficRecorder;
  readonly kernel = new SimulatedKernelFeatures();
  readonly captures = new SimulatedPacketCaptureFactory();
  readonly machine = new SimulatedMachineControl();
  /** The firmware was to be started again. */
  ended = false;
  readonly icmp = new SimulatedIcmpSocketFactory();
  readonly ring = new LogRing();
  readonly logger: Logger;
  readonly ipsec = new FakeIpsec();
  readonly network: RouterNetwork;
  readonly tcp = new SimulatedTcpConnector();
  readonly monitoring: Monitoring;
  readonly router: Router;
  /** Whether the wall clock was set. */
  trusted = true;

  constructor() {
    this.links.addLink({ name: 'eth0', up: true });
    const secrets = new SecretKeeper();
    this.logger = createLogger({
      ring: this.ring,
      secrets: () => secrets.all(),
      destination: { write: () => undefined },
    });
    const reconciler = new Reconciler({
      links: this.links,
      packetFilter: new SimulatedPacketFilter(),
      journal: new NetworkJournal({ stateDirectory: this.stateDir, scope: 'bench' }),
      log: () => undefined,
    });
    this.network = new RouterNetwork(reconciler, new SessionDns(this.stateDir), (line) => this.logger.warn(line));
    const random = new SeededRandom(1);
    const resolver = new UplinkResolver({
      dispatch: this.dispatch,
      clock: this.clock,
      random,
      mark: 1,
      names: new ResolvedNames(this.stateDir),
      resolvConf: async () => '',
    });
    this.monitoring = new Monitoring({
      clock: this.clock,
      random,
      dispatch: this.dispatch,
      connector: this.tcp,
      counters: this.counters,
      logger: this.logger,
      ring: this.ring,
      mark: 1,
      resolve: (name, configuration) => resolver.resolve(name, configuration),
      status: () => this.router.status(),
      devices: () => trafficDevices(this.desk.inForce),
      process: () => ({ residentOctets: 1_000, processorSeconds: 2, runtime: 'node v0' }),
      processId: '77',
    });
    this.router = new Router({
      version: '0',
      board: simulated,
      clock: this.clock,
      wall: () => ({ at: this.clock.wall(), trusted: this.trusted }),
      random,
      links: this.links,
      speeds: new SimulatedLinkSpeeds(this.links),
      dispatch: this.dispatch,
      network: this.network,
      resolver,
      uplinks: (hooks) =>
        new UplinkManager({
          ...hooks,
          clock: this.clock,
          random,
          icmp: this.icmp,
          connector: this.tcp,
          dispatch: this.dispatch,
          mark: 1,
          canShare: true,
          carriers: new SimulatedCarrierSenseFactory(this.links),
          linkOf: ({ interface: parent }) => {
            const { address = '', gateway = '', dns = [] } = parent?.ipv4 ?? {};
            return new StaticUplink({ device: parent?.device ?? '', address, gateway, dns });
          },
          log: (line) => this.logger.warn(line),
        }),
      ipsec: this.ipsec.factory,
      secrets,
      logger: this.logger,
      ring: this.ring,
      configurationState: () => this.desk.state(),
      traffic: () => this.traffic,
      captures: new CaptureDesk({
        captures: this.captures,
        clock: this.clock,
        version: '0',
        log: (line) => this.logger.info(line),
      }),
      reaches: new ReachDesk({
        sockets: this.icmp,
        clock: this.clock,
        random,
        log: (line) => this.logger.info(line),
      }),
      indicators: {
        status: () => ({ board: 'simulated', description: '', leds: [], buttons: [] }),
        identify: () => ({ ok: true }),
        refresh: () => undefined,
      },
      machine: new MachineDesk({
        machine: this.machine,
        clock: this.clock,
        logger: this.logger,
        configurationState: () => this.desk.state(),
        end: () => {
          this.ended = true;
        },
      }),
      kernel: this.kernel,
      cipherEngine: () => 'evp',
      monitoring: this.monitoring,
      ready: Promise.resolve(),
    });
    this.traffic = new TrafficRecorder({
      clock: this.clock,
      counters: this.counters,
      store: this.store,
      devices: () => trafficDevices(this.desk.inForce),
      log: (line) => this.logger.warn(line),
    });
    this.desk = new CommitDesk({
      store: this.store,
      clock: this.clock,
      factory: EMPTY_CONFIGURATION,
      enforce: (configuration) => this.router.enforce(configuration),
      up: (since) => this.router.up(since),
      log: (line) => this.logger.warn(line),
    });
  }

  /** A configuration file with these clients, servers and IPsec connections. */
  file(clients: Entries, servers: Entries = {}, connections: Entries = {}): string {
    const wan = { device: 'eth0', zone: 'wan', ipv4: { method: 'static', address: '10.20.0.9/24' } };
    const complete = Object.entries(clients).map(([name, entry]) => [
      name,
      { server: '10.20.0.2', user: 'alice', password: 'alice-pw', ...(entry as object) },
    ]);
    const served = Object.entries(servers).map(([name, entry]) => [
      name,
      { listen: '10.20.0.9', localAddress: '10.98.0.1', pool: '10.98.0.10-10.98.0.20', ...(entry as object) },
    ]);
    return JSON.stringify({
      system: { hostname: 'bench' },
      interfaces: { wan },
      l2tp: { clients: Object.fromEntries(complete), servers: Object.fromEntries(served) },
      ipsec: { connections },
    });
  }

  /** Puts the text of a file in force, after the desk was started. */
  async commit(text: string): Promise<CommitOutcome> {
    const options = { who: 'bench', via: 'cli', comment: '' } as const;
    return await this.during(this.desk.commit({ kind: 'text', text, fileName: 'bench.json' }, options));
  }

  configuration(clients: Entries, servers: Entries = {}, connections: Entries = {}): Configuration {
    const parsed = parseConfiguration(this.file(clients, servers, connections), 'bench.json');
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.configuration;
  }

  /** Runs the clock until `promise` is settled. */
  async during<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => {
      settled = true;
    });
    watched.catch(() => undefined);
    for (let step = 0; !settled && step < 5_000; step += 1) {
      await new Promise((done) => setImmediate(done));
      // Files are written in real time: virtual time waits for them a little.
      if (step % 4 === 3) this.clock.advance(50);
    }
    return await watched;
  }

  async end(): Promise<void> {
    await this.during(this.router.stop());
    await this.desk.close();
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}
