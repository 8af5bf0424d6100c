/** An established ISAKMP SA: the phase 2 exchanges under it, and what keeps it alive. */
import type { Failure, Instant } from '../../machine.ts';
import { sameEndpoint, type UdpEndpoint, type UdpPath } from '../../udp-path.ts';
import type { AssignedConfiguration } from '../authentication.ts';
import { wipePhase1Keys } from '../crypto/keys-v1.ts';
import type { IkePeer } from '../ike-types.ts';
import { proofKind } from './authentication-method.ts';
import { ChildlessWatch } from './childless-watch.ts';
import type { ConfigurationServerHost } from './configuration-server.ts';
import { type ConfigurationSide, configurationSide } from './configuration-side.ts';
import { Confirmation } from './confirmation.ts';
import { DEFAULT_DPD_SECONDS, DeadPeerDetection } from './dpd.ts';
import {
  childNeverWanted,
  deletedByPeer,
  deletedUnused,
  noAnswerToAuthentication,
  noChildLeft,
  peerSilent,
} from './failures.ts';
import { cookieKey } from './header.ts';
import { childDeletePayload, deletePayload, dpdPayload, sealInformational } from './informational.ts';
import type { IsakmpSaHost } from './isakmp-sa-host.ts';
import { type Lifetime, SaLifetime } from './lifetimes.ts';
import type { LoginAttempts } from './login-attempts.ts';
import { followed } from './natd.ts';
import { NotifyType } from './numbers.ts';
import type { Payload } from './payload.ts';
import { type Phase1Outcome, peerOf } from './phase1.ts';
import { MessageIds } from './phase2-message.ts';
import type { QuickModeContext } from './quick-mode.ts';
import type { QuickModeRequest } from './quick-mode-initiator.ts';
import { QuickModes, type QuickModesHost } from './quick-modes.ts';

export class IsakmpSa implements QuickModesHost, ConfigurationServerHost {
  sa: Phase1Outcome;
  readonly ikeId: number;
  /** Both cookies. */
  readonly key: string;
  readonly random: QuickModeContext['random'];
  readonly attempts: LoginAttempts;
  readonly counters: QuickModeContext['counters'];
  readonly host: IsakmpSaHost;
  readonly quickModes: QuickModes;
  readonly messageIds: MessageIds;
  readonly dpd: DeadPeerDetection;
  #path: UdpPath;
  readonly #lifetime: SaLifetime;
  readonly #childless = new ChildlessWatch();
  readonly confirmation: Confirmation;
  readonly side: ConfigurationSide;
  #ended: Failure | undefined;
  /** Whether it is of use, or was. */
  admitted = false;
  /** This side opened the connection, or took it over from an SA for which it did. */
  opened: boolean;
  /** There is, or was, a child SA. */
  used = false;
  /** The SA that has taken over. */
  replacedBy: IsakmpSa | undefined;
  /** When this side, which made the successor, deletes it. */
  retireAt: Instant | undefined;
  /** It took over from one that the peer deleted or does not answer: whether the peer still has this one is open. */
  doubted = false;
  /** A successor is being made. */
  rekeying = false;
  lastFailure: Failure | undefined;

  /** @param wished the inner address that this side had under the SA before. */
  constructor(now: Instant, host: IsakmpSaHost, sa: Phase1Outcome, opened: boolean, wished?: string) {
    this.sa = sa;
    this.ikeId = sa.ikeId;
    this.key = cookieKey(sa.cookieI, sa.cookieR);
    this.random = host.random;
    this.attempts = host.attempts;
    this.counters = host.counters;
    this.host = host;
    this.quickModes = new QuickModes(this, host.children);
    this.#path = sa.path;
    this.messageIds = new MessageIds(host.random);
    this.opened = opened;
    this.confirmation = new Confirmation(now, sa.unconfirmed);
    const { vendor, connection } = sa;
    this.#lifetime = new SaLifetime(now, sa.lifetime, sa.initiator, host.random);
    const seconds = vendor.deadPeerDetection ? (connection.dpdSeconds ?? DEFAULT_DPD_SECONDS) : 0;
    this.dpd = new DeadPeerDetection(now, seconds, host.random);
    if (!this.renews) this.#lifetime.giveUp();
    this.side = configurationSide(now, this, wished);
  }

  get path(): UdpPath {
    return this.#path;
  }

  get peer(): IkePeer {
    const { user } = this.side;
    return { ...peerOf(this.sa), ...(user === undefined ? {} : { user }) };
  }

