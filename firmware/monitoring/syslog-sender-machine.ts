import type { Failure, Instant, Machine, RandomSource } from '../protocol/machine.ts';
import { Backoff } from '../vpn/backoff.ts';
import { LineQueue, type QueueEntry } from './line-queue.ts';

/** How lines become octets; without hands, too. */
export interface LineFormat {
  line(line: string): Uint8Array;
  /** @param next the line behind those that were dropped. */
  lost(count: number, next: string | undefined): Uint8Array;
}

export interface SyslogSenderOptions {
  /** `datagram` (RFC 5426): nobody says that a message was written. `stream`: somebody does ({@link SyslogSenderMachine.written}). */
  readonly kind: 'datagram' | 'stream';
  readonly format: LineFormat;
  readonly random: RandomSource;
  /** What is to be sent first, the oldest first. */
  readonly entries: readonly QueueEntry[];
  readonly now: Instant;
}

/** Answers carry the number of the connection that they are about; those about an earlier one mean nothing any more. */
export type SyslogSenderOutput =
  /** Find a way to the server: the answer is `connected` or `failed`. */
  | { readonly kind: 'connect'; readonly connection: number }
  | { readonly kind: 'send'; readonly connection: number; readonly message: Uint8Array }
  | { readonly kind: 'disconnect'; readonly connection: number }
  /** The server is believed to take what is sent. */
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly failure: Failure };

/** How long a way to the server may take to be found, handshakes included, ms. */
const CONNECT_MS = 20_000;
/** How long written octets may wait for the peer to take them, ms. */
const STALL_MS = 60_000;
/**
 * How long a way is tried with one message before it is believed, ms. A datagram for a host that is gone fails when three
 * questions of ARP are unanswered; a server of TLS 1.3 refuses when the client takes the handshake for done.
 */
const TRIAL_MS = { datagram: 3_500, stream: 1_000 } as const;
/** Messages handed out that nobody has written yet. */
const WINDOW = 32;
/** Datagrams that go at once, and how often, ms: the receive buffer of a common server takes several hundred. */
const BURST = 20;
const PACE_MS = 50;
/** After this time a datagram server is looked up anew, ms: nobody tells that its name has another address. */
const REFRESH_MS = 60 * 60_000;

type State =
  | { readonly kind: 'waiting'; readonly until: Instant }
  | { readonly kind: 'connecting'; readonly until: Instant }
  | { readonly kind: 'trial'; readonly until: Instant | undefined }
  | { readonly kind: 'up'; readonly since: Instant };

/**
 * Brings the lines of the log to one syslog server, in their order: a bounded queue, a connection that is made anew for ever,
 * and a way that is believed only after its first message has met no refusal. What was handed out and not written when a
 * connection ends is sent again; what was written and never arrived is lost, as syslog has no acknowledgement.
 */
export class SyslogSenderMachine implements Machine<SyslogSenderOutput> {
  readonly #options: SyslogSenderOptions;
  readonly #queue: LineQueue;
  readonly #backoff: Backoff;
  readonly #outputs: SyslogSenderOutput[] = [];
  #state: State;
  #connection = 0;
  /** Messages at the head of the queue that are handed out. */
  #out = 0;
  /** Those of them that were written, while a trial is under way. */
  #written = 0;
  /** When the oldest of them was, or the last one of them was written. */
  #moved: Instant;
  /** No datagram before. */
  #nextBurst: Instant;
  #sent = 0;

  constructor(options: SyslogSenderOptions) {
    const { entries, random, now } = options;
    this.#options = options;
    this.#queue = new LineQueue(entries);
    this.#backoff = new Backoff(random);
    this.#moved = now;
    this.#nextBurst = now;
    this.#state = { kind: 'waiting', until: now };
  }

  /** Whether the server is believed to take what is sent; of datagrams also as long as there was nothing to send. */
  get up(): boolean {
    return this.#state.kind === 'up' || (this.#state.kind === 'trial' && this.#state.until === undefined);
  }

  /** Messages that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Messages that were written. */
  get sent(): number {
    return this.#sent;
  }

  /** Lines that were dropped because too many waited. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /** What was not sent, the oldest first, for who takes over. */
  get entries(): readonly QueueEntry[] {
    return this.#queue.entries;
  }

  push(now: Instant, line: string): void {
    this.#queue.push(line, this.#out);
    this.#send(now);
  }

