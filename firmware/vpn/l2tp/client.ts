import { TaskQueue } from '../../config/task-queue.ts';
import type { SessionKey } from '../../dataplane/data-plane.ts';
import type { Failure, Instant } from '../../protocol/machine.ts';
import { IdleWatch } from '../idle-watch.ts';
import { MachineRunner } from '../machine-runner.ts';
import { type ConnectionState, errorText, internalFailure } from '../steps.ts';
import { ClientChannel } from './client-channel.ts';
import { interfaceFailure } from './client-failures.ts';
import { ClientInterface } from './client-interface.ts';
import type { ClientIpv6 } from './client-ipv6.ts';
import { L2tpClientMachine } from './client-machine.ts';
import type { L2tpClientPlacement, L2tpClientServices } from './client-services.ts';
import type { ClientNetwork, L2tpClientOptions, L2tpClientOutput } from './client-types.ts';
import { localsOf } from './local-address.ts';
import { OuterSocket } from './outer-socket.ts';
import type { SessionShape } from './session-shape.ts';
import { untilQuiet } from './until-quiet.ts';

/** Inner UDP port of a protected client that was not told another one; some servers take no other. */
const PROTECTED_PORT = 1701;

/**
 * How long packets that were dialled for wait on after IPCP, ms: peers set their routes back to us only then (pppd's `ip-up`),
 * and an answer that finds none is lost.
 */
const SETTLING_MS = 500;

/** After so many failures that it has given up, packets have it dial again only after this time, ms. */
const PAUSE_MS = 60_000;

/** Gives a client machine its hands: socket, channel, TUN, routes, clock. */
export class L2tpClient {
  readonly name: string;
  readonly placement: L2tpClientPlacement;
  readonly machine: L2tpClientMachine;
  readonly #services: L2tpClientServices;
  readonly #runner: MachineRunner<L2tpClientOutput>;
  readonly #socket: OuterSocket;
  readonly #channel: ClientChannel;
  /** TUN and routes change one after the other; packets and frames never wait for them. */
  readonly #tasks = new TaskQueue();
  /** Those who wait for the end of the connection. */
  readonly #endWaiters = new Set<() => void>();
  /** Counts resolutions: the answer to an earlier one is of no interest. */
  #resolution = 0;
  #session: SessionKey | undefined;
  #shape: SessionShape | undefined;
  readonly #tun: ClientInterface;
  readonly #idle: IdleWatch;
  /** TUN and routes stand while nobody has dialled, and packets that go there have it dial. */
  #armed = false;
  #ready = false;
  /** Addresses and routes of the connection stand: its session may use the TUN. */
  #open = false;
  /** After so many failures that it has given up, packets do not have it dial before then. */
  #pausedUntil: Instant = 0;
  #ipv6: ClientIpv6 | undefined;
  /** Counts `network-up`s, so that a slow set-up does not open a network that is gone again. */
  #generation = 0;
  #failure: Failure | undefined;
  #state: ConnectionState = 'down';
  #stateSince: number;

