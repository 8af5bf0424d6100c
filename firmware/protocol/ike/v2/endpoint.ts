/**
 * IKEv2 (RFC 7296): any number of IKE SAs in both roles, on whatever sockets the caller has. With fragmentation (RFC
 * 7383) and Quick Crash Detection (RFC 6290); authentication by pre-shared key.
 */
import { DecodeError } from '../../bytes.ts';
import { isIpAddress } from '../../ip-address.ts';
import type { Failure, Instant, Machine, RandomSource } from '../../machine.ts';
import { sameEndpoint, type UdpEndpoint, type UdpPath } from '../../udp-path.ts';
import type { IkeConnection, IkeOutput, IkeSecrets } from '../ike-types.ts';
import { HEADER_OCTETS, isZeroSpi, spiKey, ZERO_SPI } from '../message-header.ts';
import { RateLimit } from '../rate-limit.ts';
import { Admission } from './admission.ts';
import { spiNumber } from './child.ts';
import { usableConnections } from './connection.ts';
import { follow, receiveFor } from './dispatch.ts';
import { closedHere, unreachablePeer } from './failures.ts';
import { decodeHeader, type ReceivedHeader } from './header.ts';
import { type IkeHost, IkeSa } from './ike-sa.ts';
import { ikeDelete } from './informational.ts';
import { InitInitiator } from './init-initiator.ts';
import { answerInit } from './init-responder.ts';
import { changeAddress } from './mobike.ts';
import { findNotifies, notify } from './notify.ts';
import { exchangeName } from './numbers.ts';
import { decodeChain, ENCRYPTED } from './payload.ts';
import { Registry } from './registry.ts';
import { secretsOf } from './secrets.ts';
import { DEFAULT_LIMITS, type IkeV2Counters, type IkeV2Limits, type IkeV2Options, newCounters } from './settings.ts';
import { deadlineOf, probe, rekeyChild, rekeyIke, tickIkeSa } from './timers.ts';
import { answerUnknownSpi, answerUnprotected, tellInvalidSpi } from './unprotected.ts';
import { type IkeSaView, viewOf } from './view.ts';

/** How often it is said that a caller was turned away: a second, and at once. */
const REFUSALS_PER_SECOND = 0.5;
const REFUSALS_BURST = 20;

/** Hints about unknown ESP SPIs, sent and heeded: a second, and at once (RFC 7296 section 2.4). */
const HINTS_PER_SECOND = 5;
const HINTS_BURST = 10;

/** After an error from the network, how long an answer to IKE_SA_INIT may still come, ms: anybody can forge ICMP. */
const UNREACHABLE_GRACE_MS = 2000;

export class IkeV2Endpoint implements Machine<IkeOutput>, IkeHost {
  readonly random: RandomSource;
  readonly limits: IkeV2Limits;
  readonly counters: IkeV2Counters = newCounters();
  readonly qcdSecret: Uint8Array | undefined;
  readonly vendorId: boolean;
  readonly encapsulateAmongOurselves: boolean;
  connections: readonly IkeConnection[];

  readonly #admission: Admission;
  readonly #refusals = new RateLimit(REFUSALS_PER_SECOND, REFUSALS_BURST);
  readonly #hints = new RateLimit(HINTS_PER_SECOND, HINTS_BURST);
  readonly #outputs: IkeOutput[] = [];
  readonly #registry: Registry;

  /** @throws RangeError when a connection holds what cannot be negotiated or sent. */
  constructor(options: IkeV2Options, random: RandomSource) {
    this.random = random;
    this.#registry = new Registry(random, options.spiInUse);
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.qcdSecret = options.qcdSecret;
    this.vendorId = options.vendorId ?? true;
    this.encapsulateAmongOurselves = options.encapsulateAmongOurselves ?? true;
    this.connections = usableConnections(options.connections);
    this.#admission = new Admission(this.limits, random);
  }

