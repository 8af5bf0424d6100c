import type { Clock } from '../../../hal/clock.ts';
import type { InterfaceId, SessionKey, SocketId } from '../../dataplane/data-plane.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import { MachineRunner } from '../machine-runner.ts';
import type { ConnectionState, Step } from '../steps.ts';
import { TaskQueue, type TunnelNetworks } from '../tunnel-networks.ts';
import { L2tpClientMachine } from './client-machine.ts';
import type { ClientNetwork, L2tpClientOptions, L2tpClientOutput } from './client-types.ts';
import type { SessionShape } from './session-shape.ts';

export interface L2tpClientServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly networks: TunnelNetworks;
  /** Addresses of a server through the uplink's DNS. Never rejects. */
  readonly resolve: (name: string) => Promise<readonly string[] | Failure>;
  readonly onStep: (step: Step) => void;
  readonly onState: (state: ConnectionState, failure?: Failure) => void;
}

export interface L2tpClientPlacement {
  readonly name: string;
  /** Of the TUN. */
  readonly device: string;
  /** Local UDP port; 0: ephemeral. */
  readonly sourcePort: number;
  /** SO_MARK of outer packets. */
  readonly mark: number;
  /** CIDR, routed into the tunnel while it is up. */
  readonly routes: readonly string[];
}

/** How long a shutdown waits for the peer's acknowledgements, ms. */
const SHUTDOWN_MS = 2_000;

/** Gives a client machine its hands: socket, TUN, routes, clock. */
export class L2tpClient {
  readonly name: string;
  readonly placement: L2tpClientPlacement;
  readonly machine: L2tpClientMachine;
  readonly #services: L2tpClientServices;
  readonly #runner: MachineRunner<L2tpClientOutput>;
  /** TUN and routes change one after the other; packets and frames never wait for them. */
  readonly #tasks = new TaskQueue();
  #socket: { readonly id: SocketId; readonly family: 4 | 6 } | undefined;
  #session: SessionKey | undefined;
  #shape: SessionShape | undefined;
  /** The TUN that stands with its addresses and routes. */
  #interface: InterfaceId | undefined;
  /** Counts `network-up`s, so that a slow set-up does not open a network that is gone again. */
  #generation = 0;
  #failure: Failure | undefined;
  #state: ConnectionState = 'down';
  #stateSince: number;

  constructor(placement: L2tpClientPlacement, options: L2tpClientOptions, services: L2tpClientServices) {
    this.name = placement.name;
    this.placement = placement;
    this.#services = services;
    this.machine = new L2tpClientMachine(options, services.random);
    this.#runner = new MachineRunner(this.machine, services.clock, (output) => this.#handle(output));
    this.#stateSince = services.clock.wall();
  }

  connect(): void {
    this.#runner.run((now) => this.machine.connect(now));
  }

  disconnect(): void {
    this.#runner.run((now) => this.machine.disconnect(now));
  }

  /** `up` means that routes stand, too. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Wall clock of the last change of state, ms. */
  get stateSince(): number {
    return this.#stateSince;
  }

  /** As configured: address or name. */
  get server(): string {
    return this.machine.server;
  }

  /** The user name that we prove. */
  get user(): string {
    return this.machine.user;
  }

  /** Why the last attempt failed, while no attempt has succeeded since. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  get sessionKey(): SessionKey | undefined {
    return this.#session;
  }

  /** User packets came in since the last look. */
  dataReceived(): void {
    this.#runner.run((now) => this.machine.dataReceived(now));
  }

