/** Main Mode, the side that is asked (RFC 2409 sections 5.1 and 5.4). */
import { DecodeError, hex } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { hasLogin } from './authentication-method.ts';
import { MAX_REQUESTS } from './certificate-payloads.ts';
import { reasonPayloads } from './certificate-refusal.ts';
import { unreadableProof, wrongKey } from './failures.ts';
import type { ReceivedMessage } from './header.ts';
import { sealInformational } from './informational.ts';
import { detectNat, type NatSituationV1, natdPayloads } from './natd.ts';
import { ExchangeType, NotifyType, notifyName, PayloadType } from './numbers.ts';
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
  claimOf,
  type Exchanged,
  identityPayload,
  orNothing,
  ownClaim,
  requestsFor,
} from './phase1-authentication.ts';
import { Phase1Responder, type Phase1ResponderOptions, type Proved } from './phase1-responder.ts';
import { chosenProposal } from './phase1-transforms.ts';
import { MessageIds } from './phase2-message.ts';
import { encodeSa } from './sa-payload.ts';
import { responderVendorIds } from './vendor-ids.ts';

/** Message 5 is looked at this many times; each try costs up to 8 key derivations, or verified chains of certificates. */
const MAX_ATTEMPTS = 3;

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
    };

export class MainModeResponder extends Phase1Responder {
  #state: State = { kind: 'wait-3' };
  /** Under which a message 5 could be read whose proof is not good. */
  #disbelieved: Authentication | undefined;

  constructor(now: Instant, context: Phase1Context, options: Phase1ResponderOptions) {
    super(now, context, options, 'Main Mode');
    const saBody = encodeSa([chosenProposal(options.offer)]);
    const payloads = [
      { type: PayloadType.sa, body: saBody },
      ...responderVendorIds(context.self, options.vendor, hasLogin(this.connection)),
    ];
    this.reply(2, options.message, plainMessage(this.cookieI, this.cookieR, payloads));
  }

  protected get exchangeType(): number {
    return ExchangeType.mainMode;
  }

  protected take(now: Instant, message: ReceivedMessage, path: UdpPath): void {
    const state = this.#state;
    if (state.kind === 'wait-3') this.#receive3(message, path);
    else if (isEncrypted(message)) this.#receive5(now, message, state, path);
    // A late repetition of message 1: that is no try at message 5.
    else this.context.counters.duplicate += 1;
  }

