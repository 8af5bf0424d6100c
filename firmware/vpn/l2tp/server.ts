import type { Clock } from '../../../hal/clock.ts';
import { TaskQueue } from '../../config/task-queue.ts';
import type { InterfaceId, SessionKey } from '../../dataplane/data-plane.ts';
import { ipContains, parseIpPrefix } from '../../protocol/ip-prefix.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import { formatEndpoint, type UdpPath } from '../../protocol/udp-path.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import { IdleWatch } from '../idle-watch.ts';
import type { ChannelId, IpsecChannels } from '../ipsec/channel.ts';
import { MachineRunner } from '../machine-runner.ts';
import type { RadiusDesk } from '../radius/radius-desk.ts';
import { type ConnectionState, errorText, failureLine, internalFailure, type Step } from '../steps.ts';
import type { TunnelNetworks } from '../tunnel-networks.ts';
import { OuterSocket } from './outer-socket.ts';
import { L2tpServerMachine } from './server-machine.ts';
import type { L2tpServerOptions, L2tpServerOutput } from './server-types.ts';
import type { SessionShape } from './session-shape.ts';
import { untilQuiet } from './until-quiet.ts';

export interface L2tpServerServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly networks: TunnelNetworks;
  /** Wanted by servers that are protected by IPsec. */
  readonly channels?: IpsecChannels;
  /** Wanted by servers whose users RADIUS servers judge; stopped with the server. */
  readonly radius?: RadiusDesk;
  readonly onStep: (step: Step) => void;
  /** A call of this server to a branch has another state. */
  readonly onCall?: (name: string, state: ConnectionState, failure?: Failure) => void;
  readonly onState: (state: ConnectionState, failure?: Failure) => void;
}

export interface L2tpServerPlacement {
  readonly name: string;
  readonly device: string;
  readonly listen: string;
  readonly port: number;
  readonly mark: number;
  /** Name in `ipsec.connections`: calls are taken inside IPsec, and never in clear. */
  readonly ipsec?: string;
  /** What is always routed into the TUN, CIDR: the pool. Users with networks of their own bring more. */
  readonly prefixes: readonly string[];
  /** Of the TUN, octets. */
  readonly mtu: number;
}

/** Wait before the next try to open the socket (the address may not be there yet), ms. */
const RETRY_MS = 3_000;

/** Gives a server machine its hands: one socket, one TUN for all sessions, and channels where it is protected. */
export class L2tpServer {
  readonly name: string;
  readonly placement: L2tpServerPlacement;
  readonly machine: L2tpServerMachine;
  readonly #services: L2tpServerServices;
  readonly #runner: MachineRunner<L2tpServerOutput>;
  readonly #socket: OuterSocket;
  /** Start, routes and stop, one after the other. */
  readonly #tasks = new TaskQueue();
  readonly #keys = new Map<string, SessionKey>();
  readonly #ids = new Map<SessionKey, string>();
  readonly #shapes = new Map<string, SessionShape>();
  /** What the users that are up have routed to them, by session. */
  readonly #userPrefixes = new Map<string, readonly string[]>();
  /** The same of IPv6. */
  readonly #userPrefixes6 = new Map<string, readonly string[]>();
  /** Protected channels that stand. */
  readonly #channels = new Set<ChannelId>();
  readonly #idle: IdleWatch;
  #stopTakingCalls: (() => void) | undefined;
  #interface: InterfaceId | undefined;
  #state: ConnectionState = 'down';
  #failure: Failure | undefined;
  #stateSince: number;
  #stopping = false;
  #routesQueued = false;
  /** The prefixes that stand, in one text. */
  #routed = '';
  #cancelRetry: (() => void) | undefined;

