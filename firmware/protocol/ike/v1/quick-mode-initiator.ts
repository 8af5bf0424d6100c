/** Quick Mode, the side that begins (RFC 2409 section 5.5). */
import { DecodeError } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { hash1, hash2, hash3 } from '../crypto/keys-v1.ts';
import { espOfferRefused } from '../no-proposal.ts';
import { chooseEspProposal, type EspProposal } from '../proposals.ts';
import { type Clues, noAnswerToQuickMode, quickModeAnswer, quickModeRefused } from './failures.ts';
import type { ReceivedMessage } from './header.ts';
import { agreedLifetime, DEFAULT_CHILD_LIFETIME } from './lifetimes.ts';
import type { Notification } from './notification.ts';
import { ExchangeType, NotifyType, Phase2Attribute } from './numbers.ts';
import type { Payload } from './payload.ts';
import { NONCE_OCTETS } from './phase1.ts';
import { secondsOf } from './phase1-transforms.ts';
import { Phase2Messages } from './phase2-message.ts';
import {
  encapsulationModes,
  MAX_OFFERED_TRANSFORMS,
  phase2Answer,
  phase2Proposal,
  phase2Protocol,
} from './phase2-transforms.ts';
import {
  type AgreedChild,
  childKeys,
  decodeContent,
  encodeContent,
  originalAddresses,
  ownNatOriginal,
  type QuickMode,
  type QuickModeContext,
} from './quick-mode.ts';
import { type ClientIds, selectorsFor } from './quick-mode-selectors.ts';
import { Retransmission } from './retransmit.ts';
import { decodeAttributes, encodeSa } from './sa-payload.ts';

export interface QuickModeRequest {
  /** Absent: the two ends themselves, as the SA that is replaced had it. */
  readonly ids?: ClientIds;
  readonly proposals: readonly EspProposal[];
  readonly replaces?: number;
}

export class QuickModeInitiator implements QuickMode {
  readonly initiator = true;
  readonly request: QuickModeRequest;
  readonly inboundSpi: number;
  readonly #context: QuickModeContext;
  readonly #messages: Phase2Messages;
  /** Those with one group for perfect forward secrecy: message 1 has room for one public value. */
  readonly #proposals: readonly EspProposal[];
  readonly #exchange: KeyExchange | undefined;
  readonly #nonceI: Uint8Array;
  readonly #message1: Uint8Array;
  readonly #retransmission: Retransmission;
  #clues: Clues = {};
  #over = false;
  #agreed: AgreedChild | undefined;
  #failure: Failure | undefined;

