/** Ping without hands: requests at their time, answers and errors as they come, and at the end what it comes to. */
import { DecodeError } from '../../protocol/bytes.ts';
import { decodeIcmp, encodeEchoRequest, type IcmpFamily } from '../../protocol/icmp/icmp-message.ts';
import type { Instant, Machine } from '../../protocol/machine.ts';
import type { PingEnd, PingEvent, ReachError } from './reach-event.ts';
import { largestSize, messageError, refusalError } from './reach-words.ts';

/** How long an answer is waited for, ms: twice what the slowest radio link takes. */
export const REPLY_MS = 2000;

export interface PingOptions {
  readonly family: IcmpFamily;
  /** By which the answers are known, 16 bits that nobody can foretell. */
  readonly identifier: number;
  readonly count: number;
  readonly interval: number;
  /** Sent in every request, and wanted back. */
  readonly data: Uint8Array;
}

export type ReachOutput<Event> =
  /** To be sent; when this machine refuses it, `refused` is to be told. */
  | { readonly kind: 'send'; readonly sequence: number; readonly message: Uint8Array; readonly hopLimit: number }
  | { readonly kind: 'tell'; readonly event: Event };

/** As far as a host may be away. */
const HOP_LIMIT = 64;

export class PingMachine implements Machine<ReachOutput<PingEvent>> {
  readonly #options: PingOptions;
  readonly #outputs: ReachOutput<PingEvent>[] = [];
  /** When each request left, by its number, as long as nothing was heard of it. */
  readonly #outstanding = new Map<number, Instant>();
  /** Those that were answered, as long as a second answer may come: as many as are on their way at a time. */
  readonly #answered = new Map<number, Instant>();
  #nextSend: Instant;
  #sent = 0;
  #received = 0;
  #duplicates = 0;
  #errors = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = 0;
  #sum = 0;
  #pathMtu: number | undefined;
  #ended = false;

  constructor(options: PingOptions, now: Instant) {
    this.#options = options;
    this.#nextSend = now;
  }

  tick(now: Instant): void {
    if (this.#ended) return;
    for (const [sequence, at] of this.#outstanding) {
      if (at + REPLY_MS > now) break;
      this.#outstanding.delete(sequence);
      this.#tell({ kind: 'no-reply', sequence });
    }
    for (const [sequence, at] of this.#answered) {
      if (at + REPLY_MS > now) break;
      this.#answered.delete(sequence);
    }
    if (this.#sent < this.#options.count) {
      if (now >= this.#nextSend) this.#send(now);
    } else if (this.#outstanding.size === 0) this.#end();
  }

  nextDeadline(): Instant | undefined {
    if (this.#ended) return undefined;
    const [oldest] = this.#outstanding.values();
    const silence = oldest === undefined ? Number.POSITIVE_INFINITY : oldest + REPLY_MS;
    if (this.#sent < this.#options.count) return Math.min(this.#nextSend, silence);
    return oldest === undefined ? 0 : silence;
  }

  poll(): ReachOutput<PingEvent> | undefined {
    return this.#outputs.shift();
  }

  /** An ICMP message came, of whomever. @param at when it arrived, which may be a little before `now`. */
  received(now: Instant, at: Instant, from: string, hopLimit: number, bytes: Uint8Array): void {
    if (this.#ended) return;
    const { family, identifier, data } = this.#options;
    const message = decoded(family, bytes);
    if (message?.identifier !== identifier) return;
    const { sequence } = message;
    const left = this.#outstanding.get(sequence);
    if (message.kind !== 'reply') {
      // Not of one that was answered: a router between may tell the same twice, or a stranger anything.
      if (left !== undefined) this.#failed(sequence, messageError(family, from, message));
    } else if (isSame(message.data, data)) {
      const since = left ?? this.#answered.get(sequence);
      if (since === undefined) return;
      const ms = Math.max(0, at - since);
      const reply = { kind: 'reply', sequence, from, size: message.data.length, hopLimit, ms } as const;
      if (left === undefined) {
        this.#duplicates += 1;
        this.#tell({ ...reply, duplicate: true });
      } else {
        this.#outstanding.delete(sequence);
        this.#answered.set(sequence, since);
        this.#count(ms);
        this.#tell(reply);
      }
    }
    this.tick(now);
  }

  /** A request leaves, from which its time counts. */
  left(at: Instant, sequence: number): void {
    if (this.#outstanding.has(sequence)) this.#outstanding.set(sequence, at);
  }

  /** This machine did not let a request out. */
  refused(now: Instant, sequence: number, refusal: { readonly code: string; readonly mtu: number }): void {
    if (this.#ended || !this.#outstanding.has(sequence)) return;
    this.#failed(sequence, refusalError(this.#options.family, refusal));
    this.tick(now);
  }

  /** Somebody has had enough: what is not answered by now stays so. */
  finish(): void {
    if (!this.#ended) this.#end();
  }

  get #summary(): PingEnd {
    const pathMtu = this.#pathMtu;
    return {
      kind: 'end',
      sent: this.#sent,
      received: this.#received,
      duplicates: this.#duplicates,
      errors: this.#errors,
      ...(this.#received > 0 && {
        times: { least: this.#least, average: this.#sum / this.#received, most: this.#most },
      }),
      ...(pathMtu !== undefined && { pathMtu, largestSize: largestSize(this.#options.family, pathMtu) }),
    };
  }

  #send(now: Instant): void {
    const { family, identifier, data, interval } = this.#options;
    this.#sent += 1;
    const sequence = this.#sent;
    this.#outstanding.set(sequence, now);
    this.#nextSend = Math.max(this.#nextSend + interval, now);
    const message = encodeEchoRequest(family, { identifier, sequence }, data);
    this.#outputs.push({ kind: 'send', sequence, message, hopLimit: HOP_LIMIT });
  }

  #failed(sequence: number, error: ReachError): void {
    this.#outstanding.delete(sequence);
    this.#errors += 1;
    const { pathMtu } = error;
    if (pathMtu !== undefined) this.#pathMtu = Math.min(this.#pathMtu ?? pathMtu, pathMtu);
    this.#tell({ kind: 'error', sequence, ...error });
  }

  #count(ms: number): void {
    this.#received += 1;
    this.#sum += ms;
    this.#least = Math.min(this.#least, ms);
    this.#most = Math.max(this.#most, ms);
  }

  #end(): void {
    this.#ended = true;
    this.#tell(this.#summary);
  }

  #tell(event: PingEvent): void {
    this.#outputs.push({ kind: 'tell', event });
  }
}

/** What is no message is nobody's. */
export function decoded(family: IcmpFamily, bytes: Uint8Array): ReturnType<typeof decodeIcmp> {
  try {
    return decodeIcmp(family, bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, index) => octet === other[index]);
}
