/** Reliable delivery of control messages (RFC 2661 section 5.8): one direction each way, nothing known of AVPs. */
import type { Instant } from '../machine.ts';
import { CongestionWindow } from './congestion-window.ts';
import type { RetransmitPolicy } from './endpoint-types.ts';
import { CONTROL_FIELD, encodeZlb } from './header.ts';
import { advance, distance, isDuplicate, isStale } from './sequence-number.ts';

/** Receive Window Size of a peer that has not told one (section 4.4.3). */
export const DEFAULT_PEER_WINDOW = 4;

/** Octets that messages which came too early may take up in one tunnel: a stranger fills no more memory than that. */
const EARLY_OCTETS_LIMIT = 65_536;

export interface ControlChannelOptions {
  readonly retransmit: RetransmitPolicy;
  /** Receive Window Size that this side advertises: how far ahead of its turn a message may come. 1..32767. */
  readonly receiveWindow: number;
  /** First Ns of this side. Default 0, as the RFC has it; tests begin near the wrap. */
  readonly initialNs?: number;
  /** First Ns expected of the peer. Default 0. */
  readonly initialNr?: number;
}

/** A message for the peer. Tunnel ID, Ns and Nr of its header are filled in when it is first sent. */
export interface OutgoingMessage {
  readonly datagram: Uint8Array;
  /** For the trace: name of the message and local session id. */
  readonly name: string;
  readonly sessionId: number;
}

/** A datagram to be sent. */
export interface Transmission {
  readonly datagram: Uint8Array;
  /** The message, when this is the first time that it goes out; absent for ZLBs and retransmissions. */
  readonly first?: OutgoingMessage;
}

/** What became of a datagram. */
export type Arrival =
  /** Its turn had come: {@link ControlChannel.take} gives it, and what had waited behind it. */
  | 'in-order'
  /** Kept until what is missing before it has come. */
  | 'early'
  /** Received before; it is acknowledged again. */
  | 'duplicate'
  /** A ZLB. */
  | 'acknowledgement'
  /** Too far ahead, or it acknowledges what was never sent: dropped. */
  | 'out-of-window';

interface Outstanding {
  readonly message: OutgoingMessage;
  readonly ns: number;
  /** Counted against the window: sent, and not given up by a later time-out. */
  inFlight: boolean;
}

interface Early<Message> {
  readonly message: Message;
  readonly octets: number;
}

/** @typeParam Message what the upper layer makes of a datagram; handed back in order and without duplicates. */
export class ControlChannel<Message> {
  /** The peer's tunnel id for the headers; 0 until it is known. */
  peerTunnelId = 0;
  /** Retransmissions before the channel is given up. */
  attempts: number;

  readonly #policy: RetransmitPolicy;
  readonly #receiveWindow: number;
  readonly #congestion = new CongestionWindow(DEFAULT_PEER_WINDOW);
  readonly #transmissions: Transmission[] = [];

  #nextNs: number;
  #waiting: OutgoingMessage[] = [];
  /** Oldest first, without gaps: the last one's Ns is `#nextNs` - 1. */
  #outstanding: Outstanding[] = [];
  #attempt = 0;
  #interval: number;
  #deadline: Instant | undefined;
  #failed = false;

  #expected: number;
  readonly #early = new Map<number, Early<Message>>();
  #earlyOctets = 0;
  readonly #ready: Message[] = [];
  #acknowledgementOwed = false;

  constructor(options: ControlChannelOptions) {
    this.#policy = options.retransmit;
    this.attempts = options.retransmit.attempts;
    this.#interval = options.retransmit.firstMs;
    this.#receiveWindow = options.receiveWindow;
    this.#nextNs = options.initialNs ?? 0;
    this.#expected = options.initialNr ?? 0;
  }

  /** A message was retransmitted `attempts` times in vain. */
  get failed(): boolean {
    return this.#failed;
  }

  /** The message whose acknowledgement is awaited the longest. */
  get oldest(): OutgoingMessage | undefined {
    return this.#outstanding[0]?.message;
  }

  /** Whether every message was sent and acknowledged. */
  get settled(): boolean {
    return this.#outstanding.length === 0 && this.#waiting.length === 0;
  }

  /** Messages that wait for their turn to be sent. */
  get backlog(): number {
    return this.#waiting.length;
  }

  /** Ns of the next new message. */
  get ns(): number {
    return this.#nextNs;
  }

  /** Ns expected next from the peer. */
  get nr(): number {
    return this.#expected;
  }

  /** Messages that may be outstanding now. */
  get window(): number {
    return this.#congestion.size;
  }

  /** When {@link tick} is wanted next. */
  get deadline(): Instant | undefined {
    return this.#deadline;
  }

  /** The peer's Receive Window Size AVP. */
  setPeerWindow(window: number): void {
    this.#congestion.advertise(window);
  }

  /** Queues a message; {@link flush} sends it when the window allows. */
  send(message: OutgoingMessage): void {
    this.#waiting.push(message);
  }

