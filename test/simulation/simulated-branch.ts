import { concatBytes } from '../../firmware/protocol/bytes.ts';
import type { Failure, Machine } from '../../firmware/protocol/machine.ts';
import type { UdpEndpoint, UdpPath } from '../../firmware/protocol/udp-path.ts';
import { L2tpClientMachine } from '../../firmware/vpn/l2tp/client-machine.ts';
import type { L2tpClientOptions, L2tpClientOutput } from '../../firmware/vpn/l2tp/client-types.ts';
import { L2tpServerMachine } from '../../firmware/vpn/l2tp/server-machine.ts';
import type { L2tpServerOptions, L2tpServerOutput } from '../../firmware/vpn/l2tp/server-types.ts';
import type { SessionShape } from '../../firmware/vpn/l2tp/session-shape.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { LossyNetwork } from './lossy-network.ts';

export const branchEnd: UdpEndpoint = { address: '10.20.0.9', port: 40_000 };
export const officeEnd: UdpEndpoint = { address: '10.20.0.2', port: 1701 };

/** How the protected channels of a branch behave; times in ms. */
export interface ChannelWeather {
  readonly setUp: number;
  /** How long the next one lives; `undefined`: until it is closed. */
  readonly life: () => number | undefined;
}

const CHANNEL_LOST: Failure = { step: 'DPD', reason: 'the IKE peer is silent', remedy: 'check the path' };
/** What the branch sends by channel N comes from this port plus N, so that the network need not know of channels. */
const CHANNEL_PORTS = 50_000;
/** How long the office does not know yet that a channel is over, ms. */
const OFFICE_LEARNS = 30;

const endOf = (bearer: number): UdpEndpoint => ({ ...branchEnd, port: CHANNEL_PORTS + bearer });

/** Runs a machine in virtual time; one wake-up at a time is scheduled, so a machine that wants to spin is found out. */
class Driver<Output> {
  readonly #network: LossyNetwork;
  readonly #machine: Machine<Output>;
  readonly #handle: (output: Output) => void;
  #wakeUp = 0;
  wakeUps = 0;

  constructor(network: LossyNetwork, machine: Machine<Output>, handle: (output: Output) => void) {
    this.#network = network;
    this.#machine = machine;
    this.#handle = handle;
  }

