/**
 * Runs the uplinks of the configuration in force: brings them up, has them judged, chooses the one that carries the traffic, has the
 * routes follow, and says of each change what happened and why.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CarrierSense, CarrierSenseFactory } from '../../hal/carrier-sense.ts';
import type { Timer } from '../../hal/clock.ts';
import { ANY_PEER } from '../config/ipsec-schema.ts';
import type { Configuration } from '../config/schema.ts';
import { type LiveUplink, plainAddress } from '../network/uplink-routing.ts';
import type { Failure, Instant } from '../protocol/machine.ts';
import { type ConnectionState, errorText, failureLine, type Step } from '../vpn/steps.ts';
import { type Candidate, choose, graceEnds, isWanted, sharers } from './chooser.ts';
import { ManagedUplink, type ManagedUplinkServices } from './managed-uplink.ts';
import { type Told, type Transition, transitions } from './transition-words.ts';
import { type UplinkDefinition, uplinkDefinitions } from './uplink-definitions.ts';
import type { UplinkLink } from './uplink-types.ts';
import { VpnLiveness } from './vpn-liveness.ts';

/** A cold uplink stays so long after another one has taken the traffic over, ms: goodbyes and what is on its way still go by it. */
const FAREWELL_MS = 10_000;

/** How often the cables are looked at, ms: a system call each. */
const CARRIER_LOOK_MS = 200;

/** What follows from the uplinks. */
export interface UplinkHooks {
  /** Has addresses, routes and rules follow; resolves when the kernel has them. Never rejects. */
  readonly apply: (uplinks: readonly LiveUplink[]) => Promise<void>;
  /** Another uplink carries the traffic, or one has another address, and the kernel knows. */
  readonly onMoved: () => void;
  readonly onTransition: (transition: Transition) => void;
  /** Something of the status may be another one. */
  readonly onChange: () => void;
  /** A link takes a step on its way up. */
  readonly onStep: (uplink: string, step: Step) => void;
}

export interface UplinkManagerParts extends ManagedUplinkServices, Omit<UplinkHooks, 'onStep'> {
  readonly carriers: CarrierSenseFactory;
  /** The kernel knows routes with several next hops: uplinks of the same priority share the traffic. */
  readonly canShare: boolean;
  /** Makes what an uplink consists of. */
  readonly linkOf: (definition: UplinkDefinition) => UplinkLink;
}

export class UplinkManager {
  readonly #parts: UplinkManagerParts;
  #uplinks = new Map<string, ManagedUplink>();
  readonly #liveness = new VpnLiveness();
  #carrying: string | undefined;
  /** Those that have a part of new connections, in their order: {@link #carrying} alone, or with its equals. */
  #sharing: readonly string[] = [];
  /** The one that carried the traffic before, which may still be needed. */
  #leaving: { readonly name: string; readonly until: Instant } | undefined;
  /** Connections whose peer is called, and the uplink that each sticks to. */
  #bound: ReadonlyMap<string, string | undefined> = new Map();
  #told: ReadonlyMap<string, Told> = new Map();
  #sense: CarrierSense | undefined;
  #carrierTimer: Timer | undefined;
  #timer: Timer | undefined;
  /** What the kernel was last told. */
  #applied: readonly LiveUplink[] = [];
  #applying: Promise<void> | undefined;
  #ended = false;

  constructor(parts: UplinkManagerParts) {
    this.#parts = parts;
  }

  get uplinks(): ReadonlyMap<string, ManagedUplink> {
    return this.#uplinks;
  }

  /** Name of {@link carrier}. */
  get carrying(): string | undefined {
    return this.#carrying;
  }

  /** Whether new connections go by it, all of them or a part. */
  carries(name: string): boolean {
    return this.#sharing.includes(name);
  }

  /** The one that carries the traffic, or where several share it, what this router itself calls out for. */
  get carrier(): ManagedUplink | undefined {
    return this.#carrying === undefined ? undefined : this.#uplinks.get(this.#carrying);
  }

  /** By which address names are asked for, and whom; `undefined`: as the configuration of the interfaces says. */
  get nameService(): { readonly address: string; readonly dns: readonly string[] } | undefined {
    const { carrier } = this;
    const addressing = carrier?.addressing;
    if (carrier === undefined || addressing === undefined) return undefined;
    if (carrier.definition.implicit && !addressing.assign) return undefined;
    return { address: plainAddress(addressing.address), dns: addressing.dns };
  }

  /** Why an uplink is doubted though its probes are answered; `undefined`: it is not. */
  doubt(name: string): string | undefined {
    return this.#liveness.doubt(this.#parts.clock.now(), name);
  }

