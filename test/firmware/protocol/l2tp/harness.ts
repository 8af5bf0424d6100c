/** Two L2TP endpoints in memory, a network between them that a seed makes bad, and a clock that the test moves. */

import { type ControlMessage, decodeControlMessage } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import type {
  L2tpEndpointOptions,
  L2tpOutput,
  OpenTunnelOptions,
  TunnelView,
} from '../../../../firmware/protocol/l2tp/endpoint-types.ts';
import type { Instant } from '../../../../firmware/protocol/machine.ts';
import type { UdpPath } from '../../../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

export interface Faults {
  /** Chance that a datagram is lost, 0..1. */
  readonly loss?: number;
  /** Chance that it arrives twice. */
  readonly duplicate?: number;
  /** Up to so much later, at random, ms: with more than the distance of two datagrams, they change places. */
  readonly jitterMs?: number;
  /** One way, ms. Default 10. */
  readonly delayMs?: number;
}

export interface HarnessOptions {
  /** Default 1. */
  readonly seed?: number;
  readonly client?: Partial<L2tpEndpointOptions>;
  /** Default: accepts, without a secret. */
  readonly server?: Partial<L2tpEndpointOptions>;
  readonly faults?: Faults;
}

type Side = 'client' | 'server';
export type OutputOf<Kind extends L2tpOutput['kind']> = Extract<L2tpOutput, { kind: Kind }>;

interface InFlight {
  readonly at: Instant;
  readonly order: number;
  readonly to: Side;
  readonly datagram: Uint8Array;
  readonly path: UdpPath;
}

/** A datagram as it was sent, lost or not. */
export interface Sent {
  readonly at: Instant;
  readonly from: Side;
  readonly datagram: Uint8Array;
  readonly message: ControlMessage;
}

export const CLIENT_END = { address: '192.0.2.1', port: 40_000 };
export const SERVER_END = { address: '192.0.2.2', port: 1701 };
/** As the client sees it. */
export const CLIENT_PATH: UdpPath = { remote: SERVER_END, local: CLIENT_END };
/** As the server sees it. */
export const SERVER_PATH: UdpPath = { remote: CLIENT_END, local: SERVER_END };

export class Harness {
  readonly client: L2tpEndpoint;
  readonly server: L2tpEndpoint;
  /** Outputs other than datagrams, in order. */
  readonly events: { readonly client: L2tpOutput[]; readonly server: L2tpOutput[] } = { client: [], server: [] };
  readonly sent: Sent[] = [];
  faults: Faults;
  /** Everything that this side sends is lost. */
  readonly mute = { client: false, server: false };
  now: Instant = 1_000_000;
  readonly #random: SeededRandom;
  #inFlight: InFlight[] = [];
  #order = 0;

  constructor(options: HarnessOptions = {}) {
    const seed = options.seed ?? 1;
    this.#random = new SeededRandom(seed);
    this.faults = options.faults ?? {};
    this.client = new L2tpEndpoint({ hostName: 'lac.example', ...options.client }, new SeededRandom(seed + 1_000_000));
    const server = { hostName: 'lns.example', accept: {}, ...options.server };
    this.server = new L2tpEndpoint(server, new SeededRandom(seed + 2_000_000));
  }

  /** The client opens a tunnel to the server. */
  openTunnel(options: Partial<OpenTunnelOptions> = {}): number {
    const tunnelId = this.client.openTunnel(this.now, { path: CLIENT_PATH, ...options });
    this.drain();
    return tunnelId;
  }

  /** Tunnel and session up on a good network. */
  connect(options: Partial<OpenTunnelOptions> = {}): { tunnelId: number; sessionId: number; serverTunnelId: number } {
    const tunnelId = this.openTunnel(options);
    const sessionId = this.client.openSession(this.now, tunnelId);
    this.run(1000);
    const up = this.last('server', 'tunnel-up');
    return { tunnelId, sessionId, serverTunnelId: up?.tunnelId ?? 0 };
  }

  /** Hands datagrams to the network and events to the lists. */
  drain(): void {
    this.#drain('client');
    this.#drain('server');
  }

  /** Lets `ms` pass. */
  run(ms: number): void {
    this.runUntil(() => false, ms);
  }

  /** Lets time pass until the condition holds. @returns whether it did within `ms`. */
  runUntil(condition: () => boolean, ms: number): boolean {
    const end = this.now + ms;
    for (;;) {
      this.drain();
      if (condition()) return true;
      const next = this.#nextInstant();
      if (next === undefined || next > end) {
        this.now = end;
        this.client.tick(end);
        this.server.tick(end);
        this.drain();
        return condition();
      }
      this.now = Math.max(this.now, next);
      this.#deliver();
      this.client.tick(this.now);
      this.server.tick(this.now);
    }
  }

  /** Hands a datagram of the client to the server, past the network. */
  toServer(datagram: Uint8Array, path: UdpPath = SERVER_PATH): void {
    this.server.receive(this.now, datagram, path);
    this.drain();
  }

  /** Hands a datagram of the server to the client, past the network. */
  toClient(datagram: Uint8Array, path: UdpPath = CLIENT_PATH): void {
    this.client.receive(this.now, datagram, path);
    this.drain();
  }

  /** The events of a kind. */
  all<Kind extends L2tpOutput['kind']>(side: Side, kind: Kind): OutputOf<Kind>[] {
    return this.events[side].filter((event): event is OutputOf<Kind> => event.kind === kind);
  }

  last<Kind extends L2tpOutput['kind']>(side: Side, kind: Kind): OutputOf<Kind> | undefined {
    return this.all(side, kind).at(-1);
  }

  /** What a side has sent, by message name; `ZLB` for acknowledgements. */
  names(from: Side): string[] {
    return this.sent.filter((sent) => sent.from === from).map((sent) => nameOf(sent.message));
  }

  sentBy(from: Side, name: string): Sent[] {
    return this.sent.filter((sent) => sent.from === from && nameOf(sent.message) === name);
  }

  /** Tunnels that are not closing. */
  live(side: Side): TunnelView[] {
    return this[side].tunnels().filter((tunnel) => tunnel.state !== 'closing');
  }

  #nextInstant(): Instant | undefined {
    const instants = [this.client.nextDeadline(), this.server.nextDeadline(), ...this.#inFlight.map((one) => one.at)];
    const known = instants.filter((at) => at !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  #deliver(): void {
    const due = this.#inFlight.filter((one) => one.at <= this.now);
    this.#inFlight = this.#inFlight.filter((one) => one.at > this.now);
    due.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const { to, datagram, path } of due) this[to].receive(this.now, datagram, path);
  }

  #drain(from: Side): void {
    for (let output = this[from].poll(); output !== undefined; output = this[from].poll()) {
      if (output.kind === 'send') this.#send(from, output.datagram, output.path);
      else this.events[from].push(output);
    }
  }

  #send(from: Side, datagram: Uint8Array, path: UdpPath): void {
    this.sent.push({ at: this.now, from, datagram, message: decodeControlMessage(datagram) });
    const { loss = 0, duplicate = 0, jitterMs = 0, delayMs = 10 } = this.faults;
    if (this.mute[from] || this.#random.next() < loss) return;
    const copies = this.#random.next() < duplicate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      this.#inFlight.push({
        at: this.now + delayMs + this.#random.int(jitterMs + 1),
        order: this.#order++,
        to: from === 'client' ? 'server' : 'client',
        datagram,
        path: { remote: path.local, local: path.remote },
      });
    }
  }
}

export function nameOf(message: ControlMessage): string {
  return message.body === undefined ? 'ZLB' : (message.body.name ?? `message ${message.body.messageType}`);
}