  /**
   * Other connections from now on. SAs that stand keep what they were made with.
   * @throws RangeError when one holds what cannot be negotiated or sent; then those before stay.
   */
  setConnections(connections: readonly IkeConnection[]): void {
    this.connections = usableConnections(connections);
  }

  /**
   * Begins an IKE SA: IKE_SA_INIT goes out. `ike-up` and `child-up` follow, or `ike-down` with the reason.
   * @param path `remote` with port 500; or 4500, where the SA then stays. `local` has to be a concrete address.
   * @returns its id.
   * @throws RangeError when there is no such connection, or an end of the path is no IP address.
   */
  initiate(now: Instant, connectionName: string, path: UdpPath): number {
    const connection = this.connections.find(({ name }) => name === connectionName);
    if (connection === undefined) throw new RangeError(`no IKEv2 connection is called ${connectionName}`);
    for (const { address } of [path.local, path.remote]) {
      if (!isIpAddress(address)) throw new RangeError('a path of IKE leads from one IP address to another');
    }
    const sa = new IkeSa(now, this, {
      connection,
      path,
      initiator: true,
      spiI: this.newIkeSpi(),
      spiR: ZERO_SPI,
      state: { name: 'initiating' },
      expectedId: 0,
    });
    sa.announced = true;
    sa.opened = true;
    sa.window.add(new InitInitiator());
    sa.window.pump(now);
    return sa.id;
  }

