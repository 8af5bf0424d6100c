/** One uplink as the manager runs it: its link, who asks whether it works, and how well it does. */
import { isDeepStrictEqual } from 'node:util';
import { type ProbeTarget, probeTarget, probeText } from '../config/probe-target.ts';
import { type LiveUplink, plainAddress } from '../network/uplink-routing.ts';
import type { Failure, Instant } from '../protocol/machine.ts';
import { MachineRunner } from '../vpn/machine-runner.ts';
import { errorText } from '../vpn/steps.ts';
import type { Candidate } from './chooser.ts';
import { Health, type HealthView } from './health.ts';
import type { ModemStatus } from './modem/cellular-modem.ts';
import { ProbeRounds, type RoundOutput, type RoundTarget } from './probe-rounds.ts';
import { type ProbeServices, ProbeSockets } from './probe-sockets.ts';
import type { UplinkDefinition } from './uplink-definitions.ts';
import type { LinkView, UplinkAddressing, UplinkLink } from './uplink-types.ts';

/** An uplink that costs money and carries nothing is asked so much less often, while nothing changes. */
const METERED_SLOWNESS = 30;

export interface ManagedUplinkServices extends ProbeServices {
  readonly log: (line: string) => void;
}

interface Prober {
  readonly addressing: UplinkAddressing;
  readonly rounds: ProbeRounds;
  readonly runner: MachineRunner<RoundOutput>;
  readonly sockets: ProbeSockets;
}

export class ManagedUplink {
  readonly definition: UplinkDefinition;
  /** Number of its table; absent where it has none. */
  readonly slot: number | undefined;
  /** Somebody has hung it up by hand. */
  hungUp = false;
  /** Somebody wants it connected, whether it is needed or not. */
  byHand = false;
  readonly #services: ManagedUplinkServices;
  readonly #link: UplinkLink;
  readonly #health: Health;
  readonly #onChange: () => void;
  /** Wanted and started; else it is down, or on its way there. */
  #started = false;
  #ended = false;
  #startedAt: Instant = 0;
  #everUp = false;
  /** Of the cable: `undefined` where there is none of which anybody could know. */
  #carrier: boolean | undefined;
  #missing = false;
  #prober: Prober | undefined;
  #carries = false;
  #ending: Promise<void> | undefined;

  constructor(
    definition: UplinkDefinition,
    slot: number | undefined,
    link: UplinkLink,
    services: ManagedUplinkServices,
    onChange: () => void,
  ) {
    this.definition = definition;
    this.slot = slot;
    this.#link = link;
    this.#services = services;
    this.#onChange = onChange;
    const { health } = definition.configuration;
    const settings = {
      fall: health.fall,
      rise: health.rise,
      lossPercent: health.lossPercent,
      latencyMs: health.latencyMilliseconds,
      holdMs: health.holdSeconds * 1000,
    };
    this.#health = new Health(settings, services.clock.now());
    link.onChange = onChange;
  }

  get name(): string {
    return this.definition.name;
  }

  /** Device of the cable that it is built on; absent for a modem. */
  get parentDevice(): string | undefined {
    return this.definition.interface?.device;
  }

  /** Devices whose carriers it needs: a VLAN follows its parent late. */
  get cables(): readonly string[] {
    const { device, vlan } = this.definition.interface ?? {};
    return device === undefined ? [] : [device, ...(vlan === undefined ? [] : [vlan.parent])];
  }

  get started(): boolean {
    return this.#started;
  }

