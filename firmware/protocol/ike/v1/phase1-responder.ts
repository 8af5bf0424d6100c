/** What the side that is asked does in Main Mode and in Aggressive Mode alike: it answers, repeats its answers, and forgets. */
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { IkeConnection } from '../ike-types.ts';
import type { IkeProposal } from '../proposals.ts';
import type { Clues } from './failures.ts';
import { COOKIE_OCTETS, type ReceivedMessage } from './header.ts';
import { agreedLifetime, DEFAULT_IKE_LIFETIME } from './lifetimes.ts';
import type { NatSituationV1 } from './natd.ts';
import { isakmpNotification } from './notification.ts';
import { ExchangeType, NotifyType, PayloadType } from './numbers.ts';
import type { Payload } from './payload.ts';
import { hasInitialContact, type Phase1Context, type Phase1Outcome, plainMessage } from './phase1.ts';
import type { Authentication, Claim } from './phase1-authentication.ts';
import type { Phase1Offer } from './phase1-transforms.ts';
import { ReplayCache } from './replay-cache.ts';
import type { PeerVendor } from './vendor-ids.ts';

/** How long a stranger may take from the first message to the last, ms: as long as a peer repeats its messages. */
const HALF_OPEN_MS = 30000;

/** After a last message that failed: a second one may be genuine, where the first was forged. */
const AFTER_FAILURE_MS = 5000;

export interface Phase1ResponderOptions {
  readonly ikeId: number;
  /** Message 1 was accepted: everything that it gave. */
  readonly message: ReceivedMessage;
  readonly saBody: Uint8Array;
  readonly offer: Phase1Offer;
  readonly proposal: IkeProposal;
  readonly vendor: PeerVendor;
  /** Which connections may be meant, most likely first; at least one. All authenticate in one way. */
  readonly candidates: readonly [IkeConnection, ...IkeConnection[]];
  readonly path: UdpPath;
}

/** Of somebody who has proved who he is. */
export interface Proved {
  readonly connection: IkeConnection;
  readonly nat: NatSituationV1;
  readonly authentication: Authentication;
  readonly claim: Claim;
  /** Those that were authenticated. */
  readonly payloads: readonly Payload[];
}

export abstract class Phase1Responder {
  readonly initiator = false;
  readonly ikeId: number;
  readonly cookieI: Uint8Array;
  readonly cookieR: Uint8Array;
  protected readonly context: Phase1Context;
  protected readonly options: Phase1ResponderOptions;
  protected readonly replay = new ReplayCache();
  protected currentPath: UdpPath;
  /** Set as soon as a proof failed; final once the time is over. */
  protected reason: Failure | undefined;
  readonly #mode: string;
  readonly #begunAt: Instant;
  #deadline: Instant;
  #over = false;
  #outcome: Phase1Outcome | undefined;
  #expired = false;

  /** @param mode `Main Mode` or `Aggressive Mode`. */
  constructor(now: Instant, context: Phase1Context, options: Phase1ResponderOptions, mode: string) {
    this.context = context;
    this.options = options;
    this.ikeId = options.ikeId;
    this.currentPath = options.path;
    this.cookieI = options.message.header.cookieI.slice();
    this.cookieR = context.random.bytes(COOKIE_OCTETS);
    this.#mode = mode;
    this.#begunAt = now;
    this.#deadline = now + HALF_OPEN_MS;
    context.outbox.received(this.ikeId, `${mode} 1`);
  }

  /** Its own Exchange Type. */
  protected abstract get exchangeType(): number;

  /** A message that was not seen before. @throws DecodeError when it is malformed. */
  protected abstract take(now: Instant, message: ReceivedMessage, path: UdpPath): void;

  /** It is over, well or not. */
  protected abstract clear(): void;

  get connection(): IkeConnection {
    return this.#outcome?.connection ?? this.options.candidates[0];
  }

  get path(): UdpPath {
    return this.currentPath;
  }