  /** One datagram, without non-ESP marker. Whatever is in it, nothing is thrown; what cannot be used is counted. */
  receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    this.counters.received += 1;
    try {
      // Parts of it are kept: the caller may use its buffer again.
      const message = datagram.slice(0, decodeHeader(datagram).length);
      this.#receive(now, decodeHeader(message), message, path);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counters.malformed += 1;
    }
  }

  /** Replaces a child SA now. Harmless when there is none of this id, or it is being replaced already. */
  rekeyChild(now: Instant, childId: number): void {
    const found = this.#registry.child(childId);
    if (found === undefined || !found.sa.established) return;
    rekeyChild(found.sa, found.child);
    found.sa.window.pump(now);
  }

  /** Replaces an IKE SA now; its children stay. Harmless when there is none of this id. */
  rekeyIke(now: Instant, ikeId: number): void {
    const sa = this.#registry.get(ikeId);
    if (sa === undefined || !sa.established) return;
    rekeyIke(sa);
    sa.window.pump(now);
  }

  /** Ends an IKE SA and its children: the events come at once, while the DELETE is still being delivered. */
  close(now: Instant, ikeId: number, failure: Failure = closedHere()): void {
    const sa = this.#registry.get(ikeId);
    if (sa === undefined || sa.ended) return;
    const known = sa.protection !== undefined && sa.state.name !== 'half-open';
    sa.end(now, failure);
    if (known) {
      sa.window.add(ikeDelete());
      sa.window.pump(now);
    } else sa.forget();
  }

  /** Ends all. */
  shutdown(now: Instant): void {
    for (const sa of this.#registry.all()) this.close(now, sa.id);
  }

  /** The network reported an error towards `remote`: a hint. @param code errno name such as `ECONNREFUSED`. */
  pathError(now: Instant, remote: UdpEndpoint, code: string): void {
    if (code === 'EMSGSIZE') return;
    for (const sa of this.#registry.all()) {
      if (!sameEndpoint(sa.path.remote, remote)) continue;
      if (sa.established) probe(now, sa);
      else if (sa.state.name === 'initiating' && sa.hint === undefined) {
        sa.hint = unreachablePeer(sa.path, code);
        if (sa.protection === undefined) sa.window.giveUpBy(now + UNREACHABLE_GRACE_MS);
      }
    }
  }

  /** ESP came in over a child SA, verified and no replay: the peer lives, and has the new SA if it is a new one. */
  espReceived(now: Instant, childId: number): void {
    const found = this.#registry.child(childId);
    if (found === undefined) return;
    found.sa.heardAt = Math.max(found.sa.heardAt, now);
    const { child } = found;
    child.confirmed = true;
    if (child.state === 'up') found.sa.sendOn(child);
  }

  /**
   * ESP of a child SA, verified and no replay, came from elsewhere. Where the peer is behind a NAT, the IKE SA follows,
   * and `path` says so; else nothing happens. @param path as the ESP came.
   */
  peerMoved(now: Instant, childId: number, path: UdpPath): void {
    const found = this.#registry.child(childId);
    // Bare ESP has no ports, and says nothing about where IKE goes.
    if (found === undefined || path.remote.port === 0) return;
    found.sa.heardAt = Math.max(found.sa.heardAt, now);
    follow(found.sa, path);
  }

  /**
   * This side has another address towards the peer of an IKE SA; `path` follows if it goes on from there (MOBIKE).
   * @param local the new address. @returns whether it does; else it has to be closed and made anew.
   */
  addressChanged(now: Instant, ikeId: number, local: string): boolean {
    const sa = this.#registry.get(ikeId);
    if (sa === undefined || sa.ended) return false;
    return changeAddress(now, sa, { ...sa.path, local: { ...sa.path.local, address: local } });
  }

  /** ESP came in for an SPI that nobody knows: the sender may have missed that this side was restarted. */
  unknownSpi(now: Instant, spi: number, path: UdpPath): void {
    if (this.#hints.allows(now)) tellInvalidSpi(this, spi, path);
  }

  /** Keys of every IKE SA that has some, and of its child SAs. */
  secrets(): readonly IkeSecrets[] {
    return this.#registry.all().flatMap((sa) => secretsOf(sa) ?? []);
  }

  /** Every IKE SA, those that only wait for their end included. */
  views(now: Instant = 0): readonly IkeSaView[] {
    return this.#registry.all().map((sa) => viewOf(now, sa));
  }

  /** Nothing is up, and nobody waits for anything. */
  get idle(): boolean {
    for (const sa of this.#registry.all()) if (!sa.ended || !sa.window.idle) return false;
    return true;
  }

  tick(now: Instant): void {
    for (const sa of this.#registry.all()) {
      const deadline = deadlineOf(sa);
      if (deadline !== undefined && now >= deadline) tickIkeSa(now, sa);
    }
  }

  nextDeadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const sa of this.#registry.all()) {
      const deadline = deadlineOf(sa);
      if (deadline !== undefined && (earliest === undefined || deadline < earliest)) earliest = deadline;
    }
    return earliest;
  }

  poll(): IkeOutput | undefined {
    return this.#outputs.shift();
  }

  // What follows is for the endpoint's own IKE SAs.

  emit(output: IkeOutput): void {
    this.#outputs.push(output);
  }

  newIkeId(): number {
    return this.#registry.newIkeId();
  }

  newChildId(): number {
    return this.#registry.newChildId();
  }

  newIkeSpi(): Uint8Array {
    return this.#registry.newIkeSpi();
  }

  releaseSpi(spi: Uint8Array): void {
    this.#registry.release(spi);
  }

  newEspSpi(): number {
    return this.#registry.newEspSpi();
  }

  add(sa: IkeSa): void {
    this.#registry.add(sa);
  }

  ikeSas(): Iterable<IkeSa> {
    return this.#registry.all();
  }

  stateChanged(sa: IkeSa): void {
    this.#admission.update(sa);
    if (sa.state.name === 'gone') this.#registry.remove(sa);
  }

  refused(now: Instant, connection: IkeConnection, failure: Failure, ikeId = this.newIkeId()): void {
    if (!this.#refusals.allows(now)) return;
    this.emit({ kind: 'ike-down', ikeId, connection: connection.name, failure });
  }

  #receive(now: Instant, header: ReceivedHeader, message: Uint8Array, path: UdpPath): void {
    if (header.majorVersion !== 2) {
      this.counters.malformed += 1;
      const higher = header.majorVersion > 2 && !header.response;
      if (higher && this.#admission.answers(now)) {
        answerUnprotected(this, header, [notify('INVALID_MAJOR_VERSION')], path);
      }
      return;
    }
    const exchange = exchangeName(header.exchange);
    if (exchange === undefined || isZeroSpi(header.spiI)) throw new DecodeError('not an exchange of IKEv2');
    if (exchange === 'IKE_SA_INIT' && !header.response) this.#receiveInit(now, header, message, path);
    else this.#receiveForSa(now, header, message, path);
  }

  #receiveInit(now: Instant, header: ReceivedHeader, message: Uint8Array, path: UdpPath): void {
    if (!header.fromInitiator || header.messageId !== 0 || !isZeroSpi(header.spiR)) {
      throw new DecodeError('not a first message');
    }
    const known = this.#admission.find(header.spiI, path.remote);
    const reply = known?.replies.repeat(message);
    if (reply !== undefined && known?.state.name === 'half-open') {
      this.counters.duplicate += 1;
      known.transmit(reply, false, path);
      return;
    }
    if (known !== undefined) {
      // A late duplicate, or somebody else's first message under the same SPI.
      this.counters.wrongMessageId += 1;
      return;
    }
    if (this.#registry.size >= this.limits.ikeSas) {
      this.counters.halfOpenLimit += 1;
      return;
    }
    answerInit(now, this, this.#admission, header, message, path);
  }

  #receiveForSa(now: Instant, header: ReceivedHeader, message: Uint8Array, path: UdpPath): void {
    const ownSpi = header.fromInitiator ? header.spiR : header.spiI;
    const sa = this.#registry.bySpi(ownSpi);
    if (sa !== undefined && isFor(sa, header)) {
      receiveFor(now, sa, header, message, path);
      return;
    }
    this.counters.unknownSpi += 1;
    const encrypted = header.nextPayload === ENCRYPTED.SK || header.nextPayload === ENCRYPTED.SKF;
    if (header.response) return;
    if (!encrypted) this.#heedInvalidSpi(now, header, message, path);
    else if (!this.#isOurs(header.spiI) && !this.#isOurs(header.spiR) && this.#admission.answers(now)) {
      answerUnknownSpi(this, header, path);
    }
  }

  /**
   * The token of an SA that lives must never be shown (RFC 6290 section 9.2), whichever way round its SPIs are given.
   */
  #isOurs(spi: Uint8Array): boolean {
    return this.#registry.isReserved(spi);
  }

  /** INVALID_SPI outside of an IKE SA: whoever sends over that SPI asks the peer whether it lives (section 1.5). */
  #heedInvalidSpi(now: Instant, header: ReceivedHeader, message: Uint8Array, path: UdpPath): void {
    const { payloads } = decodeChain(header.nextPayload, message.subarray(HEADER_OCTETS));
    const [first] = findNotifies(payloads, 'INVALID_SPI');
    const spi = first === undefined ? undefined : spiNumber(first.data);
    if (spi === undefined || !this.#hints.allows(now)) return;
    for (const sa of this.#registry.all()) {
      if (sa.path.remote.address !== path.remote.address) continue;
      for (const child of sa.children.values()) if (child.sa.outboundSpi === spi) probe(now, sa);
    }
  }
}

/** Roles and SPIs agree; the responder's is not known before the answer to IKE_SA_INIT. */
function isFor(sa: IkeSa, header: ReceivedHeader): boolean {
  if (sa.initiator === header.fromInitiator) return false;
  if (sa.initiator && sa.protection === undefined) return spiKey(sa.spiI) === spiKey(header.spiI);
  return spiKey(sa.spiI) === spiKey(header.spiI) && spiKey(sa.spiR) === spiKey(header.spiR);
}
