import { describe, expect, it } from 'vitest';
import type { IpsecStatus, RouterStatus } from '../../../firmware/api/router-control.ts';
import { MAX_SERIES, MetricsPage, type MetricsPageParts } from '../../../firmware/monitoring/metrics-page.ts';
import { SimulatedMachineCounters } from '../../../hal/simulated/machine-counters.ts';
import { type ParsedFamily, parseExposition } from '../../support/exposition-parser.ts';
import { STATUS } from '../api/fake-router.ts';

const counters = new SimulatedMachineCounters();
counters.devices.set('eth0', { received: 98_765_432_109, sent: 5, packetsReceived: 3, sendDrops: 2 });

const child = {
  name: 'plant',
  state: 'up',
  algorithms: 'AES-GCM',
  inboundSpi: '00000001',
  outboundSpi: '00000002',
  secondsLeft: 100,
  protocol: 'esp',
  encapsulation: 'none',
  localSelectors: [],
  remoteSelectors: [],
  packetsReceived: 4,
  octetsReceived: 400,
  packetsSent: 5,
  octetsSent: 500,
  drops: { replayed: 7 },
} as const;

function plant(...children: Partial<Omit<IpsecStatus['children'][number], 'drops'>>[]): IpsecStatus {
  return {
    name: 'plant',
    state: 'up',
    version: 2,
    mode: 'tunnel',
    role: 'initiator',
    peer: '10.20.0.8:500',
    algorithms: 'AES-GCM',
    nat: 'none',
    encapsulation: 'none',
    peerIdentity: 'srv.lab',
    peerImplementation: '',
    since: 0,
    children: children.map((one) => ({
      ...child,
      localSelectors: [],
      remoteSelectors: [],
      drops: { ...child.drops },
      ...one,
    })),
  };
}

function page(status: () => RouterStatus, more: Partial<MetricsPageParts> = {}): MetricsPage {
  return new MetricsPage({
    status: async () => status(),
    counters,
    devices: () =>
      new Map([
        ['interface.wan', 'eth0'],
        ['l2tp.hq', 'l2tp-hq'],
      ]),
    process: () => ({ residentOctets: 1_000_000, processorSeconds: 1.5, runtime: 'node v24' }),
    syslog: () => [{ name: 'office', up: true, queued: 2, sent: 30, dropped: 4 }],
    lines: () =>
      new Map([
        ['info', 12],
        ['warn', 3],
      ]),
    loopDelay: () => [
      { suffix: '_bucket', labels: { le: '+Inf' }, value: 9 },
      { suffix: '_sum', value: 0.5 },
      { suffix: '_count', value: 9 },
    ],
    refused: () => new Map([['unauthorized', 2]]),
    ...more,
  });
}

/** The value of one series. */
function value(
  families: ReadonlyMap<string, ParsedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
) {
  const samples = families.get(name)?.samples ?? [];
  const wanted = JSON.stringify(Object.entries(labels).sort());
  return samples.find((sample) => JSON.stringify(Object.entries(sample.labels).sort()) === wanted)?.value;
}

