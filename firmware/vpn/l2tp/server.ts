import type { Clock } from '../../../hal/clock.ts';
import type { InterfaceId, SessionKey, SocketId } from '../../dataplane/data-plane.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import { formatEndpoint } from '../../protocol/udp-path.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import { MachineRunner } from '../machine-runner.ts';
import { type ConnectionState, failureLine, type Step } from '../steps.ts';
import type { TunnelNetworks } from '../tunnel-networks.ts';
import { L2tpServerMachine, type L2tpServerOptions, type L2tpServerOutput } from './server-machine.ts';
import type { SessionShape } from './session-shape.ts';

export interface L2tpServerServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly networks: TunnelNetworks;
  readonly onStep: (step: Step) => void;
  readonly onState: (state: ConnectionState, failure?: Failure) => void;
}

export interface L2tpServerPlacement {
  readonly name: string;
  readonly device: string;
  readonly listen: string;
  readonly port: number;
  readonly mark: number;
  /** What is always routed into the TUN, CIDR: the pool. Users with networks of their own bring more. */
  readonly prefixes: readonly string[];
  /** Of the TUN, octets. */
  readonly mtu: number;
}

/** How long a shutdown waits for acknowledgements, ms. */
const SHUTDOWN_MS = 2_000;
/** Wait before the next try to open the socket (the address may not be there yet), ms. */
const RETRY_MS = 3_000;

/** Gives a server machine its hands: one socket, one TUN for all sessions. */
export class L2tpServer {
  readonly name: string;
  readonly placement: L2tpServerPlacement;
  readonly machine: L2tpServerMachine;
  readonly #services: L2tpServerServices;
  readonly #runner: MachineRunner<L2tpServerOutput>;
  readonly #keys = new Map<string, SessionKey>();
  readonly #shapes = new Map<string, SessionShape>();
  /** What the users that are up have routed to them, by session. */
  readonly #userPrefixes = new Map<string, readonly string[]>();
  #socket: SocketId | undefined;
  #interface: InterfaceId | undefined;
  #state: ConnectionState = 'down';
  #failure: Failure | undefined;
  #stateSince: number;
  #stopping = false;
  #cancelRetry: (() => void) | undefined;