  constructor(now: Instant, context: QuickModeContext, messageId: number, request: QuickModeRequest) {
    const { sa } = context;
    this.request = request;
    this.#context = context;
    this.#messages = new Phase2Messages(sa, ExchangeType.quickMode, messageId);
    const group = request.proposals[0]?.group;
    const sameGroup = request.proposals.filter((proposal) => proposal.group === group);
    this.#proposals = sameGroup.slice(0, MAX_OFFERED_TRANSFORMS);
    this.#exchange = group === undefined ? undefined : createKeyExchange(group, context.random);
    this.#nonceI = context.random.bytes(NONCE_OCTETS);
    this.inboundSpi = context.freshSpi();
    const mode = encapsulationModes(sa.connection.mode, sa.nat, this.#proposals).offered;
    const lifetime = sa.connection.childLifetime ?? DEFAULT_CHILD_LIFETIME;
    const { ids } = request;
    const content = {
      saBody: encodeSa([phase2Proposal(this.#proposals, mode, lifetime, this.inboundSpi)]),
      nonce: this.#nonceI,
      ...(this.#exchange === undefined ? {} : { publicValue: this.#exchange.publicValue }),
      ...(ids === undefined ? {} : { ids: [ids.local, ids.remote] as const }),
      natOriginal: ownNatOriginal(context, true),
    };
    const payloads = encodeContent(content, sa.nat.traversal === 'draft');
    const { prf } = sa.proposal;
    this.#message1 = this.#messages.seal(payloads, (covered) => hash1(prf, sa.keys.skeyidA, messageId, covered));
    this.#retransmission = new Retransmission(now);
    context.send('Quick Mode 1', this.#message1);
  }

  get deadline(): Instant | undefined {
    return this.#over ? undefined : this.#retransmission.deadline;
  }

  get over(): boolean {
    return this.#over;
  }

  get agreed(): AgreedChild | undefined {
    return this.#agreed;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  receive(_now: Instant, message: ReceivedMessage): boolean {
    const { sa } = this.#context;
    const { prf } = sa.proposal;
    const { messageId } = this.#messages;
    const payloads = this.#messages.open(message, (covered) =>
      hash2(prf, sa.keys.skeyidA, messageId, this.#nonceI, covered),
    );
    if (payloads === undefined) return false;
    this.#context.received('Quick Mode 2');
    this.#over = true;
    const result = this.#judge(payloads);
    this.#exchange?.destroy();
    if ('step' in result) {
      this.#failure = result;
      this.#context.remember(messageId, message.octets);
      return true;
    }
    this.#agreed = result.agreed;
    const message3 = this.#messages.seal([], () => hash3(prf, sa.keys.skeyidA, messageId, this.#nonceI, result.nonceR));
    this.#context.remember(messageId, message.octets, message3);
    this.#context.send('Quick Mode 3', message3);
    return true;
  }

  tick(now: Instant): void {
    if (this.#over) return;
    const due = this.#retransmission.due(now);
    if (due === 'resend') this.#context.send('Quick Mode 1 again', this.#message1);
    if (due === 'exhausted') this.#fail(noAnswerToQuickMode(this.#context.path.remote, this.#clues));
  }

  /** The network says that it will not work. */
  hint(clue: Clues): void {
    this.#clues = { ...this.#clues, ...clue };
  }

  /** The peer refused it, authenticated. @param type Notify Message Type. */
  refused(type: number): void {
    if (this.#over) return;
    if (type !== NotifyType.noProposalChosen) this.#fail(quickModeRefused(type));
    else {
      const failure = espOfferRefused('Quick Mode', this.#proposals);
      this.#fail({ ...failure, reason: `${failure.reason} in ${this.#context.sa.connection.mode} mode` });
    }
  }

  #fail(failure: Failure): void {
    this.#over = true;
    this.#failure = failure;
    this.#exchange?.destroy();
  }

  #judge(payloads: readonly Payload[]): { readonly agreed: AgreedChild; readonly nonceR: Uint8Array } | Failure {
    const { sa, path } = this.#context;
    try {
      const content = decodeContent(payloads);
      const answer = phase2Answer(content.saBody);
      const choice = chooseEspProposal([answer.offer], this.#proposals, { version: 1 });
      const modes = encapsulationModes(sa.connection.mode, sa.nat, this.#proposals);
      if (choice === undefined || !modes.accepted.includes(answer.mode)) {
        return quickModeAnswer('the peer chose a proposal that was not offered');
      }
      const sharedSecret = this.#sharedSecret(content.publicValue);
      // In transport mode some return the addresses as they see them: what was asked for is meant all the same.
      const returned = sa.connection.mode === 'transport' ? undefined : content.ids;
      const ids = returned === undefined ? this.request.ids : { local: returned[0], remote: returned[1] };
      const selectors = selectorsFor(sa.connection, ids, path, sa.nat);
      if ('step' in selectors) return { ...selectors, step: 'Quick Mode 2' };
      const esp = choice.proposal;
      const spis = { inboundSpi: this.inboundSpi, outboundSpi: answer.spi };
      const seed = { nonceI: this.#nonceI, nonceR: content.nonce, ...(sharedSecret && { sharedSecret }) };
      const natOriginal = originalAddresses(this.#context, true, content.natOriginal);
      const { replaces } = this.request;
      const agreed: AgreedChild = {
        initiator: true,
        esp,
        ...spis,
        ...childKeys(sa, esp, seed, spis),
        selectors,
        ...(ids === undefined ? {} : { ids }),
        ...(natOriginal === undefined ? {} : { natOriginal }),
        lifetime: this.#lifetime(answer.lifetime, content.notifications),
        ...(replaces === undefined ? {} : { replaces }),
      };
      return { agreed, nonceR: content.nonce };
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return quickModeAnswer(`the peer's answer is malformed (${error.message})`);
    }
  }

  #sharedSecret(publicValue: Uint8Array | undefined): Uint8Array | undefined {
    if (this.#exchange === undefined) return undefined;
    if (publicValue === undefined) throw new DecodeError('no public value although PFS was chosen');
    return this.#exchange.sharedSecret(publicValue);
  }

  /** The shorter one wins; a responder may name its own by RESPONDER-LIFETIME (RFC 2407 section 4.6.3.1). */
  #lifetime(answered: number | undefined, notifications: readonly Notification[]): number {
    let lifetime = agreedLifetime(this.#context.sa.connection.childLifetime ?? DEFAULT_CHILD_LIFETIME, answered);
    for (const { type, protocol, data } of notifications) {
      if (type !== NotifyType.responderLifetime || protocol !== phase2Protocol(this.#proposals)) continue;
      lifetime = agreedLifetime(lifetime, secondsOf(decodeAttributes(data), Phase2Attribute));
    }
    return lifetime;
  }
}
