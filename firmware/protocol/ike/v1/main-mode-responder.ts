/** Main Mode, the side that is asked (RFC 2409 sections 5.1 and 5.4). */
import { DecodeError, hex } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import type { IkeConnection, IkeIdentity } from '../ike-types.ts';
import type { IkeProposal } from '../proposals.ts';
import { MAX_REQUESTS } from './certificate-payloads.ts';
import { unreadableProof, wrongKey } from './failures.ts';
import { COOKIE_OCTETS, type ReceivedMessage } from './header.ts';
import { agreedLifetime, DEFAULT_IKE_LIFETIME } from './lifetimes.ts';
import {
  hasInitialContact,
  isEncrypted,
  localIdentity,
  type MainMode,
  type MainModeContext,
  NONCE_OCTETS,
  type Phase1Outcome,
  plainMessage,
  plainPayloads,
  publicValueOf,
} from './main-mode.ts';
import { detectNat, type NatSituationV1, natdPayloads } from './natd.ts';
import { isakmpNotification } from './notification.ts';
import { ExchangeType, NotifyType, PayloadType } from './numbers.ts';
import { nonceOf, type Payload } from './payload.ts';
import {
  Authentication,
  claimOf,
  type Exchanged,
  identityPayload,
  orNothing,
  ownClaim,
  requestsFor,
} from './phase1-authentication.ts';
import { chosenProposal, type Phase1Offer } from './phase1-transforms.ts';
import { ReplayCache } from './replay-cache.ts';
import { encodeSa } from './sa-payload.ts';
import { type PeerVendor, responderVendorIds } from './vendor-ids.ts';

/** How long a stranger may take from message 1 to message 5, ms: as long as a peer repeats its messages. */
const HALF_OPEN_MS = 30000;

/** After a message 5 that failed: a second one may be genuine, where the first was forged. */
const AFTER_FAILURE_MS = 5000;

/** Message 5 is looked at this many times; each try costs up to 8 key derivations, or verified chains of certificates. */
const MAX_ATTEMPTS = 3;

export interface MainModeResponderOptions {
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

/** Named after the message that is waited for. */
type State =
  | { readonly kind: 'wait-3' }
  | {
      readonly kind: 'wait-5';
      readonly exchange: KeyExchange;
      readonly peerPublic: Uint8Array;
      readonly nonceI: Uint8Array;
      readonly nonceR: Uint8Array;
      readonly nat: NatSituationV1;
      /** Computed for the first message 5 only: a stranger who sends none costs no exponentiation more. */
      exchanged?: Exchanged;
      attempts: number;
    }
  | { readonly kind: 'over' };

interface Match {
  readonly connection: IkeConnection;
  readonly authentication: Authentication;
  readonly identity: IkeIdentity;
  readonly payloads: readonly Payload[];
}

export class MainModeResponder implements MainMode {
  readonly initiator = false;
  readonly ikeId: number;
  readonly cookieI: Uint8Array;
  readonly cookieR: Uint8Array;
  readonly #context: MainModeContext;
  readonly #options: MainModeResponderOptions;
  readonly #replay = new ReplayCache();
  #path: UdpPath;
  #state: State = { kind: 'wait-3' };
  #deadline: Instant;
  /** Set as soon as a message 5 failed; final once the time is over. */
  #reason: Failure | undefined;
  #outcome: Phase1Outcome | undefined;
  #expired = false;

  constructor(now: Instant, context: MainModeContext, options: MainModeResponderOptions) {
    this.#context = context;
    this.#options = options;
    this.ikeId = options.ikeId;
    this.#path = options.path;
    this.cookieI = options.message.header.cookieI.slice();
    this.cookieR = context.random.bytes(COOKIE_OCTETS);
    this.#deadline = now + HALF_OPEN_MS;
    const saBody = encodeSa([chosenProposal(options.offer)]);
    const payloads = [{ type: PayloadType.sa, body: saBody }, ...responderVendorIds(context.self, options.vendor)];
    context.outbox.received(this.ikeId, 'Main Mode 1');
    this.#reply('Main Mode 2', options.message, plainMessage(this.cookieI, this.cookieR, payloads));
  }

