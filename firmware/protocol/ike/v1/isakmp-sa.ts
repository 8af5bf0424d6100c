/** An established ISAKMP SA: the phase 2 exchanges under it, and what keeps it alive. */
import { concatBytes } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import { sameEndpoint, type UdpEndpoint, type UdpPath } from '../../udp-path.ts';
import { hash1, wipePhase1Keys } from '../crypto/keys-v1.ts';
import type { IkePeer } from '../ike-types.ts';
import type { ChildTable } from './child-table.ts';
import { DEFAULT_DPD_SECONDS, DeadPeerDetection } from './dpd.ts';
import type { IkeV1Limits } from './endpoint-types.ts';
import { noChildLeft, peerSilent } from './failures.ts';
import { cookieKey, type ReceivedMessage } from './header.ts';
import { dpdPayload, errorPayload, handleInformational } from './informational.ts';
import { agreedLifetime, type Lifetime, lifetimeFrom, nextAttempt } from './lifetimes.ts';
import { hasInitialContact, type MainModeContext, type Phase1Outcome } from './main-mode.ts';
import { followed } from './natd.ts';
import { encodeDelete, spiOctets } from './notification.ts';
import { ExchangeType, NotifyType, PayloadType, ProtocolId } from './numbers.ts';
import type { Payload } from './payload.ts';
import { MessageIds, Phase2Messages } from './phase2-message.ts';
import type { QuickMode, QuickModeContext } from './quick-mode.ts';
import { QuickModeInitiator, type QuickModeRequest } from './quick-mode-initiator.ts';
import { answerQuickMode } from './quick-mode-responder.ts';

/** How long an SA that this side opened may be without child SA, ms: some peers delete before they make anew. */
const CHILDLESS_MS = 10000;

/** What an ISAKMP SA needs of the endpoint around it. */
export interface IsakmpSaHost extends MainModeContext {
  readonly children: ChildTable;
  readonly limits: IkeV1Limits;
  /** SAs that have ended and are to be taken down. */
  readonly ending: Set<IsakmpSa>;
  /** The peer deleted the ISAKMP SA with these cookies, over `sa`. */
  deletedByPeer(now: Instant, sa: IsakmpSa, key: string): void;
  /** The peer says over `sa` that it remembers no other. */
  initialContact(now: Instant, sa: IsakmpSa): void;
}

export class IsakmpSa implements QuickModeContext {
  readonly sa: Phase1Outcome;
  readonly ikeId: number;
  /** Both cookies. */
  readonly key: string;
  readonly peer: IkePeer;
  readonly random: QuickModeContext['random'];
  readonly counters: QuickModeContext['counters'];
  readonly #host: IsakmpSaHost;
  readonly #exchanges = new Map<number, QuickMode>();
  readonly #messageIds: MessageIds;
  readonly #dpd: DeadPeerDetection;
  #path: UdpPath;
  #lifetime: Lifetime;
  #childlessSince: Instant | undefined;
  #ended: Failure | undefined;
  /** This side opened the connection, or took it over from an SA for which it did. */
  opened: boolean;
  /** The SA that has taken over. */
  replacedBy: IsakmpSa | undefined;
  /** When this side, which made the successor, deletes it. */
  retireAt: Instant | undefined;
  /** A successor is being made. */
  rekeying = false;
  lastFailure: Failure | undefined;

  constructor(now: Instant, host: IsakmpSaHost, sa: Phase1Outcome, opened: boolean) {
    this.sa = sa;
    this.ikeId = sa.ikeId;
    this.key = cookieKey(sa.cookieI, sa.cookieR);
    this.random = host.random;
    this.counters = host.counters;
    this.#host = host;
    this.#path = sa.path;
    this.#messageIds = new MessageIds(host.random);
    this.opened = opened;
    const { nat, vendor, connection } = sa;
    this.peer = {
      identity: sa.peerIdentity,
      implementation: vendor.implementation,
      natLocal: nat.local,
      natRemote: nat.remote,
    };
    this.#lifetime = lifetimeFrom(now, sa.lifetime, sa.initiator, host.random);
    const seconds = vendor.deadPeerDetection ? (connection.dpdSeconds ?? DEFAULT_DPD_SECONDS) : 0;
    this.#dpd = new DeadPeerDetection(now, seconds, host.random);
  }

