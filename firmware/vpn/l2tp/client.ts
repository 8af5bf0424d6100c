import type { Clock } from '../../../hal/clock.ts';
import type { InterfaceId, SessionKey } from '../../dataplane/data-plane.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import type { IpsecChannels } from '../ipsec/channel.ts';
import { MachineRunner } from '../machine-runner.ts';
import { type ConnectionState, errorText, internalFailure, type Step } from '../steps.ts';
import { TaskQueue, type TunnelNetwork, type TunnelNetworks } from '../tunnel-networks.ts';
import { ClientChannel } from './client-channel.ts';
import type { ClientIpv6 } from './client-ipv6.ts';
import { L2tpClientMachine } from './client-machine.ts';
import type { ClientNetwork, L2tpClientOptions, L2tpClientOutput } from './client-types.ts';
import { OuterSocket } from './outer-socket.ts';
import type { SessionShape } from './session-shape.ts';
import { untilQuiet } from './until-quiet.ts';

export interface L2tpClientServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly networks: TunnelNetworks;
  /** Wanted by clients that are protected by IPsec. */
  readonly channels?: IpsecChannels;
  /** Addresses of a server through the uplink's DNS. */
  readonly resolve: (name: string) => Promise<readonly string[] | Failure>;
  readonly onStep: (step: Step) => void;
  readonly onState: (state: ConnectionState, failure?: Failure) => void;
}

export interface L2tpClientPlacement {
  readonly name: string;
  /** Of the TUN. */
  readonly device: string;
  /** Local UDP port; 0: ephemeral. With `ipsec`, of the inner UDP header, and 0: 1701. */
  readonly sourcePort: number;
  /** Name in `ipsec.connections`: L2TP goes inside IPsec, and never in clear. */
  readonly ipsec?: string;
  /** SO_MARK of outer packets. */
  readonly mark: number;
  /** CIDR, routed into the tunnel while it is up. */
  readonly routes: readonly string[];
}

/** Inner UDP port of a protected client that was not told another one; some servers take no other. */
const PROTECTED_PORT = 1701;

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
  /** The TUN that stands with its addresses and routes. */
  #interface: InterfaceId | undefined;
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
    this.#stateSince = services.clock.wall();
  }

  connect(): void {
    this.#runner.run((now) => this.machine.connect(now));
    this.#wakeEndWaiters();
  }

  /**
   * Hangs up. Resolves when the peer was told, as far as it answers, and TUN and routes are gone; also when somebody
   * connects again meanwhile.
   */
  disconnect(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endWaiters.add(resolve);
    this.#runner.run((now) => this.machine.disconnect(now));
    return promise;
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
        if (network) this.#run(() => this.#changeIpv6(network, generation));
        return;
      }
      case 'network-down':
        this.#ipv6 = undefined;
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
    if (!wanted()) return;
    const usable = addresses.filter((address) => address.includes(':') === (family === 6));
    this.#runner.run((now) => this.machine.resolved(now, usable));
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
    dispatch.dataPlane.putSession({
      ...rest,
      key: this.#session,
      socket,
      ...(network && this.#interface !== undefined ? { network: { ...network, interface: this.#interface } } : {}),
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
    if (generation !== this.#generation) return;
    const { dispatch, networks, clock } = this.#services;
    const { device } = this.placement;
    try {
      const id = dispatch.nextId();
      await dispatch.dataPlane.addInterface({ id, name: device, mtu: network.mtu, address: network.localAddress });
      // From here on #closeNetwork, which follows in any case, takes it down again.
      this.#interface = id;
      if (generation !== this.#generation) return;
      await networks.up(this.#tunnelNetwork(network, undefined));
      if (generation !== this.#generation) return;
      this.#putSession();
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#fail({
        step: 'interface',
        reason: `${device} could not be set up: ${errorText(error)}`,
        remedy: 'see the log for the command that failed',
      });
      return;
    }
    if (this.#session !== undefined) dispatch.traffic(clock).watch(this.#session, this.#onTraffic);
    this.#setState('up');
  }

  /** Brings addresses and DNS servers of IPv6 up to date. What cannot be done costs IPv6, and not the connection. */
  async #changeIpv6(network: ClientNetwork, generation: number): Promise<void> {
    if (generation !== this.#generation || this.#interface === undefined) return;
    const { networks, onStep } = this.#services;
    try {
      await networks.up(this.#tunnelNetwork(network, this.#ipv6));
      const addresses = this.#ipv6?.addresses ?? [];
      if (addresses.length > 0) onStep({ step: 'IPv6', detail: `the address is ${addresses.join(', ')}` });
    } catch (error) {
      onStep({ step: 'IPv6', detail: `it cannot be used: ${errorText(error)}` });
    }
  }

  #tunnelNetwork({ localAddress, peerAddress, dns }: ClientNetwork, ipv6: ClientIpv6 | undefined): TunnelNetwork {
    const { name, device, routes: prefixes } = this.placement;
    const ipv4 = { name, device, localAddress, peerAddress, prefixes };
    if (!ipv6) return { ...ipv4, dns };
    const addresses = [`${ipv6.linkLocalAddress}/64`, ...ipv6.addresses.map((address) => `${address}/128`)];
    return { ...ipv4, dns: [...dns, ...ipv6.dns], ipv6: { addresses, mtu: ipv6.mtu } };
  }

  readonly #onTraffic = (): void => this.#runner.run((now) => this.machine.dataReceived(now));

  #unwatch(): void {
    const { dispatch, clock } = this.#services;
    if (this.#session !== undefined) dispatch.traffic(clock).unwatch(this.#session);
  }

  /** What cannot be undone is said and passed over: the rest has to go all the same. */
  async #closeNetwork(): Promise<void> {
    const id = this.#interface;
    if (id === undefined) return;
    this.#interface = undefined;
    const { networks, dispatch } = this.#services;
    const { device } = this.placement;
    try {
      await networks.down(device);
    } catch (error) {
      this.#services.onStep({ step: 'routes', detail: `those of ${device} could not be removed: ${errorText(error)}` });
    }
    // Refused only by a data plane that is gone, and its TUNs with it.
    await dispatch.dataPlane.removeInterface(id).catch(() => undefined);
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
