import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../../../hal/clock.ts';
import type { WallTime } from '../../certificates/certificate-failures.ts';
import type { PolicySpec, SaKey, SocketId } from '../../dataplane/data-plane.ts';
import type { IkeSecrets } from '../../protocol/ike/ike-types.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { DataPlaneDispatch, SaEvent, SocketEvent } from '../data-plane-dispatch.ts';
import { IdleWatch } from '../idle-watch.ts';
import { untilQuiet } from '../l2tp/until-quiet.ts';
import { MachineRunner } from '../machine-runner.ts';
import { type ConnectionState, internalFailure, type Step } from '../steps.ts';
import type { TunnelNetworks } from '../tunnel-networks.ts';
import type { Channel, ChannelId, ChannelListener, ChannelRequest, ChannelServer, IpsecChannels } from './channel.ts';
import { ChannelProgramming } from './channel-programming.ts';
import { networkSelector } from './ike-connections.ts';
import { IkeSockets } from './ike-sockets.ts';
import { shuttingDown } from './ipsec-failures.ts';
import { IpsecMachine } from './ipsec-machine.ts';
import type { ChannelPolicy, ChannelSa, IpsecOutput } from './ipsec-output.ts';
import type { IpsecConnectionInfo, IpsecConnectionSettings, OfferMemory, TunnelSettings } from './ipsec-types.ts';
import { LocalAddresses, type SourceAddress } from './local-addresses.ts';
import { type Call, OutgoingCalls } from './outgoing-calls.ts';
import { isTunnel, TunnelConnection } from './tunnel-connection.ts';

export interface IpsecServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  /** What time it is, for certificates. */
  readonly wall: () => WallTime;
  readonly random: RandomSource;
  /** SO_MARK of outer packets. */
  readonly mark: number;
  readonly sourceAddress: SourceAddress;
  /** Addresses of a peer through the uplink's DNS. */
  readonly resolve: (name: string) => Promise<readonly string[] | Failure>;
  readonly networks: TunnelNetworks;
  /** 32 octets that stay the same over restarts (RFC 6290 section 5.1). */
  readonly qcdSecret: Uint8Array;
  readonly memory: OfferMemory;
  readonly onStep: (connection: string, step: Step) => void;
  readonly onState: (connection: string, state: ConnectionState, failure?: Failure) => void;
}

/** How long sockets stay open after the last who wanted them, ms: longer than a caller rests between two attempts. */
const LINGER_MS = 10_000;

/** Gives the IPsec machine its hands: sockets, data plane, clock; and drives connections in tunnel mode. */
export class IpsecService implements IpsecChannels {
  readonly machine: IpsecMachine;
  readonly #services: IpsecServices;
  readonly #runner: MachineRunner<IpsecOutput>;
  readonly #sockets: IkeSockets;
  readonly #calls: OutgoingCalls;
  readonly #servers = new Map<string, ChannelServer>();
  readonly #tunnels = new Map<string, TunnelConnection>();
  readonly #programming: ChannelProgramming;
  readonly #addresses: LocalAddresses;
  readonly #idle: IdleWatch;
  #linger: Timer | undefined;
  #stopping = false;