  run(input: (now: number) => void): void {
    input(this.#network.now);
    for (let output = this.#machine.poll(); output; output = this.#machine.poll()) this.#handle(output);
    const deadline = this.#machine.nextDeadline();
    this.#wakeUp += 1;
    const mine = this.#wakeUp;
    if (deadline === undefined) return;
    this.#network.at(Math.max(deadline, this.#network.now), () => {
      if (mine !== this.#wakeUp) return;
      this.wakeUps += 1;
      this.run((now) => this.#machine.tick(now));
    });
  }
}

/** L2TP data message without optional fields, PPP with full header. */
function dataMessage(shape: SessionShape, frame: Uint8Array): Uint8Array {
  const { peerTunnelId: tunnel, peerSessionId: session } = shape;
  const header = [0x00, 0x02, tunnel >> 8, tunnel & 255, session >> 8, session & 255, 0xff, 0x03];
  return concatBytes(Uint8Array.from(header), frame);
}

function matches(shape: SessionShape, bytes: Uint8Array): boolean {
  const [, , t1 = 0, t0 = 0, s1 = 0, s0 = 0] = bytes;
  return shape.localTunnelId === t1 * 256 + t0 && shape.localSessionId === s1 * 256 + s0;
}

const isControl = (bytes: Uint8Array): boolean => ((bytes[0] ?? 0) & 0x80) !== 0;

/** A branch and a head office with the router's own client and server machines, joined by a lossy network. */
export class SimulatedBranch {
  readonly client: L2tpClientMachine;
  readonly server: L2tpServerMachine;
  readonly states: string[] = [];
  readonly reasons: string[] = [];
  readonly usersUp = new Set<string>();
  readonly #network: LossyNetwork;
  readonly #clientDriver: Driver<L2tpClientOutput>;
  readonly #serverDriver: Driver<L2tpServerOutput>;
  #clientShape: SessionShape | undefined;
  readonly #serverShapes = new Map<string, SessionShape>();
  readonly #channels: ChannelWeather | undefined;
  /** Channels that were asked for so far; the number of the last one is its bearer. */
  #asked = 0;
  /** The channel that is being set up. */
  #opening: number | undefined;
  /** The channel that stands, as the branch knows it. */
  #bearer: number | undefined;
  /** Those that stand as far as the office knows. */
  readonly #officeBearers = new Set<number>();

  /** @param channels the client is protected by IPsec. */
  constructor(
    network: LossyNetwork,
    random: SeededRandom,
    clientOptions: L2tpClientOptions,
    serverOptions: L2tpServerOptions,
    channels?: ChannelWeather,
  ) {
    const protection = { heard: () => true, udpEncapsulation: () => true };
    const client = new L2tpClientMachine(channels ? { ...clientOptions, protection } : clientOptions, random);
    const server = new L2tpServerMachine(serverOptions, random);
    this.client = client;
    this.server = server;
    this.#network = network;
    this.#channels = channels;
    this.#clientDriver = new Driver(network, client, (output) => this.#onClient(output));
    this.#serverDriver = new Driver(network, server, (output) => this.#onServer(output));
    network.attach(branchEnd, (bytes, from, to) => this.#atBranch(bytes, { local: to, remote: from }));
    network.attach(officeEnd, (bytes, from, to) => {
      const bearer = channels ? from.port - CHANNEL_PORTS : undefined;
      if (bearer === undefined) this.#atOffice(bytes, { local: to, remote: from });
      else if (this.#officeBearers.has(bearer)) this.#atOffice(bytes, { local: to, remote: branchEnd, bearer });
    });
  }

  #onClient(output: L2tpClientOutput): void {
    const network = this.#network;
    if (output.kind === 'send') network.send(this.#sourceOf(output.path), output.path.remote, output.datagram);
    else if (output.kind === 'put-session') this.#clientShape = output.shape;
    else if (output.kind === 'remove-session') this.#clientShape = undefined;
    else if (output.kind === 'ppp-send' && this.#clientShape) {
      const { path } = this.#clientShape;
      network.send(this.#sourceOf(path), path.remote, dataMessage(this.#clientShape, output.frame));
    } else if (output.kind === 'resolve') {
      const { client } = this;
      network.at(network.now + 5, () => this.#clientDriver.run((now) => client.resolved(now, [officeEnd.address])));
    } else if (output.kind === 'state') {
      this.states.push(output.state);
      if (output.failure) this.reasons.push(`${output.failure.step}: ${output.failure.reason}`);
    } else if (output.kind === 'open-channel') this.#openChannel();
    else if (output.kind === 'close-channel') this.#closeChannel();
  }

  #onServer(output: L2tpServerOutput): void {
    const network = this.#network;
    if (output.kind === 'send') network.send(officeEnd, destinationOf(output.path), output.datagram);
    else if (output.kind === 'put-session') this.#serverShapes.set(output.id, output.shape);
    else if (output.kind === 'remove-session') this.#serverShapes.delete(output.id);
    else if (output.kind === 'ppp-send') {
      const shape = this.#serverShapes.get(output.id);
      if (shape) network.send(officeEnd, destinationOf(shape.path), dataMessage(shape, output.frame));
    } else if (output.kind === 'user-up') this.usersUp.add(output.id);
    else if (output.kind === 'user-down') this.usersUp.delete(output.id);
  }

  #atBranch(bytes: Uint8Array, path: UdpPath): void {
    const { client } = this;
    if (isControl(bytes)) this.#clientDriver.run((now) => client.receive(now, bytes, path));
    else if (this.#clientShape && matches(this.#clientShape, bytes)) {
      this.#clientDriver.run((now) => client.receiveFrame(now, bytes.subarray(8)));
    }
  }

  #atOffice(bytes: Uint8Array, path: UdpPath): void {
    const { server } = this;
    if (isControl(bytes)) this.#serverDriver.run((now) => server.receive(now, bytes, path));
    for (const [id, shape] of this.#serverShapes) {
      if (!isControl(bytes) && matches(shape, bytes)) {
        this.#serverDriver.run((now) => server.receiveFrame(now, id, bytes.subarray(8)));
      }
    }
  }

  /** @throws Error when it would go out in clear, or through a channel that is not there. */
  #sourceOf({ bearer }: UdpPath): UdpEndpoint {
    if (bearer !== this.#bearer) throw new Error(`sent by channel ${bearer} while ${this.#bearer} stands`);
    return bearer === undefined ? branchEnd : endOf(bearer);
  }

  #openChannel(): void {
    const network = this.#network;
    if (this.#bearer !== undefined || this.#opening !== undefined) throw new Error('two channels at a time');
    this.#asked += 1;
    const bearer = this.#asked;
    this.#opening = bearer;
    network.at(network.now + (this.#channels?.setUp ?? 0), () => {
      if (this.#opening !== bearer) return;
      this.#opening = undefined;
      this.#bearer = bearer;
      this.#officeBearers.add(bearer);
      const path = { remote: officeEnd, local: branchEnd, bearer };
      network.attach(endOf(bearer), (bytes) => {
        if (this.#bearer === bearer) this.#atBranch(bytes, path);
      });
      this.#clientDriver.run((now) => this.client.channelUp(now, path));
      const life = this.#channels?.life();
      if (life !== undefined) network.at(network.now + life, () => this.#loseChannel(bearer));
    });
  }

  #loseChannel(bearer: number): void {
    if (this.#bearer !== bearer) return;
    this.#closeChannel();
    this.#clientDriver.run((now) => this.client.channelDown(now, CHANNEL_LOST));
  }

  #closeChannel(): void {
    const bearer = this.#bearer;
    this.#opening = undefined;
    this.#bearer = undefined;
    if (bearer === undefined) return;
    this.#network.at(this.#network.now + OFFICE_LEARNS, () => {
      this.#officeBearers.delete(bearer);
      this.#serverDriver.run((now) => this.server.bearerGone(now, bearer, CHANNEL_LOST));
    });
  }

  connect(): void {
    this.#clientDriver.run((now) => this.client.connect(now));
  }

  disconnect(): void {
    this.#clientDriver.run((now) => this.client.disconnect(now));
  }

  shutdownServer(): void {
    this.#serverDriver.run((now) => this.server.shutdown(now));
  }

  /** Whether a protected channel stands or is being set up, as either side knows it. */
  get channelOpen(): boolean {
    return this.#opening !== undefined || this.#bearer !== undefined || this.#officeBearers.size > 0;
  }

  /** How often timers fired, on both sides. */
  get wakeUps(): number {
    return this.#clientDriver.wakeUps + this.#serverDriver.wakeUps;
  }

  /** User packets could flow both ways. */
  get up(): boolean {
    return this.client.state === 'up' && this.usersUp.size === 1;
  }
}

/** Where the office's datagrams for a peer go. */
function destinationOf({ bearer, remote }: UdpPath): UdpEndpoint {
  return bearer === undefined ? remote : endOf(bearer);
}
