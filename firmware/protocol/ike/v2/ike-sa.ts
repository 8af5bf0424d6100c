/**
 * One IKE SA: its identity, keys, children, and both windows. What it does stands in the files named after the
 * exchanges.
 */
import type { Failure, Instant, RandomSource } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { AssignedConfiguration } from '../authentication.ts';
import { type IkeSaKeys, wipeIkeSaKeys } from '../crypto/keys-v2.ts';
import type { IkeConnection, IkeIdentity, IkeOutput, IkePeer } from '../ike-types.ts';
import { HEADER_OCTETS } from '../message-header.ts';
import { type EncapsulationCause, type NatSituation, NO_NAT } from '../nat.ts';
import type { Recognition } from '../profiles/recognition.ts';
import type { IkeProposal } from '../proposals.ts';
import { RateLimit } from '../rate-limit.ts';
import type { OwnVendorId } from '../vendor-ids.ts';
import type { EapConversation } from './auth-eap-responder.ts';
import type { Child } from './child.ts';
import { MessageProtection } from './encrypted.ts';
import { type Exchange, RequestWindow, type WindowHost } from './exchange.ts';
import { lifetimeOver, replacedByRekey, silentPeer } from './failures.ts';
import { dropFollowUp, type FollowUp } from './follow-up.ts';
import { Reassembly, sealMessage } from './fragmentation.ts';
import { encodeHeader, type IkeHeader } from './header.ts';
import { addressIdentity } from './identity.ts';
import type { HalfOpen } from './init-responder.ts';
import { lifetime } from './lifetime.ts';
import type { Mobility } from './mobike.ts';
import { payloadsText } from './notify.ts';
import { EXCHANGES, type ExchangeName } from './numbers.ts';
import { encodeChain, type Payload } from './payload.ts';
import type { PeerIkeRekey } from './rekey-ike.ts';
import { ReplyCache } from './reply-cache.ts';
import { DEFAULT_IKE_LIFETIME, type IkeV2Counters, type IkeV2Limits } from './settings.ts';

/** How long a dead SA is kept to repeat its last reply, ms. */
const LAST_REPLY_MS = 30_000;

/** SAs that the peer may ask for under an established one: a second, and at once. Each may cost a key exchange. */
const ASKED_PER_SECOND = 2;
const ASKED_BURST = 32;

/** How long the peer may take to delete an SA that was replaced, ms. Then this side does. */
export const REPLACED_MS = 60_000;

export type IkeSaState =
  /** IKE_SA_INIT or IKE_AUTH of this side is under way. */
  | { readonly name: 'initiating' }
  /** IKE_SA_INIT of the peer was answered. */
  | { readonly name: 'half-open'; readonly init: HalfOpen }
  | { readonly name: 'established' }
  /** Made by the peer's rekey while ours is under way: the nonces decide (section 2.8.2). */
  | { readonly name: 'undecided'; readonly of: IkeSa }
  /** Its children went to the one that replaced it; it is to be deleted. */
  | { readonly name: 'replaced'; readonly by: IkeSa }
  /** Nothing of it is up: a DELETE is being delivered, or the last reply is kept for repetition. */
  | { readonly name: 'closing' }
  | { readonly name: 'gone' };

/** The last child, which went before the peer agreed to another one. */
export interface LostChild {
  readonly child: Child;
  /** When to ask for one like it. */
  askAt: Instant;
}

/** What an IKE SA needs of its endpoint. */
export interface IkeHost extends OwnVendorId {
  readonly random: RandomSource;
  readonly limits: IkeV2Limits;
  readonly counters: IkeV2Counters;
  readonly qcdSecret: Uint8Array | undefined;
  readonly connections: readonly IkeConnection[];
  emit(output: IkeOutput): void;
  newIkeId(): number;
  newChildId(): number;
  /** 8 octets that no IKE SA of ours has; reserved until {@link releaseSpi}. */
  newIkeSpi(): Uint8Array;
  /** Unique among the child SAs of this endpoint, 256 or more. */
  newEspSpi(): number;
  releaseSpi(spi: Uint8Array): void;
  add(sa: IkeSa): void;
  ikeSas(): Iterable<IkeSa>;
  stateChanged(sa: IkeSa): void;
  /** A caller was turned away before there was anything to go down: said, but not more often than a person can read. */
  refused(now: Instant, connection: IkeConnection, failure: Failure, ikeId?: number): void;
}