  /** There is a way to the server. */
  connected(now: Instant, connection: number): void {
    if (connection !== this.#connection || this.#state.kind !== 'connecting') return;
    const { kind } = this.#options;
    // A stream is a trial by itself; datagrams meet nobody until there is one.
    this.#state = { kind: 'trial', until: kind === 'stream' ? now + TRIAL_MS.stream : undefined };
    this.#send(now);
  }

  /** Of a stream: the oldest message that is not written yet is. */
  written(now: Instant, connection: number): void {
    if (connection !== this.#connection || this.#written >= this.#out) return;
    this.#moved = now;
    this.#written += 1;
    // The message of a trial counts when that is over.
    if (this.#state.kind === 'up') this.#confirm(now);
  }

  /** There is no way to the server, or none any more. */
  failed(now: Instant, connection: number, failure: Failure): void {
    if (connection !== this.#connection || this.#state.kind === 'waiting') return;
    this.#fail(now, failure);
  }

  /** The router ends: nothing is tried any longer before it is sent. */
  hurry(now: Instant): void {
    if (this.#state.kind === 'trial') this.#believe(now);
  }

  tick(now: Instant): void {
    const state = this.#state;
    switch (state.kind) {
      case 'waiting':
        if (now >= state.until) this.#connect(now);
        return;
      case 'connecting':
        if (now >= state.until)
          this.#giveUp(now, silence('connect', `it did not answer within ${CONNECT_MS / 1000} s`));
        return;
      case 'trial':
        if (state.until !== undefined && now >= state.until) this.#believe(now);
        return;
      case 'up':
        if (this.#options.kind === 'datagram' && now >= state.since + REFRESH_MS) {
          this.#outputs.push({ kind: 'disconnect', connection: this.#connection });
          this.#connect(now);
        } else if (this.#out > 0 && now >= this.#moved + STALL_MS) {
          this.#giveUp(now, silence('send', `it took nothing for ${STALL_MS / 1000} s`));
        } else this.#send(now);
    }
  }

  nextDeadline(): Instant | undefined {
    const state = this.#state;
    if (state.kind !== 'up') return state.until;
    if (this.#options.kind === 'stream') return this.#out > 0 ? this.#moved + STALL_MS : undefined;
    return this.#queue.length > 0 ? this.#nextBurst : state.since + REFRESH_MS;
  }

  poll(): SyslogSenderOutput | undefined {
    return this.#outputs.shift();
  }

  #connect(now: Instant): void {
    this.#connection += 1;
    this.#forget();
    this.#state = { kind: 'connecting', until: now + CONNECT_MS };
    this.#outputs.push({ kind: 'connect', connection: this.#connection });
  }

  #giveUp(now: Instant, failure: Failure): void {
    this.#outputs.push({ kind: 'disconnect', connection: this.#connection });
    this.#fail(now, failure);
  }

  /** What was handed out is not. */
  #forget(): void {
    this.#out = 0;
    this.#written = 0;
  }

  #fail(now: Instant, failure: Failure): void {
    this.#forget();
    this.#state = { kind: 'waiting', until: now + this.#backoff.next(failure.cause === 'refused') };
    this.#outputs.push({ kind: 'down', failure });
  }

  /** The trial is over, and nothing spoke against the way. */
  #believe(now: Instant): void {
    // Until here: who takes a connection and ends it at once is asked less and less often.
    this.#backoff.reset();
    this.#state = { kind: 'up', since: now };
    this.#moved = now;
    this.#nextBurst = now;
    // Nobody says it of a datagram.
    if (this.#options.kind === 'datagram') this.#written = this.#out;
    this.#outputs.push({ kind: 'up' });
    this.#confirm(now);
  }

  /** What was written leaves the queue, and more may follow. */
  #confirm(now: Instant): void {
    for (; this.#written > 0; this.#written -= 1) {
      if (this.#queue.shift() === 'line') this.#sent += 1;
      this.#out -= 1;
    }
    this.#send(now);
  }

  #send(now: Instant): void {
    if (this.#state.kind === 'trial') this.#sendFirst(now, this.#state.until);
    else if (this.#state.kind !== 'up') return;
    else if (this.#options.kind === 'datagram') this.#sendBurst(now);
    else while (this.#out < WINDOW && this.#out < this.#queue.length) this.#handOut(now);
  }

  #sendFirst(now: Instant, until: Instant | undefined): void {
    if (this.#out > 0 || this.#queue.length === 0) return;
    this.#handOut(now);
    this.#state = { kind: 'trial', until: until ?? now + TRIAL_MS.datagram };
  }

  #sendBurst(now: Instant): void {
    if (now < this.#nextBurst || this.#queue.length === 0) return;
    this.#nextBurst = now + PACE_MS;
    while (this.#out < BURST && this.#out < this.#queue.length) this.#handOut(now);
    this.#written = this.#out;
    this.#confirm(now);
  }

  #handOut(now: Instant): void {
    const { format } = this.#options;
    const entry = this.#queue.at(this.#out);
    if (entry === undefined) return;
    if (this.#out === 0) this.#moved = now;
    const message =
      entry.kind === 'line' ? format.line(entry.line) : format.lost(entry.count, this.#queue.lineAfter(this.#out));
    this.#out += 1;
    this.#outputs.push({ kind: 'send', connection: this.#connection, message });
  }
}

function silence(step: string, reason: string): Failure {
  const remedy = 'check that the server runs, and that its address and port are right and not filtered on the way';
  return { step, reason, remedy, cause: 'silence' };
}
