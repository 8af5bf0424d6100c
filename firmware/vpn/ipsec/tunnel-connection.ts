import type { Clock, Timer } from '../../../hal/clock.ts';
import { TaskQueue } from '../../config/task-queue.ts';
import type { InterfaceId } from '../../dataplane/data-plane.ts';
import { isIpAddress } from '../../protocol/ip-address.ts';
import type { Failure, Instant, RandomSource } from '../../protocol/machine.ts';
import { Backoff } from '../backoff.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import { type ConnectionState, errorText, internalFailure, type Step } from '../steps.ts';
import type { TunnelNetworks } from '../tunnel-networks.ts';
import type { ChannelId } from './channel.ts';
import { noSockets } from './ipsec-failures.ts';
import type { IpsecConnectionSettings } from './ipsec-types.ts';

/** How long a connection must have stood for the next failure to count as the first one, ms. */
const STABLE_MS = 10_000;

export type TunnelSettings = IpsecConnectionSettings & Required<Pick<IpsecConnectionSettings, 'tunnel'>>;

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
  readonly onStep: (step: Step) => void;
  readonly onState: (state: ConnectionState, failure?: Failure) => void;
}

/** Whether the connection is in tunnel mode. */
export function isTunnel(settings: IpsecConnectionSettings): settings is TunnelSettings {
  return settings.tunnel !== undefined;
}

/**
 * A connection between networks: its TUN, its routes, and calls with back-off for ever, as long as somebody wants it. It
 * takes the peer's calls, too; whichever comes first is good.
 */
export class TunnelConnection {
  readonly settings: TunnelSettings;
  readonly #services: TunnelConnectionServices;
  readonly #backoff: Backoff;
  /** TUN and routes change one after the other. */
  readonly #tasks = new TaskQueue();
  #wanted = false;
  /** Counts changes of mind, so that what was begun before one does not go on after it. */
  #generation = 0;
  #calling: ChannelId | undefined;
  readonly #up = new Set<ChannelId>();
  #timer: Timer | undefined;
  #attempts = 0;
  #interface: InterfaceId | undefined;
  #routed = false;
  #upSince: Instant | undefined;
  #state: ConnectionState = 'down';
  #stateSince: number;
  #failure: Failure | undefined;

  constructor(settings: TunnelSettings, services: TunnelConnectionServices) {
    this.settings = settings;
    this.#services = services;
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
    return this.#interface;
  }

  connect(): void {
    if (this.#wanted) {
      // Whoever asks again does not want to wait for the next attempt.
      if (this.#timer !== undefined) this.#attemptNow();
      return;
    }
    this.#wanted = true;
    this.#generation += 1;
    this.#backoff.reset();
    this.#setState('connecting');
    this.#run(() => this.#begin());
  }

  /** Resolves when the peer was told, as far as it answers, and TUN and routes are gone. Never rejects. */
  async disconnect(): Promise<void> {
    this.#wanted = false;
    this.#generation += 1;
    this.#cancelTimer();
    this.#services.unserve();
    const channels = [...this.#up, ...(this.#calling === undefined ? [] : [this.#calling])];
    this.#up.clear();
    this.#calling = undefined;
    for (const channel of channels) this.#services.close(channel);
    await this.#tasks.run(() => this.#takeDown()).catch((error: unknown) => this.#step('interface', errorText(error)));
    if (!this.#wanted) this.#setState('down');
  }

  /** By a call of this side or of the peer's. */
  channelUp(channel: ChannelId): void {
    if (this.#calling === channel) this.#calling = undefined;
    this.#up.add(channel);
    this.#cancelTimer();
    this.#run(() => this.#route());
  }

  channelDown(channel: ChannelId, failure: Failure): void {
    if (this.#calling === channel) this.#calling = undefined;
    else if (!this.#up.delete(channel)) return;
    if (this.#up.size > 0 || this.#calling !== undefined || !this.#wanted) return;
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
      await this.#openInterface();
    } catch (error) {
      const { device } = this.settings.tunnel;
      const reason = `${device} could not be set up: ${errorText(error)}`;
      if (generation === this.#generation) {
        this.#failed({ step: 'interface', reason, remedy: 'see the log for the command that failed' });
      }
      return;
    }
    if (generation !== this.#generation) return;
    const waits = this.settings.remote === 'any';
    try {
      await this.#services.serve();
    } catch (error) {
      // Calling is possible all the same.
      if (waits && generation === this.#generation) this.#failed(noSockets(errorText(error)));
      if (waits) return;
    }
    if (generation !== this.#generation) return;
    if (!waits) this.#attemptNow();
    else if (this.#up.size === 0) this.#setState('up');
  }

  #attemptNow(): void {
    this.#cancelTimer();
    if (this.#interface === undefined || this.settings.remote === 'any') this.#run(() => this.#begin());
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

  async #openInterface(): Promise<void> {
    if (this.#interface !== undefined) return;
    const { dispatch } = this.#services;
    const { device, mtu } = this.settings.tunnel;
    const id = dispatch.nextId();
    await dispatch.dataPlane.addInterface({ id, name: device, mtu });
    this.#interface = id;
  }

  async #route(): Promise<void> {
    if (this.#up.size === 0) return;
    const generation = this.#generation;
    const { device, remoteSubnets } = this.settings.tunnel;
    const { networks } = this.#services;
    const network = { name: this.settings.name, device, localAddress: '', dns: [], prefixes: remoteSubnets };
    this.#routed = true;
    try {
      await networks.up(network);
    } catch (error) {
      if (generation !== this.#generation) return;
      const reason = `the routes into ${device} could not be set: ${errorText(error)}`;
      this.#drop({ step: 'routes', reason, remedy: 'see the log for the command that failed' });
      return;
    }
    if (generation !== this.#generation || this.#up.size === 0) return;
    this.#upSince = this.#services.clock.now();
    this.#setState('up');
  }

  /** Something here went wrong: it begins anew. */
  #drop(failure: Failure): void {
    for (const channel of this.#up) this.#services.close(channel);
    this.#up.clear();
    this.#run(() => this.#unroute());
    this.#failed(failure);
  }

  async #unroute(): Promise<void> {
    if (!this.#routed || this.#up.size > 0) return;
    this.#routed = false;
    const { device } = this.settings.tunnel;
    await this.#services.networks.down(device).catch((error: unknown) => {
      this.#step('routes', `those of ${device} could not be removed: ${errorText(error)}`);
    });
  }

  async #takeDown(): Promise<void> {
    if (this.#wanted) return;
    await this.#unroute();
    const id = this.#interface;
    if (id === undefined) return;
    this.#interface = undefined;
    // Refused only by a data plane that is gone, and its TUNs with it.
    await this.#services.dispatch.dataPlane.removeInterface(id).catch(() => undefined);
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