export interface IkeSaOptions {
  readonly connection: IkeConnection;
  readonly path: UdpPath;
  /** Whether this side is the original initiator. */
  readonly initiator: boolean;
  readonly spiI: Uint8Array;
  readonly spiR: Uint8Array;
  readonly state: IkeSaState;
  /** Message ID of the peer's first request under it. */
  readonly expectedId: number;
}

export class IkeSa implements WindowHost {
  readonly id: number;
  readonly host: IkeHost;
  readonly initiator: boolean;
  readonly spiI: Uint8Array;
  spiR: Uint8Array;
  connection: IkeConnection;
  path: UdpPath;
  #state: IkeSaState;
  readonly since: Instant;

  /** Requests of this side. */
  readonly window: RequestWindow;
  /** Message ID of the peer's next request. */
  expectedId: number;
  readonly replies = new ReplyCache();
  readonly requestParts = new Reassembly();
  readonly responseParts = new Reassembly();
  /** First fragment of the request that is being put together. */
  firstFragment: Uint8Array | undefined;

  proposal: IkeProposal | undefined;
  keys: IkeSaKeys | undefined;
  protection: MessageProtection | undefined;
  nat: NatSituation = NO_NAT;
  /** Both sides said that they are Culvert. */
  amongOurselves = false;
  /** Both sides want ESP in UDP, and said so. */
  encapsulationAgreed = false;
  /** Both sides can put fragments together. */
  fragmentation = false;
  mobility: Mobility = { agreed: false, natTraversal: false };
  implementation = '';
  /** By its first message. */
  looksLike: Recognition | undefined;
  peerId: IkeIdentity | undefined;
  /** Who the peer proved to be by EAP. */
  user: string | undefined;
  /** EAP of the peer, while it goes on. */
  eap: EapConversation | undefined;
  /** SIGNATURE_HASH_ALGORITHMS of the peer. */
  peerHashes: readonly number[] = [];
  /** What the peer assigned to this side. */
  configuration: AssignedConfiguration | undefined;
  /** What this side assigned to the peer. */
  assigned: AssignedConfiguration | undefined;
  /** Both sides' nonces in IKE_SA_INIT. */
  nonces: { readonly nonceI: Uint8Array; readonly nonceR: Uint8Array } | undefined;
  /** Both sides said that they have a PPK. */
  usesPpk = false;
  /** What AUTH covers of IKE_INTERMEDIATE, once that is done. */
  intAuth: Uint8Array | undefined;
  /** The peer's proof that it lost this SA. */
  peerToken: Uint8Array | undefined;

  readonly children = new Map<number, Child>();
  /** What the peer asks for, over all rekeys. */
  asked = new RateLimit(ASKED_PER_SECOND, ASKED_BURST);
  /** The peer rekeys this SA while this side does. */
  peerRekey: PeerIkeRekey | undefined;
  /** What a CREATE_CHILD_SA of the peer's has agreed on, short of its additional key exchange. */
  followUp: FollowUp | undefined;

  heardAt: Instant;
  establishedAt: Instant | undefined;
  rekeyAt: Instant | undefined;
  /** When this side proves itself again, by another IKE SA. */
  reauthenticateAt: Instant | undefined;
  /** Until when the peer has to. */
  reauthenticateBy: Instant | undefined;
  /** The one in whose place this one is made, by a new proof. */
  reauthenticates: IkeSa | undefined;
  /** Told when it ends before it stands. */
  cameToNothing: ((now: Instant, failure: Failure) => void) | undefined;
  /** Hard end; of one that waits for its end, that. */
  expiresAt: Instant | undefined;
  /** Since when there is no child. */
  childlessSince: Instant | undefined;
  /** Why there is none. */
  childFailure: Failure | undefined;
  /** This side opened the connection, or took it over from an SA for which it did: it sees to it that there is a child. */
  opened = false;
  lost: LostChild | undefined;
  refusals = 0;
  /** What an unprotected message or the network said: told if nothing better comes (section 2.21.1). */
  hint: Failure | undefined;
  /** The outside knows of it: its end has to be told. */
  announced = false;

  constructor(now: Instant, host: IkeHost, options: IkeSaOptions) {
    this.id = host.newIkeId();
    this.host = host;
    this.connection = options.connection;
    this.path = options.path;
    this.initiator = options.initiator;
    this.spiI = options.spiI;
    this.spiR = options.spiR;
    this.#state = options.state;
    this.expectedId = options.expectedId;
    this.since = now;
    this.heardAt = now;
    const { retransmitFirstMs, retransmitCapMs, retransmitTries } = host.limits;
    const policy = { firstMs: retransmitFirstMs, capMs: retransmitCapMs, tries: retransmitTries };
    this.window = new RequestWindow(this, this, policy);
    host.add(this);
  }