  #receive3(message: ReceivedMessage, path: UdpPath): void {
    const { proposal, vendor } = this.options;
    if (path.remote.address !== this.currentPath.remote.address) {
      throw new DecodeError('message 3 from another address');
    }
    const payloads = plainPayloads(message);
    const peerPublic = publicValueOf(payloads, proposal.group);
    const nonceI = nonceOf(payloads).slice();
    const exchange = createKeyExchange(proposal.group, this.context.random);
    const nonceR = this.context.random.bytes(NONCE_OCTETS);
    const forced = this.connection.forceEncapsulation === true;
    const nat = detectNat(vendor.natTraversal, payloads, proposal.prf, this, path, {
      agreed: vendor.encapsulationAgreed,
      forced,
    });
    this.currentPath = path;
    this.#state = { kind: 'wait-5', exchange, peerPublic, nonceI, nonceR, nat, attempts: 0 };
    this.context.outbox.received(this.ikeId, 'Main Mode 3');
    const reply: Payload[] = [
      { type: PayloadType.keyExchange, body: exchange.publicValue },
      { type: PayloadType.nonce, body: nonceR },
      ...this.#certificateRequests(),
    ];
    if (vendor.natTraversal !== undefined) {
      const pretender = forced && !vendor.encapsulationAgreed ? this.context.random : undefined;
      reply.push(...natdPayloads(vendor.natTraversal, proposal.prf, this, path, pretender));
    }
    this.reply(4, message, plainMessage(this.cookieI, this.cookieR, reply));
  }

  #receive5(now: Instant, message: ReceivedMessage, state: State & { kind: 'wait-5' }, path: UdpPath): void {
    if (state.attempts >= MAX_ATTEMPTS) {
      this.context.counters.unexpected += 1;
      return;
    }
    state.attempts += 1;
    const proved = this.#authenticate(message, state);
    if (proved === undefined) {
      this.#tellReason(path);
      this.refuse(now, 5, path);
      return;
    }
    const { connection, authentication } = proved;
    this.context.outbox.received(this.ikeId, 'Main Mode 5');
    const claim = ownClaim(localIdentity(connection, path));
    const proof = [identityPayload(claim), ...authentication.prove(false, claim)];
    const reply = authentication.seal(ExchangeType.mainMode, proof);
    this.currentPath = path;
    this.succeed(proved, path);
    this.reply(6, message, reply);
  }

  /**
   * With pre-shared keys the identity can be read only with the right one, so every candidate's is tried (RFC 2409 section
   * 5.4 says that keys go by address; a peer without a fixed one is the reason for more than one candidate).
   */
  #authenticate(message: ReceivedMessage, state: State & { kind: 'wait-5' }): Proved | undefined {
    const exchanged = this.#exchanged(state);
    const { candidates } = this.options;
    const { remote } = this.currentPath;
    this.reason ??=
      candidates[0].authentication.kind === 'psk' ? wrongKey(remote, candidates.length) : unreadableProof(remote);
    for (const connection of candidates) {
      const authentication = new Authentication(exchanged, connection);
      const opened = orNothing(() => {
        const { payloads, accept } = authentication.open(message);
        const claim = claimOf(payloads);
        return { claim, payloads, accept, verdict: authentication.judge(true, claim, payloads, 'Main Mode 5') };
      });
      if (opened === undefined || opened.verdict === 'unverified') continue;
      if (opened.verdict === 'proved') {
        opened.accept();
        return { connection, nat: state.nat, authentication, claim: opened.claim, payloads: opened.payloads };
      }
      this.reason = opened.verdict;
      // What is said under these keys goes on from message 5, as it does once an SA stands.
      opened.accept();
      this.#disbelieved = authentication;
    }
    return undefined;
  }

  /** To a Culvert only: others expect nothing encrypted before there is an SA (RFC 2409 section 5.7). */
  #tellReason(path: UdpPath): void {
    const authentication = this.#disbelieved;
    const { proposal, vendor } = this.options;
    const payloads = reasonPayloads(vendor, this.reason);
    if (authentication === undefined || payloads.length === 0) return;
    if (path.remote.address !== this.currentPath.remote.address) return;
    const { keys, encryptionKey, lastBlock } = authentication;
    const { cookieI, cookieR } = this;
    const messageId = new MessageIds(this.context.random).fresh();
    const protection = { cookieI, cookieR, proposal, keys, encryptionKey, lastBlock };
    const message = sealInformational(protection, messageId, payloads);
    const detail = notifyName(NotifyType.culvertCertificateRefused);
    this.context.outbox.send(this.ikeId, 'Informational', message, path, vendor.fragmentation, detail);
  }

  /** Of every candidate: which one is meant is not known yet. */
  #certificateRequests(): readonly Payload[] {
    const requests = this.options.candidates.flatMap(requestsFor);
    const known = new Map(requests.map((request) => [hex(request.body), request]));
    return [...known.values()].slice(0, MAX_REQUESTS);
  }

  #exchanged(state: State & { kind: 'wait-5' }): Exchanged {
    state.exchanged ??= {
      cookieI: this.cookieI,
      cookieR: this.cookieR,
      proposal: this.options.proposal,
      saBody: this.options.saBody,
      publicI: state.peerPublic,
      publicR: state.exchange.publicValue,
      nonceI: state.nonceI,
      nonceR: state.nonceR,
      sharedSecret: state.exchange.sharedSecret(state.peerPublic),
    };
    return state.exchanged;
  }

  protected clear(): void {
    if (this.#state.kind === 'wait-5') this.#state.exchange.destroy();
  }
}
