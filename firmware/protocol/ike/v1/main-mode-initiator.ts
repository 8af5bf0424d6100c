/** Main Mode, the side that begins (RFC 2409 sections 5.1 and 5.4). */
import { DecodeError } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { ownCertificateRefused } from '../certificate-refusal.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { isZeroSpi } from '../message-header.ts';
import { movedToNatPort } from '../nat.ts';
import { ikeOfferRefused } from '../no-proposal.ts';
import type { IkeProposal } from '../proposals.ts';
import { hasLogin, methodOf, proofKind } from './authentication-method.ts';
import { refusedFor } from './certificate-refusal.ts';
import { answerNotVerified, noAnswer, noAnswerToAuthentication, noAnswerToKeyExchange } from './failures.ts';
import { COOKIE_OCTETS, type ReceivedMessage } from './header.ts';
import { DEFAULT_IKE_LIFETIME } from './lifetimes.ts';
import { detectNat, type NatSituationV1, natdPayloads } from './natd.ts';
import { ExchangeType, NotifyType, notifyName, PayloadType } from './numbers.ts';
import { nonceOf, onlyBody, type Payload } from './payload.ts';
import {
  initialContact,
  isEncrypted,
  localIdentity,
  NONCE_OCTETS,
  type Phase1Context,
  plainMessage,
  plainPayloads,
  publicValueOf,
} from './phase1.ts';
import {
  Authentication,
  claimOf,
  type Exchanged,
  identityPayload,
  orNothing,
  ownClaim,
  requestsFor,
} from './phase1-authentication.ts';
import { Phase1Initiator, type Phase1InitiatorOptions } from './phase1-initiator.ts';
import { acceptedAnswer, phase1Proposal } from './phase1-transforms.ts';
import { openFirst } from './phase2-message.ts';
import { encodeSa } from './sa-payload.ts';
import { initiatorVendorIds, type PeerVendor, recognizeVendor } from './vendor-ids.ts';

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
    } & Answered);

/** What message 2 said. */
interface Answered {
  readonly cookieR: Uint8Array;
  readonly proposal: IkeProposal;
  readonly lifetime: number;
  readonly vendor: PeerVendor;
}

export class MainModeInitiator extends Phase1Initiator {
  readonly #saBody: Uint8Array;
  #state: State = { kind: 'wait-2' };

  constructor(now: Instant, context: Phase1Context, options: Phase1InitiatorOptions) {
    super(now, context, options);
    const { ikeProposals, ikeLifetime = DEFAULT_IKE_LIFETIME } = this.connection;
    this.#saBody = encodeSa([phase1Proposal(ikeProposals, ikeLifetime, methodOf(this.connection))]);
    const payloads = [
      { type: PayloadType.sa, body: this.#saBody },
      ...initiatorVendorIds(context.self, hasLogin(this.connection)),
    ];
    this.send(now, 'Main Mode 1', plainMessage(this.cookieI, this.cookieR, payloads), false);
  }

  /** Zeros until message 2. */
  get cookieR(): Uint8Array {
    return this.#state.kind === 'wait-2' ? new Uint8Array(COOKIE_OCTETS) : this.#state.cookieR;
  }

  protected get exchangeType(): number {
    return ExchangeType.mainMode;
  }

  protected take(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const state = this.#state;
    if (state.kind === 'wait-2') this.#receive2(now, message);
    else if (state.kind === 'wait-4') this.#receive4(now, message, state, path);
    else if (isEncrypted(message)) this.#receive6(message, state);
    // A late repetition of message 2.
    else this.context.counters.duplicate += 1;
  }

  #receive2(now: Instant, message: ReceivedMessage): void {
    const { cookieR } = message.header;
    if (isZeroSpi(cookieR)) throw new DecodeError('Responder Cookie is zero');
    const payloads = plainPayloads(message);
    const answer = acceptedAnswer(this.connection, onlyBody(payloads, PayloadType.sa, 'SA'));
    const { proposal } = answer;
    const vendor = recognizeVendor(this.context.self, payloads, 'called');
    const exchange = createKeyExchange(proposal.group, this.context.random);
    const nonceI = this.context.random.bytes(NONCE_OCTETS);
    this.accepted(message, 'Main Mode 2');
    this.#state = { kind: 'wait-4', cookieR: cookieR.slice(), ...answer, vendor, exchange, nonceI };
    const reply: Payload[] = [
      { type: PayloadType.keyExchange, body: exchange.publicValue },
      { type: PayloadType.nonce, body: nonceI },
    ];
    if (vendor.natTraversal !== undefined) {
      const cookies = { cookieI: this.cookieI, cookieR };
      const pretend = this.connection.forceEncapsulation === true && !vendor.encapsulationAgreed;
      const pretender = pretend ? this.context.random : undefined;
      reply.push(...natdPayloads(vendor.natTraversal, proposal.prf, cookies, this.currentPath, pretender));
    }
    this.send(now, 'Main Mode 3', plainMessage(this.cookieI, cookieR, reply), vendor.fragmentation);
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
    const seen = { local: this.currentPath.local, remote: path.remote };
    const nat = detectNat(vendor.natTraversal, payloads, proposal.prf, exchanged, seen, wish);
    if (nat.encapsulation !== undefined) this.currentPath = movedToNatPort(this.currentPath);
    const authentication = new Authentication(exchanged, this.connection);
    this.accepted(message, 'Main Mode 4');
    this.#state = { kind: 'wait-6', authentication, nat, unverified: false, cookieR, proposal, lifetime, vendor };
    // Clues about what was answered meanwhile mislead.
    this.clues = {};
    const claim = ownClaim(localIdentity(this.connection, this.currentPath));
    const message5 = authentication.seal(ExchangeType.mainMode, [
      identityPayload(claim),
      ...authentication.prove(true, claim),
      ...requestsFor(this.connection),
      ...(this.options.initialContact() ? [initialContact(this.cookieI, cookieR)] : []),
    ]);
    this.send(now, 'Main Mode 5', message5, vendor.fragmentation);
  }

