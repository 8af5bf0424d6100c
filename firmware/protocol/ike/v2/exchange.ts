/**
 * Requests of this side: one at a time (window size 1, RFC 7296 section 2.3), retransmitted byte for byte (section
 * 2.1).
 */
import type { Instant } from '../../machine.ts';
import type { IkeSa } from './ike-sa.ts';
import type { ExchangeName } from './numbers.ts';
import type { Payload } from './payload.ts';

/** What an exchange is about: it decides what may overlap with what (section 2.25). */
export type Duty =
  | 'init'
  | 'auth'
  | 'child'
  | 'child-delete'
  | 'ike-rekey'
  | 'ike-delete'
  | 'addresses'
  | 'informational';

/** What a message held, before it was encrypted, whole. */
export interface OpenedContent {
  /** Type of the first payload; 0: none. */
  readonly firstType: number;
  /** Payloads one behind the other. */
  readonly content: Uint8Array;
  /** Second octet of the Encrypted payload's header, as it came; of the first fragment. */
  readonly reserved: number;
}

/** A response as it came. */
export interface ReceivedResponse {
  readonly payloads: readonly Payload[];
  /** What was encrypted, in octets; absent in IKE_SA_INIT. */
  readonly opened?: OpenedContent;
  /** The whole message in octets; of use in IKE_SA_INIT only. */
  readonly message: Uint8Array;
  /** Responder's SPI of the header. */
  readonly spiR: Uint8Array;
}

/** What an exchange makes of a response. */
export type Finished =
  | { readonly kind: 'done' }
  /** Not the answer: go on waiting for one. IKE_SA_INIT alone, whose answers anybody could send. */
  | { readonly kind: 'wait' }
  /** The same request again, but changed: IKE_SA_INIT alone. */
  | { readonly kind: 'again'; readonly payloads: readonly Payload[] };

export const DONE: Finished = { kind: 'done' };

/** One request and what its response leads to. */
export interface Exchange {
  readonly name: ExchangeName;
  readonly duty: Duty;
  /** Payloads of the request, when its turn has come; `undefined`: it is not wanted any more. */
  begin(now: Instant, sa: IkeSa): readonly Payload[] | undefined;
  finish(now: Instant, sa: IkeSa, response: ReceivedResponse): Finished;
  /** No response came, and the IKE SA is about to end for it. */
  unanswered?(now: Instant, sa: IkeSa): void;
}

export interface RetransmitPolicy {
  readonly firstMs: number;
  readonly capMs: number;
  readonly tries: number;
}

interface Outstanding {
  readonly exchange: Exchange;
  readonly messageId: number;
  datagrams: readonly Uint8Array[];
  tried: number;
  intervalMs: number;
  deadline: Instant;
  readonly since: Instant;
}

/** How the window reaches the rest of its IKE SA. */
export interface WindowHost {
  /** Encodes a request. */
  seal(exchange: ExchangeName, messageId: number, payloads: readonly Payload[]): readonly Uint8Array[];
  transmit(datagrams: readonly Uint8Array[], again: boolean): void;
  /** The peer never answered. */
  silent(now: Instant, exchange: Exchange): void;
}

export class RequestWindow {
  readonly #sa: IkeSa;
  readonly #host: WindowHost;
  readonly #policy: RetransmitPolicy;
  #queue: Exchange[] = [];
  #current: Outstanding | undefined;
  #nextMessageId = 0;

  constructor(sa: IkeSa, host: WindowHost, policy: RetransmitPolicy) {
    this.#sa = sa;
    this.#host = host;
    this.#policy = policy;
  }

  /** The exchange whose response is awaited. */
  get current(): Exchange | undefined {
    return this.#current?.exchange;
  }

  /** Datagrams of the request whose response is awaited. */
  get currentDatagrams(): readonly Uint8Array[] {
    return this.#current?.datagrams ?? [];
  }

  /** Message ID that a response has to have. */
  get awaitedId(): number | undefined {
    return this.#current?.messageId;
  }

  get idle(): boolean {
    return this.#current === undefined && this.#queue.length === 0;
  }

  get deadline(): Instant | undefined {
    return this.#current?.deadline;
  }

  /** Whether something of this duty is under way or waits for its turn. */
  has(duty: Duty): boolean {
    return this.current?.duty === duty || this.#queue.some((exchange) => exchange.duty === duty);
  }

  /** Waits for its turn; {@link pump} begins it. */
  add(exchange: Exchange): void {
    this.#queue.push(exchange);
  }

  /** Is the next one. */
  addFirst(exchange: Exchange): void {
    this.#queue.unshift(exchange);
  }

  /** The way has changed: what is under way is sent once more, as if for the first time. */
  resend(now: Instant): void {
    const outstanding = this.#current;
    if (outstanding !== undefined) this.#restart(now, outstanding);
  }

  /** Begins the next exchange when none is under way. */
  pump(now: Instant): void {
    while (this.#current === undefined) {
      const exchange = this.#queue.shift();
      if (exchange === undefined) return;
      const payloads = exchange.begin(now, this.#sa);
      if (payloads === undefined) continue;
      const messageId = this.#nextMessageId;
      this.#nextMessageId += 1;
      const datagrams = this.#host.seal(exchange.name, messageId, payloads);
      const intervalMs = this.#policy.firstMs;
      const deadline = now + intervalMs;
      this.#current = { exchange, messageId, datagrams, tried: 0, intervalMs, deadline, since: now };
      this.#host.transmit(datagrams, false);
    }
  }

  /** The response with {@link awaitedId} has come. */
  complete(now: Instant, response: ReceivedResponse): void {
    const outstanding = this.#current;
    if (outstanding === undefined) return;
    const finished = outstanding.exchange.finish(now, this.#sa, response);
    if (this.#current !== outstanding) return;
    if (finished.kind === 'done') this.#current = undefined;
    if (finished.kind !== 'again') return;
    outstanding.datagrams = this.#host.seal(outstanding.exchange.name, outstanding.messageId, finished.payloads);
    this.#restart(now, outstanding);
  }

  #restart(now: Instant, outstanding: Outstanding): void {
    outstanding.tried = 0;
    outstanding.intervalMs = this.#policy.firstMs;
    outstanding.deadline = now + outstanding.intervalMs;
    this.#host.transmit(outstanding.datagrams, false);
  }

  /** The response has come, but nothing is to follow from it. */
  dismiss(): void {
    this.#current = undefined;
  }

  /** Retransmits when it is time, or gives up. */
  tick(now: Instant): void {
    const outstanding = this.#current;
    if (outstanding === undefined || now < outstanding.deadline) return;
    if (outstanding.tried >= this.#policy.tries) {
      this.#current = undefined;
      this.#host.silent(now, outstanding.exchange);
      return;
    }
    outstanding.tried += 1;
    outstanding.intervalMs = Math.min(outstanding.intervalMs * 2, this.#policy.capMs);
    outstanding.deadline = now + outstanding.intervalMs;
    this.#host.transmit(outstanding.datagrams, true);
  }

  /** Gives up at this instant at the latest: there is a hint that no better answer will come. */
  giveUpBy(deadline: Instant): void {
    const outstanding = this.#current;
    if (outstanding === undefined) return;
    outstanding.tried = Number.MAX_SAFE_INTEGER;
    outstanding.deadline = Math.min(outstanding.deadline, deadline);
  }

  /** Takes away what waits for its turn, but not what is under way. */
  takeQueue(): readonly Exchange[] {
    const queue = this.#queue;
    this.#queue = [];
    return queue;
  }

  /** Stops all. */
  stop(): void {
    this.#queue = [];
    this.#current = undefined;
  }
}
