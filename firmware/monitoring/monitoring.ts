import type { Clock } from '../../hal/clock.ts';
import type { MachineCounters } from '../../hal/machine-counters.ts';
import type { TcpConnector } from '../../hal/tcp-connector.ts';
import type { RouterStatus } from '../api/router-control.ts';
import type { MetricsConfiguration } from '../config/monitoring-schema.ts';
import type { Configuration } from '../config/schema.ts';
import type { Logger } from '../log/logger.ts';
import type { LogRing } from '../log/ring.ts';
import type { Failure, RandomSource } from '../protocol/machine.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import { LoopDelay } from './loop-delay.ts';
import { MetricsPage, type MetricsPageParts } from './metrics-page.ts';
import { MetricsServer } from './metrics-server.ts';
import { SyslogDesk } from './syslog-desk.ts';
import { levelOf } from './syslog-line.ts';

export interface MonitoringParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dispatch: DataPlaneDispatch;
  readonly connector: TcpConnector;
  readonly counters: MachineCounters;
  readonly logger: Logger;
  readonly ring: LogRing;
  /** SO_MARK of what never enters a tunnel. */
  readonly mark: number;
  readonly resolve: (name: string, configuration: Configuration) => Promise<readonly string[] | Failure>;
  readonly status: () => Promise<RouterStatus>;
  readonly devices: () => ReadonlyMap<string, string>;
  readonly process: MetricsPageParts['process'];
  readonly processId: string;
}

/** What leaves the box for monitoring, as the configuration in force has it: the log, and counters for who asks. */
export class Monitoring {
  readonly #parts: MonitoringParts;
  readonly #syslog: SyslogDesk;
  readonly #loopDelay: LoopDelay;
  readonly #page: MetricsPage;
  readonly #lines = new Map<string, number>();
  readonly #unlisten: () => void;
  #metrics: MetricsConfiguration | undefined;
  #server: MetricsServer | undefined;
  #ending = false;

  constructor(parts: MonitoringParts) {
    this.#parts = parts;
    const { clock, counters, devices, status, process, ring } = parts;
    this.#syslog = new SyslogDesk(parts);
    this.#loopDelay = new LoopDelay(clock);
    this.#page = new MetricsPage({
      status,
      counters,
      devices,
      process,
      syslog: () => this.#syslog.servers,
      lines: () => this.#lines,
      loopDelay: () => this.#loopDelay.samples,
      refused: () => this.#server?.refused ?? new Map(),
    });
    for (const line of ring.lines()) this.#count(line);
    this.#unlisten = ring.listen((line) => this.#count(line));
  }

  /**
   * Follows the configuration that is in force from now on; what is unchanged goes on. Never rejects.
   * @returns what of it cannot be done now, a sentence each without a full stop; it is tried again by itself.
   */
  async follow(configuration: Configuration): Promise<readonly string[]> {
    if (this.#ending) return [];
    this.#syslog.follow(configuration);
    await this.#followMetrics(configuration.system.metrics);
    return this.#server?.failure === undefined ? [] : [this.#server.failure];
  }

  /** As it is now, a sentence each. */
  get warnings(): string[] {
    const failure = this.#server?.failure;
    return [...this.#syslog.warnings, ...(failure === undefined ? [] : [failure])];
  }

  /** Where metrics are served; for tests, which ask for any port. */
  get metricsPort(): number | undefined {
    return this.#server?.port;
  }

  /** The last lines of the log are given a moment. Never rejects. */
  async stop(): Promise<void> {
    this.#ending = true;
    this.#loopDelay.stop();
    await Promise.all([this.#syslog.stop(), this.#server?.stop()]);
    this.#unlisten();
  }

  async #followMetrics(metrics: MetricsConfiguration | undefined): Promise<void> {
    if (JSON.stringify(metrics) === JSON.stringify(this.#metrics)) return;
    this.#metrics = metrics;
    await this.#server?.stop();
    this.#server = undefined;
    this.#loopDelay.stop();
    if (metrics === undefined || this.#ending) return;
    const { clock, logger } = this.#parts;
    const { listen, port, token } = metrics;
    const server = new MetricsServer(
      { listen, port, ...(token === undefined ? {} : { token }) },
      { clock, page: () => this.#page.text(), log: (level, line) => logger[level](line) },
    );
    this.#server = server;
    this.#loopDelay.start();
    await server.start();
  }

  #count(line: string): void {
    const level = levelOf(line);
    this.#lines.set(level, (this.#lines.get(level) ?? 0) + 1);
  }
}