  get connection(): IkeConnection {
    return this.#outcome?.connection ?? this.#options.candidates[0];
  }

  get path(): UdpPath {
    return this.#path;
  }

  get outcome(): Phase1Outcome | undefined {
    return this.#outcome;
  }

  /** Its time is over. */
  get expired(): boolean {
    return this.#expired;
  }

  /** What is to be said of an exchange that failed at message 5; one that was just given up has none. */
  get failure(): Failure | undefined {
    return this.#reason;
  }

  get deadline(): Instant | undefined {
    return this.#state.kind === 'over' ? undefined : this.#deadline;
  }

  receive(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const state = this.#state;
    if (state.kind === 'over' || message.header.messageId !== 0) {
      this.#context.counters.unexpected += 1;
      return;
    }
    const seen = this.#replay.recognize(0, message.octets);
    if (seen.kind === 'repeated') {
      this.#context.counters.duplicate += 1;
      // To where the exchange is at home: a repeated datagram proves nothing about where it came from.
      if (seen.reply !== undefined) this.#transmit('again', seen.reply, this.#path);
      return;
    }
    if (state.kind === 'wait-3') this.#receive3(message, path);
    else if (isEncrypted(message)) this.#receive5(now, message, state, path);
    // A late repetition of message 1: that is no try at message 5.
    else this.#context.counters.duplicate += 1;
  }

  tick(now: Instant): void {
    if (this.#state.kind === 'over' || now < this.#deadline) return;
    this.#close();
    this.#expired = true;
  }

  /** Nothing is waited for so eagerly that a hint would matter. */
  hint(): void {}

  #receive3(message: ReceivedMessage, path: UdpPath): void {
    const { proposal, vendor } = this.#options;
    if (path.remote.address !== this.#path.remote.address) throw new DecodeError('message 3 from another address');
    const payloads = plainPayloads(message);
    const peerPublic = publicValueOf(payloads, proposal.group);
    const nonceI = nonceOf(payloads).slice();
    const exchange = createKeyExchange(proposal.group, this.#context.random);
    const nonceR = this.#context.random.bytes(NONCE_OCTETS);
    const forced = this.connection.forceEncapsulation === true;
    const nat = detectNat(vendor.natTraversal, payloads, proposal.prf, this, path, {
      agreed: vendor.encapsulationAgreed,
      forced,
    });
    this.#path = path;
    this.#state = { kind: 'wait-5', exchange, peerPublic, nonceI, nonceR, nat, attempts: 0 };
    this.#context.outbox.received(this.ikeId, 'Main Mode 3');
    const reply: Payload[] = [
      { type: PayloadType.keyExchange, body: exchange.publicValue },
      { type: PayloadType.nonce, body: nonceR },
      ...this.#certificateRequests(),
    ];
    if (vendor.natTraversal !== undefined) {
      const pretender = forced && !vendor.encapsulationAgreed ? this.#context.random : undefined;
      reply.push(...natdPayloads(vendor.natTraversal, proposal.prf, this, path, pretender));
    }
    this.#reply('Main Mode 4', message, plainMessage(this.cookieI, this.cookieR, reply));
  }

  #receive5(now: Instant, message: ReceivedMessage, state: State & { kind: 'wait-5' }, path: UdpPath): void {
    if (state.attempts >= MAX_ATTEMPTS) {
      this.#context.counters.unexpected += 1;
      return;
    }
    state.attempts += 1;
    const match = this.#authenticate(message, state);
    if (match === undefined) {
      this.#refuse(now, path);
      return;
    }
    const { connection, authentication, identity, payloads } = match;
    this.#context.outbox.received(this.ikeId, 'Main Mode 5');
    // The peer is authenticated: where its message came from is where it is (RFC 3947 section 4).
    this.#path = path;
    const claim = ownClaim(localIdentity(connection, path));
    const proof = [identityPayload(claim), ...authentication.prove(false, claim)];
    const reply = authentication.seal(ExchangeType.mainMode, proof);
    const { proposal, offer, vendor } = this.#options;
    this.#outcome = {
      ikeId: this.ikeId,
      initiator: false,
      connection,
      cookieI: this.cookieI,
      cookieR: this.cookieR,
      proposal,
      keys: authentication.keys,
      encryptionKey: authentication.encryptionKey,
      lastBlock: authentication.lastBlock,
      path,
      nat: state.nat,
      vendor,
      peerIdentity: identity,
      lifetime: agreedLifetime(connection.ikeLifetime ?? DEFAULT_IKE_LIFETIME, offer.lifetime),
      initialContact: hasInitialContact(payloads),
      replay: this.#replay,
    };
    this.#reply('Main Mode 6', message, reply);
    this.#close();
  }