  /** StopCCN, and everything that this client has goes: TUN, routes, socket, timers. */
  async stop(): Promise<void> {
    const { clock, dispatch } = this.#services;
    this.#runner.run((now) => this.machine.shutdown(now));
    const deadline = clock.now() + SHUTDOWN_MS;
    while (!this.machine.quiet && clock.now() < deadline) {
      await new Promise<void>((done) => clock.setTimer(clock.now() + 20, done));
    }
    this.#runner.stop();
    await this.#tasks.settled();
    if (this.#socket) {
      dispatch.disownSocket(this.#socket.id);
      await dispatch.dataPlane.closeSocket(this.#socket.id);
      this.#socket = undefined;
    }
  }

  #handle(output: L2tpClientOutput): void {
    const { dispatch } = this.#services;
    switch (output.kind) {
      case 'resolve':
        void this.#resolve(output.name);
        return;
      case 'send':
        if (this.#socket) dispatch.dataPlane.sendDatagram(this.#socket.id, output.path, output.datagram);
        return;
      case 'put-session':
        this.#shape = output.shape;
        this.#putSession();
        return;
      case 'remove-session':
        this.#removeSession();
        return;
      case 'ppp-send':
        if (this.#session !== undefined) dispatch.dataPlane.sendPppFrame(this.#session, output.frame);
        return;
      case 'network-up':
        this.#generation += 1;
        void this.#tasks.run(() => this.#openNetwork(output, this.#generation));
        return;
      case 'network-down':
        this.#generation += 1;
        void this.#tasks.run(() => this.#closeNetwork());
        return;
      case 'step':
        this.#services.onStep(output);
        return;
      case 'state':
        // `up` is said once the routes stand, by #openNetwork.
        if (output.state !== 'up') this.#setState(output.state, output.failure);
        return;
    }
  }

  async #resolve(name: string): Promise<void> {
    this.#services.onStep({ step: 'resolve', detail: name });
    const result = await this.#services.resolve(name);
    if (isFailure(result)) {
      this.#runner.run((now) => this.machine.resolveFailed(now, result));
      return;
    }
    try {
      await this.#openSocket(result.some((address) => !address.includes(':')) ? 4 : 6);
    } catch (error) {
      const failure = {
        step: 'socket',
        reason: message(error),
        remedy: 'free the port or choose another source port',
      };
      this.#runner.run((now) => this.machine.resolveFailed(now, failure));
      return;
    }
    const usable = result.filter((address) => address.includes(':') === (this.#socket?.family === 6));
    this.#runner.run((now) => this.machine.resolved(now, usable));
  }

  async #openSocket(family: 4 | 6): Promise<void> {
    const { dispatch } = this.#services;
    if (this.#socket?.family === family) return;
    if (this.#socket) {
      dispatch.disownSocket(this.#socket.id);
      await dispatch.dataPlane.closeSocket(this.#socket.id);
      this.#socket = undefined;
    }
    const id = dispatch.nextId();
    await dispatch.dataPlane.openSocket({
      id,
      purpose: 'l2tp',
      family,
      address: family === 4 ? '0.0.0.0' : '::',
      port: this.placement.sourcePort,
      mark: this.placement.mark,
    });
    this.#socket = { id, family };
    dispatch.ownSocket(id, (event) => {
      this.#runner.run((now) => {
        if (event.kind === 'datagram') this.machine.receive(now, event.bytes, event.path);
        else this.machine.pathError(now, event.remote, event.code);
      });
    });
  }

  #putSession(): void {
    const { dispatch } = this.#services;
    if (!this.#shape || !this.#socket) return;
    if (this.#session === undefined) {
      this.#session = dispatch.nextId();
      dispatch.ownSession(this.#session, (frame) => {
        this.#runner.run((now) => this.machine.receiveFrame(now, frame));
      });
    }
    const { network, ...rest } = this.#shape;
    dispatch.dataPlane.putSession({
      ...rest,
      key: this.#session,
      socket: this.#socket.id,
      ...(network && this.#interface !== undefined ? { network: { ...network, interface: this.#interface } } : {}),
    });
  }

  #removeSession(): void {
    const { dispatch } = this.#services;
    if (this.#session === undefined) return;
    dispatch.disownSession(this.#session);
    dispatch.dataPlane.removeSession(this.#session);
    this.#session = undefined;
    this.#shape = undefined;
  }

  async #openNetwork(network: ClientNetwork, generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    const { dispatch, networks } = this.#services;
    const { name, device, routes } = this.placement;
    try {
      const id = dispatch.nextId();
      await dispatch.dataPlane.addInterface({ id, name: device, mtu: network.mtu });
      this.#interface = id;
      const { localAddress, peerAddress, dns } = network;
      await networks.up({ name, device, localAddress, peerAddress, dns, prefixes: routes });
      if (generation !== this.#generation) return;
      this.#putSession();
      this.#setState('up');
    } catch (error) {
      const failure = {
        step: 'interface',
        reason: `${device} could not be set up: ${message(error)}`,
        remedy: 'see the log for the command that failed',
      };
      this.#runner.run((now) => this.machine.fail(now, failure));
    }
  }

  async #closeNetwork(): Promise<void> {
    const id = this.#interface;
    if (id === undefined) return;
    this.#interface = undefined;
    await this.#services.networks.down(this.name);
    await this.#services.dispatch.dataPlane.removeInterface(id);
  }

  #setState(state: ConnectionState, failure?: Failure): void {
    if (state === 'up' || state === 'down') this.#failure = undefined;
    if (failure) this.#failure = failure;
    if (state !== this.#state) this.#stateSince = this.#services.clock.wall();
    this.#state = state;
    this.#services.onState(state, failure);
  }
}

function isFailure(result: readonly string[] | Failure): result is Failure {
  return !Array.isArray(result);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
