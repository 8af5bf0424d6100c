import type { Clock, Timer } from '../../../hal/clock.ts';
import { TaskQueue } from '../../config/task-queue.ts';
import type { InterfaceId, SaKey } from '../../dataplane/data-plane.ts';
import type { AssignedConfiguration } from '../../protocol/ike/authentication.ts';
import { isIpAddress, parseIpv4 } from '../../protocol/ip-address.ts';
import type { Failure, Instant, RandomSource } from '../../protocol/machine.ts';
import { Backoff } from '../backoff.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import type { IdleWatch } from '../idle-watch.ts';
import { type ConnectionState, errorText, internalFailure, type Step } from '../steps.ts';
import type { TunnelNetworks } from '../tunnel-networks.ts';
import type { ChannelId } from './channel.ts';
import { noIpv4Address, noSockets } from './ipsec-failures.ts';
import type { IpsecConnectionSettings, TunnelSettings } from './ipsec-types.ts';
import { TunnelInterface } from './tunnel-interface.ts';

/** How long a connection must have stood for the next failure to count as the first one, ms. */
const STABLE_MS = 10_000;

export interface TunnelConnectionServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly networks: TunnelNetworks;
  readonly resolve: (name: string) => Promise<readonly string[] | Failure>;
  /** `channelUp` or `channelDown` follows, never before this returns. */
  readonly dial: (remoteAddress: string) => ChannelId;
  readonly close: (channel: ChannelId) => void;
  /** Takes calls, until {@link TunnelConnectionServices.unserve}. @throws Error in words when that cannot be. */
  readonly serve: () => Promise<void>;
  readonly unserve: () => void;
  readonly idle: IdleWatch;
  /** Pairs that carry the packets of these channels. */
  readonly sasOf: (channels: ReadonlySet<ChannelId>) => readonly SaKey[];
  readonly onStep: (step: Step) => void;
  readonly onState: (state: ConnectionState, failure?: Failure) => void;
}

/** Whether the connection is in tunnel mode. */
export function isTunnel(settings: IpsecConnectionSettings): settings is TunnelSettings {
  return settings.tunnel !== undefined;
}

/**
 * A connection between networks: its TUN, its routes, and calls with back-off for ever, as long as somebody wants it, or
 * from the first packet on until it is up. It takes the peer's calls, too; whichever comes first is good.
 */
export class TunnelConnection {
  readonly settings: TunnelSettings;
  readonly #services: TunnelConnectionServices;
  readonly #backoff: Backoff;
  /** TUN and routes change one after the other. */
  readonly #tasks = new TaskQueue();
  #wanted = false;
  /** It calls until it is up: somebody, or a packet, wants it now. */
  #woken = false;
  /** Counts changes of mind, so that what was begun before one does not go on after it. */
  #generation = 0;
  #calling: ChannelId | undefined;
  readonly #up = new Set<ChannelId>();
  #assigned: AssignedConfiguration | undefined;
  #timer: Timer | undefined;
  #attempts = 0;
  readonly #tun: TunnelInterface;
  /** TUN, routes and sockets stand. */
  #ready = false;
  #upSince: Instant | undefined;
  #state: ConnectionState = 'down';
  #stateSince: number;
  #failure: Failure | undefined;

  constructor(settings: TunnelSettings, services: TunnelConnectionServices) {
    this.settings = settings;
    this.#services = services;
    this.#tun = new TunnelInterface(settings, { ...services, onTraffic: () => this.#onTraffic() });
    this.#backoff = new Backoff(services.random);
    this.#stateSince = services.clock.wall();
  }