  /** Who logs in, or takes an address, does that when it calls: this side waits for it. */
  get renews(): boolean {
    const { xauthUsers, leases } = this.sa.connection;
    return xauthUsers === undefined && leases === undefined;
  }

  get lifetime(): Lifetime {
    return this.#lifetime.current;
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
    const { rekeyAt, expiresAt } = this.lifetime;
    const early = [this.confirmation.deadline, this.side.deadline];
    const deadlines = [expiresAt, this.retireAt, ...early, ...this.quickModes.deadlines];
    if (this.#isWatched) {
      deadlines.push(this.dpd.deadline, this.rekeying || this.doubted ? undefined : rekeyAt);
      deadlines.push(this.#childless.deadline(this.opened));
    }
    return Math.min(...deadlines.filter((deadline) => deadline !== undefined));
  }

  /** A login or an inner address may have come, or it is clear that none will. */
  settleSide(now: Instant): void {
    const { failure } = this.side;
    if (failure !== undefined) this.endAndTell(failure);
    else if (!this.admitted && !this.configuring) this.host.configured(now, this);
  }

  /** The connection, for whatever has an address that was assigned. */
  narrow(): void {
    this.sa = { ...this.sa, connection: this.side.narrowed(this.sa.connection) };
  }

  /** A login or an inner address is still to come: nothing else is done with it. */
  get configuring(): boolean {
    return this.side.pending;
  }

  get configuration(): AssignedConfiguration | undefined {
    return this.side.assigned;
  }

  /** It is of use from now on: for whatever has the inner address, where one was assigned. */
  admit(now: Instant): void {
    this.admitted = true;
    this.#childless.begin(now);
    this.narrow();
  }

  /** It takes over from another one with the same peer. */
  inherit(old: IsakmpSa): void {
    this.side.inherit(old.side);
    this.narrow();
  }

  freshMessageId(): number {
    return this.messageIds.fresh();
  }

  isUsed(messageId: number): boolean {
    return this.messageIds.isUsed(messageId);
  }

  /** Lets its exchanges and DPD act. Lifetimes are the endpoint's. */
  tick(now: Instant): void {
    this.quickModes.tick(now);
    const message3 = this.confirmation.due(now);
    if (message3 !== undefined) this.send('Aggressive Mode 3 again', message3);
    this.side.tick(now);
    this.settleSide(now);
    if (this.#ended !== undefined || !this.#isWatched) return;
    const due = this.dpd.due(now);
    if (due.kind === 'dead') this.host.silent(this, this.#silence(now));
    if (due.kind === 'ask') this.inform([dpdPayload(this.sa, NotifyType.rUThere, due.sequence)], 'R-U-THERE');
    this.watchChildren(now);
  }

  /** While it waits for a login, which a person may be typing, it has other deadlines. */
  get #isWatched(): boolean {
    return this.replacedBy === undefined && (this.sa.initiator || !this.configuring);
  }

  #silence(now: Instant): Failure {
    const { remote } = this.#path;
    if (!this.confirmation.disbelieved) return peerSilent(remote, this.dpd.silence(now));
    const clues = { notify: NotifyType.authenticationFailed };
    return noAnswerToAuthentication('Aggressive Mode 3', remote, proofKind(this.sa.connection), false, clues);
  }

  /** A notification in clear. */
  hint(type: number): void {
    this.confirmation.hint(type);
  }

  startQuickMode(now: Instant, request: QuickModeRequest): void {
    this.quickModes.start(now, this.messageIds.fresh(), request);
    this.#childless.end();
  }

  /** An Informational of this side (RFC 2409 section 5.7). @returns the message. */
  inform(payloads: readonly Payload[], detail: string): Uint8Array {
    const messageId = this.messageIds.fresh();
    const message = sealInformational(this.sa, messageId, payloads);
    this.send('Informational', message, detail);
    return message;
  }

  /** Tells the peer that this side no longer receives on these SPIs. */
  deleteChildren(inboundSpis: readonly number[]): void {
    if (inboundSpis.length === 0) return;
    this.inform([childDeletePayload(this.sa, inboundSpis)], 'DELETE of a child SA');
  }

  /** Tells the peer that this ISAKMP SA is no more. */
  deleteSelf(): void {
    // Where the peer is by now, the one that has taken over knows.
    this.#path = this.owner.path;
    this.inform([deletePayload(this.sa)], 'DELETE of the ISAKMP SA');
  }

  end(failure: Failure): void {
    this.#ended ??= failure;
    this.host.ending.add(this);
  }

  /** As {@link end}, for a reason that the peer cannot know. */
  endAndTell(failure: Failure): void {
    if (this.#ended !== undefined) return;
    this.deleteSelf();
    this.end(failure);
  }

  /** The peer deleted it. Where it never had a child SA, the last refusal says why. */
  endedByPeer(): void {
    const unused = this.replacedBy === undefined && !this.used;
    this.end(unused ? (this.lastFailure ?? this.side.goodbye ?? deletedUnused()) : deletedByPeer());
  }

  /** A Quick Mode is under way. */
  get busy(): boolean {
    return this.quickModes.size > 0;
  }

  /** Nothing is to be done with it any more; a rekey that it was in the middle of is for its successor. */
  forget(now: Instant): void {
    this.quickModes.forget(now);
    this.side.release();
    wipePhase1Keys(this.sa.keys);
    this.sa.encryptionKey.fill(0);
  }

  /** ESP came over a child SA. */
  childUsed(now: Instant, childId: number): void {
    this.quickModes.childUsed(now, childId);
  }

  /** The peer wants a shorter lifetime. */
  shorten(now: Instant, seconds: number): void {
    this.#lifetime.shorten(now, seconds);
  }

  rekeyFailed(now: Instant, failure: Failure): void {
    this.rekeying = false;
    this.lastFailure = failure;
    // A login that was refused is not tried again by itself: a server may lock the user.
    if (this.sa.connection.xauth === undefined || failure.cause !== 'refused') this.#lifetime.retry(now);
    else this.#lifetime.giveUp();
  }

  /**
   * A NAT before this side may have given it another port while message 5 was on its way, and the peer would look for it at
   * the old one: a question over the new SA shows where it is.
   */
  showPlace(now: Instant): void {
    if (this.sa.nat.local) this.dpd.hurry(now);
  }

  /** Somebody who is heard only by ESP may have no ISAKMP SA any more. */
  get canBeAsked(): boolean {
    return this.dpd.deadline !== undefined;
  }

  heard(now: Instant): void {
    this.dpd.heard(now);
  }

  /** An ESP packet of a child SA, authentic and fresh, came from elsewhere. */
  peerMoved(now: Instant, { remote }: UdpPath): void {
    this.heard(now);
    // Bare ESP has no ports, and says nothing about where IKE goes.
    if (this.sa.nat.remote && remote.port !== 0) this.#follow({ local: this.#path.local, remote });
  }

  pathError(remote: UdpEndpoint, code: string): void {
    if (sameEndpoint(remote, this.#path.remote)) this.quickModes.hint({ pathError: code });
  }

  freshSpi(): number {
    return this.host.children.freshSpi();
  }

  send(name: string, message: Uint8Array, detail?: string): void {
    this.host.outbox.send(this.ikeId, name, message, this.#path, this.sa.vendor.fragmentation, detail);
  }

  received(name: string, detail?: string): void {
    this.host.outbox.received(this.ikeId, name, detail);
  }

  remember(messageId: number, request: Uint8Array, reply?: Uint8Array): void {
    this.sa.replay.remember(messageId, request, reply);
  }

  /** Authenticated and never seen before: the peer lives, and is where this came from. */
  genuine(now: Instant, messageId: number, seen: UdpPath): void {
    this.messageIds.use(messageId);
    this.confirmation.heard(now);
    this.dpd.heard(now);
    this.doubted = false;
    this.#follow(seen);
  }

  /** The one that has taken over lives at the same place. */
  #follow(seen: UdpPath): void {
    const path = followed(this.#path, seen, this.sa.nat);
    if (path === undefined) return;
    this.#path = path;
    const { owner } = this;
    owner.#path = path;
    this.host.outbox.emit({ kind: 'path', ikeId: owner.ikeId, path });
    this.host.moved(owner);
  }

  /** For its Quick Modes. */
  quickModeOver(now: Instant, made: boolean, failure: Failure | undefined): void {
    const { owner } = this;
    owner.used ||= made;
    if (failure !== undefined) {
      owner.lastFailure = failure;
      this.received('Quick Mode', failure.reason);
      if (owner.opened && owner.#isBarren) owner.endAndTell(failure);
    }
    owner.watchChildren(now);
  }

  /** Neither with a child SA nor about to have one. */
  get #isBarren(): boolean {
    return (
      this.admitted && this.replacedBy === undefined && !this.busy && this.host.children.ofIke(this.ikeId).length === 0
    );
  }

  watchChildren(now: Instant): void {
    if (!this.#childless.look(now, this.#isBarren, this.opened)) return;
    this.endAndTell(this.used ? noChildLeft() : (this.lastFailure ?? childNeverWanted()));
  }
}
