/** Main Mode, the side that begins (RFC 2409 sections 5.1 and 5.4). */
import { DecodeError } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { wipePhase1Keys } from '../crypto/keys-v1.ts';
import type { IkeConnection } from '../ike-types.ts';
import { isZeroSpi } from '../message-header.ts';
import { movedToNatPort } from '../nat.ts';
import { ikeOfferRefused } from '../no-proposal.ts';
import { chooseIkeProposal, type IkeProposal } from '../proposals.ts';
import { methodOf } from './authentication-method.ts';
import {
  answerNotVerified,
  type Clues,
  noAnswer,
  noAnswerToAuthentication,
  noAnswerToKeyExchange,
} from './failures.ts';
import { COOKIE_OCTETS, type ReceivedMessage } from './header.ts';
import { deletePayload, sealInformational } from './informational.ts';
import { agreedLifetime, DEFAULT_IKE_LIFETIME } from './lifetimes.ts';
import {
  hasInitialContact,
  initialContact,
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
import { nonceOf, onlyBody, type Payload } from './payload.ts';
import {
  Authentication,
  claimOf,
  type Exchanged,
  identityPayload,
  orNothing,
  ownClaim,
  requestsFor,
} from './phase1-authentication.ts';
import { phase1Answer, phase1Proposal } from './phase1-transforms.ts';
import { MessageIds } from './phase2-message.ts';
import { ReplayCache } from './replay-cache.ts';
import { Retransmission } from './retransmit.ts';
import { encodeSa } from './sa-payload.ts';
import { initiatorVendorIds, type PeerVendor, recognizeVendor } from './vendor-ids.ts';

export interface MainModeInitiatorOptions {
  readonly ikeId: number;
  readonly connection: IkeConnection;
  readonly path: UdpPath;
  /** No other SA with this peer is known: says so in message 5. */
  readonly initialContact: boolean;
  readonly rekeys?: number;
}

/** Named after the message that is waited for. */
type State =
  | { readonly kind: 'wait-2' }
  | ({ readonly kind: 'wait-4'; readonly exchange: KeyExchange; readonly nonceI: Uint8Array } & Answered)
  | ({
      readonly kind: 'wait-6';
      readonly authentication: Authentication;
      readonly nat: NatSituationV1;
      /** A message 6 came that did not verify. */
      unverified: boolean;
    } & Answered)
  | { readonly kind: 'over' };

/** What message 2 said. */
interface Answered {
  readonly cookieR: Uint8Array;
  readonly proposal: IkeProposal;
  readonly lifetime: number;
  readonly vendor: PeerVendor;
}

export class MainModeInitiator implements MainMode {
  readonly initiator = true;
  readonly ikeId: number;
  readonly connection: IkeConnection;
  readonly cookieI: Uint8Array;
  readonly #context: MainModeContext;
  readonly #options: MainModeInitiatorOptions;
  readonly #saBody: Uint8Array;
  readonly #replay = new ReplayCache();
  #path: UdpPath;
  #state: State = { kind: 'wait-2' };
  #clues: Clues = {};
  #sent: { readonly name: string; readonly message: Uint8Array };
  #retransmission: Retransmission;
  #outcome: Phase1Outcome | undefined;
  #failure: Failure | undefined;

  constructor(now: Instant, context: MainModeContext, options: MainModeInitiatorOptions) {
    this.#context = context;
    this.#options = options;
    this.ikeId = options.ikeId;
    this.connection = options.connection;
    this.#path = options.path;
    this.cookieI = context.random.bytes(COOKIE_OCTETS);
    const lifetime = this.connection.ikeLifetime ?? DEFAULT_IKE_LIFETIME;
    this.#saBody = encodeSa([phase1Proposal(this.connection.ikeProposals, lifetime, methodOf(this.connection))]);
    const payloads = [{ type: PayloadType.sa, body: this.#saBody }, ...initiatorVendorIds(context.self)];
    const message = plainMessage(this.cookieI, new Uint8Array(COOKIE_OCTETS), payloads);
    this.#sent = { name: 'Main Mode 1', message };
    this.#retransmission = new Retransmission(now);
    this.#transmit(this.#sent.name);
  }

  get path(): UdpPath {
    return this.#path;
  }

  /** Zeros until message 2. */
  get cookieR(): Uint8Array {
    return this.#state.kind === 'wait-4' || this.#state.kind === 'wait-6'
      ? this.#state.cookieR
      : (this.#outcome?.cookieR ?? new Uint8Array(COOKIE_OCTETS));
  }

  /** The ISAKMP SA that it is made to replace. */
  get rekeys(): number | undefined {
    return this.#options.rekeys;
  }

  get outcome(): Phase1Outcome | undefined {
    return this.#outcome;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  get deadline(): Instant | undefined {
    return this.#state.kind === 'over' ? undefined : this.#retransmission.deadline;
  }

  receive(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const state = this.#state;
    // A NAT may change the port of an answer, never the address that was asked.
    const stranger = path.remote.address !== this.#path.remote.address;
    if (state.kind === 'over' || message.header.messageId !== 0 || stranger) {
      this.#context.counters.unexpected += 1;
      return;
    }
    if (this.#replay.recognize(0, message.octets).kind === 'repeated') {
      this.#context.counters.duplicate += 1;
      return;
    }
    if (state.kind === 'wait-2') this.#receive2(now, message);
    else if (state.kind === 'wait-4') this.#receive4(now, message, state, path);
    else if (isEncrypted(message)) this.#receive6(message, state);
    // A late repetition of message 2.
    else this.#context.counters.duplicate += 1;
  }

  tick(now: Instant): void {
    if (this.#state.kind === 'over') return;
    const due = this.#retransmission.due(now);
    if (due === 'resend') this.#transmit(`${this.#sent.name} again`);
    if (due === 'exhausted') this.#fail(this.#silence());
  }

  hint(clue: Clues): void {
    this.#clues = { ...this.#clues, ...clue };
    if (clue.pathError === undefined) this.#retransmission.hurry();
  }

  #receive2(now: Instant, message: ReceivedMessage): void {
    const { cookieR } = message.header;
    if (isZeroSpi(cookieR)) throw new DecodeError('Responder Cookie is zero');
    const payloads = plainPayloads(message);
    const answer = phase1Answer(onlyBody(payloads, PayloadType.sa, 'SA'));
    const choice = chooseIkeProposal([answer.offer], this.connection.ikeProposals, { version: 1 });
    if (choice === undefined || answer.method !== methodOf(this.connection)) {
      throw new DecodeError('the answer was not among the proposals');
    }
    const { proposal } = choice;
    const vendor = recognizeVendor(this.#context.self, payloads);
    const exchange = createKeyExchange(proposal.group, this.#context.random);
    const nonceI = this.#context.random.bytes(NONCE_OCTETS);
    const lifetime = agreedLifetime(this.connection.ikeLifetime ?? DEFAULT_IKE_LIFETIME, answer.lifetime);
    this.#accepted(message, 'Main Mode 2');
    this.#state = { kind: 'wait-4', cookieR: cookieR.slice(), proposal, lifetime, vendor, exchange, nonceI };
    const reply: Payload[] = [
      { type: PayloadType.keyExchange, body: exchange.publicValue },
      { type: PayloadType.nonce, body: nonceI },
    ];
    if (vendor.natTraversal !== undefined) {
      const cookies = { cookieI: this.cookieI, cookieR };
      const pretend = this.connection.forceEncapsulation === true && !vendor.encapsulationAgreed;
      const pretender = pretend ? this.#context.random : undefined;
      reply.push(...natdPayloads(vendor.natTraversal, proposal.prf, cookies, this.#path, pretender));
    }
    this.#send(now, 'Main Mode 3', plainMessage(this.cookieI, cookieR, reply));
  }

  #receive4(now: Instant, message: ReceivedMessage, state: State & { kind: 'wait-4' }, path: UdpPath): void {
    const { proposal, exchange, nonceI, cookieR, lifetime, vendor } = state;
    const payloads = plainPayloads(message);
    const publicR = publicValueOf(payloads, proposal.group);
    const nonceR = nonceOf(payloads).slice();
    const exchanged: Exchanged = {
      cookieI: this.cookieI,
      cookieR,
      proposal,
      saBody: this.#saBody,
      publicI: exchange.publicValue,
      publicR,
      nonceI,
      nonceR,
      sharedSecret: exchange.sharedSecret(publicR),
    };
    exchange.destroy();
    const wish = { agreed: vendor.encapsulationAgreed, forced: this.connection.forceEncapsulation === true };
    const seen = { local: this.#path.local, remote: path.remote };
    const nat = detectNat(vendor.natTraversal, payloads, proposal.prf, exchanged, seen, wish);
    if (nat.encapsulation !== undefined) this.#path = movedToNatPort(this.#path);
    const authentication = new Authentication(exchanged, this.connection);
    this.#accepted(message, 'Main Mode 4');
    this.#state = { kind: 'wait-6', authentication, nat, unverified: false, cookieR, proposal, lifetime, vendor };
    // Clues about what was answered meanwhile mislead.
    this.#clues = {};
    const claim = ownClaim(localIdentity(this.connection, this.#path));
    const message5 = authentication.seal(ExchangeType.mainMode, [
      identityPayload(claim),
      ...authentication.prove(true, claim),
      ...requestsFor(this.connection),
      ...(this.#options.initialContact ? [initialContact(this.cookieI, cookieR)] : []),
    ]);
    this.#send(now, 'Main Mode 5', message5);
  }

  #receive6(message: ReceivedMessage, state: State & { kind: 'wait-6' }): void {
    const { authentication, nat, cookieR, proposal, lifetime, vendor } = state;
    const opened = orNothing(() => {
      const { payloads, accept } = authentication.open(message);
      const claim = claimOf(payloads);
      const verdict = authentication.judge(false, claim, payloads, 'Main Mode 6');
      return { identity: claim.identity, payloads, verdict, accept };
    });
    if (opened === undefined || opened.verdict === 'unverified') {
      this.#context.counters.authenticationFailed += 1;
      state.unverified = true;
      return;
    }
    opened.accept();
    this.#accepted(message, 'Main Mode 6');
    const { rekeys } = this.#options;
    const outcome: Phase1Outcome = {
      ikeId: this.ikeId,
      initiator: true,
      connection: this.connection,
      cookieI: this.cookieI,
      cookieR,
      proposal,
      keys: authentication.keys,
      encryptionKey: authentication.encryptionKey,
      lastBlock: authentication.lastBlock,
      path: this.#path,
      nat,
      vendor,
      peerIdentity: opened.identity,
      lifetime,
      initialContact: hasInitialContact(opened.payloads),
      replay: this.#replay,
      ...(rekeys === undefined ? {} : { rekeys }),
    };
    if (opened.verdict === 'proved') {
      this.#outcome = outcome;
      this.#state = { kind: 'over' };
      return;
    }
    this.#context.counters.authenticationFailed += 1;
    this.#tellRefused(outcome);
    this.#fail(opened.verdict);
  }

  /** For the peer the SA stands. */
  #tellRefused(sa: Phase1Outcome): void {
    const refusal = { type: PayloadType.notification, body: isakmpNotification(NotifyType.authenticationFailed) };
    const messageId = new MessageIds(this.#context.random).fresh();
    const message = sealInformational(sa, messageId, [refusal, deletePayload(sa)]);
    const { outbox } = this.#context;
    const detail = 'AUTHENTICATION-FAILED, DELETE of the ISAKMP SA';
    outbox.send(this.ikeId, 'Informational', message, this.#path, false, detail);
    wipePhase1Keys(sa.keys);
  }

  #accepted(message: ReceivedMessage, name: string): void {
    this.#replay.remember(0, message.octets);
    this.#context.outbox.received(this.ikeId, name);
  }

  #silence(): Failure {
    const { remote } = this.#path;
    const state = this.#state;
    const refused = this.#clues.notify === NotifyType.noProposalChosen;
    if (refused && state.kind === 'wait-2') return ikeOfferRefused('Main Mode 1', this.connection.ikeProposals);
    if (state.kind === 'wait-4') return noAnswerToKeyExchange(remote, this.#clues);
    if (state.kind !== 'wait-6') return noAnswer(remote, this.#clues);
    if (state.unverified) return answerNotVerified(remote);
    const kind = this.connection.authentication.kind === 'psk' ? 'psk' : 'certificate';
    return noAnswerToAuthentication(remote, kind, state.nat.encapsulation !== undefined, this.#clues);
  }

  #fail(failure: Failure): void {
    if (this.#state.kind === 'wait-4') this.#state.exchange.destroy();
    this.#state = { kind: 'over' };
    this.#failure = failure;
  }

  #send(now: Instant, name: string, message: Uint8Array): void {
    this.#sent = { name, message };
    this.#retransmission = new Retransmission(now);
    this.#transmit(name);
  }

  #transmit(name: string): void {
    const fragments = 'vendor' in this.#state && this.#state.vendor.fragmentation;
    this.#context.outbox.send(this.ikeId, name, this.#sent.message, this.#path, fragments);
  }
}