  get wanted(): boolean {
    return this.#wanted;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Wall clock, ms. */
  get stateSince(): number {
    return this.#stateSince;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** The TUN, while it is there. */
  get interface(): InterfaceId | undefined {
    return this.#tun.id;
  }

  /** TUN and routes stand, and nobody has called: the first packet that goes there will have it call. */
  get waitsForTraffic(): boolean {
    return this.#ready && this.#rests;
  }

  connect(): void {
    if (this.#wanted && !this.#woken) {
      if (this.#up.size === 0) this.#wake();
      return;
    }
    if (this.#wanted) {
      // Whoever asks again does not want to wait for the next attempt.
      if (this.#timer !== undefined) this.#attemptNow();
      return;
    }
    this.#wanted = true;
    this.#woken = true;
    this.#generation += 1;
    this.#backoff.reset();
    this.#setState('connecting');
    this.#run(() => this.#begin());
  }

  /** What the last attempt failed by may be over: one that is waited for is made now. */
  retry(): void {
    if (!this.#wanted || this.#timer === undefined) return;
    this.#backoff.reset();
    this.#attemptNow();
  }

  /** With `start: "traffic"`: TUN and routes from now on, and a call when packets come. */
  arm(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#generation += 1;
    this.#run(() => this.#begin());
  }

  /** Resolves when the peer was told, as far as it answers, and TUN and routes are gone. Never rejects. */
  async disconnect(): Promise<void> {
    this.#wanted = false;
    this.#woken = false;
    this.#ready = false;
    this.#generation += 1;
    this.#cancelTimer();
    this.#watchIdle(false);
    this.#services.unserve();
    const channels = [...this.#up, ...(this.#calling === undefined ? [] : [this.#calling])];
    this.#up.clear();
    this.#calling = undefined;
    for (const channel of channels) this.#services.close(channel);
    await this.#tasks.run(() => this.#takeDown()).catch((error: unknown) => this.#step('interface', errorText(error)));
    if (!this.#wanted) this.#setState('down');
  }

  /** By a call of this side or of the peer's. @param configuration what the peer assigned, if it was asked. */
  channelUp(channel: ChannelId, configuration?: AssignedConfiguration): void {
    this.#assigned = configuration;
    if (this.#calling === channel) this.#calling = undefined;
    this.#up.add(channel);
    this.#cancelTimer();
    this.#run(() => this.#route());
  }

  channelDown(channel: ChannelId, failure: Failure): void {
    if (this.#calling === channel) this.#calling = undefined;
    else if (!this.#up.delete(channel)) return;
    if (this.#up.size > 0 || this.#calling !== undefined || !this.#wanted) return;
    if (this.#waits && (this.#state === 'up' || !this.#woken)) {
      this.#step(failure.step, failure.reason);
      this.#rest();
      return;
    }
    this.#run(() => this.#unroute());
    if (this.settings.remote === 'any') {
      // Whoever is gone may call again: this side waits as before.
      this.#upSince = undefined;
      this.#step(failure.step, failure.reason);
      this.#setState('up');
      return;
    }
    const { clock } = this.#services;
    if (this.#upSince !== undefined && clock.now() - this.#upSince >= STABLE_MS) this.#backoff.reset();
    this.#failed(failure);
    if (failure.cause === 'moved') this.#attemptNow();
  }

  async #begin(): Promise<void> {
    const generation = this.#generation;
    try {
      await this.#tun.open();
      if (this.#waits) await this.#tun.route();
    } catch (error) {
      const { device } = this.settings.tunnel;
      const reason = `${device} could not be set up: ${errorText(error)}`;
      if (generation === this.#generation) {
        this.#failed({ step: 'interface', reason, remedy: 'see the log for the command that failed' });
      }
      return;
    }
    if (generation !== this.#generation) return;
    const answersOnly = this.settings.remote === 'any';
    try {
      await this.#services.serve();
    } catch (error) {
      // Calling is possible all the same.
      if (answersOnly && generation === this.#generation) this.#failed(noSockets(errorText(error)));
      if (answersOnly) return;
    }
    if (generation !== this.#generation) return;
    this.#ready = true;
    if (!answersOnly && this.#woken) this.#attemptNow();
    else if (!answersOnly) this.#setState(this.#up.size > 0 ? 'up' : 'down');
    else if (this.#up.size === 0) this.#setState('up');
  }

  #attemptNow(): void {
    this.#cancelTimer();
    if (this.#tun.id === undefined || this.settings.remote === 'any') this.#run(() => this.#begin());
    else if (this.#up.size === 0 && this.#calling === undefined) void this.#attempt();
  }

  async #attempt(): Promise<void> {
    const generation = this.#generation;
    const { remote } = this.settings;
    this.#setState('connecting');
    try {
      const addresses = isIpAddress(remote) ? [remote] : await this.#resolve(remote);
      const stale = generation !== this.#generation || this.#up.size > 0 || this.#calling !== undefined;
      if (stale) return;
      if (isFailure(addresses)) {
        this.#failed(addresses);
        return;
      }
      const address = addresses[this.#attempts % addresses.length];
      this.#attempts += 1;
      if (address !== undefined) this.#calling = this.#services.dial(address);
      else this.#failed({ step: 'resolve', reason: `${remote} has no address`, remedy: 'check the name of the peer' });
    } catch (error) {
      if (generation === this.#generation) this.#failed(internalFailure(error));
    }
  }

  #resolve(name: string): Promise<readonly string[] | Failure> {
    this.#step('resolve', name);
    return this.#services.resolve(name);
  }

  #failed(failure: Failure): void {
    if (!this.#wanted) return;
    this.#upSince = undefined;
    this.#setState('failed', failure);
    const { clock } = this.#services;
    const refused = failure.cause === 'refused' || failure.cause === 'no-proposal';
    this.#cancelTimer();
    this.#timer = clock.setTimer(clock.now() + this.#backoff.next(refused), () => this.#attemptNow());
  }

  /** TUN and routes stand while nobody has called. */
  get #waits(): boolean {
    return this.settings.tunnel.start === 'traffic';
  }

  /** Nobody has called, and packets would have it call. */
  get #rests(): boolean {
    return this.#wanted && !this.#woken && this.#tun.id !== undefined && this.#up.size === 0;
  }

  /** Packets wait on the TUN, perhaps before the last of its routes stands. */
  #onTraffic(): void {
    if (!this.#rests) return;
    this.#step('demand', 'packets wait for the connection: calling');
    this.#wake();
  }

  #wake(): void {
    this.#woken = true;
    this.#backoff.reset();
    this.#setState('connecting');
    this.#attemptNow();
  }

  /** It waits for packets again. */
  #rest(): void {
    this.#woken = false;
    this.#upSince = undefined;
    this.#cancelTimer();
    this.#watchIdle(false);
    this.#setState('down');
  }

  #watchIdle(wanted: boolean): void {
    const { idle, sasOf } = this.#services;
    const id = this.#tun.id;
    const { idleSeconds = 0 } = this.settings.tunnel;
    if (id === undefined || !this.#waits || idleSeconds === 0) return;
    if (wanted)
      idle.watch(
        id,
        idleSeconds * 1000,
        () => this.#onIdle(),
        () => sasOf(this.#up),
      );
    else idle.unwatch(id);
  }

  #onIdle(): void {
    this.#step('idle', `no packet either way for ${this.settings.tunnel.idleSeconds} s: hanging up`);
    const channels = [...this.#up];
    this.#up.clear();
    for (const channel of channels) this.#services.close(channel);
    this.#rest();
  }

  async #route(): Promise<void> {
    if (this.#up.size === 0) return;
    const generation = this.#generation;
    const { device, virtualAddress } = this.settings.tunnel;
    const { addresses = [], dns = [] } = this.#assigned ?? {};
    const address = addresses.find((text) => parseIpv4(text) !== undefined);
    const refusal = virtualAddress ? this.#refusalOf(address, dns) : undefined;
    if (refusal !== undefined) {
      this.#drop(refusal);
      return;
    }
    try {
      await this.#tun.route(virtualAddress && address, virtualAddress && dns);
    } catch (error) {
      if (generation !== this.#generation) return;
      const reason = `the routes into ${device} could not be set: ${errorText(error)}`;
      this.#drop({ step: 'routes', reason, remedy: 'see the log for the command that failed' });
      return;
    }
    if (generation !== this.#generation || this.#up.size === 0) return;
    if (this.#state !== 'up') this.#watchIdle(true);
    this.#upSince = this.#services.clock.now();
    this.#setState('up');
  }

  /** Why what the peer assigned cannot be taken. */
  #refusalOf(address: string | undefined, dns: readonly string[]): Failure | undefined {
    if (address === undefined) return noIpv4Address();
    return this.#services.networks.review(this.settings.tunnel.device, { localAddress: address, dns });
  }

  /** Something here went wrong: it begins anew. */
  #drop(failure: Failure): void {
    for (const channel of this.#up) this.#services.close(channel);
    this.#up.clear();
    this.#run(() => this.#unroute());
    this.#failed(failure);
  }

  async #unroute(): Promise<void> {
    if (this.#up.size === 0 && !this.#waits) await this.#tun.unroute();
  }

  async #takeDown(): Promise<void> {
    if (!this.#wanted) await this.#tun.close();
  }

  #run(task: () => Promise<void>): void {
    this.#tasks.run(task).catch((error: unknown) => this.#drop(internalFailure(error)));
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #step(step: string, detail: string): void {
    this.#services.onStep({ step, detail });
  }

  #setState(state: ConnectionState, failure?: Failure): void {
    if (state === 'up' || state === 'down') this.#failure = undefined;
    if (failure !== undefined) this.#failure = failure;
    if (state === this.#state && failure === undefined) return;
    if (state !== this.#state) this.#stateSince = this.#services.clock.wall();
    this.#state = state;
    this.#services.onState(state, failure);
  }
}

function isFailure(result: readonly string[] | Failure): result is Failure {
  return !Array.isArray(result);
}
