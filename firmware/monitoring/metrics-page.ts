import type { LinkCounters, MachineCounters } from '../../hal/machine-counters.ts';
import type { RouterStatus } from '../api/router-control.ts';
import { counter, gauge, type MetricFamily, type MetricSample, writeExposition } from './exposition.ts';
import { StatusMetrics } from './status-metrics.ts';
import type { SyslogServerView } from './syslog-desk.ts';

/** Bounds what Prometheus has to store of one router: a hub with two hundred branches has some six thousand. */
export const MAX_SERIES = 10_000;

export interface MetricsPageParts {
  readonly status: () => Promise<RouterStatus>;
  readonly counters: MachineCounters;
  /** Devices by kind and name: `interface.wan`, `l2tp.hq`. */
  readonly devices: () => ReadonlyMap<string, string>;
  /** Of this process. */
  readonly process: () => {
    readonly residentOctets: number;
    readonly processorSeconds: number;
    readonly runtime: string;
  };
  readonly syslog: () => readonly SyslogServerView[];
  /** Log lines so far, by level. */
  readonly lines: () => ReadonlyMap<string, number>;
  readonly loopDelay: () => readonly MetricSample[];
  /** Requests that were not answered with the page, by reason. */
  readonly refused: () => ReadonlyMap<string, number>;
}

const LINK_COLUMNS: readonly (readonly [keyof LinkCounters, string, string])[] = [
  ['received', 'receive_bytes_total', 'Octets that the device has received.'],
  ['sent', 'transmit_bytes_total', 'Octets that the device has sent.'],
  ['packetsReceived', 'receive_packets_total', 'Packets that the device has received.'],
  ['packetsSent', 'transmit_packets_total', 'Packets that the device has sent.'],
  ['receiveErrors', 'receive_errors_total', 'Packets that arrived damaged.'],
  ['sendErrors', 'transmit_errors_total', 'Packets that could not be sent.'],
  ['receiveDrops', 'receive_dropped_packets_total', 'Packets received for which there was no room.'],
  ['sendDrops', 'transmit_dropped_packets_total', 'Packets to be sent for which there was no room.'],
];

/** The whole of `/metrics`. */
export class MetricsPage {
  readonly #parts: MetricsPageParts;
  readonly #status = new StatusMetrics();

  constructor(parts: MetricsPageParts) {
    this.#parts = parts;
  }

  async text(): Promise<string> {
    const status = await this.#parts.status();
    const families = [
      ...this.#router(status),
      ...this.#own(),
      ...this.#links(),
      ...this.#syslog(),
      ...this.#status.families(status),
    ];
    const { text, leftOut } = writeExposition(families, MAX_SERIES);
    const help = 'Series that are not here, since there are too many.';
    return text + writeExposition([gauge('culvert_metrics_left_out_series', help, [{ value: leftOut }])], 1).text;
  }

  #router({ version, board, uptimeSeconds, configuration, warnings }: RouterStatus): MetricFamily[] {
    const { runtime } = this.#parts.process();
    return [
      gauge('culvert_build_info', 'What runs here.', [{ labels: { version, board, runtime }, value: 1 }]),
      gauge('culvert_uptime_seconds', 'Since the router was started.', [{ value: uptimeSeconds }]),
      gauge('culvert_configuration_revision', 'Revision of the configuration in force.', [
        { value: configuration.revision },
      ]),
      gauge('culvert_warnings', 'What somebody should see to; "culvert show status" says what.', [
        { value: warnings.length },
      ]),
    ];
  }

  #own(): MetricFamily[] {
    const { process, loopDelay, lines, refused } = this.#parts;
    const { residentOctets, processorSeconds } = process();
    return [
      gauge('process_resident_memory_bytes', 'Resident memory of the router.', [{ value: residentOctets }]),
      counter('process_cpu_seconds_total', 'Processor time of the router.', [{ value: processorSeconds }]),
      {
        name: 'culvert_control_loop_delay_seconds',
        help: 'How late timers of the control thread came.',
        type: 'histogram',
        samples: loopDelay(),
      },
      counter('culvert_log_lines_total', 'Lines of the log, by level.', byLabel('level', lines())),
      counter(
        'culvert_metrics_refused_requests_total',
        'Requests to this listener that did not get the page, by reason.',
        byLabel('reason', refused()),
      ),
    ];
  }

  #links(): MetricFamily[] {
    const devices = [...this.#parts.devices()];
    const found = this.#parts.counters.links(devices.map(([, device]) => device));
    return LINK_COLUMNS.map(([column, suffix, help]) =>
      counter(
        `culvert_network_${suffix}`,
        help,
        devices.flatMap(([key, device]) => {
          const counters = found.get(device);
          if (counters === undefined) return [];
          const dot = key.indexOf('.');
          return [{ labels: { kind: key.slice(0, dot), name: key.slice(dot + 1), device }, value: counters[column] }];
        }),
      ),
    );
  }

  #syslog(): MetricFamily[] {
    const servers = this.#parts.syslog();
    const samples = (value: (server: SyslogServerView) => number): MetricSample[] =>
      servers.map((server) => ({ labels: { server: server.name }, value: value(server) }));
    return [
      gauge(
        'culvert_syslog_up',
        'Whether log lines reach the syslog server.',
        samples(({ up }) => (up ? 1 : 0)),
      ),
      gauge(
        'culvert_syslog_queue_lines',
        'Log lines that wait for the syslog server.',
        samples(({ queued }) => queued),
      ),
      counter(
        'culvert_syslog_sent_lines_total',
        'Log lines sent to the syslog server.',
        samples(({ sent }) => sent),
      ),
      counter(
        'culvert_syslog_dropped_lines_total',
        'Log lines dropped since too many waited for the syslog server.',
        samples(({ dropped }) => dropped),
      ),
    ];
  }
}

function byLabel(label: string, counts: ReadonlyMap<string, number>): MetricSample[] {
  return [...counts].map(([value, count]) => ({ labels: { [label]: value }, value: count }));
}
