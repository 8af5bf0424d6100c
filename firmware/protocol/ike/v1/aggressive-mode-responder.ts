/**
 * Aggressive Mode, the side that is asked (RFC 2409 sections 5.1 and 5.4). With a pre-shared key message 2 hands a stranger
 * a hash by which he can try keys at leisure: only connections that say so answer.
 */
import type { Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { createKeyExchange } from '../crypto/dh.ts';
import { hasLogin } from './authentication-method.ts';
import { type Clues, disbelievedByCaller, wrongKeyOf } from './failures.ts';
import type { ReceivedMessage } from './header.ts';
import { detectNat, natdPayloads } from './natd.ts';
import { ExchangeType, NotifyType, PayloadType } from './numbers.ts';
import { nonceOf, type Payload } from './payload.ts';
import {
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
  type Claim,
  identityPayload,
  orNothing,
  ownClaim,
  requestsFor,
} from './phase1-authentication.ts';
import { Phase1Responder, type Phase1ResponderOptions } from './phase1-responder.ts';
import { chosenProposal } from './phase1-transforms.ts';
import { encodeSa } from './sa-payload.ts';
import { responderVendorIds } from './vendor-ids.ts';

/** Message 3 is looked at this many times. */
const MAX_ATTEMPTS = 3;

const STEP_3 = 'Aggressive Mode 3';

export interface AggressiveModeResponderOptions extends Phase1ResponderOptions {
  /** Payloads of message 1, and who it says that the caller is. */
  readonly payloads: readonly Payload[];
  readonly claim: Claim;
}

export class AggressiveModeResponder extends Phase1Responder {
  readonly #authentication: Authentication;
  readonly #claim: Claim;
  #attempts = 0;

  /** @throws DecodeError when message 1 is malformed. */
  constructor(now: Instant, context: Phase1Context, options: AggressiveModeResponderOptions) {
    super(now, context, options, 'Aggressive Mode');
    const { proposal, offer, saBody, vendor, payloads, path } = options;
    this.#claim = options.claim;
    const publicI = publicValueOf(payloads, proposal.group);
    const nonceI = nonceOf(payloads).slice();
    const nonceR = context.random.bytes(NONCE_OCTETS);
    const exchange = createKeyExchange(proposal.group, context.random);
    const { cookieI, cookieR } = this;
    const publicR = exchange.publicValue;
    try {
      const sharedSecret = exchange.sharedSecret(publicI);
      this.#authentication = new Authentication(
        { cookieI, cookieR, proposal, saBody, publicI, publicR, nonceI, nonceR, sharedSecret },
        this.connection,
      );
    } finally {
      exchange.destroy();
    }
    const claim = ownClaim(localIdentity(this.connection, path));
    const { natTraversal } = vendor;
    const pretend = this.connection.forceEncapsulation === true && !vendor.encapsulationAgreed;
    const message2 = [
      { type: PayloadType.sa, body: encodeSa([chosenProposal(offer)]) },
      { type: PayloadType.keyExchange, body: publicR },
      { type: PayloadType.nonce, body: nonceR },
      identityPayload(claim),
      ...this.#authentication.prove(false, claim),
      ...requestsFor(this.connection),
      ...responderVendorIds(context.self, vendor, hasLogin(this.connection)),
      ...(natTraversal === undefined
        ? []
        : natdPayloads(natTraversal, proposal.prf, this, path, pretend ? context.random : undefined)),
    ];
    this.reply(2, options.message, plainMessage(cookieI, cookieR, message2, ExchangeType.aggressive));
  }

  protected get exchangeType(): number {
    return ExchangeType.aggressive;
  }

  protected take(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    if (this.#attempts >= MAX_ATTEMPTS) {
      this.context.counters.unexpected += 1;
      return;
    }
    this.#attempts += 1;
    const authentication = this.#authentication;
    const opened = orNothing(() => {
      const { payloads, accept } = isEncrypted(message)
        ? authentication.open(message)
        : { payloads: plainPayloads(message), accept: () => undefined };
      return { payloads, accept, verdict: authentication.judge(true, this.#claim, payloads, STEP_3) };
    });
    if (opened?.verdict !== 'proved') {
      const verdict = opened?.verdict ?? 'unverified';
      this.reason = verdict === 'unverified' ? wrongKeyOf(STEP_3, this.#claim.identity) : verdict;
      this.refuse(now, 3, path);
      return;
    }
    opened.accept();
    this.context.outbox.received(this.ikeId, STEP_3);
    this.replay.remember(0, message.octets);
    const { connection } = this;
    const { vendor, proposal } = this.options;
    const { payloads } = opened;
    const wish = { agreed: vendor.encapsulationAgreed, forced: connection.forceEncapsulation === true };
    const paths = [path, this.currentPath];
    const nat = detectNat(vendor.natTraversal, payloads, proposal.prf, this, paths, wish);
    this.currentPath = path;
    this.succeed({ connection, nat, authentication, claim: this.#claim, payloads }, path);
  }

  /** Whoever says something encrypted believes to have said message 3: it was lost, and message 2 asks for it once more. */
  override hint({ unreadable, notify }: Clues): void {
    if (unreadable === true) this.answeredAgain(this.options.message.octets);
    if (notify === NotifyType.authenticationFailed) this.reason ??= disbelievedByCaller(this.path.remote);
  }

  protected clear(): void {}
}