  constructor(services: IpsecServices) {
    this.#services = services;
    const { dispatch, random, clock, wall, mark, memory, qcdSecret } = services;
    const remembered = (connection: string) => memory.get(connection);
    this.machine = new IpsecMachine({ newId: () => dispatch.nextId(), wall, remembered, qcdSecret }, random);
    this.#runner = new MachineRunner(
      this.machine,
      clock,
      (output) => this.#handle(output),
      (error, output) => this.#onFault(error, output),
    );
    this.#sockets = new IkeSockets(dispatch, mark, (event) => this.#onSocketEvent(event));
    this.#calls = new OutgoingCalls({
      ...services,
      sockets: this.#sockets,
      machine: this.machine,
      run: (input) => this.#runner.run(input),
      onOpened: () => this.#reviewSockets(),
    });
    this.#addresses = new LocalAddresses({
      destinations: () => this.machine.destinations,
      sourceAddress: services.sourceAddress,
      onAddress: (to, local) => this.#runner.run((now) => this.machine.localAddress(now, to, local)),
    });
    this.#idle = new IdleWatch(dispatch.dataPlane, clock);
    this.#programming = new ChannelProgramming({
      dispatch,
      clock,
      sockets: this.#sockets,
      inside: (policy) => this.#inside(policy),
      onSaEvent: (event) => this.#onSaEvent(event),
      onTraffic: (keys) => this.#heard(keys),
    });
  }

  /**
   * Other connections from now on; what is unchanged keeps running.
   * @throws RangeError when one holds what cannot be negotiated; then those before stay.
   */
  async setConnections(settings: readonly IpsecConnectionSettings[]): Promise<void> {
    const tunnels = new Map(settings.filter(isTunnel).map((entry) => [entry.name, entry]));
    const leaving = [...this.#tunnels].filter(([name, known]) => !isDeepStrictEqual(known.settings, tunnels.get(name)));
    await Promise.all(leaving.map(([, tunnel]) => tunnel.disconnect()));
    for (const [name] of leaving) this.#tunnels.delete(name);
    let fault: { readonly error: unknown } | undefined;
    this.#runner.run((now) => {
      try {
        this.machine.setConnections(now, settings);
      } catch (error) {
        fault = { error };
      }
    });
    if (fault !== undefined) throw fault.error;
    for (const entry of tunnels.values()) {
      if (this.#stopping || this.#tunnels.has(entry.name)) continue;
      const tunnel = this.#tunnelConnection(entry);
      this.#tunnels.set(entry.name, tunnel);
      if (entry.tunnel.start === 'boot') tunnel.connect();
      else if (entry.tunnel.start === 'traffic') tunnel.arm();
    }
    this.#reviewSockets();
  }

  dial(request: ChannelRequest, listener: ChannelListener): Channel {
    const { connection, remoteAddress } = request;
    const call: Call = { connection, request, listener, heard: false, udpEncapsulation: false };
    const id = this.#stopping ? this.#services.dispatch.nextId() : this.#call(call, remoteAddress);
    if (this.#stopping) queueMicrotask(() => listener.down(shuttingDown()));
    return {
      id,
      get heard() {
        return call.heard;
      },
      get udpEncapsulation() {
        return call.udpEncapsulation;
      },
      close: () => this.#close(id),
      reportMute: () => this.machine.reportMute(id),
    };
  }

  async serve(connection: string, server: ChannelServer): Promise<() => void> {
    if (this.#stopping) throw new Error('The IPsec service is being stopped.');
    if (this.#servers.has(connection)) throw new Error(`Calls on ${connection} are taken already.`);
    this.#servers.set(connection, server);
    this.#reviewSockets();
    const stop = (): void => {
      if (this.#servers.get(connection) !== server) return;
      this.#servers.delete(connection);
      this.#runner.run((now) => this.machine.unserve(now, connection));
      this.#reviewSockets();
    };
    try {
      await this.#takeCalls(connection, () => this.#servers.get(connection) === server);
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  /** Brings a connection in tunnel mode up, and keeps it up. @throws RangeError when there is none of that name. */
  connect(name: string): void {
    this.#tunnel(name).connect();
    this.#reviewSockets();
  }

  /** Resolves when it is down. @throws RangeError when there is none of that name. */
  async disconnect(name: string): Promise<void> {
    await this.#tunnel(name).disconnect();
    this.#reviewSockets();
  }

  /** The network of this machine may have changed: what stands goes on from the address that this side has now. */
  networkChanged(): void {
    this.#addresses.look();
  }

  /** There is another way out: besides, who waits for the next attempt makes it now. */
  uplinkChanged(): void {
    this.#addresses.look();
    for (const tunnel of this.#tunnels.values()) tunnel.retry();
  }

  info(): readonly IpsecConnectionInfo[] {
    const { clock } = this.#services;
    return this.machine.views(clock.now(), clock.wall()).map((view) => {
      const tunnel = this.#tunnels.get(view.name);
      if (tunnel === undefined) return view;
      const { failure: turnedAway, ...rest } = view;
      const { state, stateSince, settings, failure = turnedAway } = tunnel;
      const device = tunnel.interface === undefined ? {} : { device: settings.tunnel.device };
      const waits = tunnel.waitsForTraffic ? { waitsForTraffic: true as const } : {};
      return { ...rest, state, stateSince, ...device, ...waits, ...(failure === undefined ? {} : { failure }) };
    });
  }

  /** See {@link IpsecMachine.secrets}. */
  secrets(): readonly IkeSecrets[] {
    return this.machine.secrets();
  }

  /** All ends: the peers are told, as far as they answer within 2 s. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#linger?.cancel();
    await Promise.all([...this.#tunnels.values()].map((tunnel) => tunnel.disconnect()));
    this.#runner.run((now) => this.machine.shutdown(now));
    await untilQuiet(this.machine, this.#services.clock);
    this.#runner.stop();
    this.#servers.clear();
    await this.#sockets.close();
  }

  #call(call: Call, remoteAddress: string): ChannelId {
    const id = this.#calls.begin(call, remoteAddress);
    this.#reviewSockets();
    return id;
  }

  #close(id: ChannelId): void {
    this.#calls.delete(id);
    this.#runner.run((now) => this.machine.close(now, id));
    this.#reviewSockets();
  }

  /** @throws Error in words when the ports are taken. */
  async #takeCalls(connection: string, wanted: () => boolean, protocol?: 'esp' | 'ah'): Promise<void> {
    await this.#sockets.open(4);
    if (protocol === 'ah') await this.#sockets.openAh(4);
    // IPv6 is welcome, and its absence no obstacle.
    await this.#sockets.open(6).catch(() => undefined);
    this.#reviewSockets();
    if (wanted()) this.#runner.run((now) => this.machine.serve(now, connection));
  }

  #tunnel(name: string): TunnelConnection {
    const tunnel = this.#tunnels.get(name);
    if (tunnel === undefined) throw new RangeError(`there is no IPsec connection ${name} in tunnel mode`);
    return tunnel;
  }

  #tunnelConnection(settings: TunnelSettings): TunnelConnection {
    const { name, protocol = 'esp' } = settings;
    const { onStep, onState } = this.#services;
    let serving = false;
    return new TunnelConnection(settings, {
      ...this.#services,
      dial: (remoteAddress) =>
        this.#call({ connection: name, protocol, heard: false, udpEncapsulation: false }, remoteAddress),
      close: (channel) => this.#close(channel),
      idle: this.#idle,
      sasOf: (channels) => this.#programming.sasOf(channels),
      serve: () => {
        serving = true;
        return this.#takeCalls(name, () => serving, protocol);
      },
      unserve: () => {
        serving = false;
        this.#runner.run((now) => this.machine.unserve(now, name));
      },
      onStep: (step) => onStep(name, step),
      onState: (state, failure) => onState(name, state, failure),
    });
  }

  #onSocketEvent(event: SocketEvent): void {
    switch (event.kind) {
      case 'datagram':
        this.#runner.run((now) => {
          try {
            this.machine.receive(now, event.bytes, event.path);
          } catch (error) {
            this.machine.failPeer(now, event.path.remote, internalFailure(error));
          }
        });
        return;
      case 'path-error':
        this.#runner.run((now) => this.machine.pathError(now, event.remote, event.code));
        return;
      case 'unknown-spi':
        this.#runner.run((now) => this.machine.unknownSpi(now, event.spi, event.path));
        return;
    }
  }

  #handle(output: IpsecOutput): void {
    const { dataPlane } = this.#services.dispatch;
    switch (output.kind) {
      case 'send':
        this.#withSocket(output.path, (socket) => dataPlane.sendDatagram(socket, output.path, output.datagram));
        return;
      case 'nat-keepalive':
        this.#withSocket(output.path, (socket) => dataPlane.sendNatKeepalive(socket, output.path));
        return;
      case 'put-policy':
        this.#programming.putPolicy(output.policy);
        return;
      case 'remove-policy':
        this.#programming.removePolicy(output.channel);
        return;
      case 'put-sa':
        this.#programming.putSa(output.sa);
        this.#noteEncapsulation(output.sa);
        return;
      case 'remove-sa':
        this.#programming.removeSa(output.sa);
        return;
      case 'channel-up':
        this.#channelUp(output);
        return;
      case 'channel-down':
        this.#channelDown(output.channel, output.connection, output.failure);
        return;
      case 'remember':
        this.#services.memory.set(output.connection, output.offer);
        return;
      case 'step':
        this.#services.onStep(output.connection, output.step);
        return;
      case 'state':
        this.#tellState(output.connection, output.state, output.failure);
        return;
    }
  }

  /** What is sent while no such socket is open is dropped, as the network may. */
  #withSocket({ local }: UdpPath, action: (socket: SocketId) => void): void {
    const socket = this.#sockets.find(local.address, local.port);
    if (socket !== undefined) action(socket);
  }

  /** `undefined`: whoever used the channel went a moment ago. */
  #inside({ key, connection, localSelectors, remoteSelectors }: ChannelPolicy): PolicySpec['inside'] | undefined {
    const tunnel = this.#tunnels.get(connection);
    if (tunnel !== undefined) {
      const { interface: id, settings } = tunnel;
      if (id === undefined) return undefined;
      const { mtu, routing, remoteSubnets } = settings.tunnel;
      // Where the sides have agreed on everything, the peer may speak for the networks behind it all the same, and no others.
      const remote = routing === 'route' ? remoteSubnets.map(networkSelector) : remoteSelectors;
      return { kind: 'ip', interface: id, localSelectors, remoteSelectors: remote, mtu };
    }
    const socket = this.#calls.get(key)?.request?.inside.socket ?? this.#servers.get(connection)?.socket;
    return socket === undefined ? undefined : { kind: 'l2tp', socket };
  }

  #noteEncapsulation({ policy, udpEncapsulation }: ChannelSa): void {
    const call = this.#calls.get(policy);
    if (call !== undefined) call.udpEncapsulation = udpEncapsulation;
  }

  #onSaEvent(event: SaEvent): void {
    const { sa } = event;
    if (event.kind === 'sa-received') this.#heard([sa]);
    else if (event.kind === 'sa-moved') this.#runner.run((now) => this.machine.saMoved(now, sa, event.path));
    else this.#runner.run((now) => this.machine.saLifetime(now, sa, event.limit, event.unit));
  }

  #heard(keys: readonly SaKey[]): void {
    for (const key of keys) {
      const call = this.#calls.get(this.#programming.channelOf(key));
      if (call !== undefined) call.heard = true;
    }
    this.#runner.run((now) => this.machine.saReceived(now, keys));
  }

  #channelUp({
    channel,
    connection,
    path,
    initiator,
    configuration,
  }: Extract<IpsecOutput, { kind: 'channel-up' }>): void {
    const tunnel = this.#tunnels.get(connection);
    if (tunnel !== undefined) tunnel.channelUp(channel, configuration);
    else if (initiator) this.#calls.get(channel)?.listener?.up(path);
    else this.#servers.get(connection)?.up(channel);
  }

  #channelDown(id: ChannelId, connection: string, failure: Failure): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    const tunnel = this.#tunnels.get(connection);
    if (tunnel !== undefined) tunnel.channelDown(id, failure);
    else if (call !== undefined) call.listener?.down(failure);
    else this.#servers.get(connection)?.down(id, failure);
    this.#reviewSockets();
  }

  /** Of a connection in tunnel mode, what counts is whether its routes stand; callers turned away are told all the same. */
  #tellState(connection: string, state: ConnectionState, failure: Failure | undefined): void {
    const tunnel = this.#tunnels.get(connection);
    if (tunnel === undefined) this.#services.onState(connection, state, failure);
    else if (failure !== undefined && state !== 'failed') this.#services.onState(connection, tunnel.state, failure);
  }

  /** Sockets that nobody wants any more are closed after a while. */
  #reviewSockets(): void {
    const wanted = this.#calls.size > 0 || this.#servers.size > 0 || [...this.#tunnels.values()].some((t) => t.wanted);
    this.#linger?.cancel();
    this.#linger = undefined;
    if (wanted || this.#stopping || !this.#sockets.isOpen) return;
    const { clock } = this.#services;
    this.#linger = clock.setTimer(clock.now() + LINGER_MS, () => void this.#sockets.close());
  }

  /** A fault costs the channel in which it happened. */
  #onFault(error: unknown, output?: IpsecOutput): void {
    const id = output === undefined ? undefined : channelOf(output);
    const failure = internalFailure(error);
    if (id !== undefined) this.#runner.run((now) => this.machine.fail(now, id, failure));
    else this.#services.onStep('ipsec', { step: failure.step, detail: failure.reason });
  }
}

function channelOf(output: IpsecOutput): ChannelId | undefined {
  if (output.kind === 'put-policy') return output.policy.key;
  if (output.kind === 'put-sa') return output.sa.policy;
  return output.kind === 'channel-up' ? output.channel : undefined;
}