  constructor(placement: L2tpServerPlacement, options: L2tpServerOptions, services: L2tpServerServices) {
    this.name = placement.name;
    this.placement = placement;
    this.#services = services;
    this.machine = new L2tpServerMachine(options, services.random);
    this.#runner = new MachineRunner(
      this.machine,
      services.clock,
      (output) => this.#handle(output),
      (error, output) => this.#onFault(error, output),
    );
    this.#socket = new OuterSocket(services.dispatch, {
      datagram: (bytes, path) => this.#receive(bytes, path),
      pathError: (remote, code) => this.#runner.run((now) => this.machine.pathError(now, remote, code)),
    });
    this.#idle = new IdleWatch(services.dispatch.dataPlane, services.clock);
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

  /** Its dealings with RADIUS servers, where it has any. */
  get radius(): RadiusDesk | undefined {
    return this.#services.radius;
  }

  /** Calls a branch, by the name of the call. */
  call(name: string): void {
    this.#runner.run((now) => this.machine.call(now, name));
  }

  hangUp(name: string): void {
    this.#runner.run((now) => this.machine.hangUp(now, name));
  }

  /** Data-plane key of a session, for its counters. */
  sessionKey(tunnelId: number, sessionId: number): SessionKey | undefined {
    return this.#keys.get(`${tunnelId}/${sessionId}`);
  }

  /** Opens socket and TUN; when that fails, tries again until {@link stop}. Resolves after the first try; never rejects. */
  async start(): Promise<void> {
    if (this.#state === 'down' && !this.#stopping) this.#setState('connecting');
    await this.#tasks.run(() => this.#tryToServe());
  }

  /** StopCCN to every client, and everything that this server has goes. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRetry?.();
    this.#runner.run((now) => this.machine.shutdown(now));
    await untilQuiet(this.machine, this.#services.clock);
    this.#runner.stop();
    for (const id of [...this.#keys.keys()]) this.#removeSession(id);
    await this.#tasks.run(() => this.#takeDown());
    await this.#services.radius?.stop();
    this.#setState('down');
  }

  async #tryToServe(): Promise<void> {
    if (this.#stopping) return;
    const { clock } = this.#services;
    const { listen, port, ipsec } = this.placement;
    try {
      await this.#serve();
      if (this.#stopping) return;
      this.#setState('up');
      this.#services.radius?.open();
    } catch (error) {
      // All or nothing: a socket without a TUN would take calls that carry no packet.
      await this.#takeDown();
      if (this.#stopping) return;
      const where = ipsec === undefined ? `on ${formatEndpoint({ address: listen, port })}` : 'inside IPsec';
      this.#setState('failed', {
        step: 'listen',
        reason: `cannot serve ${where}: ${errorText(error)}`,
        remedy:
          ipsec === undefined
            ? 'check the listen address and port; it is tried again by itself'
            : 'check that nothing else takes IPsec calls here; it is tried again by itself',
      });
      const timer = clock.setTimer(clock.now() + RETRY_MS, () => void this.start());
      this.#cancelRetry = () => timer.cancel();
    }
  }

  async #serve(): Promise<void> {
    const { dispatch } = this.#services;
    const { device, listen, port, mark, mtu, ipsec } = this.placement;
    const purpose = ipsec === undefined ? 'l2tp' : 'protected-l2tp';
    await this.#socket.open({ purpose, address: listen, port, mark }, () => !this.#stopping);
    const id = dispatch.nextId();
    await dispatch.dataPlane.addInterface({ id, name: device, mtu, address: this.machine.localAddress });
    this.#interface = id;
    await this.#route();
    // Whoever called in the meantime.
    for (const session of this.#shapes.keys()) this.#putSession(session);
    if (ipsec !== undefined) await this.#takeCalls(ipsec);
  }

  /** Takes calls inside IPsec: each caller is a channel, whatever its address. @throws Error when it cannot be. */
  async #takeCalls(connection: string): Promise<void> {
    const { channels } = this.#services;
    const socket = this.#socket.id;
    if (this.#stopping || socket === undefined) return;
    if (channels === undefined) throw new Error('this router has no IPsec service that could protect the calls.');
    this.#stopTakingCalls = await channels.serve(connection, {
      socket,
      up: (channel) => this.#channels.add(channel),
      down: (channel, failure) => {
        this.#channels.delete(channel);
        this.#runner.run((now) => this.machine.bearerGone(now, channel, failure));
      },
    });
  }

  /** What comes out of a channel that is over, or is not known to stand, is of nobody who could be answered. */
  #receive(bytes: Uint8Array, path: UdpPath): void {
    const { bearer } = path;
    const known = this.placement.ipsec === undefined || (bearer !== undefined && this.#channels.has(bearer));
    if (known) this.#runner.run((now) => this.machine.receive(now, bytes, path));
  }

  /** What cannot be undone is said and passed over: the rest has to go all the same. */
  async #takeDown(): Promise<void> {
    const { dispatch, networks, onStep } = this.#services;
    const { device } = this.placement;
    const id = this.#interface;
    this.#stopTakingCalls?.();
    this.#stopTakingCalls = undefined;
    this.#channels.clear();
    this.#interface = undefined;
    this.#routed = '';
    if (id !== undefined) {
      try {
        await networks.down(device);
      } catch (error) {
        onStep({ step: 'routes', detail: `those of ${device} could not be removed: ${errorText(error)}` });
      }
      // Refused only by a data plane that is gone, and its TUNs with it.
      await dispatch.dataPlane.removeInterface(id).catch(() => undefined);
    }
    await this.#socket.close();
  }

  #handle(output: L2tpServerOutput): void {
    const { dispatch, onStep, radius } = this.#services;
    switch (output.kind) {
      case 'send':
        this.#socket.send(output.path, output.datagram);
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
        onStep({ step: 'user up', detail: `${whom(output.user)} has ${output.address}` });
        this.#userPrefixes.set(output.id, this.#notRoutedAnyway(output.prefixes));
        this.#watch(output);
        this.#queueRoutes();
        return;
      case 'user-down':
        onStep({ step: 'user down', detail: `${whom(output.user)} had ${output.address}` });
        this.#userPrefixes.delete(output.id);
        this.#userPrefixes6.delete(output.id);
        this.#unwatch(output.id);
        if (output.accounted) radius?.end(output.accounted);
        this.#queueRoutes();
        return;
      case 'user-ipv6':
        if (output.prefix) onStep({ step: 'user IPv6', detail: `${whom(output.user)} has ${output.prefix}` });
        this.#userPrefixes6.set(output.id, this.#notRoutedAnyway(output.prefixes));
        this.#queueRoutes();
        return;
      case 'ask':
        this.#ask(output);
        return;
      case 'call-state':
        this.#services.onCall?.(output.name, output.state, output.failure);
        return;
      case 'session-ended':
        onStep({ step: 'session ended', detail: `${whom(output.user)}: ${failureLine(output.failure)}` });
        return;
      case 'tunnel-ended':
        onStep({ step: 'tunnel ended', detail: `${formatEndpoint(output.remote)}: ${failureLine(output.failure)}` });
        return;
    }
  }

  /** What could not be done for one session ends that session, and no other. */
  #onFault(error: unknown, output?: L2tpServerOutput): void {
    const failure = internalFailure(error);
    this.#services.onStep({ step: failure.step, detail: failure.reason });
    if (output?.kind !== 'put-session' && output?.kind !== 'ppp-send') return;
    this.#runner.run((now) => this.machine.fail(now, output.id, failure));
  }

  /** An address of the pool is routed into the TUN with its pool. */
  #notRoutedAnyway(prefixes: readonly string[]): readonly string[] {
    const pool = this.placement.prefixes.flatMap((text) => parseIpPrefix(text) ?? []);
    return prefixes.filter((text) => {
      const prefix = parseIpPrefix(text);
      return prefix === undefined || !pool.some((outer) => ipContains(outer, prefix));
    });
  }

  /** However many users come at once, their routes are made together. */
  #queueRoutes(): void {
    if (this.#routesQueued) return;
    this.#routesQueued = true;
    const route = async (): Promise<void> => {
      this.#routesQueued = false;
      await this.#route();
    };
    this.#tasks.run(route).catch((error: unknown) => {
      this.#services.onStep({ step: 'routes', detail: `a user's networks are not reached: ${errorText(error)}` });
    });
  }

  /** Brings addresses and routes of the TUN up to date. */
  async #route(): Promise<void> {
    if (this.#interface === undefined || this.#stopping) return;
    const { name, device } = this.placement;
    const ofUsers = [...this.#userPrefixes.values(), ...this.#userPrefixes6.values()].flat();
    const prefixes = [...new Set([...this.placement.prefixes, ...ofUsers])];
    const text = [...prefixes].sort().join(' ');
    if (text === this.#routed) return;
    const { localAddress, ipv6Addresses } = this.machine;
    const ipv4 = { name, device, localAddress, dns: [], prefixes };
    const ipv6 = ipv6Addresses.length === 0 ? {} : { ipv6: { addresses: ipv6Addresses } };
    await this.#services.networks.up({ ...ipv4, ...ipv6 });
    this.#routed = text;
  }

  #putSession(id: string): void {
    const { dispatch } = this.#services;
    const shape = this.#shapes.get(id);
    const socket = this.#socket.id;
    if (!shape || socket === undefined) return;
    let key = this.#keys.get(id);
    if (key === undefined) {
      key = dispatch.nextId();
      this.#keys.set(id, key);
      this.#ids.set(key, id);
      dispatch.ownSession(key, (frame) => this.#runner.run((now) => this.machine.receiveFrame(now, id, frame)));
    }
    const { network, relay, ...rest } = shape;
    const onward = relay === undefined ? undefined : this.#keys.get(relay);
    dispatch.dataPlane.putSession({
      ...rest,
      key,
      socket,
      ...(onward === undefined ? {} : { relay: onward }),
      ...(network && this.#interface !== undefined ? { network: { ...network, interface: this.#interface } } : {}),
    });
  }

  #removeSession(id: string): void {
    const { dispatch } = this.#services;
    const key = this.#keys.get(id);
    this.#unwatch(id);
    this.#services.radius?.forget(id);
    this.#keys.delete(id);
    this.#shapes.delete(id);
    if (key === undefined) return;
    this.#ids.delete(key);
    dispatch.disownSession(key);
    dispatch.dataPlane.removeSession(key);
  }

  #ask({ id, verification, ...question }: Extract<L2tpServerOutput, { kind: 'ask' }>): void {
    this.#services.radius?.ask(id, question, (result) => {
      this.#runner.run((now) => {
        if (result.kind === 'answer') this.machine.answered(now, id, verification, result.answer);
        else this.machine.unanswered(now, id, verification, result.failure);
      });
    });
  }

  #watch({ id, idleMs, accounted }: Extract<L2tpServerOutput, { kind: 'user-up' }>): void {
    const { dispatch, clock, radius } = this.#services;
    const key = this.#keys.get(id);
    if (key === undefined) return;
    dispatch.traffic(clock).watch(key, this.#onTraffic);
    if (accounted) radius?.begin(key, accounted);
    if (idleMs === undefined) return;
    this.#idle.watch(key, idleMs, () => this.#runner.run((now) => this.machine.fail(now, id, idleFailure(idleMs))));
  }

  #unwatch(id: string): void {
    const { dispatch, clock } = this.#services;
    const key = this.#keys.get(id);
    if (key === undefined) return;
    dispatch.traffic(clock).unwatch(key);
    this.#idle.unwatch(key);
  }

  readonly #onTraffic = (keys: readonly SessionKey[]): void => {
    const ids = keys.flatMap((key) => this.#ids.get(key) ?? []);
    this.#runner.run((now) => this.machine.dataReceived(now, ids));
  };

  #setState(state: ConnectionState, failure?: Failure): void {
    const again = state === this.#state && failure?.reason === this.#failure?.reason;
    if (state !== this.#state) this.#stateSince = this.#services.clock.wall();
    this.#state = state;
    this.#failure = failure;
    if (!again) this.#services.onState(state, failure);
  }
}

function idleFailure(idleMs: number): Failure {
  return {
    step: 'Idle-Timeout',
    reason: `no user packet came or went for ${idleMs / 1000} s, after which the RADIUS server ends this session`,
    remedy: 'dial in again when there is something to send, or let the RADIUS server allow more silence',
  };
}

/** A user as the log names it; without authentication nobody has a name. */
function whom(user: string | undefined): string {
  return user === undefined || user === '' ? 'a peer without a name' : user;
}
