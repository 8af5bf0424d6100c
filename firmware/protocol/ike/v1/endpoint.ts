/**
 * An IKEv1 endpoint (RFC 2407, 2408, 2409, 3947, 3706): any number of peers, called or calling. Main Mode with pre-
 * shared keys or RSA signatures, Aggressive Mode for connections that say so, Quick Mode for ESP, Informational.
 */
import { DecodeError } from '../../bytes.ts';
import type { Failure, Instant, Machine, RandomSource } from '../../machine.ts';
import { sameEndpoint, type UdpEndpoint, type UdpPath } from '../../udp-path.ts';
import type { IkeConnection, IkeOutput, IkeSecrets } from '../ike-types.ts';
import { isZeroSpi } from '../message-header.ts';
import type { OwnVendorId } from '../vendor-ids.ts';
import { ChildTable } from './child-table.ts';
import { dispatch } from './dispatch.ts';
import { endpointSettings, type IkeV1Settings } from './endpoint-settings.ts';
import type { IkeV1Counters, IkeV1Limits, IkeV1Options, IkeV1View } from './endpoint-types.ts';
import { closedHere } from './failures.ts';
import { FirstMessages } from './first-message.ts';
import { cookieKey, decodeMessage, type ReceivedMessage } from './header.ts';
import type { IsakmpSa } from './isakmp-sa.ts';
import type { IsakmpSaHost } from './isakmp-sa-host.ts';
import { LoginAttempts } from './login-attempts.ts';
import { decodeNotification } from './notification.ts';
import { ExchangeType, FIRST_STATUS_TYPE, notifyName, PayloadType } from './numbers.ts';
import { Outbox } from './outbox.ts';
import { bodiesOf } from './payload.ts';
import { isEncrypted, type Phase1Exchange, plainPayloads } from './phase1.ts';
import { beginPhase1 } from './phase1-begin.ts';
import { Reassemblies } from './reassemblies.ts';
import { SaLifecycle } from './sa-lifecycle.ts';
import { SaTable } from './sa-table.ts';

/** Exchanges under an ISAKMP SA. */
const UNDER_AN_SA: ReadonlySet<number> = new Set([
  ExchangeType.informational,
  ExchangeType.quickMode,
  ExchangeType.transaction,
]);

export class IkeV1Endpoint implements Machine<IkeOutput>, IsakmpSaHost {
  readonly counters: IkeV1Counters = {
    received: 0,
    malformed: 0,
    unknownCookies: 0,
    duplicate: 0,
    unexpected: 0,
    halfOpenLimit: 0,
    refused: 0,
    aggressiveMode: 0,
    authenticationFailed: 0,
    unauthenticatedNotify: 0,
    unsupportedExchange: 0,
  };
  readonly random: RandomSource;
  readonly outbox = new Outbox();
  readonly children: ChildTable;
  readonly attempts = new LoginAttempts();
  readonly ending = new Set<IsakmpSa>();
  readonly #options: IkeV1Options;
  #settings: IkeV1Settings;
  readonly #table = new SaTable();
  readonly #lifecycle: SaLifecycle;
  readonly #reassemblies = new Reassemblies();
  readonly #firstMessages: FirstMessages;
  #lastIkeId = 0;

  /** @throws RangeError when a connection holds what IKEv1 cannot say. */
  constructor(options: IkeV1Options, random: RandomSource) {
    this.#options = options;
    this.#settings = endpointSettings(options);
    this.random = random;
    this.children = new ChildTable(this.outbox, random, options.spiInUse);
    this.#lifecycle = new SaLifecycle(this, this.#table);
    this.#firstMessages = new FirstMessages(this, this.#table);
  }

  /** For phase 1. */
  get self(): OwnVendorId {
    return this.#settings;
  }

  get limits(): IkeV1Limits {
    return this.#settings.limits;
  }

  get connections(): readonly IkeConnection[] {
    return this.#settings.connections;
  }

