import { concatBytes } from '../../firmware/protocol/bytes.ts';
import type { Machine } from '../../firmware/protocol/machine.ts';
import type { UdpEndpoint } from '../../firmware/protocol/udp-path.ts';
import { L2tpClientMachine } from '../../firmware/vpn/l2tp/client-machine.ts';
import type { L2tpClientOptions } from '../../firmware/vpn/l2tp/client-types.ts';
import { L2tpServerMachine, type L2tpServerOptions } from '../../firmware/vpn/l2tp/server-machine.ts';
import type { SessionShape } from '../../firmware/vpn/l2tp/session-shape.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { LossyNetwork } from './lossy-network.ts';

export const branchEnd: UdpEndpoint = { address: '10.20.0.9', port: 40_000 };
export const officeEnd: UdpEndpoint = { address: '10.20.0.2', port: 1701 };

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
  readonly #clientDriver: Driver<unknown>;
  readonly #serverDriver: Driver<unknown>;
  #clientShape: SessionShape | undefined;
  readonly #serverShapes = new Map<string, SessionShape>();

  constructor(
    network: LossyNetwork,
    random: SeededRandom,
    clientOptions: L2tpClientOptions,
    serverOptions: L2tpServerOptions,
  ) {
    const client = new L2tpClientMachine(clientOptions, random);
    const server = new L2tpServerMachine(serverOptions, random);
    this.client = client;
    this.server = server;
    const clientDriver = new Driver(network, client, (output) => {
      if (output.kind === 'send') network.send(branchEnd, output.path.remote, output.datagram);
      else if (output.kind === 'put-session') this.#clientShape = output.shape;
      else if (output.kind === 'remove-session') this.#clientShape = undefined;
      else if (output.kind === 'ppp-send' && this.#clientShape) {
        network.send(branchEnd, this.#clientShape.path.remote, dataMessage(this.#clientShape, output.frame));
      } else if (output.kind === 'resolve') {
        network.at(network.now + 5, () => clientDriver.run((now) => client.resolved(now, [officeEnd.address])));
      } else if (output.kind === 'state') {
        this.states.push(output.state);
        if (output.failure) this.reasons.push(`${output.failure.step}: ${output.failure.reason}`);
      }
    });
    const serverDriver = new Driver(network, server, (output) => {
      if (output.kind === 'send') network.send(officeEnd, output.path.remote, output.datagram);
      else if (output.kind === 'put-session') this.#serverShapes.set(output.id, output.shape);
      else if (output.kind === 'remove-session') this.#serverShapes.delete(output.id);
      else if (output.kind === 'ppp-send') {
        const shape = this.#serverShapes.get(output.id);
        if (shape) network.send(officeEnd, shape.path.remote, dataMessage(shape, output.frame));
      } else if (output.kind === 'user-up') this.usersUp.add(output.id);
      else if (output.kind === 'user-down') this.usersUp.delete(output.id);
    });
    network.attach(branchEnd, (bytes, from, to) => {
      if (isControl(bytes)) clientDriver.run((now) => client.receive(now, bytes, { local: to, remote: from }));
      else if (this.#clientShape && matches(this.#clientShape, bytes)) {
        clientDriver.run((now) => client.receiveFrame(now, bytes.subarray(8)));
      }
    });
    network.attach(officeEnd, (bytes, from, to) => {
      if (isControl(bytes)) serverDriver.run((now) => server.receive(now, bytes, { local: to, remote: from }));
      for (const [id, shape] of this.#serverShapes) {
        if (!isControl(bytes) && matches(shape, bytes)) {
          serverDriver.run((now) => server.receiveFrame(now, id, bytes.subarray(8)));
        }
      }
    });
    this.#clientDriver = clientDriver as Driver<unknown>;
    this.#serverDriver = serverDriver as Driver<unknown>;
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

  /** How often timers fired, on both sides. */
  get wakeUps(): number {
    return this.#clientDriver.wakeUps + this.#serverDriver.wakeUps;
  }

  /** User packets could flow both ways. */
  get up(): boolean {
    return this.client.state === 'up' && this.usersUp.size === 1;
  }
}