  /**
   * With pre-shared keys the identity can be read only with the right one, so every candidate's is tried (RFC 2409 section
   * 5.4 says that keys go by address; a peer without a fixed one is the reason for more than one candidate).
   */
  #authenticate(message: ReceivedMessage, state: State & { kind: 'wait-5' }): Match | undefined {
    const exchanged = this.#exchanged(state);
    const { candidates } = this.#options;
    const { remote } = this.#path;
    this.#reason ??=
      candidates[0].authentication.kind === 'psk' ? wrongKey(remote, candidates.length) : unreadableProof(remote);
    for (const connection of candidates) {
      const authentication = new Authentication(exchanged, connection);
      const opened = orNothing(() => {
        const { payloads, accept } = authentication.open(message);
        const claim = claimOf(payloads);
        const verdict = authentication.judge(true, claim, payloads, 'Main Mode 5');
        return { identity: claim.identity, payloads, verdict, accept };
      });
      if (opened === undefined || opened.verdict === 'unverified') continue;
      if (opened.verdict === 'proved') {
        opened.accept();
        this.#reason = undefined;
        return { connection, authentication, identity: opened.identity, payloads: opened.payloads };
      }
      this.#reason = opened.verdict;
    }
    return undefined;
  }

  /** Of every candidate: which one is meant is not known yet. */
  #certificateRequests(): readonly Payload[] {
    const requests = this.#options.candidates.flatMap(requestsFor);
    const known = new Map(requests.map((request) => [hex(request.body), request]));
    return [...known.values()].slice(0, MAX_REQUESTS);
  }

  #exchanged(state: State & { kind: 'wait-5' }): Exchanged {
    state.exchanged ??= {
      cookieI: this.cookieI,
      cookieR: this.cookieR,
      proposal: this.#options.proposal,
      saBody: this.#options.saBody,
      publicI: state.peerPublic,
      publicR: state.exchange.publicValue,
      nonceI: state.nonceI,
      nonceR: state.nonceR,
      sharedSecret: state.exchange.sharedSecret(state.peerPublic),
    };
    return state.exchanged;
  }

  /** The same words for every reason: whoever guesses learns nothing. */
  #refuse(now: Instant, path: UdpPath): void {
    this.#context.counters.authenticationFailed += 1;
    this.#context.outbox.received(this.ikeId, 'Main Mode 5', this.#reason?.reason);
    this.#deadline = Math.min(this.#deadline, now + AFTER_FAILURE_MS);
    if (path.remote.address !== this.#path.remote.address) return;
    const body = isakmpNotification(NotifyType.authenticationFailed);
    const payloads = [{ type: PayloadType.notification, body }];
    const message = plainMessage(this.cookieI, this.cookieR, payloads, ExchangeType.informational);
    this.#transmit('Informational', message, path, 'AUTHENTICATION-FAILED');
  }

  #reply(name: string, request: ReceivedMessage, reply: Uint8Array): void {
    this.#replay.remember(0, request.octets, reply);
    this.#transmit(name, reply, this.#path);
  }

  #transmit(name: string, message: Uint8Array, path: UdpPath, detail?: string): void {
    const label = name === 'again' ? 'Main Mode reply again' : name;
    this.#context.outbox.send(this.ikeId, label, message, path, this.#options.vendor.fragmentation, detail);
  }

  #close(): void {
    if (this.#state.kind === 'wait-5') this.#state.exchange.destroy();
    this.#state = { kind: 'over' };
  }
}