  /**
   * Other connections from now on. SAs that stand keep what they were made with.
   * @throws RangeError when one holds what IKEv1 cannot say; then those before stay.
   */
  setConnections(connections: readonly IkeConnection[]): void {
    this.#settings = endpointSettings({ ...this.#options, connections });
  }

  /**
   * Sets a connection up: phase 1, then Quick Mode for each pair of selectors. `ike-up` and `child-up` follow, or
   * `ike-down` with the reason.
   * @param path to port 500, or straight to 4500.
   * @returns the ikeId that the outputs name.
   * @throws RangeError when there is no such connection.
   */
  initiate(now: Instant, connectionName: string, path: UdpPath): number {
    const connection = this.#settings.connections.find(({ name }) => name === connectionName);
    if (connection === undefined) throw new RangeError(`no IKEv1 connection is called ${connectionName}`);
    const ikeId = this.freshIkeId();
    const { address } = path.remote;
    const first = !this.#table.knows(address);
    // The peer may have called meanwhile.
    const initialContact = () => first && this.#table.countAt(address) === 0;
    const options = { ikeId, connection, path, initialContact };
    this.#table.addInitiator(beginPhase1(now, this, options));
    return ikeId;
  }

  /** One datagram, without non-ESP marker. Whatever is in it, nothing is thrown; what cannot be used is counted. */
  receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    this.counters.received += 1;
    try {
      const message = decodeMessage(datagram);
      if (message.header.nextPayload !== PayloadType.fragment) this.#dispatch(now, message, path);
      else this.#receiveFragment(now, message, path);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counters.malformed += 1;
    }
    // Also where a payload was malformed: those before it have taken effect.
    this.#lifecycle.settle(now);
  }

  /** Makes a successor of a child SA now. Harmless when there is no such child SA, or one is being made. */
  rekeyChild(now: Instant, childId: number): void {
    const record = this.children.find(childId);
    if (record !== undefined && !record.replaced && !record.rekeying) this.#lifecycle.rekeyChild(now, record);
  }

  /** Makes a successor of an ISAKMP SA now; its child SAs stay. Harmless when there is none, or one is being made. */
  rekeyIke(now: Instant, ikeId: number): void {
    this.#lifecycle.rekeyIke(now, ikeId);
  }

  /** Ends an ISAKMP SA and its child SAs: the peer is told, `child-down` and `ike-down` follow at once. */
  close(now: Instant, ikeId: number, failure: Failure = closedHere()): void {
    const mode = this.#table.phase1s.get(ikeId);
    if (mode !== undefined) this.#dropPhase1(now, mode, failure);
    const sa = this.#table.sas.get(ikeId);
    if (sa !== undefined) this.#lifecycle.close(now, sa, failure);
  }

  /** Ends all. */
  shutdown(now: Instant): void {
    for (const { ikeId } of this.views()) this.close(now, ikeId);
  }

  /** The network reported an error towards `remote`: a clue, no more. @param code errno name such as `ECONNREFUSED`. */
  pathError(_now: Instant, remote: UdpEndpoint, code: string): void {
    // A datagram that was too big says nothing about the peer.
    if (code === 'EMSGSIZE') return;
    for (const mode of this.#table.phase1s.values()) {
      if (sameEndpoint(mode.path.remote, remote)) mode.hint({ pathError: code });
    }
    for (const sa of this.#table.sas.values()) sa.pathError(remote, code);
  }

  /** ESP of a child SA came in and was genuine: the peer lives. */
  espReceived(now: Instant, childId: number): void {
    const record = this.children.find(childId);
    if (record === undefined) return;
    if (record.pending) for (const sa of this.#table.sas.values()) sa.childUsed(now, childId);
    this.children.confirmed(now, record);
    this.#table.sas.get(record.ikeId)?.heard(now);
  }

  /**
   * ESP of a child SA, verified and no replay, came from elsewhere. Where the peer is behind a NAT, the ISAKMP SA
   * follows, and `path` says so; else nothing happens. @param path as the ESP came.
   */
  peerMoved(now: Instant, childId: number, path: UdpPath): void {
    const record = this.children.find(childId);
    if (record !== undefined) this.#table.sas.get(record.ikeId)?.peerMoved(now, path);
  }

  /** Every phase 1 in progress and every ISAKMP SA. */
  views(): readonly IkeV1View[] {
    return [...this.#phase1Views(), ...this.#lifecycle.succession.views()];
  }

  /** Keys of every ISAKMP SA that stands, and of its child SAs. */
  secrets(): readonly IkeSecrets[] {
    return [...this.#table.sas.values()].map(({ ikeId, path, sa }) => {
      const { cookieI, cookieR, encryptionKey, proposal, connection, nat } = sa;
      const ike = { version: 1, cookieI, cookieR, encryption: proposal.encryption, encryptionKey } as const;
      const children = this.children.ofIke(ikeId).map(({ child }) => child);
      return { ikeId, connection: connection.name, path, behindNat: nat.local, ike, children };
    });
  }

  /** The last thing that went wrong with an ISAKMP SA without ending it: a refused Quick Mode, say. */
  lastFailure(ikeId: number): Failure | undefined {
    return this.#table.sas.get(ikeId)?.lastFailure;
  }

  /** There is no SA, and none is being made. */
  get idle(): boolean {
    return this.#table.phase1s.size === 0 && this.#table.sas.size === 0;
  }

  tick(now: Instant): void {
    for (const mode of [...this.#table.phase1s.values()]) {
      if (mode.deadline === undefined || now < mode.deadline) continue;
      mode.tick(now);
      this.#settlePhase1(now, mode);
    }
    this.#lifecycle.tick(now);
  }

  nextDeadline(): Instant | undefined {
    const { phase1s, sas } = this.#table;
    let earliest = this.children.deadline;
    for (const { deadline } of [...phase1s.values(), ...sas.values()]) {
      if (deadline !== undefined && (earliest === undefined || deadline < earliest)) earliest = deadline;
    }
    return earliest;
  }

  poll(): IkeOutput | undefined {
    return this.outbox.shift();
  }

  /** For ISAKMP SAs. */
  deletedByPeer(_now: Instant, sa: IsakmpSa, key: string): void {
    this.#lifecycle.succession.deletedByPeer(sa, key);
  }

  /** For ISAKMP SAs. */
  moved(sa: IsakmpSa): void {
    this.#lifecycle.succession.join(sa);
  }

  /** For ISAKMP SAs. */
  silent(sa: IsakmpSa, failure: Failure): void {
    this.#lifecycle.succession.silent(sa, failure);
  }

  /** For ISAKMP SAs. */
  configured(now: Instant, sa: IsakmpSa): void {
    this.#lifecycle.admit(now, sa);
  }

  /** For ISAKMP SAs. */
  initialContact(now: Instant, sa: IsakmpSa): void {
    this.#lifecycle.initialContact(now, sa);
  }

  #dispatch(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const { exchangeType } = message.header;
    if (exchangeType === ExchangeType.mainMode || exchangeType === ExchangeType.aggressive) {
      this.#receivePhase1(now, message, path);
    } else if (UNDER_AN_SA.has(exchangeType)) {
      this.#receiveOther(now, message, path);
    } else this.counters.unsupportedExchange += 1;
  }

  #receivePhase1(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const { cookieI, cookieR } = message.header;
    const mode = isZeroSpi(cookieR) ? this.#table.asked(cookieI, path.remote) : this.#table.phase1Of(message.header);
    if (mode !== undefined) {
      mode.receive(now, message, path);
      this.#settlePhase1(now, mode);
    } else if (!isZeroSpi(cookieR)) this.#receiveEstablished(now, message, path);
    else if (message.header.exchangeType === ExchangeType.mainMode) this.#firstMessages.mainMode(now, message, path);
    else this.#firstMessages.aggressiveMode(now, message, path);
  }

  /** Informational, Quick Mode and Transaction: under an ISAKMP SA, or a hint about one that is being made. */
  #receiveOther(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const mode = this.#table.phase1Of(message.header);
    const encrypted = isEncrypted(message);
    if (encrypted && mode === undefined) this.#receiveEstablished(now, message, path);
    else if (encrypted && mode?.informed(message) !== true) {
      this.counters.unexpected += 1;
      // A server that asks for a login says nothing bad: its last message was lost, or comes later.
      const asks = mode?.initiator === true && message.header.exchangeType !== ExchangeType.informational;
      if (!asks) mode?.hint({ unreadable: true });
    } else if (encrypted) return;
    else if (message.header.exchangeType === ExchangeType.informational) this.#receiveHint(message, mode);
    else this.counters.malformed += 1;
  }

  /** In clear: anybody may have sent it, so nothing ends because of it. */
  #receiveHint(message: ReceivedMessage, mode: Phase1Exchange | undefined): void {
    this.counters.unauthenticatedNotify += 1;
    const [body] = bodiesOf(plainPayloads(message), PayloadType.notification);
    const { cookieI, cookieR } = message.header;
    const sa = this.#table.established(cookieKey(cookieI, cookieR));
    const about = mode ?? sa;
    if (about === undefined || body === undefined) return;
    const { type } = decodeNotification(body);
    this.outbox.received(about.ikeId, 'Informational', `${notifyName(type)}, unauthenticated`);
    if (type < FIRST_STATUS_TYPE) mode?.hint({ notify: type });
    sa?.hint(type);
  }

  #receiveEstablished(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const { cookieI, cookieR, messageId } = message.header;
    const key = cookieKey(cookieI, cookieR);
    const sa = this.#table.established(key);
    if (sa !== undefined) {
      dispatch(now, sa, message, path);
      return;
    }
    const lingering = this.#table.lingering(now, key);
    const seen = lingering?.replay.recognize(messageId, message.octets);
    if (lingering === undefined || seen?.kind !== 'repeated') {
      this.counters.unknownCookies += 1;
      return;
    }
    this.counters.duplicate += 1;
    if (seen.reply === undefined) return;
    this.outbox.send(lingering.ikeId, 'reply again', seen.reply, lingering.path, lingering.fragments);
  }

  #receiveFragment(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const { cookieI, cookieR } = message.header;
    const key = cookieKey(cookieI, cookieR);
    if (this.#table.phase1Of(message.header) === undefined && this.#table.established(key) === undefined) {
      this.counters.unknownCookies += 1;
      return;
    }
    const whole = this.#reassemblies.add(now, key, message.body);
    if (whole === undefined) return;
    const inner = decodeMessage(whole);
    if (inner.header.nextPayload === PayloadType.fragment) throw new DecodeError('fragments of fragments');
    this.#dispatch(now, inner, path);
  }

  #settlePhase1(now: Instant, mode: Phase1Exchange): void {
    const { outcome, failure } = mode;
    if (outcome !== undefined) {
      this.#table.removePhase1(mode);
      this.#lifecycle.established(now, outcome);
    } else if (mode.initiator ? failure !== undefined : mode.expired) {
      this.#dropPhase1(now, mode, failure);
    }
  }

  /** @param failure what there is to say; nothing where a stranger just went away. */
  #dropPhase1(now: Instant, mode: Phase1Exchange, failure: Failure | undefined): void {
    this.#table.removePhase1(mode);
    if (failure === undefined) return;
    const rekeyed = mode.initiator ? mode.rekeys : undefined;
    if (rekeyed !== undefined) this.#table.sas.get(rekeyed)?.rekeyFailed(now, failure);
    else this.outbox.emit({ kind: 'ike-down', ikeId: mode.ikeId, connection: mode.connection.name, failure });
  }

  #phase1Views(): readonly IkeV1View[] {
    return [...this.#table.phase1s.values()].map(({ ikeId, connection, initiator, path }) => ({
      ikeId,
      connection: connection.name,
      initiator,
      state: 'phase-1',
      path,
      children: [],
    }));
  }

  /** An ikeId that was never used. */
  freshIkeId(): number {
    this.#lastIkeId += 1;
    return this.#lastIkeId;
  }
}