  /** Harmless when it is started; one that is still being stopped starts when that is done. */
  start(): void {
    if (this.#started || this.#ended) return;
    this.#started = true;
    this.#startedAt = this.#services.clock.now();
    if (this.#ending === undefined) this.#link.start();
  }

  /** Resolves when it is down. Never rejects. */
  stop(): Promise<void> {
    if (!this.#started) return this.#ending ?? Promise.resolve();
    this.#started = false;
    this.#stopProbing();
    const ending = this.#link.stop().finally(() => {
      this.#ending = undefined;
      if (this.#started) this.#link.start();
      this.#onChange();
    });
    this.#ending = ending;
    return ending;
  }

  /** For good. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#link.onChange = undefined;
    this.#stopProbing();
    await this.stop();
    await this.#link.dispose?.();
  }

  /** @param carrier what there is to be known of its cable: `undefined`: there is no such device. */
  sense(carrier: boolean | undefined): boolean {
    const [was, wasMissing] = [this.#carrier, this.#missing];
    this.#carrier = carrier ?? false;
    this.#missing = carrier === undefined;
    const changed = was !== this.#carrier || wasMissing !== this.#missing;
    if (changed && was === false && carrier === true && this.#started) this.#link.parentReturned();
    return changed;
  }

  /** Takes notice of what the link is like now. @param carries whether it carries the traffic. */
  look(now: Instant, carries: boolean): void {
    this.#carries = carries;
    const addressing = this.addressing;
    if (addressing === undefined) {
      this.#stopProbing();
      if (this.#started) this.#health.linkDown(now, this.#whyDown());
      else this.#health.rest(now, this.#whyDown());
      return;
    }
    this.#everUp = true;
    this.#health.linkUp(now);
    this.#probe(now, addressing);
    this.#health.tick(now);
    this.#prober?.rounds.setInterval(now, this.#interval());
    this.#prober?.runner.run(() => undefined);
  }

  /** While it has an address and its cable is in. */
  get addressing(): UplinkAddressing | undefined {
    const view = this.#link.view();
    return this.#started && view.state === 'up' && this.#carrier !== false ? view.addressing : undefined;
  }

  /** Its address, plain. */
  get address(): string | undefined {
    const { addressing } = this;
    return addressing && plainAddress(addressing.address);
  }

  get modem(): ModemStatus | undefined {
    return this.#link.modem?.();
  }

  get linkView(): LinkView {
    return this.#link.view();
  }

  get health(): HealthView {
    return this.#health.view();
  }

  /** Targets that are silent although others answer. */
  get silentTargets(): readonly string[] {
    return this.#prober?.rounds.silentTargets ?? [];
  }

  get failure(): Failure | undefined {
    if (!this.#started) return undefined;
    if (this.#missing || this.#carrier === false) {
      const remedy = this.#missing
        ? 'plug it in, or correct the device of its interface'
        : 'check the cable and what is at its other end';
      return { step: 'link', reason: this.#whyDown(), remedy };
    }
    const { state, failure } = this.#link.view();
    return state === 'up' ? undefined : failure;
  }

  nextDeadline(): Instant | undefined {
    return this.#health.nextDeadline();
  }

  candidate(doubt: string | undefined): Candidate {
    const { priority, weight, standby } = this.definition.configuration;
    const view = this.#link.view();
    const starting =
      this.#started &&
      !this.#everUp &&
      view.failure === undefined &&
      view.state !== 'failed' &&
      this.#carrier !== false;
    return {
      name: this.name,
      priority,
      weight,
      cold: standby === 'cold' && !this.byHand,
      verdict: this.#health.view().verdict,
      hungUp: this.hungUp,
      ...(doubt === undefined ? {} : { doubt }),
      ...(starting ? { startingSince: this.#startedAt } : {}),
    };
  }

  /** For the routes; `undefined` while it has no address. */
  live(carries: boolean, shares: boolean): LiveUplink | undefined {
    const { addressing } = this;
    if (addressing === undefined) return undefined;
    const { device, address, gateway, routes, assign } = addressing;
    return {
      name: this.name,
      device,
      address,
      assign,
      carries,
      ...(shares ? { share: this.definition.configuration.weight } : {}),
      ...(gateway === undefined ? {} : { gateway }),
      ...(routes === undefined ? {} : { routes }),
      ...(this.slot === undefined ? {} : { slot: this.slot }),
    };
  }

  #whyDown(): string {
    const { parentDevice } = this;
    if (!this.#started) return this.hungUp ? 'it was disconnected on request' : 'it waits until it is needed';
    if (this.#missing) return `there is no network device ${parentDevice}`;
    if (this.#carrier === false) return `no carrier on ${parentDevice}`;
    const { failure, doing } = this.#link.view();
    return failure?.reason ?? (doing === '' ? 'there is no link' : doing);
  }

  #interval(): number {
    const { metered, health } = this.definition.configuration;
    const { verdict, results } = this.#health.view();
    const last = results.at(-1);
    const settled = (verdict === 'well' && last !== undefined) || (verdict === 'failed' && last === undefined);
    const slow = metered && !this.#carries && settled;
    return health.intervalMilliseconds * (slow ? METERED_SLOWNESS : 1);
  }

  #probe(now: Instant, addressing: UplinkAddressing): void {
    if (this.#prober !== undefined && isDeepStrictEqual(this.#prober.addressing, addressing)) return;
    this.#stopProbing();
    const targets = targetsOf(this.definition, addressing);
    if (targets.length === 0) {
      this.#health.unprobed(now);
      return;
    }
    const { clock } = this.#services;
    const {
      intervalMilliseconds: intervalMs,
      timeoutMilliseconds: timeoutMs,
      fall,
    } = this.definition.configuration.health;
    const rounds = new ProbeRounds({ targets, intervalMs, timeoutMs, fall }, now);
    const via = { device: addressing.device, address: plainAddress(addressing.address) };
    const sockets: ProbeSockets = new ProbeSockets(this.#services, via, {
      answered: (id, at) => runner.run((when) => rounds.answered(when, id, at)),
      refused: (id, why) => runner.run((when) => rounds.refused(when, id, why)),
    });
    const runner: MachineRunner<RoundOutput> = new MachineRunner(
      rounds,
      clock,
      (output) => this.#onRound(output, sockets),
      (error) =>
        this.#services.log(`uplink ${this.name}: a probe failed by a mistake of the program: ${errorText(error)}`),
    );
    this.#prober = { addressing, rounds, runner, sockets };
    runner.run((when) => rounds.tick(when));
  }

  #onRound(output: RoundOutput, sockets: ProbeSockets): void {
    const now = this.#services.clock.now();
    switch (output.kind) {
      case 'ask':
        sockets.ask(output.id, output.target);
        return;
      case 'forget':
        sockets.forget(output.id);
        return;
      case 'answered':
        this.#health.answered(now, output.ms);
        this.#onChange();
        return;
      case 'lost':
        this.#health.lost(now, output.text);
        this.#onChange();
        return;
    }
  }

  #stopProbing(): void {
    this.#prober?.runner.stop();
    this.#prober?.sockets.close();
    this.#prober = undefined;
  }
}

/** Those of the configuration; without any, for what is an entry of `uplinks`, the gateway, or the DNS server of the provider. */
function targetsOf({ implicit, configuration }: UplinkDefinition, { gateway, dns }: UplinkAddressing): RoundTarget[] {
  if (implicit) return [];
  const { probes } = configuration.health;
  const configured = probes.flatMap((probe) => {
    const target = probeTarget(probe);
    return target === undefined ? [] : [{ target, text: probeText(probe) }];
  });
  if (configured.length > 0) return configured;
  const address = gateway ?? dns.find((server) => !server.includes(':'));
  if (address === undefined) return [];
  const target: ProbeTarget = { kind: 'icmp', address };
  return [{ target, text: `icmp ${address}` }];
}