  /** What another configuration has no more, or otherwise, hangs up. Never rejects; {@link configure} follows. */
  async retire(configuration: Configuration): Promise<void> {
    const wanted = new Map(uplinkDefinitions(configuration).map((definition) => [definition.name, definition]));
    const leaving = [...this.#uplinks.values()].filter(({ name, definition }) => {
      return !isDeepStrictEqual(definition, wanted.get(name));
    });
    if (leaving.length === 0) return;
    await Promise.all(leaving.map((uplink) => uplink.end()));
    for (const { name } of leaving) this.#uplinks.delete(name);
    this.#evaluate();
  }

  /**
   * Takes over another configuration: what is unchanged stays as it is. Resolves when the routes of what stands at once are in the
   * kernel. Never rejects.
   */
  async configure(configuration: Configuration): Promise<void> {
    await this.retire(configuration);
    if (this.#ended) return;
    const wanted = uplinkDefinitions(configuration);
    const kept = new Map(this.#uplinks);
    this.#uplinks = new Map(
      wanted.map((definition) => [definition.name, kept.get(definition.name) ?? this.#make(definition, kept)]),
    );
    this.#bound = boundConnections(configuration);
    this.#liveness.keep(new Set(this.#bound.keys()), new Set(wanted.map(({ name }) => name)));
    this.#lookAtCables();
    this.#armCarrier();
    this.#evaluate();
    // Links that have nothing to dial for stand a moment later.
    await Promise.resolve();
    this.#evaluate();
    await this.settled();
  }

  /** Everything that was decided is in the kernel. */
  async settled(): Promise<void> {
    while (this.#applying !== undefined) await this.#applying;
  }

  /** Brings it up, and keeps it up: takes back {@link disconnect}. */
  connect(name: string): void {
    const uplink = this.#uplinks.get(name);
    if (uplink === undefined) return;
    uplink.hungUp = false;
    uplink.byHand = true;
    this.#evaluate();
  }

  /** Hangs up; it stays down until {@link connect}. Resolves when it is. */
  async disconnect(name: string): Promise<void> {
    const uplink = this.#uplinks.get(name);
    if (uplink === undefined) return;
    uplink.hungUp = true;
    uplink.byHand = false;
    const ended = uplink.stop();
    this.#evaluate();
    await ended;
    this.#evaluate();
  }

  /** What becomes of a VPN says something of the uplink by which it goes. */
  connectionState(connection: string, state: ConnectionState, failure?: Failure): void {
    const uplink = this.#uplinkOf(connection);
    if (uplink === undefined) return;
    if (state === 'up') this.#liveness.up(connection, uplink);
    else if (failure?.cause === 'silence') this.#silent(connection, uplink);
    else if (state !== 'connecting') this.#liveness.down(connection);
  }

  /** Everybody hangs up. Never rejects. */
  async stop(): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    this.#carrierTimer?.cancel();
    await Promise.all([...this.#uplinks.values()].map((uplink) => uplink.end()));
    this.#sense?.close();
    this.#sense = undefined;
    await this.settled();
  }

  #make(definition: UplinkDefinition, kept: ReadonlyMap<string, ManagedUplink>): ManagedUplink {
    const taken = new Set([...kept.values(), ...this.#uplinks.values()].map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    const place = definition.implicit ? undefined : slot;
    const uplink: ManagedUplink = new ManagedUplink(
      definition,
      place,
      this.#parts.linkOf(definition),
      this.#parts,
      () => this.#evaluate(),
    );
    // So that the next one finds this number taken.
    this.#uplinks.set(definition.name, uplink);
    return uplink;
  }

  #armCarrier(): void {
    this.#carrierTimer?.cancel();
    this.#carrierTimer = undefined;
    if (this.#ended || ![...this.#uplinks.values()].some(({ parentDevice }) => parentDevice !== undefined)) return;
    const { clock } = this.#parts;
    this.#carrierTimer = clock.setTimer(clock.now() + CARRIER_LOOK_MS, () => {
      if (this.#lookAtCables()) this.#evaluate();
      this.#armCarrier();
    });
  }

  /** @returns whether any of them is another than before. */
  #lookAtCables(): boolean {
    let changed = false;
    try {
      this.#sense ??= this.#parts.carriers.open();
      for (const uplink of this.#uplinks.values()) {
        const { cables } = uplink;
        const [own, parent = true] = cables.map((device) => this.#sense?.read(device));
        if (cables.length > 0) changed = uplink.sense(own === true ? parent : own) || changed;
      }
    } catch (error) {
      this.#parts.log(`uplinks: the cables cannot be looked at: ${errorText(error)}`);
    }
    return changed;
  }

  /** Everything anew: costs little, and is done whenever anything may be another. */
  #evaluate(): void {
    if (this.#ended) return;
    const { clock, onTransition, onChange } = this.#parts;
    const now = clock.now();
    const all = [...this.#uplinks.values()];
    for (const uplink of all) {
      // Before the cold ones are judged by what these may come to.
      if (!uplink.hungUp && uplink.definition.configuration.standby === 'warm') uplink.start();
      uplink.look(now, this.carries(uplink.name));
      const { verdict } = uplink.health;
      if (verdict === 'failed' || verdict === 'down') this.#liveness.explained(uplink.name);
    }
    const candidates = all.map((uplink) => uplink.candidate(this.doubt(uplink.name)));
    const [before, sharedBefore] = [this.#carrying, this.#sharing];
    this.#carrying = choose(candidates, before);
    const shares = this.#share(candidates);
    this.#sharing = shares.map(({ name }) => name);
    if (before !== undefined && before !== this.#carrying) this.#leaving = { name: before, until: now + FAREWELL_MS };
    for (const [index, uplink] of all.entries()) {
      const candidate = candidates[index];
      if (candidate === undefined) continue;
      if (isWanted(candidate, candidates, this.#carrying, now)) uplink.start();
      // Until another one stands, even one that nobody wants any more is better than none.
      else if (uplink.started && this.#carrying !== undefined && !this.#lingers(uplink, now)) void uplink.stop();
    }
    const told = new Map(all.map((uplink) => [uplink.name, this.#tell(uplink)]));
    const said = transitions(this.#told, told, { before, after: this.#carrying, sharedBefore, shares });
    this.#told = told;
    for (const transition of said) onTransition(transition);
    this.#apply();
    this.#arm(
      now,
      candidates.flatMap((candidate) => graceEnds(candidate) ?? []),
    );
    if (said.length > 0) onChange();
  }

  /** An implicit uplink has no table that keeps its packets to it, and shares nothing. */
  #share(candidates: readonly Candidate[]): readonly Candidate[] {
    const all = sharers(candidates, this.#carrying);
    const together = this.#parts.canShare && this.carrier?.definition.implicit === false;
    return together ? all : all.filter(({ name }) => name === this.#carrying);
  }

  #silent(connection: string, uplink: string): void {
    const { verdict, results } = this.#uplinks.get(uplink)?.health ?? {};
    // What its probes say already is no news.
    if (verdict !== 'well' || results?.at(-1) === undefined) return;
    this.#liveness.silent(this.#parts.clock.now(), connection, uplink);
    this.#evaluate();
  }

  #lingers({ name, hungUp }: ManagedUplink, now: Instant): boolean {
    return !hungUp && this.#leaving?.name === name && now < this.#leaving.until;
  }

  /** The one by which a connection goes; `undefined` where it calls nobody, or none carries the traffic. */
  #uplinkOf(connection: string): string | undefined {
    return this.#bound.has(connection) ? (this.#bound.get(connection) ?? this.#carrying) : undefined;
  }

  #tell(uplink: ManagedUplink): Told {
    const { verdict, why } = uplink.health;
    const doubt = this.doubt(uplink.name);
    return {
      name: uplink.name,
      verdict,
      why: verdict === 'well' ? (doubt ?? why) : why,
      doubted: doubt !== undefined,
      hungUp: uplink.hungUp,
      ...(uplink.failure === undefined ? {} : { failure: failureLine(uplink.failure) }),
    };
  }

  #apply(): void {
    if (this.#applying !== undefined) return;
    const wanted = this.#live();
    if (isDeepStrictEqual(wanted, this.#applied)) return;
    this.#applying = this.#parts.apply(wanted).then(() => {
      this.#applied = wanted;
      this.#applying = undefined;
      if (this.#ended) return;
      const carrying = this.#carrying;
      for (const [name, uplink] of this.#bound) {
        if (uplink === undefined && carrying !== undefined) this.#liveness.moved(name, carrying);
      }
      this.#parts.onMoved();
      // What has changed meanwhile.
      this.#apply();
    });
  }

  #live(): LiveUplink[] {
    const several = this.#sharing.length > 1;
    return [...this.#uplinks.values()].flatMap(
      (uplink) => uplink.live(uplink.name === this.#carrying, several && this.carries(uplink.name)) ?? [],
    );
  }

  #arm(now: Instant, others: readonly Instant[]): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const own = [...this.#uplinks.values()].flatMap((uplink) => uplink.nextDeadline() ?? []);
    const doubts = this.#liveness.nextDeadline(now);
    const leaving = this.#leaving === undefined ? [] : [this.#leaving.until];
    const due = [...own, ...others, ...leaving, ...(doubts === undefined ? [] : [doubts])].filter((at) => at > now);
    if (due.length === 0) return;
    this.#timer = this.#parts.clock.setTimer(Math.min(...due), () => this.#evaluate());
  }
}

/** Those that call somebody, each with the uplink that it sticks to. L2TP inside IPsec goes by that of IPsec. */
function boundConnections({ l2tp, ipsec }: Configuration): Map<string, string | undefined> {
  const calling = Object.entries(ipsec.connections).filter(([, { remote }]) => remote !== ANY_PEER);
  const bound = new Map<string, string | undefined>(calling.map(([name, { uplink }]) => [name, uplink]));
  for (const [name, { uplink, ipsec: protection }] of Object.entries(l2tp.clients)) {
    bound.set(name, uplink ?? (protection === undefined ? undefined : bound.get(protection)));
  }
  return bound;
}
