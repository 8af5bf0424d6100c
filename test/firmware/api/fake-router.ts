/** A router without a network: what the tests of the control API and of the commands talk to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  BoardStatus,
  CaptureRequest,
  CaptureResult,
  CommandResult,
  DiagnoseResult,
  IpsecKeysResult,
  IpsecStatus,
  LimitsStatus,
  MachineRequest,
  ReachResult,
  RouterControl,
  RouterEvent,
  RouterStatus,
  TrafficHistory,
  TrafficTotal,
} from '../../../firmware/api/router-control.ts';
import type {
  PingEvent,
  PingRequest,
  TracerouteEvent,
  TracerouteRequest,
} from '../../../firmware/diagnosis/reach/reach-event.ts';

export const STATUS: RouterStatus = {
  version: '0.1.0',
  board: 'simulated',
  hostname: 'branch-12',
  uptimeSeconds: 200.5,
  configuration: { revision: 7, state: 'confirmed' },
  storage: { octetsWrittenToday: 123_456, octetsPerDayLimit: 52_428_800, history: 'written' },
  warnings: [],
  interfaces: [
    { name: 'wan', device: 'eth0', zone: 'wan', state: 'up', addresses: ['10.20.0.9/24'], mtu: 1500 },
    { name: 'lan', device: 'lan0', zone: 'lan', state: 'failed', addresses: [], reason: 'there is no device lan0' },
  ],
  devices: [
    { name: 'eth0', up: true, mac: '52:54:00:00:00:01' },
    { name: 'eth1', up: false, mac: '52:54:00:00:00:02' },
  ],
  uplinks: [],
  modems: [],
  l2tp: [
    {
      name: 'hq',
      role: 'client',
      state: 'up',
      tunnelId: 4711,
      peerTunnelId: 12,
      peer: '10.20.0.2:1701',
      sessions: [
        {
          name: 'hq',
          state: 'up',
          sessionId: 100,
          peerSessionId: 200,
          interface: 'l2tp-hq',
          packetsReceived: 12,
          octetsReceived: 15_300,
          packetsSent: 9,
          octetsSent: 900,
          drops: { wrongSource: 2, tooBig: 0 },
        },
      ],
    },
    {
      name: 'plant',
      role: 'client',
      state: 'failed',
      tunnelId: 0,
      peerTunnelId: 0,
      peer: '10.20.0.8:1701',
      reason: 'SCCRQ was not answered',
      remedy: 'check that the server runs',
      sessions: [],
    },
  ],
  ppp: [
    {
      name: 'hq',
      state: 'up',
      interface: 'l2tp-hq',
      localAddress: '10.99.0.2',
      peerAddress: '10.99.0.1',
      dns: ['10.99.0.1'],
      authentication: 'mschapv2',
      user: 'alice',
      mtu: 1400,
    },
  ],
  ipsec: [],
  counters: { malformed: 3 },
};

/** An IKE SA with its child SAs. */
export const IPSEC_STATUS: IpsecStatus = {
  name: 'hq',
  state: 'up',
  version: 1,
  mode: 'transport',
  role: 'initiator',
  peer: '10.20.0.2:4500',
  algorithms: 'AES-CBC with 256-bit key, PRF-HMAC-SHA1, 2048-bit MODP',
  nat: 'here',
  encapsulation: 'udp',
  peerIdentity: 'srv.lab',
  peerImplementation: 'strongSwan',
  secondsLeft: 14_000,
  since: 0,
  children: [
    {
      name: 'hq',
      state: 'up',
      algorithms: 'AES-CBC with 256-bit key, HMAC-SHA1-96',
      inboundSpi: '00c0ffee',
      outboundSpi: 'fedcba98',
      protocol: 'esp',
      secondsLeft: 3300,
      encapsulation: 'udp',
      localSelectors: ['10.20.0.9 UDP port 1701'],
      remoteSelectors: ['10.20.0.2 UDP port 1701'],
      packetsReceived: 12,
      octetsReceived: 15_300,
      packetsSent: 9,
      octetsSent: 900,
      drops: { replayed: 2, selectors: 0 },
    },
  ],
};

export const BOARD: BoardStatus = {
  board: 'simulated',
  description: 'any Linux machine',
  leds: [
    { purpose: 'power', device: 'red:power', by: 'culvert', shows: 'lit', why: 'the router runs' },
    {
      purpose: 'vpn',
      device: 'green:vpn',
      by: 'culvert',
      shows: 'flashes 4 times, then pauses',
      why: 'hq fails at IKE authentication',
    },
    { purpose: 'lte', device: '*:lte', by: '', shows: '', why: 'there is no modem', reason: 'the kernel has none' },
  ],
  buttons: [{ purpose: 'reset', device: 'key 408 of gpio-keys', state: 'free', does: 'under 1 s: reboot' }],
  watchdog: { device: '/dev/watchdog', identity: 'Software Watchdog', timeoutSeconds: 30, state: 'fed' },
};

