import type {
  DataPlane,
  DataPlaneCounters,
  DataPlaneEvent,
  InterfaceSpec,
  PolicySpec,
  SaSpec,
  SessionSpec,
  SocketSpec,
} from '../../../firmware/dataplane/data-plane.ts';
import type { LineSessionSpec, LineSpec } from '../../../firmware/dataplane/ppp-carrier.ts';
import type { UdpPath } from '../../../firmware/protocol/udp-path.ts';

type Verb = 'openLine' | 'closeLine' | 'openSocket' | 'closeSocket' | 'addInterface' | 'removeInterface';

/** A data plane that carries nothing, keeps account of everything, and is slow or fails where a test says so. */
export class FakeDataPlane implements DataPlane {
  readonly sockets = new Map<number, SocketSpec>();
  readonly interfaces = new Map<number, InterfaceSpec>();
  readonly sessions = new Map<number, SessionSpec>();
  readonly lines = new Map<number, LineSpec>();
  /** Those on lines. */
  readonly lineSessions = new Map<number, LineSessionSpec>();
  readonly policies = new Map<number, PolicySpec>();
  readonly sas = new Map<number, SaSpec>();
  readonly keepalives: UdpPath[] = [];
  /** Authentic packets received so far, by SA. */
  readonly authentic = new Map<number, number>();
  readonly sent: { readonly path: UdpPath; readonly bytes: Uint8Array }[] = [];
  readonly frames: { readonly session: number; readonly frame: Uint8Array }[] = [];
  /** User packets received so far, by session. */
  readonly received = new Map<number, number>();
  /** What the next call of a verb waits for. */
  readonly gates = new Map<Verb, Promise<void>>();
  /** Verbs that are refused, with these words. */
  readonly refused = new Map<Verb | 'putSession', string>();
  /** Ports that another process has. */
  readonly takenPorts = new Set<number>();
  ended = false;
  listener: (event: DataPlaneEvent) => void = () => undefined;

  async openSocket(spec: SocketSpec): Promise<number> {
    await this.#gate('openSocket');
    if (this.takenPorts.has(spec.port)) throw new Error(`UDP port ${spec.port} is taken by charon (process 77).`);
    const port = spec.port === 0 && spec.purpose === 'udp-encapsulation' ? 40_000 + spec.id : spec.port;
    this.sockets.set(spec.id, { ...spec, port });
    return port;
  }

  async closeSocket(id: number): Promise<void> {
    if (!this.sockets.delete(id)) throw new RangeError(`there is no socket ${id}`);
    await this.#gate('closeSocket');
  }

  sendDatagram(socket: number, path: UdpPath, bytes: Uint8Array): void {
    if (this.ended) return;
    if (!this.sockets.has(socket)) throw new RangeError(`there is no socket ${socket}`);
    this.sent.push({ path, bytes });
  }

  async addInterface(spec: InterfaceSpec): Promise<void> {
    await this.#gate('addInterface');
    if ([...this.interfaces.values()].some(({ name }) => name === spec.name)) throw new Error(`${spec.name} exists`);
    this.interfaces.set(spec.id, spec);
  }

  async setInterfaceMtu(): Promise<void> {}

  async removeInterface(id: number): Promise<void> {
    if (!this.interfaces.delete(id)) throw new RangeError(`there is no interface ${id}`);
    await this.#gate('removeInterface');
  }

  async openLine(spec: LineSpec): Promise<void> {
    await this.#gate('openLine');
    this.lines.set(spec.id, spec);
  }

  async closeLine(id: number): Promise<void> {
    if (!this.lines.delete(id)) throw new RangeError(`there is no line ${id}`);
    for (const [key, { line }] of this.lineSessions) if (line === id) this.lineSessions.delete(key);
    await this.#gate('closeLine');
  }