  get state(): IkeSaState {
    return this.#state;
  }

  set state(state: IkeSaState) {
    this.#state = state;
    this.host.stateChanged(this);
  }

  /** The SPI that messages for this side carry. */
  get ownSpi(): Uint8Array {
    return this.initiator ? this.spiI : this.spiR;
  }

  get established(): boolean {
    return this.state.name === 'established';
  }

  /** Nobody waits for it any more: it is kept for the peer's sake. */
  get ended(): boolean {
    return this.state.name === 'closing' || this.state.name === 'gone';
  }

  get localId(): IkeIdentity {
    return this.connection.localId ?? addressIdentity(this.path.local.address);
  }

  get encapsulation(): EncapsulationCause | undefined {
    return this.nat.encapsulation;
  }

  get peer(): IkePeer {
    const { encapsulation, looksLike, user } = this;
    return {
      identity: this.peerId ?? addressIdentity(this.path.remote.address),
      ...(user === undefined ? {} : { user }),
      implementation: this.implementation,
      ...(looksLike === undefined ? {} : { looksLike }),
      natLocal: this.nat.local,
      natRemote: this.nat.remote,
      ...(encapsulation === undefined ? {} : { encapsulation }),
    };
  }

  setKeys(proposal: IkeProposal, keys: IkeSaKeys): void {
    this.proposal = proposal;
    this.keys = keys;
    this.protection = new MessageProtection(proposal, keys, this.initiator, this.host.random);
  }

  /** Becomes established. @param replaces the one that it takes over from. */
  establish(now: Instant, replaces?: IkeSa): void {
    const { connection, host, id, initiator, path, peer, proposal } = this;
    if (proposal === undefined) return;
    this.state = { name: 'established' };
    this.announced = true;
    this.heardAt = now;
    this.establishedAt = now;
    const { rekeyAt, expiresAt } = lifetime(now, connection.ikeLifetime ?? DEFAULT_IKE_LIFETIME, host.random);
    this.rekeyAt = rekeyAt;
    this.expiresAt = expiresAt;
    host.emit({
      kind: 'ike-up',
      ikeId: id,
      connection: connection.name,
      initiator,
      proposal,
      peer,
      path,
      ...(this.configuration === undefined ? {} : { configuration: this.configuration }),
      ...(replaces === undefined ? {} : { replaces: replaces.id }),
    });
  }

  /** Takes over who the peer is, and the inner addresses, from the one that this one replaces. */
  inherit(old: IkeSa): void {
    this.user = old.user;
    this.reauthenticateAt = old.reauthenticateAt;
    this.reauthenticateBy = old.reauthenticateBy;
    this.configuration = old.configuration;
    this.assigned = old.assigned;
    if (old.assigned !== undefined) this.connection.leases?.release(old.id, this.id);
    old.assigned = undefined;
  }

  /** The peer's inner address may go to another one. */
  releaseAddress(): void {
    if (this.assigned !== undefined) this.connection.leases?.release(this.id);
    this.assigned = undefined;
  }

  header(exchange: ExchangeName, messageId: number, response: boolean): IkeHeader {
    const { spiI, spiR, initiator } = this;
    return { spiI, spiR, exchange: EXCHANGES[exchange], fromInitiator: initiator, response, messageId };
  }

  seal(
    exchange: ExchangeName,
    messageId: number,
    payloads: readonly Payload[],
    response = false,
  ): readonly Uint8Array[] {
    const header = this.header(exchange, messageId, response);
    const { firstType, octets } = encodeChain(payloads);
    this.trace('sent', exchange, response, payloads);
    if (this.protection === undefined) {
      const length = HEADER_OCTETS + octets.length;
      const message = new Uint8Array(length);
      message.set(encodeHeader(header, firstType, length));
      message.set(octets, HEADER_OCTETS);
      return [message];
    }
    const limit = this.fragmentation ? this.host.limits.fragmentOctets : undefined;
    return sealMessage(this.protection, header, firstType, octets, limit);
  }

  transmit(datagrams: readonly Uint8Array[], again = false, path = this.mobility.unproved ?? this.path): void {
    if (again) this.host.counters.retransmitted += 1;
    for (const datagram of datagrams) this.host.emit({ kind: 'send', datagram, path });
  }

