/** Aggressive Mode, the side that begins (RFC 2409 sections 5.1 and 5.4). */
import { DecodeError } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { isZeroSpi } from '../message-header.ts';
import { movedToNatPort } from '../nat.ts';
import { ikeOfferRefused } from '../no-proposal.ts';
import type { IkeProposal } from '../proposals.ts';
import { hasLogin, methodOf } from './authentication-method.ts';
import { answerNotVerified, noAnswer } from './failures.ts';
import { COOKIE_OCTETS, type ReceivedMessage } from './header.ts';
import { DEFAULT_IKE_LIFETIME } from './lifetimes.ts';
import { detectNat, natdPayloads } from './natd.ts';
import { isakmpNotification } from './notification.ts';
import { ExchangeType, NotifyType, PayloadType } from './numbers.ts';
import { nonceOf, onlyBody } from './payload.ts';
import {
  initialContact,
  localIdentity,
  NONCE_OCTETS,
  type Phase1Context,
  plainMessage,
  plainPayloads,
  publicValueOf,
} from './phase1.ts';
import { Authentication, type Claim, claimOf, identityPayload, ownClaim } from './phase1-authentication.ts';
import { Phase1Initiator, type Phase1InitiatorOptions } from './phase1-initiator.ts';
import { acceptedAnswer, phase1Proposal } from './phase1-transforms.ts';
import { encodeSa } from './sa-payload.ts';
import { initiatorVendorIds, recognizeVendor } from './vendor-ids.ts';

const STEP_2 = 'Aggressive Mode 2';

export class AggressiveModeInitiator extends Phase1Initiator {
  /** Of one group: message 1 has room for one public value. */
  readonly #proposals: readonly IkeProposal[];
  readonly #saBody: Uint8Array;
  readonly #exchange: KeyExchange;
  readonly #nonceI: Uint8Array;
  readonly #claim: Claim;
  #cookieR: Uint8Array = new Uint8Array(COOKIE_OCTETS);
  /** Why a message 2 that came was not believed: anybody on the way may have sent it. */
  #disbelieved: { readonly failure: Failure; readonly cookieR: Uint8Array } | undefined;

  constructor(now: Instant, context: Phase1Context, options: Phase1InitiatorOptions) {
    super(now, context, options);
    const { ikeProposals, ikeLifetime = DEFAULT_IKE_LIFETIME } = this.connection;
    const group = ikeProposals[0]?.group ?? '';
    this.#proposals = ikeProposals.filter((proposal) => proposal.group === group);
    this.#saBody = encodeSa([phase1Proposal(this.#proposals, ikeLifetime, methodOf(this.connection))]);
    this.#exchange = createKeyExchange(group, context.random);
    this.#nonceI = context.random.bytes(NONCE_OCTETS);
    this.#claim = ownClaim(localIdentity(this.connection, this.currentPath));
    const payloads = [
      { type: PayloadType.sa, body: this.#saBody },
      { type: PayloadType.keyExchange, body: this.#exchange.publicValue },
      { type: PayloadType.nonce, body: this.#nonceI },
      identityPayload(this.#claim),
      ...initiatorVendorIds(context.self, hasLogin(this.connection)),
    ];
    this.send(now, 'Aggressive Mode 1', this.#plain(payloads), false);
  }

  /** Zeros until it is over: nothing before proves who answers. */
  get cookieR(): Uint8Array {
    return this.#cookieR;
  }

  protected get exchangeType(): number {
    return ExchangeType.aggressive;
  }

  protected take(_now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const { cookieR } = message.header;
    if (isZeroSpi(cookieR)) throw new DecodeError('Responder Cookie is zero');
    const payloads = plainPayloads(message);
    const offered = { ...this.connection, ikeProposals: this.#proposals };
    const answer = acceptedAnswer(offered, onlyBody(payloads, PayloadType.sa, 'SA'));
    const { proposal } = answer;
    const vendor = recognizeVendor(this.context.self, payloads, 'called');
    const publicR = publicValueOf(payloads, proposal.group);
    const authentication = new Authentication(
      {
        cookieI: this.cookieI,
        cookieR: cookieR.slice(),
        proposal,
        saBody: this.#saBody,
        publicI: this.#exchange.publicValue,
        publicR,
        nonceI: this.#nonceI,
        nonceR: nonceOf(payloads).slice(),
        sharedSecret: this.#exchange.sharedSecret(publicR),
      },
      this.connection,
    );
    const claim = claimOf(payloads);
    const verdict = authentication.judge(false, claim, payloads, STEP_2);
    if (verdict !== 'proved') {
      this.context.counters.authenticationFailed += 1;
      const failure = verdict === 'unverified' ? answerNotVerified(STEP_2, this.currentPath.remote) : verdict;
      this.#disbelieved = { failure, cookieR: cookieR.slice() };
      this.hurry();
      return;
    }
    this.#cookieR = cookieR.slice();
    const { natTraversal } = vendor;
    const forced = this.connection.forceEncapsulation === true;
    const seen = { local: this.currentPath.local, remote: path.remote };
    const wish = { agreed: vendor.encapsulationAgreed, forced };
    const nat = detectNat(natTraversal, payloads, proposal.prf, this, seen, wish);
    const pretender = forced && !vendor.encapsulationAgreed ? this.context.random : undefined;
    if (nat.encapsulation !== undefined) this.currentPath = movedToNatPort(this.currentPath);
    const natd =
      natTraversal === undefined ? [] : natdPayloads(natTraversal, proposal.prf, this, this.currentPath, pretender);
    const message3 = authentication.seal(ExchangeType.aggressive, [
      ...authentication.prove(true, this.#claim),
      ...natd,
      ...(this.options.initialContact() ? [initialContact(this.cookieI, cookieR)] : []),
    ]);
    this.accepted(message, STEP_2, message3);
    const { fragmentation } = vendor;
    this.context.outbox.send(this.ikeId, 'Aggressive Mode 3', message3, this.currentPath, fragmentation);
    const answers = { ...answer, cookieR: this.#cookieR, vendor, nat, authentication, claim, payloads };
    this.succeed({ ...this.outcomeOf(answers), unconfirmed: message3 });
  }

  protected silence(): Failure {
    if (this.#disbelieved !== undefined) {
      this.#tellDisbelief(this.#disbelieved.cookieR);
      return this.#disbelieved.failure;
    }
    const step = 'Aggressive Mode 1';
    if (this.clues.notify === NotifyType.noProposalChosen) return ikeOfferRefused(step, this.#proposals);
    return noAnswer(step, this.currentPath.remote, this.clues);
  }

  protected clear(): void {
    this.#exchange.destroy();
  }

  /** In clear, as all that came before. */
  #tellDisbelief(cookieR: Uint8Array): void {
    const payloads = [{ type: PayloadType.notification, body: isakmpNotification(NotifyType.authenticationFailed) }];
    const message = plainMessage(this.cookieI, cookieR, payloads, ExchangeType.informational);
    const detail = 'AUTHENTICATION-FAILED';
    this.context.outbox.send(this.ikeId, 'Informational', message, this.currentPath, false, detail);
  }

  #plain(payloads: Parameters<typeof plainMessage>[2]): Uint8Array {
    return plainMessage(this.cookieI, this.#cookieR, payloads, ExchangeType.aggressive);
  }
}