  /**
   * Takes in a datagram.
   * @param message what it carries, with its size in octets; `undefined` for a ZLB.
   */
  receive(
    now: Instant,
    header: { readonly ns: number; readonly nr: number },
    message: { readonly value: Message; readonly octets: number } | undefined,
  ): Arrival {
    const oldest = advance(this.#nextNs, 0x10000 - this.#outstanding.length);
    const acknowledged = distance(oldest, header.nr);
    if (acknowledged > this.#outstanding.length && !isStale(header.nr, oldest)) return 'out-of-window';
    const arrival = message === undefined ? 'acknowledgement' : this.#accept(header.ns, message);
    if (arrival === 'out-of-window') return arrival;
    if (acknowledged > 0 && acknowledged <= this.#outstanding.length) this.#acknowledge(now, acknowledged);
    return arrival;
  }

  /** The next message for the upper layer, in order. */
  take(): Message | undefined {
    return this.#ready.shift();
  }

  /** Sends what the window allows, then a ZLB if an acknowledgement is owed and nothing carried it. */
  flush(now: Instant): void {
    let inFlight = 0;
    for (const entry of this.#outstanding) if (entry.inFlight) inFlight += 1;
    for (const entry of this.#outstanding) {
      if (inFlight >= this.#congestion.size) break;
      if (entry.inFlight) continue;
      this.#transmit(now, entry, false);
      inFlight += 1;
    }
    while (inFlight < this.#congestion.size) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      const entry: Outstanding = { message, ns: this.#nextNs, inFlight: true };
      this.#nextNs = advance(this.#nextNs);
      this.#outstanding.push(entry);
      this.#transmit(now, entry, true);
      inFlight += 1;
    }
    if (!this.#acknowledgementOwed) return;
    this.#acknowledgementOwed = false;
    const header = { tunnelId: this.peerTunnelId, sessionId: 0, ns: this.#nextNs, nr: this.#expected };
    this.#transmissions.push({ datagram: encodeZlb(header) });
  }

  /** The next datagram to be sent. */
  poll(): Transmission | undefined {
    return this.#transmissions.shift();
  }

  /** Retransmits when it is time, or gives up. */
  tick(now: Instant): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    if (this.#attempt >= this.attempts) {
      this.#failed = true;
      this.#deadline = undefined;
      return;
    }
    this.#attempt += 1;
    this.#interval = Math.min(this.#interval * 2, Math.max(this.#policy.capMs, this.#policy.firstMs));
    this.retransmit(now);
  }

  /**
   * Sends the oldest unacknowledged message again, whether its time has come or not; it does not count as one of the
   * `attempts`, and the next regular retransmission is a whole interval away.
   * @returns false when there is nothing unacknowledged.
   */
  retransmit(now: Instant): boolean {
    const [oldest] = this.#outstanding;
    if (oldest === undefined) return false;
    this.#congestion.retransmitted();
    // Back to the first: what else was on its way is sent again as the window opens, unless acknowledged by then.
    for (const entry of this.#outstanding) entry.inFlight = false;
    this.#deadline = undefined;
    this.#transmit(now, oldest, false);
    return true;
  }

  /** Sends the oldest unacknowledged message once more and leaves windows and timers as they are. */
  repeatOldest(): boolean {
    const [oldest] = this.#outstanding;
    if (oldest === undefined) return false;
    this.#put(oldest, false);
    return true;
  }

  /** Drops the messages that were not sent yet. */
  discardWaiting(): void {
    this.#waiting = [];
  }

  /** Drops the messages that wait for an acknowledgement, too: nobody is to have them any more. */
  discardOutstanding(): void {
    this.#waiting = [];
    this.#outstanding = [];
    this.#rearm();
  }

  #accept(ns: number, message: { readonly value: Message; readonly octets: number }): Arrival {
    if (isDuplicate(ns, this.#expected) || this.#early.has(ns)) {
      this.#acknowledgementOwed = true;
      return 'duplicate';
    }
    const ahead = distance(this.#expected, ns);
    if (ahead >= this.#receiveWindow) return 'out-of-window';
    if (ahead > 0) {
      if (this.#earlyOctets + message.octets > EARLY_OCTETS_LIMIT) return 'out-of-window';
      this.#early.set(ns, { message: message.value, octets: message.octets });
      this.#earlyOctets += message.octets;
      this.#acknowledgementOwed = true;
      return 'early';
    }
    this.#deliver(message.value);
    for (let next = this.#early.get(this.#expected); next !== undefined; next = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected);
      this.#earlyOctets -= next.octets;
      this.#deliver(next.message);
    }
    return 'in-order';
  }

  #deliver(message: Message): void {
    this.#ready.push(message);
    this.#expected = advance(this.#expected);
    this.#acknowledgementOwed = true;
  }

  #acknowledge(now: Instant, count: number): void {
    this.#outstanding.splice(0, count);
    this.#congestion.acknowledged();
    this.#rearm();
    if (this.#outstanding.some((entry) => entry.inFlight)) this.#deadline = now + this.#interval;
  }

  #rearm(): void {
    this.#attempt = 0;
    this.#interval = this.#policy.firstMs;
    this.#deadline = undefined;
  }

  #transmit(now: Instant, entry: Outstanding, first: boolean): void {
    entry.inFlight = true;
    this.#put(entry, first);
    this.#deadline ??= now + this.#interval;
  }

  /** Only Nr differs between two transmissions of a message; the Tunnel ID is what was known at the first. */
  #put(entry: Outstanding, first: boolean): void {
    const { datagram } = entry.message;
    if (first) {
      putU16(datagram, CONTROL_FIELD.tunnelId, this.peerTunnelId);
      putU16(datagram, CONTROL_FIELD.ns, entry.ns);
    }
    putU16(datagram, CONTROL_FIELD.nr, this.#expected);
    this.#acknowledgementOwed = false;
    this.#transmissions.push({ datagram: datagram.slice(), ...(first ? { first: entry.message } : {}) });
  }
}

function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