  trace(direction: 'sent' | 'received', exchange: ExchangeName, response: boolean, payloads: readonly Payload[]): void {
    const message = `${exchange} ${response ? 'response' : 'request'}`;
    const detail = payloadsText(payloads);
    this.host.emit({ kind: 'trace', ikeId: this.id, direction, message, ...(detail === '' ? {} : { detail }) });
  }

  /** Says something in the trace that is no message. */
  note(exchange: ExchangeName, detail: string): void {
    this.host.emit({ kind: 'trace', ikeId: this.id, direction: 'received', message: exchange, detail });
  }

  silent(now: Instant, exchange: Exchange): void {
    exchange.unanswered?.(now, this);
    if (this.established) this.fail(now, silentPeer(this.path, exchange.name));
    else if (this.state.name === 'initiating') this.fail(now, this.hint ?? silentPeer(this.path, exchange.name));
    else {
      this.end(now, replacedByRekey());
      this.forget();
    }
  }

  /** Takes a child in. @param replaces the one it takes over from. */
  install(child: Child, replaces?: Child): void {
    this.children.set(child.sa.id, child);
    this.childlessSince = undefined;
    this.childFailure = undefined;
    this.lost = undefined;
    if (replaces !== undefined) replaces.replacedBy = child;
    this.host.emit({
      kind: 'child-up',
      child: child.sa,
      ...(replaces === undefined ? {} : { replaces: replaces.sa.id }),
      ...(child.receiveOnly ? { receiveOnly: true as const } : {}),
    });
  }

  /** The peer has it for certain: send on it. */
  sendOn(child: Child): void {
    const stands = [...this.host.ikeSas()].some(({ children }) => children.has(child.sa.id));
    if (!child.receiveOnly || !stands) return;
    child.receiveOnly = false;
    this.host.emit({ kind: 'child-send', childId: child.sa.id });
  }

  /** Drops a child; the one that replaced it takes over entirely. */
  remove(now: Instant, child: Child, failure?: Failure): void {
    if (!this.children.delete(child.sa.id)) return;
    const heir = child.replacedBy;
    this.#unreplace(child);
    if (heir !== undefined && heir.state === 'up') this.sendOn(heir);
    if (failure === undefined && this.children.size === 0) this.#lose(now, child);
    const reason = failure ?? child.failure;
    const { id: childId } = child.sa;
    this.host.emit({ kind: 'child-down', childId, ...(reason === undefined ? {} : { failure: reason }) });
    if (this.children.size === 0) {
      this.childlessSince = now;
      this.childFailure ??= reason;
    }
  }

  /** It was to replace children of another IKE SA, and did not stay: they are what there is again. */
  #unreplace(child: Child): void {
    for (const other of this.host.ikeSas()) {
      if (other === this) continue;
      for (const one of other.children.values())
        if (one.replacedBy === child && one.state === 'up') delete one.replacedBy;
    }
  }

  /** Where another one was wanted in its place, it is asked for; one that the peer just closed is closed. */
  #lose(now: Instant, child: Child): void {
    const wanted =
      child.failure !== undefined || (child.state === 'up' && (child.rekeyAt === undefined || child.refusals > 0));
    if (!this.opened || !this.established || child.replacedBy !== undefined || !wanted) return;
    child.failure ??= lifetimeOver('child');
    child.refusals = 0;
    this.lost ??= { child, askAt: now };
  }

  /** The end of all that is up. The SA itself stays as long as the peer may want something repeated. */
  end(now: Instant, failure: Failure): void {
    if (this.ended) return;
    for (const child of [...this.children.values()]) this.remove(now, child, failure);
    if (!this.announced) this.cameToNothing?.(now, failure);
    if (this.announced) {
      this.host.emit({ kind: 'ike-down', ikeId: this.id, connection: this.connection.name, failure });
    }
    this.announced = false;
    this.eap = undefined;
    this.releaseAddress();
    this.peerRekey = undefined;
    dropFollowUp(this);
    this.lost = undefined;
    this.rekeyAt = undefined;
    this.reauthenticateAt = undefined;
    this.window.takeQueue();
    this.state = { name: 'closing' };
    this.expiresAt = now + LAST_REPLY_MS;
  }

  /** The end without another word to the peer. */
  fail(now: Instant, failure: Failure): void {
    this.end(now, failure);
    this.window.stop();
    if (!this.replies.filled) this.forget();
  }

  /** Not even the last reply is kept. */
  forget(): void {
    if (this.state.name === 'gone') return;
    this.state = { name: 'gone' };
    this.window.stop();
    if (this.keys !== undefined) wipeIkeSaKeys(this.keys);
    this.keys = undefined;
    this.protection = undefined;
  }
}