  get outcome(): Phase1Outcome | undefined {
    return this.#outcome;
  }

  get expired(): boolean {
    return this.#expired;
  }

  /** One that was just given up has none. */
  get failure(): Failure | undefined {
    return this.reason;
  }

  get deadline(): Instant | undefined {
    return this.#over ? undefined : this.#deadline;
  }

  receive(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const { messageId, exchangeType } = message.header;
    if (this.#over || messageId !== 0 || exchangeType !== this.exchangeType) {
      this.context.counters.unexpected += 1;
      return;
    }
    if (this.answeredAgain(message.octets)) this.context.counters.duplicate += 1;
    else this.take(now, message, path);
  }

  tick(now: Instant): void {
    if (this.#over || now < this.#deadline) return;
    this.#end();
    this.#expired = true;
  }

  /** Nothing that comes encrypted and is not of phase 1 is understood before the SA stands. */
  informed(_message: ReceivedMessage): boolean {
    return false;
  }

  /** Nothing is waited for so eagerly that a hint would matter. */
  hint(_clue: Clues): void {}

  /** Whether the message was seen before; if so it is answered as it was then. */
  protected answeredAgain(request: Uint8Array): boolean {
    const seen = this.replay.recognize(0, request);
    if (seen.kind !== 'repeated') return false;
    // To where the exchange is at home: a repeated datagram proves nothing about where it came from.
    if (seen.reply !== undefined) this.#transmit(`${this.#mode} reply again`, seen.reply, this.currentPath);
    return true;
  }

  /** @param number of the reply. */
  protected reply(number: number, request: ReceivedMessage, reply: Uint8Array): void {
    this.replay.remember(0, request.octets, reply);
    this.#transmit(`${this.#mode} ${number}`, reply, this.currentPath);
  }

  /** The peer is who it says to be, and there: where its message came from is where it is (RFC 3947 section 4). */
  protected succeed(proved: Proved, path: UdpPath): void {
    const { connection, nat, authentication, claim, payloads } = proved;
    const { proposal, offer, vendor } = this.options;
    this.reason = undefined;
    this.#outcome = {
      ikeId: this.ikeId,
      initiator: false,
      begunAt: this.#begunAt,
      connection,
      cookieI: this.cookieI,
      cookieR: this.cookieR,
      proposal,
      keys: authentication.keys,
      encryptionKey: authentication.encryptionKey,
      lastBlock: authentication.lastBlock,
      path,
      nat,
      vendor,
      peerIdentity: claim.identity,
      lifetime: agreedLifetime(connection.ikeLifetime ?? DEFAULT_IKE_LIFETIME, offer.lifetime),
      initialContact: hasInitialContact(payloads),
      replay: this.replay,
    };
    this.#end();
  }

  /** The same words for every reason: whoever guesses learns nothing. @param number of the message that failed. */
  protected refuse(now: Instant, number: number, path: UdpPath): void {
    this.context.counters.authenticationFailed += 1;
    this.context.outbox.received(this.ikeId, `${this.#mode} ${number}`, this.reason?.reason);
    this.giveUpSoon(now);
    if (path.remote.address !== this.currentPath.remote.address) return;
    const payloads = [{ type: PayloadType.notification, body: isakmpNotification(NotifyType.authenticationFailed) }];
    const message = plainMessage(this.cookieI, this.cookieR, payloads, ExchangeType.informational);
    this.#transmit('Informational', message, path, 'AUTHENTICATION-FAILED');
  }

  protected giveUpSoon(now: Instant): void {
    this.#deadline = Math.min(this.#deadline, now + AFTER_FAILURE_MS);
  }

  #transmit(name: string, message: Uint8Array, path: UdpPath, detail?: string): void {
    this.context.outbox.send(this.ikeId, name, message, path, this.options.vendor.fragmentation, detail);
  }

  #end(): void {
    this.#over = true;
    this.clear();
  }
}
