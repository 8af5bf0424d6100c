/** What the status of the router says, as metrics: connections by kind and name, tunnels, sessions, SAs. */
import type { ConnectionState, RouterStatus } from '../api/router-control.ts';
import { type Counted, CounterSums } from './counter-sums.ts';
import { dslFamilies } from './dsl-metrics.ts';
import { counter, gauge, type MetricFamily, type MetricSample } from './exposition.ts';
import { modemFamilies } from './modem-metrics.ts';

const STATES: readonly ConnectionState[] = ['down', 'connecting', 'up', 'failed'];

type Traffic = Partial<
  Record<'packetsReceived' | 'octetsReceived' | 'packetsSent' | 'octetsSent' | 'lost' | 'reordered', number>
> & { readonly drops?: Readonly<Record<string, number>> };

/** What is summed up, and how it is called behind the prefix. */
const TRAFFIC = [
  ['octetsReceived', 'receive_bytes_total', 'Octets of user packets received.'],
  ['octetsSent', 'transmit_bytes_total', 'Octets of user packets sent.'],
  ['packetsReceived', 'receive_packets_total', 'User packets received.'],
  ['packetsSent', 'transmit_packets_total', 'User packets sent.'],
] as const;
const ORDER = [
  ['lost', 'lost_packets_total', 'Numbered packets that did not come, or came too late.'],
  ['reordered', 'reordered_packets_total', 'Numbered packets that were put in their place again.'],
] as const;
/** Before a reason for which packets were dropped, among the counts of {@link CounterSums}. */
const DROP = 'drop ';

export class StatusMetrics {
  readonly #sessions = new CounterSums();
  readonly #sas = new CounterSums();

  families(status: RouterStatus): MetricFamily[] {
    return [
      ...this.#connections(status),
      ...uplinkFamilies(status),
      ...dslFamilies(status),
      ...modemFamilies(status),
      ...this.#l2tp(status),
      ...this.#ipsec(status),
      ...counters(status.counters),
    ];
  }

  #connections({ interfaces, uplinks, l2tp, ppp, ipsec }: RouterStatus): MetricFamily[] {
    const kinds = { interface: interfaces, uplink: uplinks, l2tp, ppp, ipsec };
    const up: MetricSample[] = [];
    const states: MetricSample[] = [];
    for (const [kind, entries] of Object.entries(kinds)) {
      // A server with several tunnels, a connection with several IKE SAs: up when one of them is.
      const byName = new Map<string, boolean>();
      for (const { name, state } of entries) byName.set(name, byName.get(name) === true || state === 'up');
      for (const [name, value] of byName) up.push({ labels: { kind, name }, value: value ? 1 : 0 });
      for (const state of STATES) {
        states.push({ labels: { kind, state }, value: entries.filter((entry) => entry.state === state).length });
      }
    }
    return [
      gauge('culvert_connection_up', 'Whether what is configured under this name is up.', up),
      gauge('culvert_connections', 'Entries of the status by their state.', states),
    ];
  }

  #l2tp({ l2tp }: RouterStatus): MetricFamily[] {
    const names = new Set(l2tp.map(({ name }) => name));
    const owners = l2tp.flatMap(({ name, tunnelId, sessions }) =>
      sessions.map((session) => counted(`${name}/${tunnelId}/${session.sessionId}`, name, session)),
    );
    this.#sessions.observe(owners, names);
    const sessions = sumBy(l2tp, ({ sessions }) => sessions.filter(({ state }) => state === 'up').length);
    const tunnels = sumBy(l2tp, ({ state, tunnelId }) => (state === 'up' && tunnelId > 0 ? 1 : 0));
    return [
      gauge('culvert_l2tp_tunnels', 'L2TP tunnels that are up.', tunnels),
      gauge('culvert_l2tp_sessions', 'L2TP sessions that are up.', sessions),
      ...sumFamilies('culvert_l2tp_', this.#sessions, [...TRAFFIC, ...ORDER]),
    ];
  }

  #ipsec({ ipsec }: RouterStatus): MetricFamily[] {
    const names = new Set(ipsec.map(({ name }) => name));
    const owners = ipsec.flatMap(({ name, children }) =>
      children.map((child) => counted(`${name}/${child.inboundSpi}`, name, child)),
    );
    this.#sas.observe(owners, names);
    const ike = sumBy(ipsec, ({ state, algorithms }) => (state === 'up' && algorithms !== '' ? 1 : 0));
    const children = sumBy(ipsec, ({ children }) => children.filter(({ state }) => state === 'up').length);
    return [
      gauge('culvert_ipsec_ike_sas', 'IKE SAs that are up.', ike),
      gauge('culvert_ipsec_child_sas', 'Pairs of ESP or AH SAs by which is sent.', children),
      ...sumFamilies('culvert_ipsec_', this.#sas, TRAFFIC),
    ];
  }
}

