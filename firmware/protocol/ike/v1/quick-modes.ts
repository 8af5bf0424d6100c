/** The Quick Modes that are under way within one ISAKMP SA, and what becomes of them. */
import type { Failure, Instant } from '../../machine.ts';
import { RateLimit } from '../rate-limit.ts';
import type { ChildTable } from './child-table.ts';
import type { IkeV1Limits } from './endpoint-types.ts';
import type { Clues } from './failures.ts';
import type { ReceivedMessage } from './header.ts';
import type { QuickMode, QuickModeContext } from './quick-mode.ts';
import { QuickModeInitiator, type QuickModeRequest } from './quick-mode-initiator.ts';
import { QuickModeResponder } from './quick-mode-responder.ts';

/** Those that the peer may begin: a second, and at once, when it has many networks. Each may cost a key exchange. */
const PER_SECOND = 2;
const BURST = 64;

/**
 * Those of this side at a time. strongSwan remembers the IVs of three exchanges, whoever began them (`max_ikev1_exchanges`),
 * and a fourth takes the place of the one that was silent longest. With two at a time that may be one that waits for its
 * message 3, behind two that just got theirs: it cannot be read then, and nobody sends it again.
 */
const OWN_AT_A_TIME = 1;

/** What the exchanges need of the ISAKMP SA around them. */
export interface QuickModesHost extends QuickModeContext {
  /** Whoever has its child SAs now. */
  readonly owner: { readonly ikeId: number };
  /** An exchange is over: there is a child SA, or there is none, and perhaps a reason. */
  quickModeOver(now: Instant, made: boolean, failure: Failure | undefined): void;
}

export class QuickModes {
  readonly #host: QuickModesHost;
  readonly #children: ChildTable;
  readonly #exchanges = new Map<number, QuickMode>();
  readonly #asked = new RateLimit(PER_SECOND, BURST);
  /** Of this side, until there is room. */
  #waiting: { readonly messageId: number; readonly request: QuickModeRequest }[] = [];

  constructor(host: QuickModesHost, children: ChildTable) {
    this.#host = host;
    this.#children = children;
  }

  /** Those that wait included. */
  get size(): number {
    return this.#exchanges.size + this.#waiting.length;
  }

  /** Whether the peer may begin one more now; if so it counts as begun. */
  hasRoom(now: Instant, { exchangesPerIkeSa, childrenPerIkeSa }: IkeV1Limits): boolean {
    const many = this.#children.ofIke(this.#host.owner.ikeId).length >= childrenPerIkeSa;
    return this.#exchanges.size < exchangesPerIkeSa && !many && this.#asked.allows(now);
  }

  /** When {@link tick} is wanted. */
  get deadlines(): readonly (Instant | undefined)[] {
    return [...this.#exchanges.values()].map(({ deadline }) => deadline);
  }

  has(messageId: number): boolean {
    return this.#exchanges.has(messageId);
  }

  start(now: Instant, messageId: number, request: QuickModeRequest): void {
    this.#waiting.push({ messageId, request });
    this.#startNext(now);
  }

  #startNext(now: Instant): void {
    const own = [...this.#exchanges.values()].filter(({ initiator }) => initiator).length;
    for (const { messageId, request } of this.#waiting.splice(0, Math.max(0, OWN_AT_A_TIME - own))) {
      this.#exchanges.set(messageId, new QuickModeInitiator(now, this.#host, messageId, request));
    }
  }

  /** Receives on what is agreed, and only then says so with message 2. */
  add(now: Instant, messageId: number, exchange: QuickModeResponder): void {
    const { sa, path, owner } = this.#host;
    this.#exchanges.set(messageId, exchange);
    exchange.prepared = this.#children.prepare(now, sa, owner.ikeId, path, exchange.expected);
    exchange.answer();
  }

  /**
   * A message of an exchange that is under way. {@link settle} is to follow when it was genuine.
   * @returns whether it was. @throws DecodeError when it is malformed.
   */
  receive(now: Instant, message: ReceivedMessage): boolean {
    return this.#exchanges.get(message.header.messageId)?.receive(now, message) ?? false;
  }

  tick(now: Instant): void {
    for (const [messageId, exchange] of [...this.#exchanges]) {
      exchange.tick(now);
      this.settle(now, messageId);
    }
  }

  /** ESP came over a child SA: whoever sends on it has got message 2. */
  childUsed(now: Instant, childId: number): void {
    for (const [messageId, exchange] of [...this.#exchanges]) {
      if (!(exchange instanceof QuickModeResponder) || exchange.prepared !== childId) continue;
      exchange.confirm();
      this.settle(now, messageId);
    }
  }

  /** The network says that it will not work. */
  hint(clue: Clues): void {
    for (const exchange of this.#exchanges.values()) if (exchange instanceof QuickModeInitiator) exchange.hint(clue);
  }

  /** The peer refused one, authenticated: the one of this SPI, or the oldest. @param type Notify Message Type. */
  refused(now: Instant, type: number, spi: number | undefined): void {
    let found: readonly [number, QuickModeInitiator] | undefined;
    for (const [messageId, exchange] of this.#exchanges) {
      if (!(exchange instanceof QuickModeInitiator)) continue;
      if (found === undefined || exchange.inboundSpi === spi) found = [messageId, exchange];
    }
    if (found === undefined) return;
    const [messageId, exchange] = found;
    exchange.refused(type);
    this.settle(now, messageId);
  }

  /** An exchange may be over. */
  settle(now: Instant, messageId: number): void {
    const exchange = this.#exchanges.get(messageId);
    if (exchange === undefined || !exchange.over) return;
    this.#exchanges.delete(messageId);
    this.#startNext(now);
    const { agreed, failure } = exchange;
    const { sa, path, owner } = this.#host;
    const prepared = preparedBy(exchange);
    if (agreed === undefined) this.#drop(now, exchange, failure);
    else if (prepared === undefined) this.#children.add(now, sa, owner.ikeId, path, agreed);
    else this.#children.settle(now, prepared);
    this.#host.quickModeOver(now, agreed !== undefined, failure);
  }

  /** All are given up; a rekey that one was in the middle of is for the successor of the ISAKMP SA. */
  forget(now: Instant): void {
    for (const exchange of this.#exchanges.values()) this.#drop(now, exchange, undefined);
    this.#exchanges.clear();
    for (const { request } of this.#waiting) this.#giveUp(now, request, undefined);
    this.#waiting = [];
  }

  #drop(now: Instant, exchange: QuickMode, failure: Failure | undefined): void {
    const prepared = preparedBy(exchange);
    if (prepared !== undefined) this.#children.remove(now, prepared);
    if (exchange instanceof QuickModeInitiator) this.#giveUp(now, exchange.request, failure);
  }

  #giveUp(now: Instant, { replaces }: QuickModeRequest, failure: Failure | undefined): void {
    if (replaces !== undefined) this.#children.rekeyFailed(now, replaces, failure);
  }
}

function preparedBy(exchange: QuickMode): number | undefined {
  return exchange instanceof QuickModeResponder ? exchange.prepared : undefined;
}
