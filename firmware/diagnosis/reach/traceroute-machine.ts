/** Traceroute without hands: echo requests that may go one router farther each time, and who sends them back. */
import { encodeEchoRequest, type IcmpFamily } from '../../protocol/icmp/icmp-message.ts';
import type { Instant, Machine } from '../../protocol/machine.ts';
import { decoded, isSame, type ReachOutput } from './ping-machine.ts';
import type { HopProbe, ReachError, TracerouteEvent } from './reach-event.ts';
import { messageError, refusalError } from './reach-words.ts';

/** Requests for each hop. */
export const PROBES = 3;

/** How long their answers are waited for, ms. */
export const HOP_MS = 1500;

/** Between the requests of one hop, ms: routers answer only so many in a moment. */
const APART_MS = 50;

export interface TracerouteOptions {
  readonly family: IcmpFamily;
  /** As in `PingOptions`. */
  readonly identifier: number;
  readonly hops: number;
  readonly data: Uint8Array;
}

export class TracerouteMachine implements Machine<ReachOutput<TracerouteEvent>> {
  readonly #options: TracerouteOptions;
  readonly #outputs: ReachOutput<TracerouteEvent>[] = [];
  #hop = 1;
  /** Of the present hop: when each request left, and what became of it. */
  #left: Instant[] = [];
  #probes: (HopProbe | undefined)[] = [];
  #nextSend: Instant;
  /** Nobody farther away need be asked. */
  #arrived = false;
  #reached = false;
  #enough = false;
  #pathMtu: number | undefined;
  #ended = false;

  constructor(options: TracerouteOptions, now: Instant) {
    this.#options = options;
    this.#nextSend = now;
  }

  tick(now: Instant): void {
    if (this.#ended) return;
    const last = this.#left[PROBES - 1];
    if (last !== undefined && (this.#told === PROBES || now >= last + HOP_MS)) this.#closeHop(now);
    if (!this.#ended && this.#left.length < PROBES && now >= this.#nextSend) this.#send(now);
  }

  nextDeadline(): Instant | undefined {
    if (this.#ended) return undefined;
    const last = this.#left[PROBES - 1];
    if (last === undefined) return this.#nextSend;
    return this.#told === PROBES ? last : last + HOP_MS;
  }

  poll(): ReachOutput<TracerouteEvent> | undefined {
    return this.#outputs.shift();
  }

  /** As of `PingMachine`. */
  received(now: Instant, at: Instant, from: string, _hopLimit: number, bytes: Uint8Array): void {
    if (this.#ended) return;
    const { family, identifier, data } = this.#options;
    const message = decoded(family, bytes);
    if (message?.identifier !== identifier) return;
    const index = this.#indexOf(message.sequence);
    const left = this.#left[index];
    if (left === undefined || this.#probes[index] !== undefined) return;
    const ms = Math.max(0, at - left);
    if (message.kind === 'reply') {
      if (!isSame(message.data, data)) return;
      this.#arrived = true;
      this.#reached = true;
      this.#probes[index] = { from, ms };
    } else if (message.kind === 'time-exceeded') this.#probes[index] = { from, ms };
    else this.#fail(index, { ...messageError(family, from, message), ms });
    this.tick(now);
  }

  /** As of `PingMachine`. */
  left(at: Instant, sequence: number): void {
    const index = this.#indexOf(sequence);
    if (this.#left[index] !== undefined) this.#left[index] = at;
  }

  /** As of `PingMachine`. */
  refused(now: Instant, sequence: number, refusal: { readonly code: string; readonly mtu: number }): void {
    const index = this.#indexOf(sequence);
    if (this.#ended || this.#left[index] === undefined || this.#probes[index] !== undefined) return;
    this.#fail(index, refusalError(this.#options.family, refusal));
    this.tick(now);
  }

  /** Somebody has had enough. */
  finish(now: Instant): void {
    if (this.#ended) return;
    this.#enough = true;
    this.#closeHop(now);
  }

  get #told(): number {
    return this.#probes.filter((probe) => probe !== undefined).length;
  }

  /** Of the request among those of the present hop; no index for one of an earlier hop. */
  #indexOf(sequence: number): number {
    return sequence - 1 - (this.#hop - 1) * PROBES;
  }

  /** Whoever says that it does not get farther ends it. */
  #fail(index: number, probe: ReachError & { readonly ms?: number }): void {
    this.#arrived = true;
    this.#probes[index] = probe;
    const { pathMtu } = probe;
    if (pathMtu !== undefined) this.#pathMtu = Math.min(this.#pathMtu ?? pathMtu, pathMtu);
  }

  #send(now: Instant): void {
    const { family, identifier, data } = this.#options;
    this.#left.push(now);
    this.#nextSend = now + APART_MS;
    const sequence = (this.#hop - 1) * PROBES + this.#left.length;
    const message = encodeEchoRequest(family, { identifier, sequence }, data);
    this.#outputs.push({ kind: 'send', sequence, message, hopLimit: this.#hop });
  }

  #closeHop(now: Instant): void {
    const probes = Array.from({ length: PROBES }, (_, index) => this.#probes[index] ?? {});
    this.#outputs.push({ kind: 'tell', event: { kind: 'hop', hop: this.#hop, probes } });
    if (this.#arrived || this.#enough || this.#hop >= this.#options.hops) {
      this.#ended = true;
      const mtu = this.#pathMtu === undefined ? {} : { pathMtu: this.#pathMtu };
      this.#outputs.push({ kind: 'tell', event: { kind: 'end', reached: this.#reached, hops: this.#hop, ...mtu } });
      return;
    }
    this.#hop += 1;
    this.#left = [];
    this.#probes = [];
    this.#nextSend = now;
  }
}