  constructor(placement: L2tpServerPlacement, options: L2tpServerOptions, services: L2tpServerServices) {
    this.name = placement.name;
    this.placement = placement;
    this.#services = services;
    this.machine = new L2tpServerMachine(options, services.random);
    this.#runner = new MachineRunner(this.machine, services.clock, (output) => this.#handle(output));
    this.#stateSince = services.clock.wall();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get stateSince(): number {
    return this.#stateSince;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Data-plane key of a session, for its counters. */
  sessionKey(tunnelId: number, sessionId: number): SessionKey | undefined {
    return this.#keys.get(`${tunnelId}/${sessionId}`);
  }

  /** User packets came in on that session since the last look. */
  dataReceived(key: SessionKey): void {
    for (const [id, candidate] of this.#keys) {
      if (candidate === key) this.#runner.run((now) => this.machine.dataReceived(now, id));
    }
  }

  /** Opens socket and TUN; when that fails, tries again until {@link stop}. */
  async start(): Promise<void> {
    const { dispatch, clock } = this.#services;
    const { device, listen, port, mark, mtu } = this.placement;
    this.#setState('connecting');
    try {
      if (this.#socket === undefined) await this.#openSocket(listen, port, mark);
      if (this.#interface === undefined) {
        const id = dispatch.nextId();
        await dispatch.dataPlane.addInterface({ id, name: device, mtu });
        this.#interface = id;
      }
      await this.#route();
      for (const id of this.#shapes.keys()) this.#putSession(id);
      this.#setState('up');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#setState('failed', {
        step: 'listen',
        reason: `cannot serve on ${formatEndpoint({ address: listen, port })}: ${reason}`,
        remedy: 'check the listen address and port; trying again by itself',
      });
      if (this.#stopping) return;
      const timer = clock.setTimer(clock.now() + RETRY_MS, () => void this.start());
      this.#cancelRetry = () => timer.cancel();
    }
  }

  /** StopCCN to every client, and everything that this server has goes. */
  async stop(): Promise<void> {
    const { dispatch, clock, networks } = this.#services;
    this.#stopping = true;
    this.#cancelRetry?.();
    this.#runner.run((now) => this.machine.shutdown(now));
    const deadline = clock.now() + SHUTDOWN_MS;
    while (!this.machine.quiet && clock.now() < deadline) {
      await new Promise<void>((done) => clock.setTimer(clock.now() + 20, done));
    }
    this.#runner.stop();
    if (this.#interface !== undefined) {
      await networks.down(this.name);
      await dispatch.dataPlane.removeInterface(this.#interface);
    }
    if (this.#socket !== undefined) {
      dispatch.disownSocket(this.#socket);
      await dispatch.dataPlane.closeSocket(this.#socket);
    }
    this.#setState('down');
  }

  async #openSocket(address: string, port: number, mark: number): Promise<void> {
    const { dispatch } = this.#services;
    const id = dispatch.nextId();
    const family = address.includes(':') ? 6 : 4;
    await dispatch.dataPlane.openSocket({ id, purpose: 'l2tp', family, address, port, mark });
    this.#socket = id;
    dispatch.ownSocket(id, (event) => {
      this.#runner.run((now) => {
        if (event.kind === 'datagram') this.machine.receive(now, event.bytes, event.path);
        else this.machine.pathError(now, event.remote, event.code);
      });
    });
  }

  #handle(output: L2tpServerOutput): void {
    const { dispatch, onStep } = this.#services;
    switch (output.kind) {
      case 'send':
        if (this.#socket !== undefined) dispatch.dataPlane.sendDatagram(this.#socket, output.path, output.datagram);
        return;
      case 'put-session':
        this.#shapes.set(output.id, output.shape);
        this.#putSession(output.id);
        return;
      case 'remove-session':
        this.#removeSession(output.id);
        return;
      case 'ppp-send': {
        const key = this.#keys.get(output.id);
        if (key !== undefined) dispatch.dataPlane.sendPppFrame(key, output.frame);
        return;
      }
      case 'step':
        onStep(output);
        return;
      case 'user-up':
        onStep({ step: 'user up', detail: `${output.user} has ${output.address}` });
        this.#userPrefixes.set(output.id, output.prefixes);
        void this.#route().catch((error) => onStep({ step: 'routes', detail: String(error) }));
        return;
      case 'user-down':
        onStep({ step: 'user down', detail: `${output.user} had ${output.address}` });
        this.#userPrefixes.delete(output.id);
        void this.#route().catch((error) => onStep({ step: 'routes', detail: String(error) }));
        return;
      case 'session-ended':
        onStep({ step: 'session ended', detail: failureLine(output.failure) });
        return;
      case 'tunnel-ended':
        onStep({ step: 'tunnel ended', detail: `${formatEndpoint(output.remote)}: ${failureLine(output.failure)}` });
        return;
    }
  }

  /** Brings addresses and routes of the TUN up to date. */
  async #route(): Promise<void> {
    if (this.#interface === undefined || this.#stopping) return;
    const { name, device } = this.placement;
    const prefixes = [...new Set([...this.placement.prefixes, ...[...this.#userPrefixes.values()].flat()])];
    const { localAddress } = this.machine;
    await this.#services.networks.up({ name, device, localAddress, dns: [], prefixes });
  }

  #putSession(id: string): void {
    const { dispatch } = this.#services;
    const shape = this.#shapes.get(id);
    if (!shape || this.#socket === undefined) return;
    let key = this.#keys.get(id);
    if (key === undefined) {
      key = dispatch.nextId();
      this.#keys.set(id, key);
      dispatch.ownSession(key, (frame) => this.#runner.run((now) => this.machine.receiveFrame(now, id, frame)));
    }
    const { network, ...rest } = shape;
    dispatch.dataPlane.putSession({
      ...rest,
      key,
      socket: this.#socket,
      ...(network && this.#interface !== undefined ? { network: { ...network, interface: this.#interface } } : {}),
    });
  }

  #removeSession(id: string): void {
    const { dispatch } = this.#services;
    const key = this.#keys.get(id);
    this.#keys.delete(id);
    this.#shapes.delete(id);
    if (key === undefined) return;
    dispatch.disownSession(key);
    dispatch.dataPlane.removeSession(key);
  }

  #setState(state: ConnectionState, failure?: Failure): void {
    if (state !== this.#state) this.#stateSince = this.#services.clock.wall();
    this.#state = state;
    this.#failure = failure;
    this.#services.onState(state, failure);
  }
}