  #receive6(message: ReceivedMessage, state: State & { kind: 'wait-6' }): void {
    const { authentication } = state;
    const opened = orNothing(() => {
      const { payloads, accept } = authentication.open(message);
      const claim = claimOf(payloads);
      return { claim, payloads, accept, verdict: authentication.judge(false, claim, payloads, 'Main Mode 6') };
    });
    if (opened?.verdict !== 'proved') this.context.counters.authenticationFailed += 1;
    if (opened === undefined || opened.verdict === 'unverified') {
      state.unverified = true;
      return;
    }
    opened.accept();
    this.accepted(message, 'Main Mode 6');
    const outcome = this.outcomeOf({ ...state, ...opened });
    if (opened.verdict === 'proved') this.succeed(outcome);
    else {
      this.tellRefused(outcome, opened.verdict);
      this.fail(opened.verdict);
    }
  }

  /** A Culvert may say what is wrong with the certificate in message 5: keys do not depend on whether it is right. */
  override informed(message: ReceivedMessage): boolean {
    const state = this.#state;
    if (state.kind !== 'wait-6' || message.header.exchangeType !== ExchangeType.informational) return false;
    const { authentication, vendor, cookieR, proposal } = state;
    const { keys, encryptionKey, lastBlock } = authentication;
    const protection = { cookieI: this.cookieI, cookieR, proposal, keys, encryptionKey, lastBlock };
    const flaw = orNothing(() => refusedFor(vendor, openFirst(protection, message)?.payloads ?? []));
    if (flaw === undefined) return false;
    this.context.outbox.received(this.ikeId, 'Informational', notifyName(NotifyType.culvertCertificateRefused));
    this.hint({ flaw });
    return true;
  }

  protected silence(): Failure {
    const { remote } = this.currentPath;
    const state = this.#state;
    const refused = this.clues.notify === NotifyType.noProposalChosen;
    if (refused && state.kind === 'wait-2') return ikeOfferRefused('Main Mode 1', this.connection.ikeProposals);
    if (state.kind === 'wait-4') return noAnswerToKeyExchange(remote, this.clues);
    if (state.kind === 'wait-2') return noAnswer('Main Mode 1', remote, this.clues);
    const { authentication } = this.connection;
    if (this.clues.flaw !== undefined && authentication.kind === 'certificate') {
      const own = localIdentity(this.connection, this.currentPath);
      return ownCertificateRefused('Main Mode 5', own, authentication.credential, this.clues.flaw, false);
    }
    if (state.unverified) return answerNotVerified('Main Mode 6', remote);
    const kind = proofKind(this.connection);
    return noAnswerToAuthentication('Main Mode 5', remote, kind, state.nat.encapsulation !== undefined, this.clues);
  }

  protected clear(): void {
    if (this.#state.kind === 'wait-4') this.#state.exchange.destroy();
  }
}