  putSession(spec: SessionSpec | LineSessionSpec): void {
    if (this.ended) return;
    const refused = this.refused.get('putSession');
    if (refused !== undefined && spec.network) throw new RangeError(refused);
    if ('line' in spec) {
      if (!this.lines.has(spec.line)) throw new RangeError(`there is no line ${spec.line}`);
      this.lineSessions.set(spec.key, spec);
      return;
    }
    if (!this.sockets.has(spec.socket)) throw new RangeError(`there is no socket ${spec.socket}`);
    if (spec.network && !this.interfaces.has(spec.network.interface))
      throw new RangeError('there is no such interface');
    this.sessions.set(spec.key, spec);
  }

  removeSession(key: number): void {
    this.sessions.delete(key);
    this.lineSessions.delete(key);
  }

  putPolicy(spec: PolicySpec): void {
    if (this.ended) return;
    if (spec.sa !== undefined && !this.sas.has(spec.sa)) throw new RangeError(`there is no SA ${spec.sa}`);
    this.policies.set(spec.key, spec);
  }

  removePolicy(key: number): void {
    this.policies.delete(key);
    for (const sa of this.sas.values()) if (sa.policy === key) this.sas.delete(sa.key);
  }

  putSa(spec: SaSpec): void {
    if (this.ended) return;
    if (!this.policies.has(spec.policy)) throw new RangeError(`there is no policy ${spec.policy}`);
    if (!this.sockets.has(spec.socket)) throw new RangeError(`there is no socket ${spec.socket}`);
    this.sas.set(spec.key, spec);
  }

  removeSa(key: number): void {
    this.sas.delete(key);
  }

  sendNatKeepalive(socket: number, path: UdpPath): void {
    if (this.ended) return;
    if (!this.sockets.has(socket)) throw new RangeError(`there is no socket ${socket}`);
    this.keepalives.push(path);
  }

  sendPppFrame(session: number, frame: Uint8Array): void {
    if (this.ended) return;
    if (!this.sessions.has(session) && !this.lineSessions.has(session))
      throw new RangeError(`there is no session ${session}`);
    this.frames.push({ session, frame });
  }

  async counters(): Promise<DataPlaneCounters> {
    if (this.ended) throw new Error('The data plane is closed.');
    const sessions = [...this.sessions.keys(), ...this.lineSessions.keys()].map((key) => ({
      key,
      packetsReceived: this.received.get(key) ?? 0,
      octetsReceived: 0,
      packetsSent: 0,
      octetsSent: 0,
      lost: 0,
      reordered: 0,
      drops: {},
    }));
    const sas = [...this.sas.keys()].map((key) => ({
      key,
      packetsReceived: this.authentic.get(key) ?? 0,
      octetsReceived: 0,
      packetsSent: 0,
      octetsSent: 0,
      drops: {},
    }));
    const policies = [...this.policies.keys()].map((key) => ({ key, drops: {} }));
    return { sessions, sas, policies, drops: {} };
  }

  onEvent(listener: (event: DataPlaneEvent) => void): void {
    this.listener = listener;
  }

  async close(): Promise<void> {
    this.ended = true;
  }

  /** The engine dies: it knows nothing any more. */
  fail(): void {
    this.ended = true;
    for (const known of [
      this.lines,
      this.lineSessions,
      this.sockets,
      this.interfaces,
      this.sessions,
      this.policies,
      this.sas,
    ])
      known.clear();
    this.listener({ kind: 'engine-failed', reason: 'its thread ended' });
  }

  /** What is left of everything that was opened. */
  get leftovers(): number {
    return (
      this.lines.size +
      this.lineSessions.size +
      this.sockets.size +
      this.interfaces.size +
      this.sessions.size +
      this.policies.size +
      this.sas.size
    );
  }

  async #gate(verb: Verb): Promise<void> {
    const gate = this.gates.get(verb);
    this.gates.delete(verb);
    await gate;
    const refused = this.refused.get(verb);
    if (refused !== undefined) throw new Error(refused);
  }
}