  get path(): UdpPath {
    return this.#path;
  }

  get lifetime(): Lifetime {
    return this.#lifetime;
  }

  /** Why it is to be taken down, once that is so. */
  get ended(): Failure | undefined {
    return this.#ended;
  }

  /** Whoever has its child SAs now. */
  get owner(): IsakmpSa {
    return this.replacedBy?.owner ?? this;
  }

  get deadline(): Instant {
    const { rekeyAt, expiresAt } = this.#lifetime;
    const deadlines = [expiresAt, this.retireAt, ...[...this.#exchanges.values()].map(({ deadline }) => deadline)];
    if (this.replacedBy === undefined) {
      deadlines.push(this.#dpd.deadline, this.rekeying ? undefined : rekeyAt);
      if (this.#childlessSince !== undefined) deadlines.push(this.#childlessSince + CHILDLESS_MS);
    }
    return Math.min(...deadlines.filter((deadline) => deadline !== undefined));
  }

  /** A message with these cookies. @throws DecodeError when it is malformed or encrypted with another key. */
  receive(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const { messageId, exchangeType } = message.header;
    const seen = this.sa.replay.recognize(messageId, message.octets);
    if (seen.kind === 'repeated') {
      this.counters.duplicate += 1;
      if (seen.reply !== undefined) this.send('reply again', seen.reply);
      return;
    }
    const exchange = this.#exchanges.get(messageId);
    if (exchange !== undefined && exchangeType === ExchangeType.quickMode) {
      if (!exchange.receive(now, message)) this.counters.authenticationFailed += 1;
      else {
        this.#genuine(now, messageId, path);
        this.#settle(now, messageId, exchange);
      }
    } else if (messageId === 0 || this.#messageIds.isUsed(messageId)) {
      // Among them what Windows says behind its Quick Modes: CONNECTED under the same message id.
      this.counters.unexpected += 1;
    } else if (exchangeType === ExchangeType.quickMode) this.#receiveQuickMode(now, message, path);
    else this.#receiveInformational(now, message, path);
  }

  /** Lets its exchanges and DPD act. Lifetimes are the endpoint's. */
  tick(now: Instant): void {
    for (const [messageId, exchange] of [...this.#exchanges]) {
      exchange.tick(now);
      this.#settle(now, messageId, exchange);
    }
    if (this.replacedBy !== undefined) return;
    const due = this.#dpd.due(now);
    if (due.kind === 'dead') this.end(peerSilent(this.#path.remote, this.#dpd.silence(now)));
    if (due.kind === 'ask') this.inform([dpdPayload(this.sa, NotifyType.rUThere, due.sequence)], 'R-U-THERE');
    this.#watchChildren(now);
  }

  startQuickMode(now: Instant, request: QuickModeRequest): void {
    const messageId = this.#messageIds.fresh();
    this.#exchanges.set(messageId, new QuickModeInitiator(now, this, messageId, request));
    this.#childlessSince = undefined;
  }

  /** An Informational of this side (RFC 2409 section 5.7). @returns the message. */
  inform(payloads: readonly Payload[], detail: string): Uint8Array {
    const messageId = this.#messageIds.fresh();
    const messages = new Phase2Messages(this.sa, ExchangeType.informational, messageId);
    const { prf } = this.sa.proposal;
    const message = messages.seal(payloads, (covered) => hash1(prf, this.sa.keys.skeyidA, messageId, covered));
    this.send('Informational', message, detail);
    return message;
  }

  /** Tells the peer that this side no longer receives on these SPIs. */
  deleteChildren(inboundSpis: readonly number[]): void {
    if (inboundSpis.length === 0) return;
    const body = encodeDelete({ protocol: ProtocolId.esp, spis: inboundSpis.map(spiOctets) });
    this.inform([{ type: PayloadType.delete, body }], 'DELETE of a child SA');
  }

  /** Tells the peer that this ISAKMP SA is no more. */
  deleteSelf(): void {
    const spi = concatBytes(this.sa.cookieI, this.sa.cookieR);
    const body = encodeDelete({ protocol: ProtocolId.isakmp, spis: [spi] });
    this.inform([{ type: PayloadType.delete, body }], 'DELETE of the ISAKMP SA');
  }

  end(failure: Failure): void {
    this.#ended ??= failure;
    this.#host.ending.add(this);
  }

  /** A Quick Mode is under way. */
  get busy(): boolean {
    return this.#exchanges.size > 0;
  }

  /** Nothing is to be done with it any more; a rekey that it was in the middle of is for its successor. */
  forget(now: Instant): void {
    for (const exchange of this.#exchanges.values()) {
      const replaces = exchange instanceof QuickModeInitiator ? exchange.request.replaces : undefined;
      if (replaces !== undefined) this.#host.children.rekeyFailed(now, replaces, undefined);
    }
    this.#exchanges.clear();
    wipePhase1Keys(this.sa.keys);
    this.sa.encryptionKey.fill(0);
  }

  rekeyFailed(now: Instant, failure: Failure): void {
    this.rekeying = false;
    this.lastFailure = failure;
    const { expiresAt } = this.#lifetime;
    this.#lifetime = { expiresAt, rekeyAt: nextAttempt(now, expiresAt) };
  }

  heard(now: Instant): void {
    this.#dpd.heard(now);
  }

  pathError(remote: UdpEndpoint, code: string): void {
    if (!sameEndpoint(remote, this.#path.remote)) return;
    for (const exchange of this.#exchanges.values()) {
      if (exchange instanceof QuickModeInitiator) exchange.hint({ pathError: code });
    }
  }

  freshSpi(): number {
    return this.#host.children.freshSpi();
  }

  send(name: string, message: Uint8Array, detail?: string): void {
    this.#host.outbox.send(this.ikeId, name, message, this.#path, this.sa.vendor.fragmentation, detail);
  }

  received(name: string, detail?: string): void {
    this.#host.outbox.received(this.ikeId, name, detail);
  }

  remember(messageId: number, request: Uint8Array, reply?: Uint8Array): void {
    this.sa.replay.remember(messageId, request, reply);
  }

  #receiveQuickMode(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const { exchangesPerIkeSa, childrenPerIkeSa } = this.#host.limits;
    const { ikeId } = this.owner;
    const full = this.#exchanges.size >= exchangesPerIkeSa;
    if (full || this.#host.children.ofIke(ikeId).length >= childrenPerIkeSa) {
      this.counters.unexpected += 1;
      return;
    }
    const opened = this.#openFirst(now, message, path, ExchangeType.quickMode);
    if (opened === undefined) return;
    const { messages, payloads } = opened;
    if (hasInitialContact(payloads)) this.#host.initialContact(now, this);
    const answer = answerQuickMode(now, this, messages, message, payloads);
    if ('notify' in answer) {
      this.lastFailure = answer.failure;
      this.received('Quick Mode 1', answer.failure.reason);
      const reply = this.inform([errorPayload(answer.notify)], answer.failure.step);
      this.remember(messages.messageId, message.octets, reply);
    } else this.#exchanges.set(messages.messageId, answer);
  }

  #receiveInformational(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const opened = this.#openFirst(now, message, path, ExchangeType.informational);
    if (opened === undefined) return;
    this.remember(opened.messages.messageId, message.octets);
    const effects = {
      received: (detail: string) => this.received('Informational', detail),
      childDeleted: (spi: number) => {
        const record = this.#host.children.byDeletedSpi(this.owner.ikeId, spi);
        if (record !== undefined) this.#host.children.remove(record.child.id);
        this.owner.#watchChildren(now);
      },
      isakmpDeleted: (key: string) => this.#host.deletedByPeer(now, this, key),
      over: () => this.#ended !== undefined,
      initialContact: () => this.#host.initialContact(now, this),
      areYouThere: (sequence: number) => {
        const reply = this.inform([dpdPayload(this.sa, NotifyType.rUThereAck, sequence)], 'R-U-THERE-ACK');
        this.remember(opened.messages.messageId, message.octets, reply);
      },
      hereIAm: (sequence: number) => this.#dpd.isAnswer(sequence),
      shorten: (seconds: number) => this.#shorten(now, seconds),
      refused: (type: number, spi: number | undefined) => this.#refused(now, type, spi),
    };
    handleInformational(this.sa, opened.payloads, effects);
  }

  /** The first message of an exchange that the peer begins; `undefined` when it is not genuine. */
  #openFirst(
    now: Instant,
    message: ReceivedMessage,
    path: UdpPath,
    exchangeType: number,
  ): { readonly messages: Phase2Messages; readonly payloads: readonly Payload[] } | undefined {
    const { messageId } = message.header;
    const messages = new Phase2Messages(this.sa, exchangeType, messageId);
    const { prf } = this.sa.proposal;
    const payloads = messages.open(message, (covered) => hash1(prf, this.sa.keys.skeyidA, messageId, covered));
    if (payloads === undefined) {
      this.counters.authenticationFailed += 1;
      return undefined;
    }
    this.#genuine(now, messageId, path);
    if (exchangeType === ExchangeType.quickMode) this.received('Quick Mode 1');
    return { messages, payloads };
  }

  /** Authenticated and never seen before: the peer lives, and is where this came from. */
  #genuine(now: Instant, messageId: number, seen: UdpPath): void {
    this.#messageIds.use(messageId);
    this.#dpd.heard(now);
    const path = followed(this.#path, seen, this.sa.nat);
    if (path === undefined) return;
    this.#path = path;
    this.#host.outbox.emit({ kind: 'path', ikeId: this.owner.ikeId, path });
  }

  /** An exchange may be over. */
  #settle(now: Instant, messageId: number, exchange: QuickMode): void {
    if (!exchange.over) return;
    this.#exchanges.delete(messageId);
    const { agreed, failure } = exchange;
    const { owner } = this;
    if (agreed !== undefined) this.#host.children.add(now, this.sa, owner.ikeId, this.#path, agreed);
    if (failure !== undefined) {
      owner.lastFailure = failure;
      this.received('Quick Mode', failure.reason);
    }
    const replaces = exchange instanceof QuickModeInitiator ? exchange.request.replaces : undefined;
    if (agreed === undefined && replaces !== undefined) this.#host.children.rekeyFailed(now, replaces, failure);
    if (failure !== undefined && owner.#isBarren) owner.end(failure);
    owner.#watchChildren(now);
  }

  #refused(now: Instant, type: number, spi: number | undefined): void {
    const waiting = [...this.#exchanges].filter(([, exchange]) => exchange instanceof QuickModeInitiator);
    const named = waiting.find(([, exchange]) => exchange instanceof QuickModeInitiator && exchange.inboundSpi === spi);
    const [messageId, exchange] = named ?? waiting[0] ?? [];
    if (messageId === undefined || !(exchange instanceof QuickModeInitiator)) return;
    exchange.refused(type);
    this.#settle(now, messageId, exchange);
  }

  #shorten(now: Instant, seconds: number): void {
    const shorter = lifetimeFrom(now, agreedLifetime(this.sa.lifetime, seconds), this.sa.initiator, this.random);
    if (shorter.expiresAt < this.#lifetime.expiresAt) this.#lifetime = shorter;
  }

  /** Opened by this side, and neither with a child SA nor about to have one. */
  get #isBarren(): boolean {
    const waiting = [...this.#exchanges.values()].some((exchange) => !exchange.over);
    return this.opened && !waiting && this.#host.children.ofIke(this.ikeId).length === 0;
  }

  #watchChildren(now: Instant): void {
    if (!this.#isBarren) this.#childlessSince = undefined;
    else this.#childlessSince ??= now;
    if (this.#childlessSince !== undefined && now - this.#childlessSince >= CHILDLESS_MS) this.end(noChildLeft());
  }
}