export const LIMITS: LimitsStatus = {
  dataPlane: { engine: 'userspace', reason: 'there is no other one', cost: 'one thread' },
  cipher: { engine: 'evp', reason: 'it is there', cost: 'little' },
  offloads: [{ name: 'UDP GSO', used: false, reason: 'nobody wrote it', cost: 'system calls' }],
  kernel: {
    release: '6.1.0',
    features: [
      { name: 'vlan', state: 'absent', use: 'unused', evidence: 'built without', meaning: 'no VLANs' },
      { name: 'tun', state: 'present', use: 'needed', evidence: 'built in', meaning: 'tunnels' },
    ],
  },
  tables: [
    { name: 'captures', most: 4, inUse: 1, what: 'captures at a time', whenFull: 'it is refused' },
    { name: 'revisions', most: 100, what: 'revisions', whenFull: 'the oldest one goes' },
  ],
};

/** Answers what it is told to, and remembers what it was asked. */
export class FakeRouter implements RouterControl {
  disconnectResult: CommandResult = { ok: true };
  lines: string[] = [];
  readonly askedKeys: (string | undefined)[] = [];
  keysResult: IpsecKeysResult = { ok: true, keys: [] };
  statusNow: () => Promise<RouterStatus> = async () => STATUS;
  onConnect: (name: string, signal: AbortSignal) => Promise<CommandResult> = async () => ({ ok: true });
  onDiagnose: (name: string) => DiagnoseResult = (name) => ({
    ok: true,
    diagnosis: { name, state: 'up', steps: [], findings: [] },
  });
  readonly askedCaptures: CaptureRequest[] = [];
  onCapture: (request: CaptureRequest) => CaptureResult = () => ({ ok: false, reason: 'nothing can be captured' });
  onStopCapture: (id: number) => boolean = () => false;
  trafficNow: () => readonly TrafficTotal[] = () => [
    { name: 'interface.wan.sent', second: 10, minute: 1_000, hour: 60_000, day: 1_440_000 },
  ];
  onStopReach: (id: number) => boolean = () => false;
  readonly askedMachine: MachineRequest[] = [];
  readonly askedIdentify: number[] = [];
  identifyResult: CommandResult = { ok: true };
  machineResult: CommandResult = { ok: true };
  cancelResult: CommandResult = { ok: true };
  readonly askedPings: PingRequest[] = [];
  onPing: (request: PingRequest) => ReachResult<PingEvent> = () => ({ ok: false, reason: 'nothing can be pinged' });
  onTraceroute: (request: TracerouteRequest) => ReachResult<TracerouteEvent> = () => ({
    ok: false,
    reason: 'there is no way anywhere',
  });
  readonly logListeners = new Set<(line: string) => void>();
  readonly listeners = new Set<(event: RouterEvent) => void>();

  status(): Promise<RouterStatus> {
    return this.statusNow();
  }

  connect(name: string, signal: AbortSignal): Promise<CommandResult> {
    return this.onConnect(name, signal);
  }

  async disconnect(): Promise<CommandResult> {
    return this.disconnectResult;
  }

  async diagnose(name: string): Promise<DiagnoseResult> {
    return this.onDiagnose(name);
  }

  ipsecKeys(name: string | undefined): IpsecKeysResult {
    this.askedKeys.push(name);
    return this.keysResult;
  }

  traffic(): readonly TrafficTotal[] {
    return this.trafficNow();
  }

  trafficHistory(name: string): TrafficHistory | undefined {
    return name === 'interface.wan.sent' ? { startMs: 0, stepMs: 1_000, values: [null, 5] } : undefined;
  }

  async limits(): Promise<LimitsStatus> {
    return LIMITS;
  }

  async capture(request: CaptureRequest): Promise<CaptureResult> {
    this.askedCaptures.push(request);
    return this.onCapture(request);
  }

  stopCapture(id: number): boolean {
    return this.onStopCapture(id);
  }

  async ping(request: PingRequest): Promise<ReachResult<PingEvent>> {
    this.askedPings.push(request);
    return this.onPing(request);
  }

  async traceroute(request: TracerouteRequest): Promise<ReachResult<TracerouteEvent>> {
    return this.onTraceroute(request);
  }

  stopReach(id: number): boolean {
    return this.onStopReach(id);
  }

  board(): BoardStatus {
    return BOARD;
  }

  identify(seconds: number): CommandResult {
    this.askedIdentify.push(seconds);
    return this.identifyResult;
  }

  async machine(request: MachineRequest): Promise<CommandResult> {
    this.askedMachine.push(request);
    return this.machineResult;
  }

  cancelMachine(): CommandResult {
    return this.cancelResult;
  }

  log(): readonly string[] {
    return this.lines;
  }

  onEvent(listener: (event: RouterEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onLog(listener: (line: string) => void): () => void {
    this.logListeners.add(listener);
    return () => this.logListeners.delete(listener);
  }

  say(line: string): void {
    for (const listener of this.logListeners) listener(line);
  }

  emit(event: RouterEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

/** A state directory of its own, short enough for a socket in it. */
export function makeStateDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'cv-api-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