/** `dropped.X`, `ipsec.dropped.X` and `l2tp.SERVER.X`, as the router calls its counters. */
function counters(counters: RouterStatus['counters']): MetricFamily[] {
  const plane: MetricSample[] = [];
  const policies: MetricSample[] = [];
  const servers: MetricSample[] = [];
  for (const [key, value] of Object.entries(counters)) {
    const [first = '', second = '', third = ''] = key.split('.');
    if (first === 'dropped') plane.push({ labels: { reason: second }, value });
    else if (first === 'ipsec' && second === 'dropped') policies.push({ labels: { reason: third }, value });
    else if (first === 'l2tp') servers.push({ labels: { name: second, event: third }, value });
  }
  return [
    counter('culvert_dropped_packets_total', 'Packets of no session, policy or SA that were dropped.', plane),
    counter('culvert_ipsec_policy_dropped_packets_total', 'Packets that a policy of IPsec dropped.', policies),
    counter(
      'culvert_l2tp_server_messages_total',
      'Control messages to an L2TP server, by what became of them.',
      servers,
    ),
  ];
}

function counted(key: string, name: string, traffic: Traffic): Counted {
  const counts = new Map<string, number>();
  for (const [what] of [...TRAFFIC, ...ORDER]) counts.set(what, traffic[what] ?? 0);
  for (const [reason, count] of Object.entries(traffic.drops ?? {})) counts.set(`${DROP}${reason}`, count);
  return { key, name, counts };
}

function sumFamilies(
  prefix: string,
  { sums }: CounterSums,
  columns: readonly (readonly [what: string, suffix: string, help: string])[],
): MetricFamily[] {
  const families = columns.map(([what, suffix, help]) =>
    counter(
      `${prefix}${suffix}`,
      help,
      [...sums].map(([name, counts]) => ({ labels: { name }, value: counts.get(what) ?? 0 })),
    ),
  );
  const drops = [...sums].flatMap(([name, counts]) =>
    [...counts].flatMap(([what, value]) =>
      what.startsWith(DROP) ? [{ labels: { name, reason: what.slice(DROP.length) }, value }] : [],
    ),
  );
  return [...families, counter(`${prefix}dropped_packets_total`, 'User packets dropped, by reason.', drops)];
}

function sumBy<T extends { readonly name: string }>(
  entries: readonly T[],
  value: (entry: T) => number,
): MetricSample[] {
  const sums = new Map<string, number>();
  for (const entry of entries) sums.set(entry.name, (sums.get(entry.name) ?? 0) + value(entry));
  return [...sums].map(([name, sum]) => ({ labels: { name }, value: sum }));
}

function uplinkFamilies({ uplinks }: RouterStatus): MetricFamily[] {
  const samples = (value: (uplink: RouterStatus['uplinks'][number]) => number | undefined): MetricSample[] =>
    uplinks.flatMap((uplink) => {
      const number = value(uplink);
      return number === undefined ? [] : [{ labels: { name: uplink.name }, value: number }];
    });
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);
  return [
    gauge(
      'culvert_uplink_carrying',
      'Whether the uplink has the default route.',
      samples(({ carrying }) => (carrying ? 1 : 0)),
    ),
    gauge(
      'culvert_uplink_well',
      'Whether the uplink is well.',
      samples(({ verdict }) => (verdict === 'well' ? 1 : 0)),
    ),
    gauge(
      'culvert_uplink_loss_ratio',
      'Of the last probes.',
      samples(({ health }) => (health.lossPercent === undefined ? undefined : health.lossPercent / 100)),
    ),
    gauge(
      'culvert_uplink_latency_seconds',
      'Median of the last answers.',
      samples(({ health }) => seconds(health.latencyMilliseconds)),
    ),
  ];
}
