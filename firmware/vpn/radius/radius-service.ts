import type { Clock } from '../../../hal/clock.ts';
import type { SocketId } from '../../dataplane/data-plane.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import type { RadiusAttribute } from '../../protocol/radius/attribute-value.ts';
import { RadiusClient } from '../../protocol/radius/client.ts';
import type {
  AccountingRecord,
  RadiusClientOptions,
  RadiusClientOutput,
  RadiusServerView,
} from '../../protocol/radius/client-types.ts';
import type { UdpEndpoint } from '../../protocol/udp-path.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import { MachineRunner } from '../machine-runner.ts';
import { errorText, failureLine, internalFailure, type Step } from '../steps.ts';
import type { RadiusAnswer } from './session-judge.ts';

export interface RadiusServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** SO_MARK: RADIUS goes by the uplink and the LAN, never by a tunnel. */
  readonly mark: number;
  /** Addresses of a host through the uplink's DNS. */
  readonly resolve: (name: string) => Promise<readonly string[] | Failure>;
  readonly onStep: (step: Step) => void;
}

/** How a question ended. */
export type RadiusResult =
  | { readonly kind: 'answer'; readonly answer: RadiusAnswer }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** How long the end of the router waits for the last records to be acknowledged, ms. */
const FLUSH_MS = 2_000;
/** How often it looks, ms. */
const FLUSH_LOOK_MS = 50;

/** Gives a RADIUS client its hands: a socket for each family, the uplink's DNS, a clock. */
export class RadiusService {
  readonly #services: RadiusServices;
  readonly #client: RadiusClient;
  readonly #runner: MachineRunner<RadiusClientOutput>;
  readonly #sockets = new Map<4 | 6, Promise<SocketId>>();
  readonly #waiting = new Map<number, (result: RadiusResult) => void>();
  readonly #hosts: readonly string[];
  #stopped = false;

  constructor(options: RadiusClientOptions, services: RadiusServices) {
    this.#services = services;
    this.#hosts = options.servers.map(({ host }) => host);
    this.#client = new RadiusClient(options, services.random);
    this.#runner = new MachineRunner(
      this.#client,
      services.clock,
      (output) => this.#handle(output),
      (error) => services.onStep({ step: 'RADIUS', detail: internalFailure(error).reason }),
    );
  }

  get servers(): readonly RadiusServerView[] {
    return this.#client.servers;
  }

  /** Accounting records that no server has acknowledged yet. */
  get recordsLeft(): number {
    return this.#client.recordsLeft;
  }

  /**
   * Asks about a user.
   * @param server ask this one alone.
   * @param done called once, unless the question is forgotten before.
   * @returns by which the question can be forgotten.
   */
  ask(
    attributes: readonly RadiusAttribute[],
    server: number | undefined,
    done: (result: RadiusResult) => void,
  ): () => void {
    let question: number | undefined;
    this.#runner.run((now) => {
      question = this.#client.ask(now, attributes, server);
      this.#waiting.set(question, done);
    });
    return () => {
      const forgotten = question;
      if (forgotten === undefined || !this.#waiting.delete(forgotten)) return;
      this.#runner.run((now) => this.#client.forget(now, forgotten));
    };
  }

  account(record: AccountingRecord): void {
    this.#runner.run((now) => this.#client.account(now, record));
  }

  /** Waits for the last records to be acknowledged, not for long, and closes everything. Never rejects. */
  async stop(): Promise<void> {
    const { clock, onStep } = this.#services;
    const until = clock.now() + FLUSH_MS;
    while (this.#client.recordsLeft > 0 && clock.now() < until) {
      await new Promise<void>((done) => clock.setTimer(clock.now() + FLUSH_LOOK_MS, done));
    }
    if (this.#client.recordsLeft > 0) {
      const detail = `${this.#client.recordsLeft} accounting records were acknowledged by no server and are lost`;
      onStep({ step: 'RADIUS', detail });
    }
    this.#stopped = true;
    this.#runner.stop();
    for (const socket of this.#sockets.values()) await socket.then((id) => this.#close(id)).catch(() => undefined);
    this.#sockets.clear();
  }

  #handle(output: RadiusClientOutput): void {
    const { onStep } = this.#services;
    switch (output.kind) {
      case 'send':
        void this.#send(output.remote, output.datagram);
        return;
      case 'resolve':
        void this.#resolve(output.server, output.host);
        return;
      case 'answer': {
        const { code, attributes, server } = output;
        this.#end(output.question, { kind: 'answer', answer: { code, attributes, server } });
        return;
      }
      case 'failed':
        this.#end(output.question, { kind: 'failed', failure: output.failure });
        return;
      case 'silent':
        onStep({ step: 'RADIUS', detail: `${output.service}: ${failureLine(output.failure)}` });
        return;
      case 'answers': {
        const detail = `${output.service}: the RADIUS server ${this.#hosts[output.server] ?? ''} answers again`;
        onStep({ step: 'RADIUS', detail });
        return;
      }
      case 'accounting-lost': {
        const detail = `${output.records} accounting record is given up: too many wait for a server that answers`;
        onStep({ step: 'RADIUS', detail });
        return;
      }
    }
  }

  #end(question: number, result: RadiusResult): void {
    const done = this.#waiting.get(question);
    this.#waiting.delete(question);
    done?.(result);
  }

  /** A socket that cannot be opened is as good as a server that cannot be reached. */
  async #send(remote: UdpEndpoint, datagram: Uint8Array): Promise<void> {
    const family = remote.address.includes(':') ? 6 : 4;
    try {
      const socket = await this.#socket(family);
      if (this.#stopped) return;
      const local = { address: family === 4 ? '0.0.0.0' : '::', port: 0 };
      this.#services.dispatch.dataPlane.sendDatagram(socket, { remote, local }, datagram);
    } catch (error) {
      this.#sockets.delete(family);
      this.#runner.run((now) => this.#client.pathError(now, remote, errorText(error)));
    }
  }

  #socket(family: 4 | 6): Promise<SocketId> {
    const open = this.#sockets.get(family) ?? this.#open(family);
    this.#sockets.set(family, open);
    return open;
  }

  async #open(family: 4 | 6): Promise<SocketId> {
    const { dispatch, mark } = this.#services;
    const id = dispatch.nextId();
    const address = family === 4 ? '0.0.0.0' : '::';
    await dispatch.dataPlane.openSocket({ id, purpose: 'datagram', family, address, port: 0, mark });
    dispatch.ownSocket(id, (event) => {
      if (event.kind === 'datagram') {
        this.#runner.run((now) => this.#client.receive(now, event.path.remote, event.bytes));
      } else if (event.kind === 'path-error') {
        this.#runner.run((now) => this.#client.pathError(now, event.remote, event.code));
      }
    });
    return id;
  }

  async #close(id: SocketId): Promise<void> {
    const { dispatch } = this.#services;
    dispatch.disownSocket(id);
    await dispatch.dataPlane.closeSocket(id);
  }

  async #resolve(server: number, host: string): Promise<void> {
    const found = await this.#services.resolve(host).catch((error: unknown) => internalFailure(error));
    if (!isFailure(found)) {
      const [address] = found;
      if (address !== undefined) this.#runner.run((now) => this.#client.addressed(now, server, address));
      return;
    }
    this.#runner.run((now) => this.#client.unresolved(now, server, found));
  }
}

function isFailure(result: readonly string[] | Failure): result is Failure {
  return !Array.isArray(result);
}