describe('the page of metrics', () => {
  const busy: RouterStatus = {
    ...STATUS,
    ipsec: [plant({})],
    warnings: ['a certificate expires'],
    counters: { 'dropped.noRoute': 3, 'ipsec.dropped.noSa': 4, 'l2tp.office.duplicate': 5 },
  };

  it('says what the router is, and how it is doing', async () => {
    const families = parseExposition(await page(() => busy).text());
    expect(value(families, 'culvert_build_info', { version: '0.1.0', board: 'simulated', runtime: 'node v24' })).toBe(
      1,
    );
    expect(value(families, 'culvert_uptime_seconds')).toBe(200.5);
    expect(value(families, 'culvert_configuration_revision')).toBe(7);
    expect(value(families, 'culvert_warnings')).toBe(1);
    expect(value(families, 'process_resident_memory_bytes')).toBe(1_000_000);
    expect(value(families, 'process_cpu_seconds_total')).toBe(1.5);
    expect(value(families, 'culvert_log_lines_total', { level: 'warn' })).toBe(3);
    expect(families.get('culvert_control_loop_delay_seconds')?.type).toBe('histogram');
    expect(value(families, 'culvert_metrics_refused_requests_total', { reason: 'unauthorized' })).toBe(2);
    expect(value(families, 'culvert_metrics_left_out_series')).toBe(0);
  });

  it('tells of the DSL line in front of an interface: whether it is up, its rates and its margin', async () => {
    const [wan] = STATUS.interfaces;
    if (wan === undefined) throw new Error('the fake router has no interface');
    const line = {
      state: 'showtime' as const,
      stateWords: 'Showtime',
      seenAt: 0,
      down: { rateKbps: 31_829, attainableKbps: 38_904, marginDb: 6.5 },
      up: { rateKbps: 5_517 },
    };
    const interfaces = [
      { ...wan, dsl: { source: 'x', line, syncs: [] } },
      { ...wan, name: 'wan2', dsl: { source: 'y', reason: 'silent', syncs: [] } },
    ];
    const families = parseExposition(await page(() => ({ ...STATUS, interfaces })).text());
    expect(value(families, 'culvert_dsl_up', { name: 'wan' })).toBe(1);
    expect(value(families, 'culvert_dsl_up', { name: 'wan2' })).toBe(0);
    const down = { name: 'wan', direction: 'down' };
    expect(value(families, 'culvert_dsl_rate_bits_per_second', down)).toBe(31_829_000);
    expect(value(families, 'culvert_dsl_rate_bits_per_second', { ...down, direction: 'up' })).toBe(5_517_000);
    expect(value(families, 'culvert_dsl_attainable_rate_bits_per_second', down)).toBe(38_904_000);
    expect(families.get('culvert_dsl_margin_decibels')?.samples).toHaveLength(1);
  });

  it('tells of the modem of an uplink: network, signal, octets of the month; of an unused one nothing', async () => {
    const lte: RouterStatus['modems'][number] = {
      name: 'lte',
      state: 'up',
      uplink: 'mobile',
      where: '/dev/ttyS1',
      manufacturer: '',
      model: '',
      revision: '',
      imei: '',
      sim: 'ready',
      iccid: '',
      operator: '',
      technology: 'LTE',
      band: '',
      registration: 'roaming',
      apn: '',
      bars: 4,
      signal: { rsrp: -95 },
      online: true,
      octetsThisMonth: 1_500,
      messages: 0,
      doing: '',
    };
    const modems = [lte, { ...lte, name: 'spare', uplink: '' }];
    const families = parseExposition(await page(() => ({ ...STATUS, modems })).text());
    const name = { name: 'lte' };
    expect(value(families, 'culvert_modem_registered', name)).toBe(1);
    expect(value(families, 'culvert_modem_roaming', name)).toBe(1);
    expect(value(families, 'culvert_modem_bars', name)).toBe(4);
    expect(value(families, 'culvert_modem_signal_dbm', { ...name, measure: 'rsrp' })).toBe(-95);
    expect(value(families, 'culvert_modem_month_bytes', name)).toBe(1_500);
    expect(families.get('culvert_modem_signal_dbm')?.samples).toHaveLength(1);
    expect(families.get('culvert_modem_bars')?.samples).toHaveLength(1);
  });

  it('counts octets and packets of the devices that are there', async () => {
    const families = parseExposition(await page(() => busy).text());
    const wan = { kind: 'interface', name: 'wan', device: 'eth0' };
    expect(value(families, 'culvert_network_receive_bytes_total', wan)).toBe(98_765_432_109);
    expect(value(families, 'culvert_network_receive_packets_total', wan)).toBe(3);
    expect(value(families, 'culvert_network_transmit_dropped_packets_total', wan)).toBe(2);
    expect(families.get('culvert_network_transmit_bytes_total')?.samples).toHaveLength(1);
  });

  it('says what is up by kind and name, once however many tunnels a server has', async () => {
    const [tunnel] = STATUS.l2tp;
    if (tunnel === undefined) throw new Error('the fake router has no tunnel');
    const office = { ...tunnel, name: 'office', role: 'server' as const };
    const l2tp = [
      tunnel,
      { ...office, state: 'down' as const, tunnelId: 0, sessions: [] },
      office,
      { ...office, tunnelId: 9 },
    ];
    const families = parseExposition(await page(() => ({ ...busy, l2tp })).text());
    const up = (kind: string, name: string) => value(families, 'culvert_connection_up', { kind, name });
    expect([up('interface', 'wan'), up('interface', 'lan'), up('ipsec', 'plant'), up('l2tp', 'office')]).toEqual([
      1, 0, 1, 1,
    ]);
    expect(value(families, 'culvert_connections', { kind: 'interface', state: 'failed' })).toBe(1);
    expect(value(families, 'culvert_l2tp_tunnels', { name: 'office' })).toBe(2);
    expect(value(families, 'culvert_l2tp_sessions', { name: 'office' })).toBe(2);
  });

  it('has counters of SAs that do not fall when the keys are renewed', async () => {
    let status = busy;
    const rendered = page(() => status);
    const received = async () => {
      const families = parseExposition(await rendered.text());
      const counts = [
        value(families, 'culvert_ipsec_receive_bytes_total', { name: 'plant' }),
        value(families, 'culvert_ipsec_transmit_packets_total', { name: 'plant' }),
        value(families, 'culvert_ipsec_dropped_packets_total', { name: 'plant', reason: 'replayed' }),
        value(families, 'culvert_ipsec_child_sas', { name: 'plant' }),
      ];
      return counts;
    };
    expect(await received()).toEqual([400, 5, 7, 1]);
    const next = { inboundSpi: '00000003', octetsReceived: 10, packetsSent: 1 };
    status = { ...busy, ipsec: [plant({ state: 'down', octetsReceived: 450 }, next)] };
    expect(await received()).toEqual([460, 6, 14, 1]);
    status = { ...busy, ipsec: [plant({ ...next, octetsReceived: 30 })] };
    expect(await received()).toEqual([480, 6, 14, 1]);
  });

  it('tells dropped packets and messages by reason, and how syslog is doing', async () => {
    const families = parseExposition(await page(() => busy).text());
    expect(value(families, 'culvert_dropped_packets_total', { reason: 'noRoute' })).toBe(3);
    expect(value(families, 'culvert_ipsec_policy_dropped_packets_total', { reason: 'noSa' })).toBe(4);
    expect(value(families, 'culvert_l2tp_server_messages_total', { name: 'office', event: 'duplicate' })).toBe(5);
    expect(value(families, 'culvert_syslog_up', { server: 'office' })).toBe(1);
    expect(value(families, 'culvert_syslog_queue_lines', { server: 'office' })).toBe(2);
    expect(value(families, 'culvert_syslog_sent_lines_total', { server: 'office' })).toBe(30);
    expect(value(families, 'culvert_syslog_dropped_lines_total', { server: 'office' })).toBe(4);
  });

  it('keeps to the names of Prometheus: base units, _total for counters and nothing else', async () => {
    for (const [name, { type, help }] of parseExposition(await page(() => busy).text())) {
      expect(name).toMatch(/^(culvert|process)_[a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/octets|millisecond|_ms/);
      expect(help).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('is bounded, and says how much is missing', async () => {
    const [tunnel] = STATUS.l2tp;
    if (tunnel === undefined) throw new Error('the fake router has no tunnel');
    const l2tp = Array.from({ length: MAX_SERIES }, (_, index) => ({ ...tunnel, name: `n${index}` }));
    const families = parseExposition(await page(() => ({ ...busy, l2tp })).text());
    const series = [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
    expect(series).toBe(MAX_SERIES + 1);
    expect(value(families, 'culvert_metrics_left_out_series')).toBeGreaterThan(MAX_SERIES);
    expect(value(families, 'culvert_uptime_seconds')).toBe(200.5);
  });
});