  /** @param options without `protection`, which follows from `placement.ipsec`. */
  constructor(
    placement: L2tpClientPlacement,
    options: Omit<L2tpClientOptions, 'protection'>,
    services: L2tpClientServices,
  ) {
    this.name = placement.name;
    this.placement = placement;
    this.#services = services;
    this.#channel = new ClientChannel(services.channels, {
      up: (path) => this.#runner.run((now) => this.machine.channelUp(now, path)),
      down: (failure) => this.#runner.run((now) => this.machine.channelDown(now, failure)),
    });
    this.machine = new L2tpClientMachine(
      placement.ipsec === undefined ? options : { ...options, protection: this.#channel.view },
      services.random,
    );
    this.#runner = new MachineRunner(
      this.machine,
      services.clock,
      (output) => this.#handle(output),
      (error) => this.#fail(internalFailure(error)),
    );
    this.#socket = new OuterSocket(services.dispatch, {
      datagram: (bytes, path) => this.#runner.run((now) => this.machine.receive(now, bytes, path)),
      pathError: (remote, code) => this.#runner.run((now) => this.machine.pathError(now, remote, code)),
    });
    const { name, device, routes, onDemand = false } = placement;
    this.#tun = new ClientInterface(
      { name, device, routes, onDemand, mtu: options.mru },
      { ...services, onTraffic: () => this.#onDemand() },
    );
    this.#idle = new IdleWatch(services.dispatch.dataPlane, services.clock);
    this.#stateSince = services.clock.wall();
  }

  connect(): void {
    this.arm();
    this.#runner.run((now) => this.machine.connect(now));
    this.#wakeEndWaiters();
  }

  /** On demand: TUN and routes stand from now on, and the first packet that goes there has it dial. */
  arm(): void {
    if (this.placement.onDemand !== true) return;
    this.#pausedUntil = 0;
    if (this.#armed) return;
    this.#armed = true;
    this.#ready = false;
    this.#run(() => this.#arm());
  }

  /** Nobody has dialled, and packets will, for TUN and routes stand. */
  get waitsForTraffic(): boolean {
    return this.#armed && this.#ready && !this.machine.wanted;
  }

  /**
   * Hangs up; packets do not have it dial any more. Resolves when the peer was told, as far as it answers, and TUN and routes are gone; also when somebody
   * connects again meanwhile.
   */
  disconnect(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endWaiters.add(resolve);
    this.#armed = false;
    this.#runner.run((now) => this.machine.disconnect(now));
    this.#run(async () => {
      if (!this.#armed && this.machine.network === undefined) await this.#tun.close();
    });
    return promise;
  }

  /** There is another way out: see the machine's. Never rejects. */
  async uplinkChanged(): Promise<void> {
    const remote = this.machine.calledInClear;
    const local = remote === undefined ? undefined : await this.#services.localAddress?.(remote).catch(() => undefined);
    this.#runner.run((now) => this.machine.uplinkChanged(now, typeof local === 'string' ? local : undefined));
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

  /** StopCCN, and everything that this client has goes: TUN, routes, channel, socket, timers. Never rejects. */
  async stop(): Promise<void> {
    this.#runner.run((now) => this.machine.shutdown(now));
    await untilQuiet(this.machine, this.#services.clock);
    this.#runner.stop();
    this.#removeSession();
    this.#generation += 1;
    this.#armed = false;
    this.#run(() => this.#closeNetwork());
    await this.#tasks.settled();
    this.#channel.close();
    await this.#socket.close();
    this.#wakeEndWaiters();
  }

  #handle(output: L2tpClientOutput): void {
    const { dispatch } = this.#services;
    switch (output.kind) {
      case 'resolve':
        void this.#resolve(output.name);
        return;
      case 'open-channel':
        this.#openChannel(output.address);
        return;
      case 'report-mute':
        this.#channel.reportMute();
        return;
      case 'close-channel':
        this.#channel.close();
        return;
      case 'send':
        this.#socket.send(output.path, output.datagram);
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
      case 'network-up': {
        this.#generation += 1;
        const generation = this.#generation;
        this.#run(() => this.#openNetwork(output, generation));
        return;
      }
      case 'ipv6': {
        this.#ipv6 = output.ipv6;
        const { network } = this.machine;
        const generation = this.#generation;
        if (network) {
          this.#run(async () => {
            if (generation === this.#generation) await this.#tun.changeIpv6(network, this.#ipv6);
          });
        }
        return;
      }
      case 'network-down':
        this.#ipv6 = undefined;
        this.#open = false;
        this.#generation += 1;
        this.#unwatch();
        this.#run(() => this.#closeNetwork());
        return;
      case 'step':
        this.#services.onStep(output);
        return;
      case 'state':
        // `up` is said once the routes stand, by #openNetwork.
        if (output.state !== 'up') this.#setState(output.state, output.failure);
        return;
      case 'ended':
        if (this.machine.gaveUp) this.#pausedUntil = this.#services.clock.now() + PAUSE_MS;
        this.#run(async () => this.#wakeEndWaiters());
        return;
    }
  }

  async #resolve(name: string): Promise<void> {
    this.#resolution += 1;
    const mine = this.#resolution;
    /** Whether the machine still waits, and for this answer. */
    const wanted = (): boolean => mine === this.#resolution && this.machine.resolving;
    try {
      this.#services.onStep({ step: 'resolve', detail: name });
      const result = await this.#services.resolve(name);
      if (!wanted()) return;
      if (isFailure(result)) this.#runner.run((now) => this.machine.resolveFailed(now, result));
      else await this.#dial(result, wanted);
    } catch (error) {
      if (wanted()) this.#runner.run((now) => this.machine.resolveFailed(now, internalFailure(error)));
    }
  }

  async #dial(addresses: readonly string[], wanted: () => boolean): Promise<void> {
    const { mark, ipsec } = this.placement;
    const purpose = ipsec === undefined ? 'l2tp' : 'protected-l2tp';
    const port = this.#port;
    const family = addresses.some((address) => !address.includes(':')) ? 4 : 6;
    try {
      await this.#socket.open({ purpose, address: family === 4 ? '0.0.0.0' : '::', port, mark }, wanted);
    } catch (error) {
      const remedy = 'free the port or choose another source port';
      const failure = { step: 'socket', reason: errorText(error), remedy };
      if (wanted()) this.#runner.run((now) => this.machine.resolveFailed(now, failure));
      return;
    }
    const usable = addresses.filter((address) => address.includes(':') === (family === 6));
    const { locals, failure } = await localsOf(ipsec === undefined ? usable : [], this.#services.localAddress);
    if (!wanted()) return;
    this.#runner.run((now) => {
      if (failure === undefined) this.machine.resolved(now, usable, locals);
      else this.machine.resolveFailed(now, failure);
    });
  }

  /** Local port of the socket; 0: ephemeral, which only the kernel can choose. */
  get #port(): number {
    const { sourcePort, ipsec } = this.placement;
    return ipsec !== undefined && sourcePort === 0 ? PROTECTED_PORT : sourcePort;
  }

  #openChannel(remoteAddress: string): void {
    const { ipsec } = this.placement;
    const socket = this.#socket.id;
    if (ipsec === undefined || socket === undefined) throw new Error('a channel is asked for without IPsec or socket');
    const inside = { kind: 'l2tp', socket, localPort: this.#port, remotePort: this.machine.port } as const;
    this.#channel.open({ connection: ipsec, remoteAddress, inside });
  }

  #putSession(): void {
    const { dispatch } = this.#services;
    const socket = this.#socket.id;
    if (!this.#shape || socket === undefined) return;
    if (this.#session === undefined) {
      this.#session = dispatch.nextId();
      dispatch.ownSession(this.#session, (frame) => {
        this.#runner.run((now) => this.machine.receiveFrame(now, frame));
      });
    }
    const { network, relay: _, ...rest } = this.#shape;
    const onto = this.#open ? this.#tun.id : undefined;
    dispatch.dataPlane.putSession({
      ...rest,
      key: this.#session,
      socket,
      ...(network && onto !== undefined ? { network: { ...network, interface: onto } } : {}),
    });
  }

  #removeSession(): void {
    const { dispatch } = this.#services;
    this.#shape = undefined;
    if (this.#session === undefined) return;
    const key = this.#session;
    this.#unwatch();
    this.#session = undefined;
    dispatch.disownSession(key);
    dispatch.dataPlane.removeSession(key);
  }

  async #openNetwork(network: ClientNetwork, generation: number): Promise<void> {
    const wanted = (): boolean => generation === this.#generation;
    if (!wanted()) return;
    const { dispatch, clock } = this.#services;
    try {
      // What stands when it is not wanted any more is taken down by #closeNetwork, which follows in any case.
      if (!(await this.#tun.open(network, wanted))) return;
      if (this.#armed) await new Promise<void>((done) => clock.setTimer(clock.now() + SETTLING_MS, done));
      if (!wanted()) return;
      this.#open = true;
      this.#putSession();
    } catch (error) {
      if (wanted()) this.#fail(interfaceFailure(this.placement.device, error));
      return;
    }
    if (this.#session !== undefined) {
      dispatch.traffic(clock).watch(this.#session, this.#onTraffic);
      const { idleSeconds = 0 } = this.placement;
      if (idleSeconds > 0) this.#idle.watch(this.#session, idleSeconds * 1000, () => this.#onIdle());
    }
    this.#setState('up');
  }

  readonly #onTraffic = (): void => this.#runner.run((now) => this.machine.dataReceived(now));

  #unwatch(): void {
    const { dispatch, clock } = this.#services;
    if (this.#session === undefined) return;
    dispatch.traffic(clock).unwatch(this.#session);
    this.#idle.unwatch(this.#session);
  }

  /** On demand, TUN and routes stay, and what goes there waits. */
  async #closeNetwork(): Promise<void> {
    if (!this.#armed) await this.#tun.close();
    else if (this.#tun.id !== undefined) await this.#arm();
  }

  async #arm(): Promise<void> {
    if (!this.#armed) return;
    try {
      await this.#tun.arm();
      this.#ready = true;
    } catch (error) {
      this.#armed = false;
      await this.#tun.close();
      this.#setState('failed', interfaceFailure(this.placement.device, error));
    }
  }

  /** Packets wait for the connection, and it is not being dialled. */
  #onDemand(): void {
    const { clock, onStep } = this.#services;
    if (!this.#armed || this.machine.wanted || clock.now() < this.#pausedUntil) return;
    onStep({ step: 'demand', detail: 'packets wait for the connection: dialling' });
    this.#runner.run((now) => this.machine.connect(now));
  }

  #onIdle(): void {
    const seconds = this.placement.idleSeconds ?? 0;
    this.#services.onStep({ step: 'idle', detail: `no packet either way for ${seconds} s: hanging up` });
    this.#runner.run((now) => this.machine.disconnect(now));
  }

  /** Ends the attempt. */
  #fail(failure: Failure): void {
    this.#runner.run((now) => this.machine.fail(now, failure));
  }

  #run(task: () => Promise<void>): void {
    this.#tasks.run(task).catch((error: unknown) => this.#fail(internalFailure(error)));
  }

  #wakeEndWaiters(): void {
    const waiters = [...this.#endWaiters];
    this.#endWaiters.clear();
    for (const wake of waiters) wake();
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
